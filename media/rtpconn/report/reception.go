package report

import (
	"time"

	"github.com/pion/rtcp"
)

// Verdict is what a sequence number says about its packet.
type Verdict uint8

// Verdicts.
const (
	Fresh     Verdict = iota // next, or after a gap
	Late                     // fills a gap
	Duplicate                // was here before, or is too old to tell
	Suspect                  // far off; the next in order would show that the source began anew
	Restart                  // the second of a source that began anew
)

// Bounds of RFC 3550 appendix A.1.
const (
	maxDropout  = 3000
	maxMisorder = window
)

// window is how many packets back duplicates are told from late ones. It is
// wider than the 100 of appendix A.1, so that retransmissions count as late.
const window = 512

// Reception counts what one source sends (RFC 3550 appendix A.1, A.3 and A.8).
// The zero value awaits the first packet.
type Reception struct {
	ClockRate uint32

	started  bool
	base     uint32 // first extended sequence number
	highest  uint32 // extended
	suspect  uint32 // the sequence number that would confirm a restart, 1<<16 = none
	received uint64
	seen     [window / 64]uint64

	transit   int64 // of the packet before, in clock units
	hasStamp  bool
	lastStamp uint32
	jitter    float64 // clock units
	origin    time.Time

	// of the report before
	priorExpected uint64
	priorReceived uint64

	lostBefore uint64 // lost before a restart

	lastSR   uint32
	lastSRAt time.Time
}

const noSuspect = 1 << 16

// Push takes a packet's sequence number, timestamp and time of arrival.
func (r *Reception) Push(seq uint16, stamp uint32, at time.Time) Verdict {
	if !r.started {
		r.begin(seq, at)
		r.track(stamp, at)
		return Fresh
	}
	v := r.place(seq)
	switch v {
	case Fresh:
		r.received++
		r.track(stamp, at)
	case Late:
		r.received++
	case Restart:
		r.lostBefore = r.Lost()
		r.begin(seq, at)
		r.track(stamp, at)
	}
	return v
}

func (r *Reception) begin(seq uint16, at time.Time) {
	r.started, r.origin = true, at
	r.base, r.highest = uint32(seq), uint32(seq)
	r.suspect, r.received = noSuspect, 1
	r.priorExpected, r.priorReceived = 0, 0
	r.seen = [window / 64]uint64{}
	r.hasStamp = false
	r.mark(uint32(seq))
}

// place tells where a sequence number stands (appendix A.1).
func (r *Reception) place(seq uint16) Verdict {
	ahead := seq - uint16(r.highest)
	switch {
	case ahead != 0 && ahead < maxDropout:
		r.advance(uint32(ahead))
		return Fresh
	case -ahead < maxMisorder:
		old := r.highest - uint32(-ahead)
		if r.marked(old) || old < r.base {
			return Duplicate
		}
		r.mark(old)
		return Late
	case uint32(seq) == r.suspect:
		return Restart
	}
	r.suspect = uint32(seq + 1)
	return Suspect
}

// advance moves the window and clears what falls into it anew.
func (r *Reception) advance(n uint32) {
	if n >= window {
		r.seen = [window / 64]uint64{}
	} else {
		for s := r.highest + 1; s != r.highest+n; s++ {
			r.seen[s/64%uint32(len(r.seen))] &^= 1 << (s % 64)
		}
	}
	r.highest += n
	r.mark(r.highest)
	r.suspect = noSuspect
}

func (r *Reception) mark(s uint32) { r.seen[s/64%uint32(len(r.seen))] |= 1 << (s % 64) }
func (r *Reception) marked(s uint32) bool {
	return r.seen[s/64%uint32(len(r.seen))]&(1<<(s%64)) != 0
}

// track updates the jitter (appendix A.8). Packets of one picture share a
// timestamp; only the first of them says something about the network.
func (r *Reception) track(stamp uint32, at time.Time) {
	if r.ClockRate == 0 || r.hasStamp && stamp == r.lastStamp {
		return
	}
	arrival := int64(at.Sub(r.origin)) * int64(r.ClockRate) / int64(time.Second)
	transit := int64(uint32(arrival) - stamp)
	if r.hasStamp {
		d := int64(int32(uint32(transit) - uint32(r.transit)))
		if d < 0 {
			d = -d
		}
		// A jump of seconds is a new clock, not jitter.
		if d < 2*int64(r.ClockRate) {
			r.jitter += (float64(d) - r.jitter) / 16
		}
	}
	r.transit, r.lastStamp, r.hasStamp = transit, stamp, true
}

// SenderReport notes a report of the source, for LSR and DLSR.
func (r *Reception) SenderReport(ntp uint64, at time.Time) { r.lastSR, r.lastSRAt = Middle(ntp), at }

// Highest is the highest sequence number seen; ok is false before the first.
func (r *Reception) Highest() (seq uint16, ok bool) { return uint16(r.highest), r.started }

// Lost counts packets that never came.
func (r *Reception) Lost() uint64 {
	if expected := r.expected(); expected > r.received {
		return r.lostBefore + expected - r.received
	}
	return r.lostBefore
}

// Counts are the packets that were sent, as far as is known, and those of them that
// did not come, since the first or since the source began anew; modulo 2^32.
func (r *Reception) Counts() (expected, lost uint32) {
	e := r.expected()
	if e > r.received {
		lost = uint32(e - r.received)
	}
	return uint32(e), lost
}

func (r *Reception) expected() uint64 {
	if !r.started {
		return 0
	}
	return uint64(r.highest-r.base) + 1
}

// Jitter is the interarrival jitter as a time.
func (r *Reception) Jitter() time.Duration {
	if r.ClockRate == 0 {
		return 0
	}
	return time.Duration(r.jitter / float64(r.ClockRate) * float64(time.Second))
}

// Report is the reception report about the source (RFC 3550 §6.4.1); it begins
// a new interval for the fraction lost.
func (r *Reception) Report(ssrc uint32, now time.Time) rtcp.ReceptionReport {
	expected := r.expected()
	expectedNow, receivedNow := expected-r.priorExpected, r.received-r.priorReceived
	r.priorExpected, r.priorReceived = expected, r.received
	var fraction8 uint8
	if expectedNow > receivedNow {
		fraction8 = uint8(min(255, (expectedNow-receivedNow)<<8/expectedNow))
	}
	rr := rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: fraction8, TotalLost: uint32(min(r.Lost(), 0x7fffff)),
		LastSequenceNumber: r.highest, Jitter: uint32(r.jitter), LastSenderReport: r.lastSR,
	}
	if r.lastSR != 0 {
		rr.Delay = fraction(now.Sub(r.lastSRAt))
	}
	return rr
}

// Retune changes the clock rate: the source has changed its codec.
func (r *Reception) Retune(rate uint32) {
	r.ClockRate, r.hasStamp, r.jitter = rate, false, 0
}
