// Package sip is the gateway's SIP user agent: calls in and out over UDP, TCP
// and TLS, the registrar, and the dialogs between (RFC 3261 and its
// extensions). It implements call.Endpoint and, for each dialog, call.Leg.
package sip

import (
	"context"
	"net/netip"
	"time"

	"github.com/roomgate/roomgate/call"
)

// Endpoint is the SIP stack.
type Endpoint struct {
	cfg Config
}

var _ call.Endpoint = (*Endpoint)(nil)

// New binds the listeners of cfg. Serve has to follow; it closes them.
func New(cfg Config) (*Endpoint, error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	return &Endpoint{cfg: cfg}, nil
}

// Serve implements call.Endpoint. On the end of ctx it hangs up what is left,
// with cause Draining, and returns when nothing of it runs any more.
func (e *Endpoint) Serve(ctx context.Context, incoming func(call.Leg)) error {
	<-ctx.Done()
	return nil
}

// Dial implements call.Endpoint.
func (e *Endpoint) Dial(ctx context.Context, to call.Target) (call.Leg, error) {
	return nil, call.ErrEnded
}

// Addresses are the bound listeners, in the order of Config.Listen, as
// transport and address.
func (e *Endpoint) Addresses() []Address { return nil }

// Address is one bound listener.
type Address struct {
	Transport string
	netip.AddrPort
}

// Registration is one binding of the registrar.
type Registration struct {
	Account   string
	Aliases   []string
	Contact   string
	Source    netip.AddrPort
	Transport string
	UserAgent string
	Expires   time.Time
}

// Registrations lists the bindings that have not expired.
func (e *Endpoint) Registrations() []Registration { return nil }

// Reload replaces accounts, trunks and limits. Calls and the registrations of
// accounts that remain are untouched.
func (e *Endpoint) Reload(accounts []Account, trunks []Trunk, limits Limits) error { return nil }

// Drain refuses new calls with 503 from now on. Calls in progress go on.
func (e *Endpoint) Drain() {}

// Calls is the number of legs that have not ended.
func (e *Endpoint) Calls() int { return 0 }
