package gatekeeper

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

// errCoding: a message of ours cannot be coded; encode has logged it.
var errCoding = errors.New("message cannot be coded")

// turn is one step of the state machine: it runs under the lock of the gatekeeper and
// collects what has to happen when the lock is gone.
type turn struct {
	*Gatekeeper
	now    time.Time
	out    []outgoing
	events []Event
	after  []func()
}

// outgoing is a message to send.
type outgoing struct {
	to      ras.Path
	message *h225.RASMessage
	pdu     []byte // instead of message
	sign    signature
	answers *exchange.Request // the request that it answers for good
	call    [16]byte          // that it is about
}

// signature says with what to sign; the zero value: with nothing.
type signature struct {
	method auth.Method
	with   auth.Credentials
}

// turn runs step under the lock and does afterwards what it asked for.
func (g *Gatekeeper) turn(step func(*turn)) {
	t := &turn{Gatekeeper: g, now: g.c.Now()}
	g.mu.Lock()
	step(t)
	g.mu.Unlock()
	g.finish(t)
}

// finish sends, tells of events, and calls back.
func (g *Gatekeeper) finish(t *turn) {
	for _, o := range t.out {
		if pdu := g.encode(o); pdu != nil {
			if g.c.OnCall != nil && o.call != ([16]byte{}) {
				g.c.OnCall(o.call, true, o.to, o.message, pdu)
			}
			if o.answers != nil {
				g.replies.Finish(*o.answers, pdu)
			}
			g.send(o.to, pdu)
		}
	}
	for _, e := range t.events {
		g.c.OnEvent(e)
	}
	for _, f := range t.after {
		f()
	}
}

// encode gives the octets of a message; nil when it cannot be coded, which is a fault
// of ours and logged.
func (g *Gatekeeper) encode(o outgoing) []byte {
	if o.pdu != nil {
		return o.pdu
	}
	var pdu []byte
	var err error
	if o.sign.method != 0 {
		pdu, err = g.signer.RAS(o.message, o.sign.method, o.sign.with)
	} else {
		pdu, err = o.message.Marshal()
	}
	if err != nil {
		g.log.Error("message cannot be coded", zap.Stringer("kind", ras.KindOf(o.message)), zap.Error(err))
		return nil
	}
	kind := ras.KindOf(o.message)
	g.counters.out[kind].Add(1)
	g.c.OnMessage(true, kind.String())
	return pdu
}

func (g *Gatekeeper) send(to ras.Path, pdu []byte) {
	if to.Stream == nil {
		g.c.Send(to, pdu)
		return
	}
	if err := to.Stream.SendRAS(pdu); err != nil {
		g.log.Debug("connection does not take a message", zap.Stringer("remote", to.Remote), zap.Error(err))
	}
}

// ask sends a request of ours to an endpoint or a neighbour; done runs under the lock,
// in a turn of its own.
func (t *turn) ask(to ras.Path, loose bool, m *h225.RASMessage, sign signature, done func(*turn, *h225.RASMessage, error)) {
	number, err := t.requests.Number()
	if err != nil {
		done(t, nil, err)
		return
	}
	ras.SetNumber(m, number)
	pdu := t.encode(outgoing{message: m, sign: sign})
	if pdu == nil {
		done(t, nil, errCoding)
		return
	}
	g := t.Gatekeeper
	t.requests.Start(t.now, ras.KindOf(m), number, to, loose, pdu, func(answer *h225.RASMessage, err error) {
		g.turn(func(t *turn) { done(t, answer, err) })
	})
	t.out = append(t.out, outgoing{to: to, pdu: pdu})
}
