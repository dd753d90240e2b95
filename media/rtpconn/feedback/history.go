package feedback

import "time"

// History keeps the packets sent last, as they went out, to send one again when
// it is asked for (RFC 4585 §6.2.1). It is bounded by count and by time, and so
// is what a far side can make it send.
type History struct {
	slots  [historySize]sent
	second time.Time
	spent  int
	lost   uint32
	newest uint16
}

const (
	historySize = 512
	// resendAge is how old a packet may be and still be of use.
	resendAge = 2 * time.Second
	// resendPause is the least time between two copies of one packet.
	resendPause = 15 * time.Millisecond
	// resendRate bounds the packets sent again in a second.
	resendRate = 500
)

type sent struct {
	used   bool
	late   bool // went out after younger ones: it may be asked for in the meantime
	seq    uint16
	at     time.Time
	resent time.Time
	wire   []byte
}

// Push keeps a copy of what was sent under a sequence number. The room of older
// packets is used again.
func (h *History) Push(seq uint16, wire []byte, at time.Time) {
	s := &h.slots[seq%historySize]
	s.late = int16(seq-h.newest) < 0 && h.slots[h.newest%historySize].used
	if s.used, s.seq, s.at, s.resent = true, seq, at, (time.Time{}); !s.late {
		h.newest = seq
	}
	s.wire = append(s.wire[:0], wire...)
}

// Find copies a packet that may be sent again into buf, and reports its length.
func (h *History) Find(seq uint16, buf []byte, now time.Time) (n int, ok bool) {
	s := &h.slots[seq%historySize]
	if !s.used || s.seq != seq || now.Sub(s.at) > resendAge || now.Sub(s.resent) < resendPause {
		return 0, false
	}
	if now.Sub(h.second) >= time.Second {
		h.second, h.spent = now, 0
	}
	if h.spent >= resendRate || len(s.wire) > len(buf) {
		return 0, false
	}
	h.spent++
	if s.resent.IsZero() && !s.late {
		h.lost++
	}
	s.resent = now
	return copy(buf, s.wire), true
}

// Lost is how many packets were found, once or more often: those that did not arrive
// the first time.
func (h *History) Lost() uint32 { return h.lost }

// Forget makes all packets unknown: they were protected by a key that is no
// longer in force.
func (h *History) Forget() {
	for i := range h.slots {
		h.slots[i].used = false
	}
}
