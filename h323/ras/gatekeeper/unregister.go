package gatekeeper

import (
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
	"go.uber.org/zap"
)

// unregister works on URQ of an endpoint (H.225.0 clause 7.10.1).
func (t *turn) unregister(in *incoming, q *h225.UnregistrationRequest) {
	e := t.leaving(in, q)
	switch {
	case e == nil:
		t.refuseLeave(in, h225.UnregRejectReason{NotCurrentlyRegistered: true})
		return
	case !t.proved(in, e):
		t.refuseLeave(in, h225.UnregRejectReason{SecurityDenial: true})
		return
	}
	// Who registered aliases one by one may take some of them back; others name their
	// aliases and mean the whole registration.
	if left := t.without(e, q.EndpointAlias); e.additive && len(q.EndpointAlias) > 0 && len(left) > 0 {
		e.Aliases = left
		t.table.put(e)
		t.events = append(t.events, Event{Changed, e.clone()})
	} else {
		t.drop(e, Unregistered)
	}
	t.reply(in, &h225.RASMessage{UnregistrationConfirm: &h225.UnregistrationConfirm{}})
}

// leaving finds who wants to leave: by its identifier or, as endpoints of version 1 do,
// by its address.
func (t *turn) leaving(in *incoming, q *h225.UnregistrationRequest) *entry {
	if q.EndpointIdentifier != nil {
		return t.table.byID[*q.EndpointIdentifier]
	}
	p, ok := placeOf(in.from, addresses(q.CallSignalAddress))
	if !ok {
		return nil
	}
	return t.table.byPlace[p]
}

func (t *turn) without(e *entry, gone []h225.AliasAddress) []h225.AliasAddress {
	keys := map[string]bool{}
	for _, a := range gone {
		keys[ras.Key(a)] = true
	}
	var left []h225.AliasAddress
	for _, a := range e.Aliases {
		if !keys[ras.Key(a)] {
			left = append(left, a)
		}
	}
	return left
}

func (t *turn) refuseLeave(in *incoming, reason h225.UnregRejectReason) {
	t.reply(in, &h225.RASMessage{UnregistrationReject: &h225.UnregistrationReject{RejectReason: reason}})
}

// drop forgets a registration, and the calls it was admitted to.
func (t *turn) drop(e *entry, kind EventKind) {
	t.table.remove(e)
	t.calls.leave(e.ID)
	t.events = append(t.events, Event{kind, e.clone()})
	t.log.Info("unregistered", zap.String("alias", e.Name()), zap.Stringer("remote", e.Path.Remote), zap.Stringer("reason", kind))
}

// expel drops a registration and tells the endpoint (URQ, H.225.0 clause 7.10). What it
// answers makes no difference.
func (t *turn) expel(e *entry, kind EventKind, reason h225.UnregRequestReason) {
	q := &h225.UnregistrationRequest{
		CallSignalAddress:    transports(e.Signalling),
		EndpointIdentifier:   &e.ID,
		GatekeeperIdentifier: &t.c.ID,
		Reason:               &reason,
		AlternateGatekeeper:  t.alternates(),
	}
	t.ask(e.Path, false, &h225.RASMessage{UnregistrationRequest: q}, t.signFor(e.Account, e.ID, e.Method), nobody)
	t.drop(e, kind)
}

// nobody waits for the answer.
func nobody(*turn, *h225.RASMessage, error) {}
