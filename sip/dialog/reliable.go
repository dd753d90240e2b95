package dialog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrRAck is returned for a PRACK that matches no unacknowledged response: it
// is answered with 481 (RFC 3262 §3).
var ErrRAck = errors.New("PRACK matches no response")

// RAck is the value of that header (RFC 3262 §7.2).
type RAck struct {
	RSeq, CSeq uint32
	Method     sip.RequestMethod
}

func (r RAck) String() string {
	return fmt.Sprintf("%d %d %s", r.RSeq, r.CSeq, r.Method)
}

// ParseRAck reads "RSeq CSeq method".
func ParseRAck(s string) (RAck, error) {
	f := strings.Fields(s)
	if len(f) != 3 {
		return RAck{}, fmt.Errorf("RAck: %d fields: %w", len(f), ErrRAck)
	}
	rseq, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return RAck{}, fmt.Errorf("RAck response number: %w", err)
	}
	cseq, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		return RAck{}, fmt.Errorf("RAck CSeq: %w", err)
	}
	return RAck{uint32(rseq), uint32(cseq), sip.RequestMethod(f[2])}, nil
}

// ReliableSender numbers our reliable provisional responses; one at a time is
// unacknowledged (RFC 3262 §3).
type ReliableSender struct {
	rseq    uint32
	pending bool
	cseq    uint32
}

// Next gives the RSeq of the next response to the INVITE with this CSeq; it
// starts at random and grows by one. False while one is unacknowledged.
func (s *ReliableSender) Next(cseq uint32) (uint32, bool) {
	if s.pending {
		return 0, false
	}
	if s.rseq == 0 {
		s.rseq = rand.Uint32N(1 << 30)
	}
	s.rseq++
	s.cseq, s.pending = cseq, true
	return s.rseq, true
}

// Pending reports that a PRACK is due.
func (s *ReliableSender) Pending() bool { return s.pending }

// Acknowledge takes a PRACK.
func (s *ReliableSender) Acknowledge(r RAck) error {
	if !s.pending || r.RSeq != s.rseq || r.CSeq != s.cseq || r.Method != sip.INVITE {
		return ErrRAck
	}
	s.pending = false
	return nil
}

// Abandon forgets the unacknowledged response: a final one was sent.
func (s *ReliableSender) Abandon() { s.pending = false }

// ReliableReceiver orders the reliable provisional responses of one early
// dialog (RFC 3262 §4).
type ReliableReceiver struct {
	last uint32
	seen bool
}

// Receive reports whether a response with this RSeq is the next one; it is to
// be acknowledged and handled only then.
func (r *ReliableReceiver) Receive(rseq uint32) bool {
	if r.seen && rseq != r.last+1 {
		return false
	}
	r.last, r.seen = rseq, true
	return true
}
