package transcode

/*
#cgo pkg-config: opus
#include <opus.h>

// The ctl functions are variadic, which cgo cannot call.
static int encoder_set(OpusEncoder *e, int request, opus_int32 value) {
	return opus_encoder_ctl(e, request, value);
}

#cgo noescape encoder_set
#cgo nocallback encoder_set
#cgo noescape opus_encode
#cgo nocallback opus_encode
#cgo noescape opus_decode
#cgo nocallback opus_decode
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
)

// The states live in Go memory: libopus keeps each in one block without
// pointers into itself, asks for nothing to be freed, and promises that a plain
// copy is a copy of the coder. So there is nothing to close.

// opusError names a libopus error code.
func opusError(code C.int) error {
	return fmt.Errorf("transcode: opus: %s", C.GoString(C.opus_strerror(code)))
}

// aligned allocates n bytes of coder state; words, since it holds pointers to
// static C tables.
func aligned(n C.int) []uint64 { return make([]uint64, (int(n)+7)/8) }

// opusRate is the nearest rate at or above the one wished for that both libopus
// and the mixer know.
func opusRate(rate int) int {
	switch {
	case rate <= 8000:
		return 8000
	case rate <= 16000:
		return 16000
	}
	return 48000
}

type opusEncoder struct {
	state []uint64
	rate  int
	dtx   bool
}

type opusSetting struct {
	request C.int
	value   int
}

func newOpusEncoder(c *Codecs, f media.Format, rate int) (*opusEncoder, error) {
	rate = opusRate(rate)
	size := C.opus_encoder_get_size(1)
	e := &opusEncoder{state: aligned(size), rate: rate, dtx: f.Opus.DTX}
	if code := C.opus_encoder_init(e.c(), C.opus_int32(rate), 1, C.OPUS_APPLICATION_VOIP); code != C.OPUS_OK {
		return nil, opusError(code)
	}
	settings := []opusSetting{
		{C.OPUS_SET_COMPLEXITY_REQUEST, c.complexity()},
		{C.OPUS_SET_BITRATE_REQUEST, c.bitrate(f, rate)},
		{C.OPUS_SET_SIGNAL_REQUEST, C.OPUS_SIGNAL_VOICE},
		{C.OPUS_SET_DTX_REQUEST, oneIf(f.Opus.DTX)},
		{C.OPUS_SET_INBAND_FEC_REQUEST, oneIf(f.Opus.InbandFEC)},
		{C.OPUS_SET_MAX_BANDWIDTH_REQUEST, opusBandwidth(f.Opus.MaxPlaybackRate)},
	}
	if f.Opus.InbandFEC {
		settings = append(settings, opusSetting{C.OPUS_SET_PACKET_LOSS_PERC_REQUEST, c.lossPercent()})
	}
	for _, s := range settings {
		if code := C.encoder_set(e.c(), s.request, C.opus_int32(s.value)); code != C.OPUS_OK {
			return nil, fmt.Errorf("request %d: %w", s.request, opusError(code))
		}
	}
	return e, nil
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// opusBandwidth is the widest band a receiver can play (RFC 7587 §6.1).
func opusBandwidth(rate int) int {
	switch {
	case rate == 0 || rate > 24000:
		return C.OPUS_BANDWIDTH_FULLBAND
	case rate > 16000:
		return C.OPUS_BANDWIDTH_SUPERWIDEBAND
	case rate > 12000:
		return C.OPUS_BANDWIDTH_WIDEBAND
	case rate > 8000:
		return C.OPUS_BANDWIDTH_MEDIUMBAND
	}
	return C.OPUS_BANDWIDTH_NARROWBAND
}

func (e *opusEncoder) c() *C.OpusEncoder {
	return (*C.OpusEncoder)(unsafe.Pointer(unsafe.SliceData(e.state)))
}

func (e *opusEncoder) Rate() int { return e.rate }

// Encode implements mixer.Encoder for frames of 2.5, 5, 10, 20, 40 and 60 ms;
// libopus refuses others.
func (e *opusEncoder) Encode(payload []byte, pcm []int16) (int, error) {
	if len(payload) == 0 || len(pcm) == 0 {
		return 0, errShort
	}
	n := C.opus_encode(e.c(), (*C.opus_int16)(unsafe.Pointer(&pcm[0])), C.int(len(pcm)),
		(*C.uchar)(&payload[0]), C.opus_int32(len(payload)))
	if n < 0 {
		return 0, errOpusEncode
	}
	if e.dtx && n <= 2 {
		return 0, nil // "does not need to be transmitted"
	}
	return int(n), nil
}

func (e *opusEncoder) CopyState(from mixer.Encoder) error {
	o, ok := from.(*opusEncoder)
	if !ok || o.rate != e.rate || len(o.state) != len(e.state) {
		return errOther
	}
	copy(e.state, o.state)
	return nil
}

type opusDecoder struct {
	state []uint64
	rate  int
}

// newOpusDecoder decodes to mono, whatever was sent: libopus downmixes.
func newOpusDecoder(rate int) (*opusDecoder, error) {
	rate = opusRate(rate)
	d := &opusDecoder{state: aligned(C.opus_decoder_get_size(1)), rate: rate}
	if code := C.opus_decoder_init(d.c(), C.opus_int32(rate), 1); code != C.OPUS_OK {
		return nil, opusError(code)
	}
	return d, nil
}

func (d *opusDecoder) c() *C.OpusDecoder {
	return (*C.OpusDecoder)(unsafe.Pointer(unsafe.SliceData(d.state)))
}

func (d *opusDecoder) Rate() int { return d.rate }

func (d *opusDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(payload) == 0 {
		return 0, errPayload
	}
	return d.decode(pcm, payload, 0)
}

// Conceal implements mixer.Decoder by libopus's own concealment.
func (d *opusDecoder) Conceal(pcm []int16) {
	if _, err := d.decode(pcm, nil, 0); err != nil {
		clear(pcm)
	}
}

// Recover implements mixer.Recoverer. Without a copy in next it conceals.
func (d *opusDecoder) Recover(pcm []int16, next []byte) error {
	if len(next) == 0 {
		return errPayload
	}
	_, err := d.decode(pcm, next, 1)
	return err
}

func (d *opusDecoder) decode(pcm []int16, payload []byte, fec C.int) (int, error) {
	if len(pcm) == 0 {
		return 0, errShort
	}
	n := C.opus_decode(d.c(), (*C.uchar)(unsafe.SliceData(payload)), C.opus_int32(len(payload)),
		(*C.opus_int16)(unsafe.Pointer(&pcm[0])), C.int(len(pcm)), fec)
	if n < 0 {
		return 0, errPayload
	}
	return int(n), nil
}

var (
	_ mixer.Recoverer = (*opusDecoder)(nil)
	_ mixer.Encoder   = (*opusEncoder)(nil)
)

var errOpusEncode = errors.New("transcode: opus cannot encode this frame")
