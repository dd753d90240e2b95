// Package link carries floor control (package bfcp) over UDP, TCP and TLS between
// the addresses that SDP names (RFC 8856). A Link opens its port at once, so that
// SDP can name it, and speaks when it is told to whom.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/sip/bfcp"
)

// Transport of an m-line (RFC 8856 §4).
type Transport string

// Transports.
const (
	UDP Transport = "UDP/BFCP"
	TCP Transport = "TCP/BFCP"
	TLS Transport = "TCP/TLS/BFCP"
)

// Config is what a Link is made of.
type Config struct {
	Transport Transport
	Pool      *portpool.Pool
	Local     netip.Addr
	Options   portpool.Options
	Log       *zap.Logger // nil: silent
	// OnEvent is told what happens, in order, on the link's goroutine: it must not
	// block, nor call the link.
	OnEvent func(bfcp.Event)
	// Tap sees every message, parsed; it may be nil.
	Tap func(received bool, remote netip.AddrPort, message []byte)
}

// Params are what SDP agreed on. They may be put into force again.
type Params struct {
	// Server: we control the floor, the far side asks.
	Server     bool
	Conference uint32
	User       uint16
	Floors     []uint16
	Name       string
	// Remote is where the far side is; Trusted are further hosts that may stand in
	// for it, behind a translator.
	Remote  netip.AddrPort
	Trusted []netip.Addr
	// Active: over TCP, we connect (a=setup). New asks for a new connection in place
	// of one that stands (a=connection:new).
	Active, New bool
	TLS         *tls.Config // with transport TLS
}

// Link is one floor control association of a call.
type Link struct {
	cfg  Config
	log  *zap.Logger
	pair *portpool.Pair     // UDP
	ear  *portpool.Listener // TCP
	port uint16

	ops    chan func()
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup // readers, dials and run
	done   chan struct{}  // run has ended

	dropped atomic.Uint64

	// Owned by run.
	params  Params
	session bfcp.Session
	parts   bfcp.Reassembler
	remote  netip.AddrPort // where datagrams go
	conn    net.Conn
	ready   bool // conn takes messages: TLS has shaken hands
	dialing bool
	redial  time.Time
	backoff time.Duration
}

// Bounds.
const (
	opsSize      = 64
	writeTimeout = 2 * time.Second
	dialTimeout  = 5 * time.Second
	maxBackoff   = 30 * time.Second
)

// Open binds a port of the pool.
func Open(cfg Config) (*Link, error) {
	l := &Link{cfg: cfg, log: cfg.Log, ops: make(chan func(), opsSize), done: make(chan struct{})}
	if l.log == nil {
		l.log = zap.NewNop()
	}
	switch cfg.Transport {
	case UDP:
		pair, err := cfg.Pool.Pair(cfg.Local, cfg.Options)
		if err != nil {
			return nil, err
		}
		l.pair, l.port = pair, pair.Addr.Port()
	case TCP, TLS:
		ear, err := cfg.Pool.Listen(cfg.Local, cfg.Options)
		if err != nil {
			return nil, err
		}
		l.ear, l.port = ear, ear.Port().Port()
	default:
		return nil, fmt.Errorf("floor control over %q", cfg.Transport)
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.wait.Add(2)
	go l.run()
	if l.pair != nil {
		go l.readDatagrams()
	} else {
		go l.accept()
	}
	return l, nil
}

// Port is the one bound.
func (l *Link) Port() uint16 { return l.port }

// Transport is the one opened for.
func (l *Link) Transport() Transport { return l.cfg.Transport }

// Dropped counts what came and was of no use: from strangers, or malformed.
func (l *Link) Dropped() uint64 { return l.dropped.Load() }

// Apply puts parameters into force. A change of role or of numbers begins anew.
func (l *Link) Apply(p Params) { l.do(func() { l.apply(p) }) }

// Request asks for the floor for us.
func (l *Link) Request() { l.with(bfcp.Session.Request) }

// Release gives it up.
func (l *Link) Release() { l.with(bfcp.Session.Release) }

// Answer answers bfcp.Requested.
func (l *Link) Answer(grant bool) {
	l.with(func(s bfcp.Session, now time.Time) { s.Answer(now, grant) })
}

func (l *Link) with(what func(bfcp.Session, time.Time)) {
	l.do(func() {
		if l.session != nil {
			what(l.session, time.Now())
		}
	})
}

// do has run do something; it waits when the queue is full, and drops when the
// link has ended.
func (l *Link) do(op func()) {
	select {
	case l.ops <- op:
	case <-l.done:
	}
}

// Close says farewell, closes the port and waits.
func (l *Link) Close() {
	l.cancel()
	l.wait.Wait()
}

// run owns the session.
func (l *Link) run() {
	defer l.wait.Done()
	defer close(l.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.due())
		select {
		case op := <-l.ops:
			op()
		case <-timer.C:
			l.tick()
		case <-l.ctx.Done():
			l.farewell()
			return
		}
	}
}

// due is how long until something has to be done.
func (l *Link) due() time.Duration {
	next := l.redial
	if l.session != nil {
		if at := l.session.Next(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() {
		return time.Hour
	}
	return max(time.Until(next), 0)
}

func (l *Link) tick() {
	now := time.Now()
	if l.session != nil {
		l.session.Tick(now)
	}
	if !l.redial.IsZero() && !now.Before(l.redial) {
		l.dial()
	}
}

func (l *Link) farewell() {
	if l.session != nil {
		l.session.Close(time.Now())
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
	var err error
	if l.pair != nil {
		err = l.pair.Close()
	} else {
		err = l.ear.Close()
	}
	if err != nil {
		l.log.Debug("floor control port", zap.Error(err))
	}
}

// apply is Apply, on run.
func (l *Link) apply(p Params) {
	was := l.params
	l.params = p
	if p.Remote != was.Remote {
		l.remote = p.Remote
	}
	same := l.session != nil && p.Server == was.Server && p.Conference == was.Conference && p.User == was.User
	if !same {
		l.disconnect()
		l.session = l.newSession(p)
		if l.pair != nil {
			l.session.Start(time.Now())
		}
	}
	if l.pair != nil {
		return
	}
	// Who waits goes on with the connection there is until another one comes: some
	// say "new" each time and mean nothing by it.
	if p.Active && l.conn != nil && (p.New || p.Remote != was.Remote) {
		l.disconnect()
	}
	if p.Active && l.conn == nil {
		l.dial()
	}
}

func (l *Link) newSession(p Params) bfcp.Session {
	cfg := bfcp.Config{
		Conference: p.Conference, User: p.User, Floors: p.Floors, Name: p.Name,
		Version: 1, Unreliable: l.pair != nil, First: uint16(rand.N(1 << 15)),
		Send: l.send, Emit: l.cfg.OnEvent,
	}
	if l.pair != nil {
		cfg.Version = 2 // RFC 8855 §5.1
	}
	if p.Server {
		return bfcp.NewServer(cfg)
	}
	return bfcp.NewClient(cfg)
}

// send takes a message of the session.
func (l *Link) send(m *bfcp.Message) {
	data, err := m.Marshal()
	if err != nil {
		l.log.Error("floor control message not encoded", zap.Stringer("message", m), zap.Error(err))
		return
	}
	switch {
	case l.pair != nil:
		err = l.sendDatagram(m, data)
	case l.ready:
		err = l.write(data)
	default:
		return // nobody is connected: the session is told when somebody is
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.log.Debug("floor control message not sent", zap.Stringer("message", m), zap.Error(err))
	}
}

// hear takes one whole message.
func (l *Link) hear(from netip.AddrPort, data []byte) {
	if l.cfg.Tap != nil {
		l.cfg.Tap(true, from, data)
	}
	if l.session == nil {
		return
	}
	m, err := bfcp.Parse(data)
	if err != nil {
		l.dropped.Add(1)
		l.session.Malformed(time.Now(), m, err)
		return
	}
	l.session.Receive(time.Now(), m)
}
