package exchange

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// Errors of requests.
var (
	// ErrNoAnswer: nobody answered, however often we asked.
	ErrNoAnswer = errors.New("no answer")
	// ErrTooMany: too many of our requests wait for answers.
	ErrTooMany = errors.New("too many requests under way")
	// ErrUnknown: the other side does not understand the request (XRS).
	ErrUnknown = errors.New("request not understood")
)

// Attempts says how often a request is sent and how long each one waits.
type Attempts struct {
	Number int           // times it is sent
	First  time.Duration // the first one waits so long, each further twice as long
}

// attempts are those of H.225.0 table 17 in number, with shorter first waits, since
// the table's 3 to 5 s are for networks of 1998.
var attempts = map[ras.Kind]Attempts{
	ras.GRQ: {3, time.Second}, ras.RRQ: {3, time.Second}, ras.URQ: {2, time.Second}, ras.ARQ: {3, time.Second},
	ras.BRQ: {3, time.Second}, ras.DRQ: {3, time.Second}, ras.LRQ: {2, 1500 * time.Millisecond}, ras.IRQ: {3, time.Second},
	ras.IRR: {3, time.Second}, ras.RAI: {3, time.Second}, ras.SCI: {4, 500 * time.Millisecond},
}

// AttemptsOf is how requests of a kind are repeated.
func AttemptsOf(k ras.Kind) Attempts {
	if a, ok := attempts[k]; ok {
		return a
	}
	return Attempts{Number: 2, First: time.Second}
}

// Done is told the answer to a request, or why there is none.
type Done func(answer *h225.RASMessage, err error)

// Requests are our own that wait for answers. Not safe for concurrent use: the owner
// has a lock, and calls what comes back when it has let go of it.
type Requests struct {
	next    uint16
	pending map[uint16]*pending
}

type pending struct {
	kind  ras.Kind
	to    ras.Path
	loose bool
	pdu   []byte
	left  int // attempts
	wait  time.Duration
	due   time.Time
	done  Done
}

// most is how many may be under way; numbers have 16 bits.
const most = 20000

// NewRequests starts with a number that cannot be guessed.
func NewRequests() *Requests {
	return &Requests{next: uint16(rand.N(1 << 16)), pending: make(map[uint16]*pending)}
}

// Number gives a number for the next request, never 0; ErrTooMany when too many wait.
func (r *Requests) Number() (uint16, error) {
	if len(r.pending) >= most {
		return 0, ErrTooMany
	}
	for {
		r.next++
		if _, taken := r.pending[r.next]; r.next != 0 && !taken {
			return r.next, nil
		}
	}
}

// Start notes that a request has been sent for the first time. Its answer has to come
// from where it went; a loose one, to a group or to a neighbour of many addresses, may
// be answered from anywhere.
func (r *Requests) Start(now time.Time, kind ras.Kind, number uint16, to ras.Path, loose bool, pdu []byte, done Done) {
	a := AttemptsOf(kind)
	r.pending[number] = &pending{
		kind: kind, to: to, loose: loose, pdu: pdu, left: a.Number - 1, wait: a.First, due: now.Add(a.First), done: done,
	}
}

// Answer finds the request that a message answers, and gives what has to be told of
// it; nil when there is none, or when the message only asks for patience (RIP).
func (r *Requests) Answer(now time.Time, from ras.Path, m *h225.RASMessage) Done {
	number := ras.Number(m)
	p := r.pending[number]
	kind := ras.KindOf(m)
	if p == nil || !kind.Answers(p.kind) || !p.loose && !p.fits(from) {
		return nil
	}
	if rip := m.RequestInProgress; rip != nil {
		p.due = now.Add(max(p.wait, time.Duration(rip.Delay)*time.Millisecond)) // clause 7.17.1: in milliseconds
		return nil
	}
	delete(r.pending, number)
	if kind == ras.XRS {
		return func(*h225.RASMessage, error) { p.done(nil, ErrUnknown) }
	}
	return p.done
}

func (p *pending) fits(from ras.Path) bool {
	if p.to.Stream != nil || from.Stream != nil {
		return p.to.Stream == from.Stream
	}
	return p.to.Remote.Addr() == from.Remote.Addr()
}

// Sending is a message to send.
type Sending struct {
	To  ras.Path
	PDU []byte
}

// Due gives what has to be sent again now, and the requests that have failed.
func (r *Requests) Due(now time.Time) (again []Sending, failed []Done) {
	for number, p := range r.pending {
		switch {
		case now.Before(p.due):
		case p.left == 0:
			delete(r.pending, number)
			failed = append(failed, p.done)
		default:
			p.left--
			p.wait *= 2
			p.due = now.Add(p.wait)
			again = append(again, Sending{p.to, p.pdu})
		}
	}
	return again, failed
}

// Drop gives up all requests to a connection that was closed.
func (r *Requests) Drop(s ras.Stream) (failed []Done) {
	for number, p := range r.pending {
		if p.to.Stream == s {
			delete(r.pending, number)
			failed = append(failed, p.done)
		}
	}
	return failed
}

// Len is the number under way.
func (r *Requests) Len() int { return len(r.pending) }
