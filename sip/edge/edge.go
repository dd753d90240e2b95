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
// Left to the user agent: 405, 415, 420, 481, 482, 501. 483 does not arise:
// the gateway is where requests end, so Max-Forwards 0 is accepted.
// ACKs, responses and messages without a usable Via are dropped and counted.
package edge

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"
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
	// Allow takes a token of a source for each datagram and each message;
	// false drops it unread. nil allows all.
	Allow func(netip.Addr) bool
	// Tap sees every message that is accepted, answered or sent, as it was on
	// the wire. It must copy what it keeps, mask secrets, and not block.
	Tap func(Record)
	// Closed is called when a connection has ended. It must not block.
	Closed func(Flow)
	Log    *zap.Logger
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

// Edge owns the SIP sockets. Safe for concurrent use.
type Edge struct{}

// New makes an edge without sockets.
func New(c Config) *Edge { return &Edge{} }

// Listener is a bound socket.
type Listener struct{}

// ListenUDP binds a UDP socket; address as of net.ListenPacket ("[::]:5060"
// takes IPv4 too, "0.0.0.0:5060" only IPv4).
func (e *Edge) ListenUDP(address string) (*Listener, error) { return nil, nil }

// ListenTCP binds a TCP socket.
func (e *Edge) ListenTCP(address string) (*Listener, error) { return nil, nil }

// ListenTLS binds a TCP socket whose connections start with a TLS handshake.
// Peers that offer no ALPN protocol, or others than "sip", are welcome.
func (e *Edge) ListenTLS(address string, c *tls.Config) (*Listener, error) { return nil, nil }

// Transport of the listener.
func (l *Listener) Transport() Transport { return "" }

// Addr is the bound address.
func (l *Listener) Addr() netip.AddrPort { return netip.AddrPort{} }

// Serve hands messages to the stack until the listener is closed, then returns
// nil once all connections of the listener have ended.
func (l *Listener) Serve(s Server) error { return nil }

// Close ends the listener and its connections.
func (l *Listener) Close() error { return nil }

// Outbound makes the listener that gives dialled connections of a transport
// (TCP or TLS) to the stack; it binds nothing. Serve it like the others. At
// most one per transport.
func (e *Edge) Outbound(t Transport) (*Listener, error) { return nil, nil }

// Dial makes sure that a framed connection to the address exists and is known
// to the stack, which then uses it for requests to that address. c is for TLS
// only. An accepted connection from that very address is taken as well.
func (e *Edge) Dial(ctx context.Context, t Transport, to netip.AddrPort, c *tls.Config) error {
	return nil
}

// Flow returns the open connection with a remote address ("host:port", as in
// sip.Request.Source), and false when there is none, or for UDP.
func (e *Edge) Flow(t Transport, remote string) (Flow, bool) { return Flow{}, false }

// Drop closes a connection.
func (e *Edge) Drop(t Transport, remote string) {}

// Stats counts since the start.
type Stats struct {
	Accepted    uint64         // messages given to the stack
	Refused     map[int]uint64 // by the status they were answered with
	Dropped     uint64         // malformed, and not to be answered
	Limited     uint64         // over their source's share
	Keepalives  uint64         // CRLF
	Connections int            // open now
	Turned      uint64         // connections refused: too many
	Slow        uint64         // connections closed by a time-out
}

// Stats is a snapshot of the counters.
func (e *Edge) Stats() Stats { return Stats{} }
