package registrar

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/limit"
	"go.uber.org/zap"
)

// Config sets up a Registrar. Accounts and Auth are required; zero values of
// the others take the defaults.
type Config struct {
	Accounts Accounts
	Auth     *digest.Server
	// Domains that we are the registrar of, as they stand in Request-URI and
	// To. Empty: any, which suits terminals that register by address.
	Domains []string
	Store   Store          // default NewMemory()
	Lockout *limit.Lockout // nil: nobody is locked out
	// Expiry asked for is clamped: shorter than MinExpires is refused by 423,
	// longer than MaxExpires is shortened. Without a wish it is DefaultExpires.
	MinExpires     time.Duration // default 60 s
	MaxExpires     time.Duration // default 1 h
	DefaultExpires time.Duration // default 1 h
	// MaxBindings of one account; more are refused by 403. Default 10.
	MaxBindings int
	// MaxTotal bindings in all; more are refused by 503. Default 100000.
	MaxTotal int
	// FlowTimer is told to terminals that registered an outbound flow: they
	// send a keep-alive at least so often (RFC 5626 §4.4.1). Default 90 s.
	FlowTimer time.Duration
	// PingEvery, when positive, makes Run send OPTIONS to each binding so
	// often by Ping, and drop a binding after PingFailures unanswered ones.
	PingEvery    time.Duration
	PingFailures int // default 3
	Ping         func(ctx context.Context, to Binding) error
	// OnEvent is called after each change, without locks held, in order per
	// account. It must not block.
	OnEvent func(Event)
	Now     func() time.Time
	Log     *zap.Logger
}

// Registrar answers REGISTER and knows where terminals are. Safe for
// concurrent use.
type Registrar struct{}

// New makes a registrar.
func New(c Config) (*Registrar, error) { return &Registrar{}, nil }

// Handle answers a REGISTER that came over the flow.
func (r *Registrar) Handle(req *sip.Request, from Flow) *sip.Response { return nil }

// Lookup returns the live bindings of an alias or user name, best first: by q,
// then by how recently they were refreshed. Of several flows of one terminal
// (RFC 5626) only the best is the first of its instance; the others follow
// behind all instances, to be tried when it fails.
func (r *Registrar) Lookup(alias string) []Binding { return nil }

// Known reports whether an alias belongs to an account, registered or not.
func (r *Registrar) Known(alias string) bool { return false }

// Sender returns the account that is registered over this flow: a request
// that comes over it comes from that terminal. Over UDP an address can be
// forged, so this does not replace a challenge.
func (r *Registrar) Sender(flow Flow) (Binding, bool) { return Binding{}, false }

// Registrations is a snapshot of the live bindings, sorted by AOR and contact.
func (r *Registrar) Registrations() []Registration { return nil }

// Disconnected tells that a connection was closed: bindings of outbound flows
// over it are gone (RFC 5626 §5.3).
func (r *Registrar) Disconnected(transport, remote string) {}

// Run expires bindings and pings terminals until ctx ends.
func (r *Registrar) Run(ctx context.Context) error { return nil }
