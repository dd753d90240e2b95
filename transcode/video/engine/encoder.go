package engine

/*
#include "picture.h"
*/
import "C"

import (
	"fmt"
	"time"
	"unsafe"
)

// Encoding says what an Encoder makes.
type Encoding struct {
	Codec         Codec
	Width, Height int
	Bitrate       int     // bit/s
	FPS           float64 // pictures a second that will be given
	MaxUnit       int     // H.264: bytes of a slice; H.263: of a piece; 0 = no limit
	Level         uint8   // level_idc of H.264
	Text          bool    // what is coded is read: sharpness counts more than motion
}

// Coded is one coded frame, valid until the next call of its encoder.
type Coded struct {
	Data     []byte // empty: the encoder left the frame out
	Side     []byte // of H.263: where macroblocks begin, for RFC 2190 mode B
	Keyframe bool
}

// Encoder encodes one stream. Not for concurrent use.
type Encoder struct{ c *C.rg_encoder }

// Limits of an Encoding.
const (
	minBitrate = 16_000
	maxBitrate = 50_000_000
)

// NewEncoder opens an encoder of one thread. Close it.
func NewEncoder(e Encoding) (*Encoder, error) {
	if e.Width < 16 || e.Height < 16 || e.Width%2 != 0 || e.Height%2 != 0 || e.Width > C.RG_MAX_SIDE || e.Height > C.RG_MAX_SIDE {
		return nil, fmt.Errorf("%w: size %dx%d", ErrEncode, e.Width, e.Height)
	}
	spec := C.rg_encoding{
		codec: C.int(e.Codec), width: C.int(e.Width), height: C.int(e.Height),
		bitrate: bitrate(e.Bitrate), fps: rate(e.FPS), max_unit: C.int(e.MaxUnit), level: C.int(e.Level),
	}
	if e.Text {
		spec.text = 1
	}
	c := C.rg_encoder_open(&spec)
	if c == nil {
		return nil, fmt.Errorf("%w: codec %d, %dx%d", ErrEncode, e.Codec, e.Width, e.Height)
	}
	return &Encoder{c}, nil
}

func bitrate(bps int) C.int { return C.int(min(max(bps, minBitrate), maxBitrate)) }

func rate(fps float64) C.int { return C.int(100 * min(max(fps, 1), 60)) }

// Encode codes a picture shown at a time since the stream began.
func (e *Encoder) Encode(p *Picture, at time.Duration, keyframe bool) (Coded, error) {
	var out C.rg_coded
	key := C.int(0)
	if keyframe {
		key = 1
	}
	if C.rg_encoder_encode(e.c, &p.c, C.int64_t(at.Milliseconds()), key, &out) < 0 {
		return Coded{}, ErrEncode
	}
	c := Coded{Keyframe: out.keyframe != 0}
	if out.size > 0 {
		c.Data = unsafe.Slice((*byte)(out.data), int(out.size))
	}
	if out.side_size > 0 {
		c.Side = unsafe.Slice((*byte)(out.side), int(out.side_size))
	}
	return c, nil
}

// Change sets another rate from the next frame on.
func (e *Encoder) Change(bps int, fps float64) error {
	if C.rg_encoder_change(e.c, bitrate(bps), rate(fps)) < 0 {
		return ErrEncode
	}
	return nil
}

// Close frees the encoder.
func (e *Encoder) Close() { C.rg_encoder_close(e.c) }
