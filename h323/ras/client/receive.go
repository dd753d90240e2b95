package client

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

// Receive takes a datagram, or a message of the connection (H.460.17).
func (c *Client) Receive(from ras.Path, pdu []byte) {
	if len(pdu) <= 1 {
		return
	}
	m, err := h225.ParseRAS(pdu)
	if err != nil {
		c.log.Debug("malformed message", zap.Stringer("remote", from.Remote), zap.Error(err))
		return
	}
	kind := ras.KindOf(m)
	if !kind.IsRequest() && kind != ras.None && kind != ras.NonStandard {
		c.answer(from, m, pdu)
		return
	}
	handle, answer, isNew := c.replies.Begin(c.c.Now(), from, ras.Number(m), pdu)
	if !isNew {
		if answer != nil {
			c.send(from, answer)
		}
		return
	}
	c.turn(func(t *turn) {
		if !t.isGatekeeper(from) || !t.believes(m, pdu) {
			return
		}
		t.serve(from, m, &handle, pdu)
	})
}

func (c *Client) answer(from ras.Path, m *h225.RASMessage, pdu []byte) {
	c.mu.Lock()
	t := &turn{Client: c, now: c.c.Now()}
	var done exchange.Done
	if !t.unwanted(m) && (ras.Reason(m) != "" || t.believes(m, pdu)) {
		done = c.requests.Answer(t.now, from, m)
	}
	c.mu.Unlock()
	if done != nil {
		done(m, nil)
	}
}

// unwanted reports whether a message answers a search for somebody else: in the group
// every gatekeeper answers for itself, and a refusal of one does not speak for others.
func (t *turn) unwanted(m *h225.RASMessage) bool {
	if t.state.Phase != Searching || t.gatekeeper().path.Remote.IsValid() {
		return false
	}
	c, want := m.GatekeeperConfirm, t.gatekeeper().id
	return m.GatekeeperReject != nil || c != nil && want != "" && (c.GatekeeperIdentifier == nil || *c.GatekeeperIdentifier != want)
}

// believes reports whether a message is the gatekeeper's: who has signed once has to
// sign all. GNU Gatekeeper checks what terminals sign, and signs nothing itself. A refusal
// may come without, from who has no password to sign with.
func (t *turn) believes(m *h225.RASMessage, pdu []byte) bool {
	if t.method != auth.Baseline || t.state.Phase == Searching {
		return true
	}
	if ras.KindOf(m) == ras.RIP || ras.KindOf(m) == ras.XRS {
		return true
	}
	_, err := t.checker.RAS(m, pdu)
	switch {
	case err == nil:
		t.signs = true
	case errors.Is(err, auth.ErrAbsent) && !t.signs:
	default:
		t.log.Info("message is not believed", zap.Stringer("kind", ras.KindOf(m)), zap.Error(err))
		return false
	}
	return true
}

// isGatekeeper reports whether a request comes from where we are registered.
func (t *turn) isGatekeeper(from ras.Path) bool {
	if s := t.gatekeeper().path.Stream; s != nil || from.Stream != nil {
		return from.Stream == s
	}
	return from.Remote.Addr() == t.state.Gatekeeper.Addr()
}

// serve works on a request of the gatekeeper.
func (t *turn) serve(from ras.Path, m *h225.RASMessage, handle *exchange.Request, pdu []byte) {
	reply := func(answer *h225.RASMessage) {
		ras.SetNumber(answer, max(ras.Number(m), 1))
		t.out = append(t.out, outgoing{to: from, pdu: t.encode(answer), answers: handle})
	}
	switch {
	case m.UnregistrationRequest != nil:
		t.unregistered(m.UnregistrationRequest, reply)
	case m.DisengageRequest != nil:
		t.disengaged(m.DisengageRequest, reply)
	case m.InfoRequest != nil:
		reply(&h225.RASMessage{InfoRequestResponse: t.information(m.InfoRequest)})
	case m.BandwidthRequest != nil:
		t.limited(m.BandwidthRequest, reply)
	case m.ServiceControlIndication != nil:
		data := m.ServiceControlIndication.GenericData
		t.after = append(t.after, func() { t.c.OnIndication(data) })
		reply(&h225.RASMessage{ServiceControlResponse: &h225.ServiceControlResponse{}})
	default:
		reply(&h225.RASMessage{UnknownMessageResponse: &h225.UnknownMessageResponse{MessageNotUnderstood: pdu}})
	}
}

// unregistered: the gatekeeper does not serve us any more (URQ, H.225.0 clause 7.10.1).
func (t *turn) unregistered(q *h225.UnregistrationRequest, reply func(*h225.RASMessage)) {
	if t.state.Phase != Registered || q.EndpointIdentifier != nil && *q.EndpointIdentifier != t.state.ID {
		reply(&h225.RASMessage{UnregistrationReject: &h225.UnregistrationReject{
			RejectReason: h225.UnregRejectReason{NotCurrentlyRegistered: true},
		}})
		return
	}
	reply(&h225.RASMessage{UnregistrationConfirm: &h225.UnregistrationConfirm{}})
	t.alternates(q.AlternateGatekeeper)
	reason := ""
	if q.Reason != nil {
		reason = ras.Alternative(*q.Reason)
	}
	wait := 10 * time.Second
	if reason == "reregistrationRequired" || reason == "ttlExpired" {
		wait = time.Second
	}
	id := t.state.GatekeeperID
	t.state = State{Phase: Waiting, Gatekeeper: t.state.Gatekeeper, GatekeeperID: id, Err: &Refused{ras.URQ, reason}}
	t.next = t.now.Add(wait)
}
