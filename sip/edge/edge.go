// Package edge is where SIP bytes enter and leave: the sockets of the gateway,
// and the screening before the SIP stack sees a message.
//
// A datagram or a stretch of a stream is framed, checked against the grammar
// of RFC 3261 §25 as far as the stack depends on it, and rewritten into the
// plain form the stack reads (unfolded lines, one space, long header names,
// received and rport filled in). What fails is answered here with the
// protocol's own error, built from whatever headers can be read, and never
// reaches the stack or a log.
//
//	400 syntax, missing or contradicting headers     413 body over the limit
//	416 Request-URI with an unknown scheme           505 other versions than SIP/2.0
//	513 message over the limit
//
// Left to the user agent: 405, 406, 413, 415, 420, 481, 482, 501. 483 does not arise:
// the gateway is where requests end, so Max-Forwards 0 is accepted.
// ACKs, responses and messages without a usable Via are dropped and counted.
package edge

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
)

// Transport is a SIP transport by its name in Via.
type Transport string

// Transports.
const (
	UDP Transport = "UDP"
	TCP Transport = "TCP"
	TLS Transport = "TLS"
)

// Config sets up an Edge. Zero values take the defaults.
type Config struct {
	// ServerName stands in the Server header of the edge's own answers; ""
	// leaves the header out.
	ServerName string
	// MaxMessage in bytes, start line to body; default and most 65535.
	MaxMessage int
	// Connections bounds open connections, accepted ones only; default 4096.
	Connections int
	// ConnectionsPerSource bounds those of one address; default 256.
	ConnectionsPerSource int
	// HandshakeTimeout bounds a TLS handshake; default 10 s.
	HandshakeTimeout time.Duration
	// MessageTimeout bounds the time from the first byte of a message to its
	// last over a connection; default 10 s.
	MessageTimeout time.Duration
	// IdleTimeout closes a connection that was silent so long; keep-alives
	// count. Default 1 h, FirstTimeout until the first message.
	IdleTimeout  time.Duration
	FirstTimeout time.Duration // default 30 s
	WriteTimeout time.Duration // default 5 s
	// Allow takes a token of a source for each datagram and each message.
	// Without one a datagram is dropped unread, and a connection is read no
	// further until there is one. nil allows all.
	Allow func(netip.Addr) bool
	// Tap sees every message that is accepted, answered or sent, as it was on
	// the wire. It must copy what it keeps, mask secrets, and not block.
	Tap func(Record)
	// Closed is called when a connection has ended. It must not block.
	Closed func(Flow)
	// Control is called on each socket before it is bound, as of
	// net.ListenConfig: to set DSCP.
	Control func(network, address string, c syscall.RawConn) error
	Log     *zap.Logger
}

// Record is a message seen on the wire.
type Record struct {
	Time      time.Time
	In        bool // from the network
	Transport Transport
	Local     netip.AddrPort
	Remote    netip.AddrPort
	Message   []byte // valid during the call only
	// Refused is the status the edge itself answered with, 0 when the message
	// went on; -1 when it was dropped without an answer.
	Refused int
}

// Flow describes an open connection.
type Flow struct {
	Transport Transport
	Local     netip.AddrPort
	Remote    netip.AddrPort
	Since     time.Time
	// LegacyTLS marks a connection that a default listener would have refused:
	// TLS before 1.2, or a cipher suite without forward secrecy or
	// authenticated encryption.
	LegacyTLS bool
	TLS       *tls.ConnectionState // nil over TCP
}

// Server is the SIP stack's end: *sipgo.Server.
type Server interface {
	ServeUDP(net.PacketConn) error
	ServeTCP(net.Listener) error
	ServeTLS(net.Listener) error
}

// maxMessage is the largest message that the stack takes; one UDP datagram.
const maxMessage = 65535

// The stack keeps its limits in variables of its package. They are raised
// before anything can run: it would refuse to send datagrams over 1300 bytes
// and would cut those over 32768 that it reads.
func init() {
	sip.UDPMTUSize = maxMessage + 200
	sip.TransportBufferReadSize = maxMessage
	sip.ParseMaxMessageLength = maxMessage
}

// Edge owns the SIP sockets. Safe for concurrent use.
type Edge struct {
	c     Config
	log   *zap.Logger
	count counters

	mu       sync.Mutex
	flows    map[flowKey]*stream
	sources  map[netip.Addr]int // accepted connections by address
	inbound  int
	outbound map[Transport]*Listener
	dials    singleflight.Group
}

// New makes an edge without sockets.
func New(c Config) *Edge {
	if c.MaxMessage <= 0 || c.MaxMessage > maxMessage {
		c.MaxMessage = maxMessage
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.HandshakeTimeout, 10 * time.Second},
		{&c.MessageTimeout, 10 * time.Second},
		{&c.IdleTimeout, time.Hour},
		{&c.FirstTimeout, 30 * time.Second},
		{&c.WriteTimeout, 5 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if c.Connections <= 0 {
		c.Connections = 4096
	}
	if c.ConnectionsPerSource <= 0 {
		c.ConnectionsPerSource = 256
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &Edge{
		c:        c,
		log:      c.Log.Named("edge"),
		flows:    make(map[flowKey]*stream),
		sources:  make(map[netip.Addr]int),
		outbound: make(map[Transport]*Listener),
	}
}

// flowKey finds a connection as the stack names it.
type flowKey struct {
	transport Transport
	remote    string
}

// Flow returns the open connection with a remote address ("host:port", as in
// sip.Request.Source), and false when there is none, or for UDP.
func (e *Edge) Flow(t Transport, remote string) (Flow, bool) {
	e.mu.Lock()
	st := e.flows[flowKey{t, remote}]
	e.mu.Unlock()
	if st == nil {
		return Flow{}, false
	}
	return st.flow(), true
}

// Drop closes a connection.
func (e *Edge) Drop(t Transport, remote string) {
	e.mu.Lock()
	st := e.flows[flowKey{t, remote}]
	e.mu.Unlock()
	if st != nil {
		_ = st.Close()
	}
}

// allow takes a token of the source.
func (e *Edge) allow(source netip.Addr) bool {
	if e.c.Allow == nil || e.c.Allow(source) {
		return true
	}
	e.count.limited.Add(1)
	return false
}

func (e *Edge) accepted(t Transport, local, remote netip.AddrPort, message []byte) {
	e.count.accepted.Add(1)
	e.tap(Record{In: true, Transport: t, Local: local, Remote: remote, Message: message})
}

func (e *Edge) refused(t Transport, local, remote netip.AddrPort, message []byte, f fault, answered bool) {
	status := f.status
	if !answered {
		status = -1
	}
	e.count.refuse(status)
	e.log.Debug("message refused", zap.Stringer("source", remote), zap.Int("status", status), zap.String("reason", f.reason))
	e.tap(Record{In: true, Transport: t, Local: local, Remote: remote, Message: message, Refused: status})
}

func (e *Edge) sent(t Transport, local, remote netip.AddrPort, message []byte) {
	e.tap(Record{Transport: t, Local: local, Remote: remote, Message: message})
}

func (e *Edge) tap(r Record) {
	if e.c.Tap == nil || len(r.Message) <= len(endOfHeaders) {
		return
	}
	r.Time = time.Now()
	e.c.Tap(r)
}
