// Package frame turns RTP packets into coded pictures and back, for every video
// codec the gateway decodes or encodes:
//
//	H264                   RFC 6184, by package h264; frames are Annex B
//	VP8                    RFC 7741
//	VP9                    RFC 9628; layers of one picture become a superframe
//	AV1                    RTP payload format of AOM; frames are OBUs with sizes
//	H263                   RFC 2190, modes A, B and C
//	H263-1998, H263-2000   RFC 4629
//	H261                   RFC 4587
//
// Payload headers in the order of their bits:
//
//	VP8   X R N S R PID:3 | I L T K RSV:4 | M PictureID:15 | TL0PICIDX | TID:2 Y KEYIDX:5
//	VP9   I P L F B E V Z | M PictureID | TID U SID D | ...
//	AV1   Z Y W:2 N 0 0 0
//	H263  F P SBIT:3 EBIT:3 | SRC:3 I U S A R:4 DBQ:2 TRB:3 | TR         mode A
//	      F P SBIT:3 EBIT:3 | SRC:3 QUANT:5 | GOBN:5 MBA:9 R:2 |
//	      I U S A HMV1:7 VMV1:7 HMV2:7 VMV2:7 [| RR DBQ:2 TRB:3 TR]      mode B, C
//	4629  RR:5 P V PLEN:6 PEBIT:3
//	H261  SBIT:3 EBIT:3 I V GOBN:4 MBAP:5 QUANT:5 HMVD:5 VMVD:5
package frame

import (
	"errors"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/media/jitter"
)

// Frame is one coded picture.
type Frame struct {
	Data      []byte // valid until the handler returns
	Timestamp uint32
	Keyframe  bool // decoding can start here
	Damaged   bool // something is missing that the decoder can conceal
}

// Stats count since the beginning.
type Stats struct {
	Frames    uint64
	Lost      uint64 // packets that did not come
	Dropped   uint64 // frames that were not whole, or not decodable without others
	Malformed uint64 // payloads that are not of the codec's format
}

// maxFrame bounds what a peer can make us keep.
const maxFrame = 4 << 20

// ErrCodec is returned for a codec that has no payload format here.
var ErrCodec = errors.New("frame: unknown codec")

var (
	errShort     = errors.New("frame: payload too short")
	errMalformed = errors.New("frame: malformed payload")
)

// Assembler makes frames of packets. It implements media.Writer, and puts
// packets that overtook each other back in order. Not for concurrent use.
type Assembler struct {
	whole func(Frame)
	lost  func()
	order *jitter.Reorder
	h264  *accessUnits // instead of order

	payloads depayloader
	conceals bool // the decoder makes do with a part of a frame
	data     []byte
	stamp    uint32
	open     bool
	damaged  bool
	waiting  bool // for a keyframe
	stats    Stats
}

// depayloader knows one payload format.
type depayloader interface {
	// begin starts a frame.
	begin()
	// add appends what a payload holds of the frame to data.
	add(data, payload []byte) ([]byte, error)
	// end completes a frame; key says that decoding can start at it, ok that
	// all of it is there as far as the format tells.
	end(data []byte) (out []byte, key, ok bool)
}

// NewAssembler hands every frame to whole. lost hears that something is missing
// that only a keyframe mends; it is called often and must not block.
func NewAssembler(f media.Format, whole func(Frame), lost func()) (*Assembler, error) {
	a := &Assembler{whole: whole, lost: lost, waiting: true}
	switch c := f.Codec; {
	case c.Is(string(media.H264)):
		a.h264 = newAccessUnits(a, f.H264.ParameterSets)
		return a, nil
	case c.Is(string(media.VP8)):
		a.payloads = &vp8{}
	case c.Is(string(media.VP9)):
		a.payloads = &vp9{}
	case c.Is(string(media.AV1)):
		a.payloads = &av1{}
	case c.Is(string(media.H263)):
		a.payloads, a.conceals = &h263{}, true
	case c.Is(string(media.H263Plus)), c.Is(string(media.H2632000)):
		a.payloads, a.conceals = &h263{plus: true}, true
	case c.Is(string(media.H261)):
		a.payloads, a.conceals = &h261{}, true
	default:
		return nil, ErrCodec
	}
	a.order = jitter.NewReorder(a.packet)
	return a, nil
}

// WriteRTP implements media.Writer. Bad payloads are counted and dropped; the
// error is always nil.
func (a *Assembler) WriteRTP(p *rtp.Packet) error {
	if a.h264 != nil {
		return a.h264.depack.WriteRTP(p)
	}
	a.order.Write(p, time.Now())
	return nil
}

// Stats gives the counters.
func (a *Assembler) Stats() Stats {
	s := a.stats
	if a.h264 != nil {
		d := a.h264.depack.Stats()
		s.Lost, s.Malformed = d.Lost, d.Malformed
	}
	return s
}

// packet takes the next one in order of sequence.
func (a *Assembler) packet(p *jitter.Packet) {
	if p.Lost > 0 || p.Restart {
		a.stats.Lost += uint64(p.Lost)
		a.gap(p.Timestamp)
	}
	if len(p.Payload) == 0 {
		return
	}
	if a.open && p.Timestamp != a.stamp {
		a.finish() // its marker was lost, or never set
	}
	if !a.open {
		a.open, a.stamp, a.data = true, p.Timestamp, a.data[:0]
		a.payloads.begin()
	}
	data, err := a.payloads.add(a.data, p.Payload)
	switch {
	case err != nil:
		a.stats.Malformed++
		a.damaged = true
	case len(data) > maxFrame:
		a.stats.Malformed++
		a.damaged = true
		a.data = a.data[:0]
	default:
		a.data = data
	}
	if p.Marker {
		a.finish()
	}
}

// gap notes that packets are missing before one with the timestamp given.
func (a *Assembler) gap(next uint32) {
	if a.open && next != a.stamp { // the end of the frame, maybe frames behind it
		a.damaged = true
		a.finish()
	}
	a.damaged = true
	if !a.conceals {
		a.waiting = true
	}
	a.lost()
}

// finish hands the frame under way on, or drops it.
func (a *Assembler) finish() {
	damaged := a.damaged
	a.open, a.damaged = false, false
	data, key, ok := a.payloads.end(a.data)
	a.data = data
	damaged = damaged || !ok
	switch {
	case len(data) == 0:
		return
	case damaged && !a.conceals, a.waiting && !key:
		a.stats.Dropped++
		a.waiting = true
		a.lost()
		return
	}
	if key && !damaged {
		a.waiting = false
	}
	a.stats.Frames++
	a.whole(Frame{Data: data, Timestamp: a.stamp, Keyframe: key, Damaged: damaged})
}

// accessUnits groups the NAL units of H.264 by picture.
type accessUnits struct {
	a      *Assembler
	depack *h264.Depacketizer
	sets   []byte // from signalling, Annex B
}

func newAccessUnits(a *Assembler, sets string) *accessUnits {
	u := &accessUnits{a: a, sets: []byte(sets)}
	u.depack = h264.NewDepacketizer(u.unit, func(int) {
		a.damaged = true
		a.lost()
	})
	return u
}

func (u *accessUnits) unit(n h264.Unit) {
	a := u.a
	if a.open && n.Timestamp != a.stamp {
		u.finish()
	}
	if !a.open {
		a.open, a.stamp, a.data = true, n.Timestamp, a.data[:0]
	}
	switch t := h264.TypeOf(n.NAL); {
	case len(a.data)+len(n.NAL) > maxFrame:
		a.damaged = true
	case t.IsSlice(), t == h264.SPSUnit, t == h264.PPSUnit:
		a.data = h264.AppendAnnexB(a.data, n.NAL)
	}
	if n.Last {
		u.finish()
	}
}

// finish hands an access unit on. Parameter sets travel with the next picture.
func (u *accessUnits) finish() {
	a := u.a
	a.open = false
	key, slices := false, false
	for nal, rest := h264.NextAnnexB(a.data); len(nal) > 0; nal, rest = h264.NextAnnexB(rest) {
		t := h264.TypeOf(nal)
		slices = slices || t.IsSlice()
		key = key || t == h264.IDR
	}
	if len(a.data) == 0 {
		return
	}
	if slices && a.waiting && !key {
		a.damaged = false
		a.stats.Dropped++
		a.lost()
		return
	}
	if key && len(u.sets) > 0 {
		a.data = append(append([]byte(nil), u.sets...), a.data...)
		u.sets = nil
	}
	if slices {
		a.waiting = false
		a.stats.Frames++
	}
	a.whole(Frame{Data: a.data, Timestamp: a.stamp, Keyframe: key, Damaged: a.damaged})
	a.damaged = false
}
