package gatekeeper

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// Errors of calls towards endpoints.
var (
	// ErrNotRegistered: there is no such endpoint in the zone.
	ErrNotRegistered = errors.New("not registered")
	// ErrRefused: the endpoint does not want to.
	ErrRefused = errors.New("refused by the endpoint")
)

// Lookup finds the terminal that an alias, a number or a user name reaches, or the
// gateway for a number. text may name a host with it, if that is us.
func (g *Gatekeeper) Lookup(text string) (Registration, bool) {
	return g.look(func(t *turn) *entry {
		key := ras.TextKey(t.local(text))
		if e := t.registered(key); e != nil || !alias.IsNumber(key) {
			return e
		}
		return t.table.byPrefix(key)
	})
}

// ByID finds an endpoint by its endpointIdentifier.
func (g *Gatekeeper) ByID(id string) (Registration, bool) {
	return g.look(func(t *turn) *entry { return t.table.byID[id] })
}

func (g *Gatekeeper) look(find func(*turn) *entry) (r Registration, ok bool) {
	g.turn(func(t *turn) {
		if e := find(t); e != nil {
			r, ok = e.clone(), true
		}
	})
	return r, ok
}

// Known reports whether an alias belongs to a terminal of the zone, to an account,
// registered or not, or to a gateway by its prefix.
func (g *Gatekeeper) Known(text string) (known bool) {
	if _, known = g.Lookup(text); known {
		return true
	}
	g.turn(func(t *turn) { _, known = t.account(ras.TextKey(t.local(text))) })
	return known
}

// Registrations is a snapshot, sorted by name.
func (g *Gatekeeper) Registrations() []Registration {
	g.mu.Lock()
	list := make([]Registration, 0, len(g.table.byID))
	for _, e := range g.table.byID {
		list = append(list, e.clone())
	}
	g.mu.Unlock()
	slices.SortFunc(list, func(a, b Registration) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Admission is the part of an endpoint of the zone in a call that it was admitted to.
type Admission struct {
	Registration Registration
	Answered     bool   // it was called
	Bandwidth    uint64 // bit/s of both directions
}

// Admissions tells who was admitted to a call: the caller before the called.
func (g *Gatekeeper) Admissions(id CallID) (list []Admission) {
	g.turn(func(t *turn) {
		call := t.calls.byID[id]
		if call == nil {
			return
		}
		for _, a := range call.admissions {
			if e := t.table.byID[a.endpoint]; e != nil {
				list = append(list, Admission{e.clone(), a.answered, a.bandwidth})
			}
		}
	})
	slices.SortFunc(list, func(a, b Admission) int {
		if a.Answered != b.Answered && b.Answered {
			return -1
		}
		return 1
	})
	return list
}

// Release tells that a call is over, so that its bandwidth is free even when an
// endpoint does not send DRQ.
func (g *Gatekeeper) Release(id CallID) {
	g.turn(func(t *turn) {
		if call := t.calls.byID[id]; call != nil {
			for endpoint := range call.admissions {
				t.calls.end(id, endpoint)
			}
		}
	})
}

// Usage is the number of calls and their bandwidth in bit/s.
func (g *Gatekeeper) Usage() (calls int, bandwidth uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls.byID), g.calls.used
}

// Unregister makes an endpoint leave, at the operator's wish.
func (g *Gatekeeper) Unregister(id string) error {
	err := ErrNotRegistered
	g.turn(func(t *turn) {
		if e := t.table.byID[id]; e != nil {
			err = nil
			t.expel(e, Removed, h225.UnregRequestReason{UndefinedReason: true})
		}
	})
	return err
}

// Location is where calls to somebody outside the zone go.
type Location struct {
	Signalling netip.AddrPort
	Aliases    []h225.AliasAddress // to call there, nil: as dialled
}

// Locate asks the neighbours for an alias that is not of the zone. ErrNotRegistered:
// nobody knows it.
func (g *Gatekeeper) Locate(ctx context.Context, text string) (Location, error) {
	found := make(chan *h225.LocationConfirm, 1)
	asked := false
	who := alias.Of(text)
	g.turn(func(t *turn) {
		if c := t.noted(who); c != nil {
			asked = true
			found <- c
			return
		}
		asked = t.askNeighbours([]h225.AliasAddress{who}, nil, neighbourHops, netip.Addr{}, func(_ *turn, c *h225.LocationConfirm) { found <- c })
	})
	if !asked {
		return Location{}, ErrNotRegistered
	}
	select {
	case <-ctx.Done():
		return Location{}, ctx.Err()
	case c := <-found:
		if c == nil {
			return Location{}, ErrNotRegistered
		}
		at, _ := alias.AddrPort(&c.CallSignalAddress)
		return Location{Signalling: at, Aliases: c.DestinationInfo}, nil
	}
}

// Disengage makes an endpoint end its part of a call (DRQ, H.225.0 clause 7.14.1).
func (g *Gatekeeper) Disengage(ctx context.Context, id string, call CallID) error {
	return g.request(ctx, id, func(t *turn, e *entry) *h225.RASMessage {
		q := &h225.DisengageRequest{
			EndpointIdentifier: e.ID, DisengageReason: h225.DisengageReason{ForcedDrop: true},
			ConferenceID: call, CallIdentifier: &h225.CallIdentifier{GUID: call}, GatekeeperIdentifier: &t.c.ID, AnsweredCall: ptr(false),
		}
		if a := t.calls.find(call, e.ID); a != nil {
			q.ConferenceID, q.CallReferenceValue, q.AnsweredCall = a.conference, a.reference, &a.answered
			t.calls.end(call, e.ID)
		}
		return &h225.RASMessage{DisengageRequest: q}
	})
}

// Indicate sends SCI with data of a feature to an endpoint (H.225.0 clause 7.19.1):
// with that of H.460.18 clause 7, an incoming call, for which the endpoint then
// connects to us.
func (g *Gatekeeper) Indicate(ctx context.Context, id string, data []h225.GenericData) error {
	return g.request(ctx, id, func(*turn, *entry) *h225.RASMessage {
		open := h225.ServiceControlSession{Reason: h225.ServiceControlSessionReason{Open: true}}
		return &h225.RASMessage{ServiceControlIndication: &h225.ServiceControlIndication{
			ServiceControl: []h225.ServiceControlSession{open}, GenericData: data,
		}}
	})
}

// request sends a request to an endpoint and waits for its consent.
func (g *Gatekeeper) request(ctx context.Context, id string, make func(*turn, *entry) *h225.RASMessage) error {
	result := newResult()
	g.turn(func(t *turn) {
		e := t.table.byID[id]
		if e == nil {
			result <- ErrNotRegistered
			return
		}
		t.ask(e.Path, false, make(t, e), t.signFor(e.Account, e.ID, e.Method), func(_ *turn, answer *h225.RASMessage, err error) {
			switch {
			case err != nil:
				result <- err
			case answer.DisengageReject != nil, failed(answer.ServiceControlResponse):
				result <- ErrRefused
			default:
				result <- nil
			}
		})
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-result:
		return err
	}
}

func newResult() chan error { return make(chan error, 1) }

func failed(r *h225.ServiceControlResponse) bool {
	return r != nil && r.Result != nil && !r.Result.Started && !r.Result.Stopped
}
