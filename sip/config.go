package sip

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/registrar"
	"github.com/roomgate/roomgate/trace"
)

// Config is what an Endpoint is made of. The zero value of a field means the
// default stated beside it.
type Config struct {
	// Listen are the sockets to bind; at least one.
	Listen []Listener
	// Certificate gives the TLS certificate in force, for listeners and for
	// connections out; required with a tls listener.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// DialTLS is the client side of TLS; nil verifies against the system's roots.
	DialTLS *tls.Config

	// Domains are the host names that are ours. Requests to other hosts are
	// taken too when they arrive here; the domains serve as digest realm (the
	// first) and to tell our aliases from foreign URIs when dialling.
	Domains  []string
	Accounts []Account
	// Directory knows further accounts, looked up whenever they are needed; where
	// a name is in both, that of Accounts counts. May be nil.
	Directory registrar.Accounts
	// Bindings keeps the registrar's bindings; nil: in memory.
	Bindings registrar.Store
	Trunks   []Trunk
	// Direct lets calls in that are neither registered nor from a trunk.
	Direct bool
	// MinExpires and MaxExpires clamp registrations; 60 s and 3600 s.
	MinExpires, MaxExpires time.Duration

	// PingEvery sends OPTIONS to registered terminals, and drops the binding of
	// one that stays silent (three times); 0 sends none.
	PingEvery time.Duration

	// Network tells which local address a peer gets; nil follows the routing
	// table.
	Network local.Networks
	// Ports are the UDP ports of media; nil makes a pool of 20000-29999.
	Ports      *portpool.Pool
	Latching   Latching
	Encryption Encryption
	// Impair is that of rtpconn.Config.
	Impair func(sent bool, octets int) bool
	// Floor says how calls control who presents.
	Floor FloorConfig
	// Camera is what the cameras can do that far sides may move; nil: nothing.
	Camera *h224.Abilities
	// MediaTimeout ends calls that receive nothing; 0 turns it off.
	MediaTimeout time.Duration

	// SessionExpires is asked for (RFC 4028): 1800 s, negative asks for none.
	SessionExpires time.Duration
	MinSE          time.Duration // 90 s
	Reliable       Reliable
	// AnswerTimeout bounds an outgoing call without answer: 3 minutes.
	AnswerTimeout time.Duration
	// DelayedOffer calls without SDP: the far side offers, for those that insist.
	DelayedOffer bool
	// Farewell bounds how long the last requests of a shutdown wait for their answers: 2 s.
	Farewell time.Duration
	// T1 is the round-trip estimate the dialog's own timers derive from: 500 ms.
	T1 time.Duration

	Limits    Limits
	UserAgent string // "roomgate"
	// Admit is asked before a call is taken; a cause refuses it.
	Admit func() *call.Cause
	// OnRegistration is told of changes of bindings, see registrar.Config.
	OnRegistration func(registrar.Event)
	// OnLine is told of targets and registrations of trunks that come and go.
	OnLine func(LineEvent)
	// OnForged is told of calls over a trunk in the name of somebody else.
	OnForged func(trunk, caller, called string)
	// Resolver asks the DNS for the targets of trunks; nil: the system's.
	Resolver Resolver
	// Tap sees every message on the wire, see edge.Config.
	Tap func(edge.Record)
	// Conferences tells subscribers who is in a meeting (RFC 4575); nil: nobody may
	// subscribe. They are told at most once in ConferenceEvery: 5 s (RFC 4575 §3.9).
	Conferences     Conferences
	ConferenceEvery time.Duration
	// Trace keeps what the legs say and hear, less their secrets; nil: nobody does.
	Trace *trace.Recorder

	Log *zap.Logger
}

// Listener is one socket.
type Listener struct {
	Transport string // udp, tcp, tls
	Address   string // host:port; port 0 picks a free one
	// Legacy opens TLS 1.0 and old cipher suites on a tls listener, for old
	// codecs; their legs are flagged.
	Legacy bool
}

// Account may register and call with digest credentials.
type Account struct {
	User, Password string
	// Aliases are the names it is called by; its user name always is one.
	Aliases []string
	Name    string // display name
}

// Trunk is a peer whose calls are told by their address, by digest, or by both.
type Trunk struct {
	Name     string
	Networks []netip.Prefix
	// Challenge has its calls prove Username and Password.
	Challenge          bool
	Username, Password string
	// TrustIdentity takes the caller from P-Asserted-Identity (RFC 3325 §5).
	TrustIdentity bool
	// Owns tells called numbers that are the trunk's: who calls them from elsewhere is
	// asked for its password, where Challenge is all that tells it. May be nil.
	Owns func(called string) bool
	// Out is the way out; nil: none.
	Out *Outbound
}

// Network is how we look towards a peer.
type Network = local.Network

// Latching says whether media is sent to where it comes from rather than to
// where the SDP points.
type Latching string

// Latching modes.
const (
	LatchAuto Latching = "auto" // when SDP and signalling disagree
	LatchOff  Latching = "off"
	LatchOn   Latching = "on"
)

// Encryption is the policy for media.
type Encryption string

// Encryption policies.
const (
	EncryptPrefer  Encryption = "prefer"
	EncryptOff     Encryption = "off"
	EncryptRequire Encryption = "require"
)

// Reliable is the policy for provisional responses (RFC 3262).
type Reliable string

// Policies for reliable provisional responses.
const (
	ReliableSupported Reliable = "supported" // when the far side can
	ReliableRequired  Reliable = "required"
	ReliableOff       Reliable = "off"
)

// Limits bound what strangers can make us hold. Zero means the default.
type Limits struct {
	Calls         int // legs at once: 1000
	Pending       int // unanswered incoming calls: 200
	Registrations int // bindings: 20000
	PerSource     int // requests a second from one address: 200
}

func (l *Limits) withDefaults() {
	def(&l.Calls, 1000)
	def(&l.Pending, 200)
	def(&l.Registrations, 20000)
	def(&l.PerSource, 200)
}

// ErrConfig is wrapped by every refusal of a Config.
var ErrConfig = errors.New("sip configuration")

func (c *Config) withDefaults() error {
	if len(c.Listen) == 0 {
		return fmt.Errorf("%w: no listener", ErrConfig)
	}
	for i, l := range c.Listen {
		switch l.Transport {
		case "udp", "tcp":
		case "tls":
			if c.Certificate == nil {
				return fmt.Errorf("%w: listen[%d]: tls without a certificate", ErrConfig, i)
			}
		default:
			return fmt.Errorf("%w: listen[%d]: transport %q is not udp, tcp or tls", ErrConfig, i, l.Transport)
		}
	}
	def(&c.MinExpires, time.Minute)
	def(&c.MaxExpires, time.Hour)
	def(&c.Latching, LatchAuto)
	def(&c.Encryption, EncryptPrefer)
	def(&c.SessionExpires, 30*time.Minute)
	def(&c.MinSE, 90*time.Second)
	def(&c.Reliable, ReliableSupported)
	def(&c.AnswerTimeout, 3*time.Minute)
	def(&c.Farewell, 2*time.Second)
	def(&c.T1, 500*time.Millisecond)
	c.Limits.withDefaults()
	def(&c.ConferenceEvery, 5*time.Second)
	def(&c.Floor.Name, "roomgate")
	def(&c.UserAgent, "roomgate")
	if c.SessionExpires < 0 {
		c.SessionExpires = 0
	}
	if c.SessionExpires > 0 && c.SessionExpires < c.MinSE {
		return fmt.Errorf("%w: session interval %s is below the minimum of %s", ErrConfig, c.SessionExpires, c.MinSE)
	}
	if c.Ports == nil {
		ports, err := portpool.New(portpool.Config{Low: 20000, High: 29999, Quarantine: 5 * time.Second})
		if err != nil {
			return err
		}
		c.Ports = ports
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return nil
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
