package h264

import (
	"fmt"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// Repacketizer is a stage that takes H.264 in any packetization and sends it
// on in one mode, in packets of bounded length, with parameter sets before
// each IDR. It starts at an IDR whose parameter sets it knows; of other units
// than slices and parameter sets (SEI, delimiters, SVC layers) nothing passes.
type Repacketizer struct {
	cfg     RepacketizerConfig
	next    media.Writer
	depack  *Depacketizer
	sets    parameterSets
	picture pictureWriter
	started bool
	stamp   uint32 // of the last slice
	shown   SPS
	err     error // of the next stage, during one WriteRTP
	tooBig  uint64
}

// RepacketizerConfig says what a Repacketizer writes.
type RepacketizerConfig struct {
	Mode      uint8 // 0 or 1
	MaxPacket int   // RTP header included; 0 = DefaultPacket
	// ParameterSets known from signalling, as in media.H264Format.
	ParameterSets string
	// NeedKeyframe is called when nothing can be sent without one: at the
	// start, and after a loss. It must not block and is called often: wrap a
	// Throttle. May be nil.
	NeedKeyframe func()
	// Changed is called at the IDR that starts a picture size or profile
	// unlike the one before. May be nil.
	Changed func(SPS)
}

// RepacketizerStats count since the beginning.
type RepacketizerStats struct {
	DepacketizerStats
	TooBig uint64 // units dropped because mode 0 cannot carry them
}

// NewRepacketizer writes to next.
func NewRepacketizer(next media.Writer, cfg RepacketizerConfig) *Repacketizer {
	r := &Repacketizer{cfg: cfg, next: next}
	r.depack = NewDepacketizer(r.unit, r.lost)
	r.picture.packets = NewPacketizer(next, cfg.Mode, cfg.MaxPacket)
	r.sets.load(cfg.ParameterSets)
	return r
}

// WriteRTP implements media.Writer; the error is the next stage's.
func (r *Repacketizer) WriteRTP(p *rtp.Packet) error {
	r.err = nil
	_ = r.depack.WriteRTP(p)
	return r.err
}

// Stats gives the counters. Not for use during WriteRTP.
func (r *Repacketizer) Stats() RepacketizerStats {
	return RepacketizerStats{r.depack.Stats(), r.tooBig}
}

func (r *Repacketizer) String() string {
	s := fmt.Sprintf("H264(repacketize mode %d)", r.cfg.Mode)
	if next, ok := r.next.(fmt.Stringer); ok {
		s += " -> " + next.String()
	}
	return s
}

func (r *Repacketizer) unit(u Unit) {
	switch t := TypeOf(u.NAL); {
	case t == SPSUnit || t == PPSUnit:
		_ = r.sets.put(u.NAL) // a bad one shows as slices without sets
	case t.IsSlice():
		r.slice(u, t)
		return
	}
	r.keep(r.picture.leftOut(u, 0))
}

func (r *Repacketizer) slice(u Unit, t Type) {
	first := !r.started || u.Timestamp != r.stamp
	var sps *SPS
	if t == IDR && first {
		var firstMB uint32
		if sps, _, firstMB = r.sets.of(u.NAL); sps == nil || !r.started && firstMB != 0 {
			r.needKeyframe()
			return
		}
		if *sps != r.shown && r.cfg.Changed != nil {
			r.cfg.Changed(*sps)
		}
		r.started, r.shown = true, *sps
	}
	if !r.started {
		r.needKeyframe()
		return
	}
	r.stamp = u.Timestamp
	r.keep(r.picture.slice(u, &r.sets, sps, sps != nil, 0))
}

// keep remembers the first error of the next stage. A unit too big for mode 0
// is dropped here: its picture is damaged as if it had been lost.
func (r *Repacketizer) keep(err error) {
	switch {
	case err == ErrTooBig:
		r.tooBig++
		r.picture.packets.Skip()
		r.needKeyframe()
	case err != nil && r.err == nil:
		r.err = err
	}
}

func (r *Repacketizer) lost(int) {
	if r.started {
		r.picture.packets.Skip()
	}
	r.needKeyframe()
}

func (r *Repacketizer) needKeyframe() {
	if r.cfg.NeedKeyframe != nil {
		r.cfg.NeedKeyframe()
	}
}
