package bfcp

import (
	"errors"
	"time"
)

// Timers of RFC 8855 §8.3 and how long an association rests.
const (
	T1 = 500 * time.Millisecond // first retransmission of a request, doubled each time
	T2 = 10 * time.Second       // how long a response is kept for requests that come again

	maxRepeats  = 3
	maxQueue    = 16 // requests that wait for the one before
	maxAnswered = 64 // responses kept

	keepAlive = 25 * time.Second // a client shows that it is there, translators forget
)

// exchange is a request of ours that waits for its response.
type exchange struct {
	message  *Message
	due      time.Time // zero: over a reliable transport nothing is repeated
	interval time.Duration
	repeats  int
	first    time.Time                       // when it was sent first
	anew     bool                            // it is in its second round
	done     func(now time.Time, m *Message) // nil m: no response came
}

// answer is a response that was given, for a request that may come again.
type answer struct {
	primitive Primitive
	message   *Message // nil: not decided yet
	until     time.Time
}

// transactions is what Server and Client share: numbers, repetition, and one
// request at a time over an unreliable transport (RFC 8855 §8.3).
type transactions struct {
	cfg     Config
	version uint8
	last    uint16
	waiting []*exchange // over UDP the first one is on its way
	answers map[uint16]answer
	heard   time.Time // when the far side spoke last
	broken  bool
}

func newTransactions(cfg Config) transactions {
	return transactions{cfg: cfg, version: cfg.Version, last: cfg.First, answers: make(map[uint16]answer)}
}

// reset forgets what was under way.
func (t *transactions) reset() {
	t.waiting = nil
	clear(t.answers)
}

// number gives the next transaction; never zero (RFC 8855 §8.1).
func (t *transactions) number() uint16 {
	if t.last++; t.last == 0 {
		t.last = 1
	}
	return t.last
}

func (t *transactions) header(transaction uint16, response bool) Header {
	return Header{
		Version: t.version, Response: response && t.version == 2,
		Conference: t.cfg.Conference, Transaction: transaction, User: t.cfg.User,
	}
}

// ask sends a request, or queues it. A queued FloorStatus gives way to a newer one.
func (t *transactions) ask(now time.Time, b Body, done func(time.Time, *Message)) {
	e := &exchange{message: &Message{Header: t.header(t.number(), false), Body: b}, done: done}
	if !t.cfg.Unreliable {
		t.waiting = append(t.waiting, e)
		if len(t.waiting) > maxQueue { // responses that never came
			t.waiting = t.waiting[1:]
		}
		t.cfg.Send(e.message)
		return
	}
	if _, status := b.(*FloorStatus); status && len(t.waiting) > 1 {
		for i, old := range t.waiting[1:] {
			if _, is := old.message.Body.(*FloorStatus); is {
				t.waiting[i+1] = e
				return
			}
		}
	}
	if len(t.waiting) >= maxQueue {
		return
	}
	t.waiting = append(t.waiting, e)
	if len(t.waiting) == 1 {
		t.begin(now)
	}
}

// tell sends something that needs no response over a reliable transport
// (transaction 0, RFC 8855 §8.2), and is acknowledged over an unreliable one.
func (t *transactions) tell(now time.Time, b Body) {
	if t.cfg.Unreliable {
		t.ask(now, b, nil)
		return
	}
	t.cfg.Send(&Message{Header: t.header(0, false), Body: b})
}

func (t *transactions) begin(now time.Time) {
	e := t.waiting[0]
	e.message.Version = t.version
	e.first = now
	t.round(now, e)
}

// round sends a request and begins its retransmissions.
func (t *transactions) round(now time.Time, e *exchange) {
	e.interval, e.repeats, e.due = T1, 0, now.Add(T1)
	t.cfg.Send(e.message)
}

// respond answers a request, and keeps the answer.
func (t *transactions) respond(now time.Time, to *Message, b Body) {
	m := &Message{Header: t.header(to.Transaction, true), Body: b}
	m.Conference, m.User = to.Conference, to.User
	if t.cfg.Unreliable && to.Transaction != 0 {
		t.note(now, to, m)
	}
	t.cfg.Send(m)
}

func (t *transactions) refuse(now time.Time, to *Message, code ErrorCode, info string) {
	t.respond(now, to, &Error{Code: code, Info: info})
}

func (t *transactions) note(now time.Time, to, response *Message) {
	if len(t.answers) >= maxAnswered {
		for id, a := range t.answers {
			if now.After(a.until) || len(t.answers) >= maxAnswered {
				delete(t.answers, id)
			}
		}
	}
	t.answers[to.Transaction] = answer{to.Header.Primitive, response, now.Add(T2)}
}

// again reports whether a request was seen before, and repeats the response.
func (t *transactions) again(now time.Time, m *Message) bool {
	a, ok := t.answers[m.Transaction]
	if !ok || !t.cfg.Unreliable || a.primitive != m.Header.Primitive || now.After(a.until) {
		return false
	}
	if a.message != nil {
		t.cfg.Send(a.message)
	}
	return true
}

// answered gives a response to the request it is for; false: there is none.
func (t *transactions) answered(now time.Time, m *Message) bool {
	if m.Transaction == 0 {
		return false
	}
	for i, e := range t.waiting {
		if e.message.Transaction != m.Transaction || t.cfg.Unreliable && i > 0 || !answers(e.message.Body.Primitive(), m.Header.Primitive) {
			continue
		}
		t.waiting = append(t.waiting[:i:i], t.waiting[i+1:]...)
		if t.cfg.Unreliable && len(t.waiting) > 0 {
			t.begin(now)
		}
		if e.done != nil {
			e.done(now, m)
		}
		return true
	}
	return false
}

// answers pairs requests and responses: the numbers of both sides are their own
// (RFC 8855 §8), so the primitive tells them apart too.
func answers(request, response Primitive) bool {
	if response == ErrorPrimitive {
		return true
	}
	switch request {
	case FloorRequestPrimitive, FloorReleasePrimitive, FloorRequestQueryPrimitive:
		return response == FloorRequestStatusPrimitive
	case FloorRequestStatusPrimitive:
		return response == FloorRequestStatusAckPrimitive
	case FloorStatusPrimitive:
		return response == FloorStatusAckPrimitive
	}
	return response == request+1
}

// repeat lets time pass over what waits; it reports when the far side is lost. A
// request gets a second round: with one message in ten lost, the four of a round
// meet no answer once in 800 times.
func (t *transactions) repeat(now time.Time) (lost bool) {
	for id, a := range t.answers {
		if now.After(a.until) {
			delete(t.answers, id)
		}
	}
	if !t.cfg.Unreliable || len(t.waiting) == 0 {
		return false
	}
	e := t.waiting[0]
	if now.Before(e.due) {
		return false
	}
	if e.repeats < maxRepeats {
		e.repeats++
		e.interval *= 2
		e.due = now.Add(e.interval)
		t.cfg.Send(e.message)
		return false
	}
	if !e.anew {
		e.anew = true
		t.round(now, e)
		return false
	}
	t.waiting = t.waiting[1:]
	if len(t.waiting) > 0 {
		t.begin(now)
	}
	if e.done != nil {
		e.done(now, nil)
	}
	return !t.heard.After(e.first)
}

// next is when repeat is due.
func (t *transactions) next() time.Time {
	if t.cfg.Unreliable && len(t.waiting) > 0 {
		return t.waiting[0].due
	}
	return time.Time{}
}

// hear notes that the far side speaks, and in which version.
func (t *transactions) hear(now time.Time, m *Message) {
	t.version, t.heard = m.Version, now
	t.broken = false
}

// malformed answers what could not be read (RFC 8855 §13.8).
func (t *transactions) malformed(m *Message, err error) {
	if m == nil || m.Response || m.Header.Primitive == ErrorPrimitive || m.Transaction == 0 {
		return
	}
	code := UnableToParse
	switch {
	case errors.Is(err, ErrVersion):
		code = UnsupportedVersion
		m.Version = t.version
	case errors.Is(err, ErrLength):
		code = IncorrectLength
	}
	h := t.header(m.Transaction, true)
	h.Conference, h.User = m.Conference, m.User
	t.cfg.Send(&Message{Header: h, Body: &Error{Code: code}})
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
