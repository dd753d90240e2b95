package main

import (
	"context"
	"errors"
	"net/netip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/alias"
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
		if at := r.Reach(); at.IsValid() {
			return []h323.Way{{Address: at, Alias: name}}, call.Cause{}
		}
		return nil, call.Cause{Code: call.Unavailable, Text: "the terminal cannot be reached"}
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
