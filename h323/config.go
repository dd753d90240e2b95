package h323

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/media/h224"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/trace"
)

// Config is what an Endpoint is made of. The zero value of a field means the
// default stated beside it.
type Config struct {
	// Listen are the call signalling addresses to bind, host:port; at least one.
	// Port 0 picks a free one.
	Listen []string

	// Aliases are the names we call and are called by ourselves: h323-IDs and
	// numbers. The first stands for us where the gateway states none.
	Aliases []string
	// Terminal says that we are one; otherwise we are a gateway.
	Terminal bool
	// TerminalType of H.245 (H.323 table 1) in calls that state none; 0 = what we are.
	TerminalType uint8
	// Direct lets calls in from terminals that are not registered.
	Direct bool

	// Tunnelling, FastStart and EarlyH245 choose how H.245 and media are set up,
	// as far as the far side goes along.
	Tunnelling Tunnelling
	FastStart  FastStart
	// EarlyH245 begins H.245 with the SETUP, not with the CONNECT.
	EarlyH245 bool

	// Network tells which local address a peer gets; nil follows the routing
	// table.
	Network local.Networks
	// Ports are the UDP ports of media and the TCP ports of H.245; nil makes a
	// pool of 20000-29999.
	Ports      *portpool.Pool
	Latching   Latching
	Encryption Encryption
	// Impair is that of rtpconn.Config.
	Impair func(sent bool, octets int) bool
	// Camera is what the cameras can do that far sides may move; nil: nothing.
	Camera *h224.Abilities
	// MediaTimeout ends calls that receive nothing; 0 turns it off.
	MediaTimeout time.Duration

	// AnswerTimeout bounds an outgoing call without answer: 3 minutes.
	AnswerTimeout time.Duration
	Timers        Timers

	Traversal Traversal
	Directory Directory // who is registered; nil: nobody
	Limits    Limits
	// Product and Version name us to the far side: "roomgate".
	Product, Version string
	// Admit is asked before a call is taken; a cause refuses it.
	Admit func() *call.Cause
	// Complete reports whether a number that may be followed by more digits is
	// all there; nil waits for the end of dialling.
	Complete func(number string) bool
	// Tap sees every call signalling and H.245 message.
	Tap func(Record)
	// Trace keeps what the legs say and hear, less their secrets; nil: nobody does.
	Trace *trace.Recorder

	Log *zap.Logger
}

// Tunnelling of H.245 in call signalling (H.323 clause 8.2.1).
type Tunnelling string

// Ways to carry H.245.
const (
	TunnelPrefer Tunnelling = "prefer" // where the far side can
	TunnelOff    Tunnelling = "off"    // a connection of its own, always
)

// FastStart opens media with the SETUP (H.323 clause 8.1.7).
type FastStart string

// Fast start policies.
const (
	FastOn     FastStart = "on"     // offered and answered
	FastAnswer FastStart = "answer" // answered, not offered
	FastOff    FastStart = "off"    // refused
)

// Timers of call signalling (Q.931 table 9-1, H.225.0 clause 7.5).
type Timers struct {
	Connect    time.Duration // of TCP: 5 s
	Setup      time.Duration // T303, to the first answer: 10 s
	Proceeding time.Duration // T310, from CALL PROCEEDING to the next: 2 minutes
	Overlap    time.Duration // T302, to the next digit: 10 s
	Control    time.Duration // from CONNECT to the end of the first H.245 exchange: 30 s
	Silence    time.Duration // of a connection that carries no call: 15 s
}

// Latching says whether media is sent to where it comes from rather than to
// where it was signalled: see rtpconn.Latching.
type Latching string

// Latching modes.
const (
	LatchAuto Latching = "auto"
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

// Limits bound what strangers can make us hold. Zero means the default.
type Limits struct {
	Calls                int // legs at once: 1000
	Pending              int // unanswered incoming calls: 200
	PerSource            int // SETUPs a second from one address: 50
	Connections          int // signalling connections: twice Calls and 200
	ConnectionsPerSource int // of one address: 256
	Silent               int // connections that have not said anything: 200
	CallsPerConnection   int // on one connection: 64
}

func (l *Limits) withDefaults() {
	def(&l.Calls, 1000)
	def(&l.Pending, 200)
	def(&l.PerSource, 50)
	def(&l.Connections, 2*l.Calls+200)
	def(&l.ConnectionsPerSource, 256)
	def(&l.Silent, 200)
	def(&l.CallsPerConnection, 64)
}

// Record is a message that was sent or received.
type Record struct {
	In      bool
	Type    string // SETUP, FACILITY.. or H.245
	Local   netip.AddrPort
	Remote  netip.AddrPort
	Payload []byte // of the TPKT; valid during the call only
}

// ErrConfig is wrapped by every refusal of a Config.
var ErrConfig = errors.New("h323 configuration")

func (c *Config) withDefaults() error {
	if len(c.Listen) == 0 {
		return fmt.Errorf("%w: no listener", ErrConfig)
	}
	def(&c.Tunnelling, TunnelPrefer)
	def(&c.FastStart, FastAnswer)
	def(&c.Latching, LatchAuto)
	def(&c.Encryption, EncryptOff)
	def(&c.AnswerTimeout, 3*time.Minute)
	def(&c.Timers.Connect, 5*time.Second)
	def(&c.Timers.Setup, 10*time.Second)
	def(&c.Timers.Proceeding, 2*time.Minute)
	def(&c.Timers.Overlap, 10*time.Second)
	def(&c.Timers.Control, 30*time.Second)
	def(&c.Timers.Silence, 15*time.Second)
	def(&c.Product, "roomgate")
	def(&c.Version, "0")
	c.Limits.withDefaults()
	if len(c.Aliases) == 0 {
		c.Aliases = []string{c.Product}
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
