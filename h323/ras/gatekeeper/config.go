package gatekeeper

import (
	"errors"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// Config sets up a Gatekeeper. ID, Signalling, RAS and Send are required; zero values
// of the others take the defaults.
type Config struct {
	// ID is the gatekeeperIdentifier. Terminals that ask for another one are not
	// answered, or refused.
	ID string
	// Signalling is the address for call signalling that peers at an address
	// should use, RAS the one for RAS.
	Signalling, RAS func(peer netip.Addr) netip.AddrPort
	// Send takes a message to send over UDP. It is called without locks held and
	// must not block for long.
	Send func(to ras.Path, pdu []byte)
	// Serves reports whether calls to an alias end here although no terminal has
	// registered it: a meeting, a terminal of the other protocol, a rule of the
	// dial plan. Nil: everything does, and the endpoint refuses what does not.
	Serves func(alias string) bool
	// IsLocal reports whether a host that was dialled with an alias is us; nil: only
	// ID is.
	IsLocal func(host string) bool
	// Methods of proving a password that are taken, the best first; default all.
	Methods []auth.Method
	// Store keeps registrations over restarts; default NewMemory().
	Store Store
	// Traversal offers H.460.18 to terminals that ask for it.
	Traversal bool
	Lockout   *limit.Lockout // nil: nobody is locked out
	// OnEvent is called after each change of a registration, in order. It may look
	// things up, but must not block.
	OnEvent func(Event)
	// OnDisengage tells that a terminal ended its part of a call (DRQ).
	OnDisengage func(id string, callID [16]byte)
	// OnMessage counts: every message received and sent by its kind, and what was
	// dropped as malformed or limited (over the share of its source). It must not
	// block. May be nil.
	OnMessage func(sent bool, kind string)
	// OnCall sees the requests about a call (ARQ, BRQ, DRQ) and their answers, by its
	// identifier. It must not block nor change them. May be nil.
	OnCall func(callID [16]byte, sent bool, path ras.Path, m *h225.RASMessage, pdu []byte)
	Now    func() time.Time
	Log    *zap.Logger

	Settings Settings
}

// Settings are what can change while the gatekeeper runs.
type Settings struct {
	Model Model
	Mode  Mode
	// Allow are the networks that terminals may register and search from; empty:
	// any.
	Allow    []netip.Prefix
	Accounts Accounts // nil: none
	// TimeToLive is the lifetime of a registration, shorter when the terminal asks
	// for less; default 60 s.
	TimeToLive time.Duration
	// MaxRegistrations in all; default 20000.
	MaxRegistrations int
	// CallBandwidth limits one call, TotalBandwidth those of the zone, in bit/s of
	// both directions together; 0 = no limit.
	CallBandwidth, TotalBandwidth uint64
	// PerSource is how many messages one address may send a second; default 200.
	PerSource  int
	Neighbours []Neighbour
	// Alternates are told to terminals, to go to when we do not answer.
	Alternates []Alternate
}

// Model says where the SETUP of a call goes (H.323 clause 8.1).
type Model uint8

// Models of calls.
const (
	Routed Model = iota // to us
	Direct              // from terminal to terminal where possible
)

// Mode says who may register.
type Mode uint8

// Modes of registration.
const (
	// Open takes every terminal; aliases of accounts need the password.
	Open Mode = iota
	// Accounts takes terminals that know the password of an account.
	OnlyAccounts
	// Closed takes none.
	Closed
)

// Account is a user that may register.
type Account struct {
	Username string // also an alias
	Password string
	Aliases  []string // further names it can be called by
}

// Accounts finds accounts. User names and aliases are one name space, in which
// capitals do not matter.
type Accounts interface {
	// Account returns the account that a user name or an alias belongs to.
	Account(name string) (Account, bool)
}

// Neighbour is another gatekeeper, whose zone can be called and may call us.
type Neighbour struct {
	Name    string
	Address netip.AddrPort // of its RAS
	// Prefixes of the numbers it serves; an empty one: everything.
	Prefixes []string
	// Strip takes the prefix off before asking.
	Strip bool
}

// Alternate is a gatekeeper to go to when this one does not answer.
type Alternate struct {
	ID       string
	Address  netip.AddrPort
	Priority uint8 // 0 is the first to try
	// Register tells terminals to register there first.
	Register bool
}

var errConfig = errors.New("gatekeeper needs an identifier, addresses and a way to send")

func (c *Config) defaults() error {
	if c.ID == "" || c.Signalling == nil || c.RAS == nil || c.Send == nil {
		return errConfig
	}
	if c.Serves == nil {
		c.Serves = func(string) bool { return true }
	}
	if c.IsLocal == nil {
		c.IsLocal = func(string) bool { return false }
	}
	if c.Store == nil {
		c.Store = NewMemory()
	}
	if len(c.Methods) == 0 {
		c.Methods = auth.Methods()
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	if c.OnDisengage == nil {
		c.OnDisengage = func(string, [16]byte) {}
	}
	if c.OnMessage == nil {
		c.OnMessage = func(bool, string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	c.Settings.defaults()
	return nil
}

func (s *Settings) defaults() {
	if s.TimeToLive <= 0 {
		s.TimeToLive = time.Minute
	}
	if s.MaxRegistrations <= 0 {
		s.MaxRegistrations = 20000
	}
	if s.PerSource <= 0 {
		s.PerSource = 200
	}
}
