package main

import (
	"context"
	"errors"
	"net/netip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
)

// zoneDirectory lets the endpoint look into the gatekeeper's zone.
type zoneDirectory struct{ stack *h323Stack }

var _ h323.Directory = zoneDirectory{}

// Caller implements h323.Directory. An identifier alone proves nothing: the call has
// to come from where its terminal registered from, or have been admitted.
func (d zoneDirectory) Caller(from netip.AddrPort, endpointID string, callID [16]byte) (string, bool) {
	zone := d.stack.zone
	if zone == nil {
		return "", false
	}
	if r, ok := zone.ByID(endpointID); ok && endpointID != "" && lives(r, from.Addr()) {
		return r.Name(), true
	}
	for _, a := range zone.Admissions(callID) {
		if !a.Answered && lives(a.Registration, from.Addr()) {
			return a.Registration.Name(), true
		}
	}
	return "", false
}

// lives reports whether a terminal is to be expected at an address.
func lives(r gatekeeper.Registration, addr netip.Addr) bool {
	if r.Path.Remote.Addr() == addr {
		return true
	}
	for _, s := range r.Signalling {
		if s.Addr() == addr {
			return true
		}
	}
	return false
}

// Find implements h323.Directory: the zone, then the neighbours.
func (d zoneDirectory) Find(ctx context.Context, name string) ([]h323.Way, call.Cause) {
	zone := d.stack.zone
	if zone == nil {
		return nil, call.Cause{Code: call.UnknownAlias}
	}
	if r, ok := zone.Lookup(name); ok {
		if way, ok := d.wayTo(r, name); ok {
			return []h323.Way{way}, call.Cause{}
		}
		return nil, call.Cause{Code: call.Unavailable, Text: "the terminal cannot be reached"}
	}
	if at, ok := d.stack.elsewhere(name); ok {
		return []h323.Way{{Address: at, Alias: name}}, call.Cause{}
	}
	if zone.Known(name) {
		return nil, call.Cause{Code: call.Unavailable, Text: "not registered"}
	}
	found, err := zone.Locate(ctx, name)
	if err != nil {
		code := call.Unavailable
		if errors.Is(err, gatekeeper.ErrNotRegistered) {
			code = call.UnknownAlias
		}
		return nil, call.Cause{Code: code, Text: err.Error()}
	}
	if names := alias.Texts(found.Aliases); len(names) > 0 {
		name = names[0]
	}
	return []h323.Way{{Address: found.Signalling, Alias: name}}, call.Cause{}
}

// Over implements h323.Directory: some terminals do not tell the gatekeeper.
func (d zoneDirectory) Over(callID [16]byte) {
	if zone := d.stack.zone; zone != nil {
		zone.Release(callID)
	}
}

// wayTo is how a terminal of the zone is called: over the connection that it keeps
// (H.460.17), by having it connect to us (H.460.18), or at its address.
func (d zoneDirectory) wayTo(r gatekeeper.Registration, name string) (way h323.Way, ok bool) {
	switch at := r.Reach(); {
	case r.Path.Stream != nil:
		return h323.Way{Address: r.Path.Remote, Alias: name, Stream: r.Path.Stream}, true
	case r.Traversal:
		return d.stack.Behind(name, r.Path.Remote, func(ctx context.Context, data []h225.GenericData) error {
			return d.stack.zone.Indicate(ctx, r.ID, data)
		}), true
	default:
		return h323.Way{Address: at, Alias: name}, at.IsValid()
	}
}

// Receive implements h323.RAS: messages of terminals that register over their signalling
// connections (H.460.17).
func (d zoneDirectory) Receive(from ras.Path, pdu []byte) {
	if zone := d.stack.zone; zone != nil && d.stack.tunnels {
		zone.Receive(from, pdu)
	}
}

// Disconnected implements h323.RAS.
func (d zoneDirectory) Disconnected(s ras.Stream) {
	if zone := d.stack.zone; zone != nil {
		zone.Disconnected(s)
	}
}

// leads reports whether a call to an alias leads anywhere, although no terminal of the
// zone has it.
func (n *node) leads(name string) bool {
	return n.gateway.Leads(call.Info{Protocol: call.H323, Direction: call.In, Called: name}, n.sip.Known)
}

// whole reports whether a number that is dialled digit by digit is that of a meeting or
// a terminal.
func (n *node) whole(number string) bool { return n.gateway.MeetingExists(number) || n.known(number) }

// protocolOf tells over which protocol a terminal is registered, "" for one that is
// not.
func (n *node) protocolOf(name string) call.Protocol {
	if p := n.h323.protocolOf(name); p != "" {
		return p
	}
	if n.sip.Reachable(name) {
		return call.SIP
	}
	if _, ok := n.h323.elsewhere(name); ok {
		return call.H323
	}
	return ""
}

// protocolOf is H.323 for names and numbers that terminals of the zone have, "" for
// others.
func (s *h323Stack) protocolOf(name string) call.Protocol {
	if s != nil && s.zone != nil {
		if _, ok := s.zone.Lookup(name); ok {
			return call.H323
		}
	}
	return ""
}
