package h264

import (
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// input is a source attached to a Switch. Its fields belong to Switch.mu.
type input struct {
	sw     *Switch
	src    media.Track
	detach func()
	gone   bool // no longer wanted
	ended  bool // src is done; its Done need not be watched

	depack *Depacketizer
	sets   parameterSets
	meter  meter
	now    time.Time // of the packet under way
	inIDR  bool
	stamp  uint32 // of the picture under way
	sps    SPS    // active, of the last IDR
	groups int
	offset uint32 // added to timestamps going out
	asked  int    // keyframe requests while waiting
	nextAt time.Time
	told   int64 // bit rate last passed on
}

func newInput(sw *Switch, src media.Track) *input {
	in := &input{sw: sw, src: src}
	in.depack = NewDepacketizer(in.unit, in.lost)
	in.sets.load(src.Format().H264.ParameterSets)
	return in
}

func (in *input) follows(src media.Track) bool { return in != nil && in.src == src }

func (in *input) track() media.Track {
	if in == nil {
		return nil
	}
	return in.src
}

// WriteRTP implements media.Writer for the source.
func (in *input) WriteRTP(p *rtp.Packet) error {
	in.sw.mu.Lock()
	defer in.sw.mu.Unlock()
	if in.gone {
		return nil
	}
	in.now = time.Now()
	return in.depack.WriteRTP(p)
}

func (in *input) unit(u Unit) {
	if in.gone { // by an earlier unit of the same packet
		return
	}
	in.meter.add(u, in.now)
	switch t := TypeOf(u.NAL); {
	case t == SPSUnit || t == PPSUnit:
		_ = in.sets.put(u.NAL) // a bad one shows as slices without sets
	case t.IsSlice():
		in.slice(u, t)
		return
	}
	if in == in.sw.shown {
		_ = in.sw.picture.leftOut(u, in.offset)
	}
}

func (in *input) slice(u Unit, t Type) {
	s := in.sw
	first := u.Timestamp != in.stamp || (t == IDR) != in.inIDR
	in.stamp, in.inIDR = u.Timestamp, t == IDR
	var sps *SPS
	var pps *PPS
	if t == IDR {
		var firstMB uint32
		sps, pps, firstMB = in.sets.of(u.NAL)
		if first && sps != nil && firstMB == 0 {
			in.judge(*sps, pps.SliceGroups)
		}
		if sps == nil {
			return
		}
	}
	if in != s.shown {
		return
	}
	in.rebase(u)
	in.send(u, sps, pps, first)
}

// judge is called at the IDR that opens a picture: the only point where a
// source may be taken up, and where its size may change.
func (in *input) judge(sps SPS, groups int) {
	s := in.sw
	in.sps, in.groups = sps, groups
	_, why := Fits(in.facts(), s.receiver(in))
	switch {
	case why != "":
		s.refuse(in, why)
	case in == s.selected:
		s.reason = ""
		s.keys.Answered()
		if s.shown != in {
			s.takeUp(in)
		}
	}
	s.nudge()
}

func (in *input) facts() Facts {
	f := Facts{SPS: in.sps, SliceGroups: in.groups}
	f.FPS, f.Bitrate, f.LargestNAL = in.meter.facts(in.now)
	return f
}

// rebase anchors the source's clock anew when it jumped.
func (in *input) rebase(u Unit) {
	const jump = 10 * clockRate
	sent := &in.sw.sent
	if ahead := int32(u.Timestamp + in.offset - sent.last); sent.started && (ahead > jump || ahead < -jump) {
		in.offset = sent.offsetFor(u.Timestamp, in.now)
	}
}

func (in *input) send(u Unit, sps *SPS, pps *PPS, first bool) {
	s := in.sw
	starts := first && sps != nil
	if sps != nil {
		u.NAL = s.ids.apply(u.NAL, sps, pps, first)
	} else {
		s.ids.adjacent = false
	}
	s.sent.mark(u.Timestamp+in.offset, in.now)
	err := s.picture.slice(u, &in.sets, sps, starts, in.offset)
	if err == ErrTooBig {
		facts := in.facts()
		facts.LargestNAL = max(facts.LargestNAL, len(u.NAL))
		s.refuse(in, packetFits(&facts, &s.cfg.Receiver))
		s.nudge()
	}
}

// lost: a packet of the source did not come. The gap in its sequence numbers
// is passed on, and the picture mended by a keyframe.
func (in *input) lost(int) {
	if in.gone || in != in.sw.shown {
		return
	}
	in.sw.picture.packets.Skip()
	in.sw.RequestKeyframe()
}

// takeUp goes over to in, which has just opened an IDR picture.
func (s *Switch) takeUp(in *input) {
	s.leave(s.shown)
	s.shown = in
	s.ids.adjacent = true
	in.offset = s.sent.offsetFor(in.stamp, in.now)
	s.picture.open = false
}

// refuse stops forwarding a source that does not fit. The selected one stays
// attached, to be taken up when it fits again; the one before it, which may be
// shown while the selected one is waited for, goes on. So does, until there is
// another one, a picture that is a little too much for a path: better than none.
func (s *Switch) refuse(in *input, why string) {
	narrow, little := in.tooMuch()
	if in == s.shown && !little {
		s.shown = nil
	}
	if in == s.selected {
		s.reason, s.above = why, 0
		if narrow {
			s.above = in.facts().Bitrate
		}
	} else {
		s.leave(in)
	}
}

// tooMuch reports whether it is the path alone that in does not fit, and not by far.
func (in *input) tooMuch() (narrow, little bool) {
	f, limit := in.facts(), int(in.sw.limit.Load())
	if limit == 0 {
		return false, false
	}
	narrow, _ = Fits(f, in.sw.cfg.Receiver)
	return narrow, narrow && f.Bitrate <= 2*limit
}

// receiver is what in is to fit.
func (s *Switch) receiver(in *input) Receiver {
	r := s.cfg.Receiver
	_, tailored := in.src.(Tailored)
	limit := spared(int(s.limit.Load()))
	if !tailored && limit > 0 && (r.MaxBitrate == 0 || limit < r.MaxBitrate) {
		r.MaxBitrate = limit
	}
	return r
}
