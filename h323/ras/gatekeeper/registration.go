package gatekeeper

import (
	"net/netip"
	"slices"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// Registration is a terminal, gateway or MCU of the zone.
type Registration struct {
	ID      string      // endpointIdentifier, ours
	Account string      // whose password it knew, "" when none was asked for
	Method  auth.Method // by which it showed that, 0 without
	Aliases []h225.AliasAddress
	// Prefixes are those of a gateway: numbers that begin so are its.
	Prefixes []string
	Type     Type
	// Signalling and RAS are the addresses as the endpoint tells them. Behind a
	// translator they are of no use, see Reach.
	Signalling, RAS []netip.AddrPort
	// Path is how messages reach it.
	Path ras.Path
	// Translated: it sends from an address that it does not tell, so there is a
	// translator on the way.
	Translated bool
	// Traversal: it takes incoming calls by SCI (H.460.18).
	Traversal bool
	// NearlyFull: a gateway without resources for more calls (RAI).
	NearlyFull bool
	Vendor     string // of the vendorIdentifier, or the manufacturer's code
	Product    string
	Version    uint32 // of H.225.0
	Since      time.Time
	Updated    time.Time
	Expires    time.Time
}

// Type is what an endpoint is.
type Type string

// Types of endpoints.
const (
	Terminal Type = "terminal"
	Gateway  Type = "gateway"
	MCU      Type = "mcu"
	Peer     Type = "gatekeeper"
	Unknown  Type = "unknown"
)

// Reach is where a SETUP for the endpoint goes. It is not valid when the endpoint can
// only be asked to connect to us (Traversal), or holds a connection (Path.Stream).
func (r *Registration) Reach() netip.AddrPort {
	if r.Traversal || r.Path.Stream != nil || len(r.Signalling) == 0 {
		return netip.AddrPort{}
	}
	at := r.Signalling[0]
	for _, a := range r.Signalling { // of the family that it registered over, if there is one
		if a.Addr().Is4() == r.Path.Remote.Addr().Is4() {
			at = a
			break
		}
	}
	if r.Translated || at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(r.Path.Remote.Addr(), at.Port())
	}
	return at
}

// clone is safe to hand out.
func (r *Registration) clone() Registration {
	c := *r
	c.Aliases = slices.Clone(r.Aliases)
	c.Prefixes = slices.Clone(r.Prefixes)
	c.Signalling = slices.Clone(r.Signalling)
	c.RAS = slices.Clone(r.RAS)
	return c
}

// EventKind tells events apart.
type EventKind uint8

// Events of registrations.
const (
	Registered   EventKind = iota + 1
	Changed                // other aliases or addresses, or another path
	Unregistered           // at its own wish
	Expired                // not refreshed in time, and not answering
	Replaced               // another endpoint has its aliases now
	Removed                // by the operator, or other settings
)

// Event is a change of a registration.
type Event struct {
	Kind         EventKind
	Registration Registration
}

var eventNames = map[EventKind]string{
	Registered: "registered", Changed: "changed", Unregistered: "unregistered", Expired: "expired", Replaced: "replaced", Removed: "removed",
}

// String names the event.
func (k EventKind) String() string { return eventNames[k] }
