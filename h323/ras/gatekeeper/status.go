package gatekeeper

import (
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

// status works on IRR (H.225.0 clause 7.15.2): an answer to an IRQ of ours, a report of
// the calls of an endpoint, or both.
func (t *turn) status(in *incoming, r *h225.InfoRequestResponse) {
	if done := t.requests.Answer(t.now, in.from, in.message); done != nil {
		t.after = append(t.after, func() { done(in.message, nil) })
	}
	e := t.table.byID[r.EndpointIdentifier]
	known := e != nil && t.proved(in, e)
	if known {
		e.Updated = t.now
		for i := range r.PerCallInfo {
			t.heard(e, &r.PerCallInfo[i])
		}
	}
	switch {
	case r.NeedResponse == nil || !*r.NeedResponse:
	case known:
		t.reply(in, &h225.RASMessage{InfoRequestAck: &h225.InfoRequestAck{}})
	default:
		reason := h225.InfoRequestNakReason{NotRegistered: e == nil, SecurityDenial: e != nil}
		t.reply(in, &h225.RASMessage{InfoRequestNak: &h225.InfoRequestNak{NakReason: reason}})
	}
}

// heard notes that a call still lives.
func (t *turn) heard(e *entry, c *h225.InfoRequestResponsePerCallInfo) {
	a := t.calls.find(callIDOf(c.CallIdentifier, c.ConferenceID), e.ID)
	if a == nil {
		_, a = t.calls.byReference(e.ID, c.ConferenceID, c.CallReferenceValue)
	}
	if a != nil {
		a.seen = t.now
	}
}

// inquire asks an endpoint whether it is there (IRQ, clause 7.15.1).
func (t *turn) inquire(e *entry, done func(t *turn, alive bool)) {
	e.probing = true
	q := &h225.InfoRequest{CallIdentifier: &h225.CallIdentifier{}}
	t.ask(e.Path, false, &h225.RASMessage{InfoRequest: q}, t.signFor(e.Account, e.ID, e.Method), func(t *turn, answer *h225.RASMessage, err error) {
		e.probing = false
		alive := err == nil && answer.InfoRequestResponse != nil && answer.InfoRequestResponse.EndpointIdentifier == e.ID
		if alive && t.table.byID[e.ID] == e {
			e.Updated = t.now
		}
		done(t, alive && t.table.byID[e.ID] == e)
	})
}

// inquireCall asks an endpoint whether it still is in a call; a call of which it says
// nothing is over.
func (t *turn) inquireCall(e *entry, id CallID, a *admission) {
	a.asked = true
	q := &h225.InfoRequest{CallReferenceValue: a.reference, CallIdentifier: &h225.CallIdentifier{GUID: id}}
	asked := t.now
	t.ask(e.Path, false, &h225.RASMessage{InfoRequest: q}, t.signFor(e.Account, e.ID, e.Method), func(t *turn, answer *h225.RASMessage, err error) {
		a.asked = false
		if t.calls.find(id, e.ID) != a || a.seen.After(asked) {
			return
		}
		if r := answer; err == nil && r.InfoRequestResponse != nil && len(r.InfoRequestResponse.PerCallInfo) > 0 {
			for i := range r.InfoRequestResponse.PerCallInfo {
				t.heard(e, &r.InfoRequestResponse.PerCallInfo[i])
			}
			if a.seen.After(asked) {
				return
			}
		}
		t.calls.end(id, e.ID) // its bandwidth is free; signalling knows best whether it talks
	})
}

const (
	// sweepEvery is how late an expiry may be noticed.
	sweepEvery = time.Second
	// silentFor: an endpoint that reports its calls and has not done so for so long is
	// asked for them.
	silentFor = 3 * reportEvery
	// mostProbes are the endpoints asked at once, so that after an outage of the
	// network not all of them are in the same second.
	mostProbes = 200
)

// Tick does what time brings: repeats requests, finds registrations and calls whose time
// is over. Server calls it several times a second.
func (g *Gatekeeper) Tick() {
	now := g.c.Now()
	g.mu.Lock()
	again, failed := g.requests.Due(now)
	g.mu.Unlock()
	for _, s := range again {
		g.send(s.To, s.PDU)
	}
	for _, done := range failed {
		done(nil, exchange.ErrNoAnswer)
	}
	if now.Sub(g.swept) < sweepEvery {
		return
	}
	g.swept = now
	g.turn(func(t *turn) {
		t.sweepRegistrations()
		t.sweepCalls()
	})
}

// sweepRegistrations asks endpoints whose lifetime is over whether they live; who does
// not answer is gone (H.225.0 clause 7.9.1: "timeToLive").
func (t *turn) sweepRegistrations() {
	probes := 0
	for _, e := range t.table.byID {
		if t.now.Before(e.Expires) || e.probing || probes >= mostProbes {
			continue
		}
		probes++
		t.inquire(e, func(t *turn, alive bool) {
			switch {
			case t.table.byID[e.ID] != e || t.now.Before(e.Expires):
			case alive:
				e.Expires = t.now.Add(e.ttl)
				t.table.touch(e)
			default:
				t.expel(e, Expired, h225.UnregRequestReason{TtlExpired: true})
			}
		})
	}
}

func (t *turn) sweepCalls() {
	for id, call := range t.calls.byID {
		for _, a := range call.admissions {
			if a.asked || t.now.Sub(a.seen) < silentFor {
				continue
			}
			if e := t.table.byID[a.endpoint]; e != nil {
				t.inquireCall(e, id, a)
			}
		}
	}
}
