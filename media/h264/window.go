package h264

import "github.com/pion/rtp"

// Bounds of the reordering window: a packet that did not come is given up when
// windowPackets behind it have, or when the timestamps have moved on by
// windowTicks since the first of those. A jump of sequenceJump is a new stream
// rather than a loss, and so are lateInARow late packets in a row.
const (
	windowPackets = 64 // a keyframe is so many and comes at once; one of them may be sent again
	lateInARow    = 16
	windowTicks   = 4500 // 50 ms of the 90 kHz clock
	sequenceJump  = 512
)

// segment is what a packet carries.
type segment struct {
	payload   []byte
	timestamp uint32
	marker    bool
}

// window puts packets back in order of sequence. Packets that came early wait
// in slots whose memory is kept.
type window struct {
	started bool
	next    uint16 // sequence number awaited
	held    int
	slots   [windowPackets]heldSegment
	odd     uint16 // follower of a sequence number far off
	odds    bool
	late    uint64 // came after they were given up, or twice
	lateRun int    // of them without any other
}

type heldSegment struct {
	segment
	used bool
}

// push takes the next packet in order of arrival; pass gets segments in order,
// lost the number of packets given up between them.
func (w *window) push(p *rtp.Packet, pass func(segment), lost func(int)) {
	seg := segment{p.Payload, p.Timestamp, p.Marker}
	if !w.started {
		w.started, w.next = true, p.SequenceNumber
	}
	ahead := int16(p.SequenceNumber - w.next)
	switch {
	case ahead >= sequenceJump || ahead <= -sequenceJump:
		if w.restart(p.SequenceNumber, pass, lost) {
			w.step(seg, pass)
		}
		return
	case ahead < 0:
		w.late++
		if w.lateRun++; w.lateRun > lateInARow { // nothing but: the sender has gone back
			w.startAt(p.SequenceNumber, pass, lost)
			w.step(seg, pass)
		}
		return
	case ahead == 0:
		w.step(seg, pass)
	case ahead >= windowPackets:
		w.giveUp(p.SequenceNumber-windowPackets+1, pass, lost)
		w.hold(p.SequenceNumber, seg)
	default:
		w.hold(p.SequenceNumber, seg)
	}
	w.drain(pass)
	if w.held > 0 && int32(p.Timestamp-w.slots[w.firstHeld()%windowPackets].timestamp) > windowTicks {
		w.giveUp(w.firstHeld(), pass, lost)
		w.drain(pass)
	}
}

// restart follows a sender that began anew, when two packets in a row say so
// (RFC 3550 §A.1).
func (w *window) restart(seq uint16, pass func(segment), lost func(int)) bool {
	if !w.odds || seq != w.odd {
		w.odds, w.odd = true, seq+1
		return false
	}
	w.startAt(seq, pass, lost)
	return true
}

// startAt passes on what is held and goes on at seq.
func (w *window) startAt(seq uint16, pass func(segment), lost func(int)) {
	for w.held > 0 {
		w.giveUp(w.firstHeld(), pass, lost)
		w.drain(pass)
	}
	lost(1)
	w.odds, w.next = false, seq
}

func (w *window) step(seg segment, pass func(segment)) {
	w.next++
	w.odds, w.lateRun = false, 0
	pass(seg)
}

func (w *window) hold(seq uint16, seg segment) {
	s := &w.slots[seq%windowPackets]
	if s.used {
		w.late++
		return
	}
	s.used = true
	s.payload = append(s.payload[:0], seg.payload...)
	s.timestamp, s.marker = seg.timestamp, seg.marker
	w.held++
}

// drain passes on what is held without a gap.
func (w *window) drain(pass func(segment)) {
	for w.held > 0 {
		s := &w.slots[w.next%windowPackets]
		if !s.used {
			return
		}
		s.used = false
		w.held--
		w.step(s.segment, pass)
	}
}

// giveUp moves on to sequence number to, passing on what is held before it.
func (w *window) giveUp(to uint16, pass func(segment), lost func(int)) {
	missing := 0
	for w.next != to {
		if w.held == 0 {
			missing += int(to - w.next)
			w.next = to
			break
		}
		if !w.slots[w.next%windowPackets].used {
			missing++
			w.next++
			continue
		}
		if missing > 0 {
			lost(missing)
			missing = 0
		}
		w.drain(pass)
		if int16(to-w.next) < 0 { // drained past it
			return
		}
	}
	if missing > 0 {
		lost(missing)
	}
}

// firstHeld is the sequence number of the oldest segment held.
func (w *window) firstHeld() uint16 {
	seq := w.next
	for !w.slots[seq%windowPackets].used {
		seq++
	}
	return seq
}
