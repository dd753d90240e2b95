package client

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// Config sets up a Client. Signalling and Send are required, and Gatekeeper or Stream
// unless the gatekeeper is searched for in the group.
type Config struct {
	// Gatekeeper is the address of its RAS; the zero address searches in the group
	// 224.0.1.41. GatekeeperID names the one that is wanted; "" takes any.
	Gatekeeper   netip.AddrPort
	GatekeeperID string
	// Stream is a signalling connection to the gatekeeper that carries RAS
	// (H.460.17); there is no search then, and Send is not used.
	Stream ras.Stream
	// Aliases to register. Prefixes make it a gateway for numbers that begin so.
	Aliases  []h225.AliasAddress
	Prefixes []string
	// Signalling is our address for call signalling, RAS the one for RAS, that peers
	// at an address should use.
	Signalling, RAS func(peer netip.Addr) netip.AddrPort
	Send            func(to ras.Path, pdu []byte)
	// User and Password prove who we are. Method is how; 0 leaves it to the
	// gatekeeper.
	User, Password string
	Method         auth.Method
	// TimeToLive to ask for; default 60 s.
	TimeToLive time.Duration
	Vendor     h225.VendorIdentifier
	// Traversal offers H.460.18: OnIndication hears of incoming calls then.
	Traversal bool
	// OnState is called after each change.
	OnState func(State)
	// OnDisengage: the gatekeeper wants a call to end (DRQ).
	OnDisengage func(CallID)
	// OnIndication takes the data of an SCI.
	OnIndication func(data []h225.GenericData)
	Now          func() time.Time
	Log          *zap.Logger
}

// CallID is the callIdentifier of a call.
type CallID [16]byte

// Phase is where a Client stands.
type Phase string

// Phases.
const (
	Searching   Phase = "searching"
	Registering Phase = "registering"
	Registered  Phase = "registered"
	Waiting     Phase = "waiting" // after a refusal or without an answer, before the next attempt
	Closed      Phase = "closed"
)

// State is how a Client stands with its gatekeeper.
type State struct {
	Phase        Phase
	Gatekeeper   netip.AddrPort
	GatekeeperID string
	ID           string // our endpointIdentifier, while registered
	Aliases      []h225.AliasAddress
	TimeToLive   time.Duration // 0: for ever
	Err          error         // of Waiting
}

// Refused is the error of a request that the gatekeeper refused.
type Refused struct {
	Kind   ras.Kind // GRJ, RRJ, ARJ, ...
	Reason string   // as H.225.0 names it: duplicateAlias, calledPartyNotRegistered, ...
}

func (r *Refused) Error() string { return fmt.Sprintf("gatekeeper refuses: %s %s", r.Kind, r.Reason) }

// Errors of a Client.
var (
	ErrNotRegistered = errors.New("not registered with a gatekeeper")
	errConfig        = errors.New("client of a gatekeeper needs addresses and a way to send")
)

func (c *Config) defaults() error {
	if c.Signalling == nil || c.Send == nil && c.Stream == nil {
		return errConfig
	}
	if c.RAS == nil {
		c.RAS = func(netip.Addr) netip.AddrPort { return netip.AddrPort{} }
	}
	if c.TimeToLive <= 0 {
		c.TimeToLive = time.Minute
	}
	if c.OnState == nil {
		c.OnState = func(State) {}
	}
	if c.OnDisengage == nil {
		c.OnDisengage = func(CallID) {}
	}
	if c.OnIndication == nil {
		c.OnIndication = func([]h225.GenericData) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return nil
}
