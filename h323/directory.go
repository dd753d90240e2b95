package h323

import (
	"context"
	"net/netip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/ras"
)

// Directory knows who is registered, and asks others who may know more: the
// gatekeeper's registrations, neighbours, the gatekeeper we are registered with.
type Directory interface {
	// Caller names the registered terminal that a call is of: by the address it
	// comes from, its endpoint identifier, or the call it was admitted to.
	Caller(from netip.AddrPort, endpointID string, callID [16]byte) (alias string, ok bool)
	// Find gives the ways to an alias, best first; it may ask others and take
	// time. Without any, the cause says why.
	Find(ctx context.Context, alias string) ([]Way, call.Cause)
	// Over tells that a call has ended: what was granted for it is free.
	Over(callID [16]byte)
}

// Way is one way to a terminal.
type Way struct {
	Address netip.AddrPort // call signalling
	Alias   string         // to ask for there
	// Reverse has the terminal open the signalling connection itself (H.460.18):
	// called with the identifier of the call, it asks for that.
	Reverse func(ctx context.Context, callID [16]byte) error
	// Stream is the connection that the terminal keeps open (H.460.17).
	Stream ras.Stream

	// home is the gatekeeper that is asked first, and tells Address.
	home *home
}
