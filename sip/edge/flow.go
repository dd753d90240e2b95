package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// adopt makes a stream of a connection and enters it; nil when there are too
// many, or the listener is closed.
func (l *Listener) adopt(conn net.Conn, inbound bool) *stream {
	st := &stream{
		Conn:      conn,
		edge:      l.edge,
		transport: l.transport,
		local:     addrPort(conn.LocalAddr()),
		remote:    addrPort(conn.RemoteAddr()),
		key:       flowKey{l.transport, conn.RemoteAddr().String()},
		since:     time.Now(),
		gone:      make(chan struct{}),
		heard:     !inbound, // who was called need not speak first
	}
	if inbound && l.tls != nil {
		st.Conn = tls.Server(conn, l.tls)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return nil
	default:
	}
	st.done = func() {
		l.mu.Lock()
		delete(l.streams, st)
		l.mu.Unlock()
		l.edge.leave(st, inbound)
		l.idle.Done()
	}
	l.idle.Add(1)
	if !l.edge.enter(st, inbound) {
		l.idle.Done()
		return nil
	}
	l.streams[st] = struct{}{}
	return st
}

// enter counts a connection, unless there are too many.
func (e *Edge) enter(st *stream, inbound bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if inbound {
		addr := st.remote.Addr()
		if e.inbound >= e.c.Connections || e.sources[addr] >= e.c.ConnectionsPerSource {
			e.count.turned.Add(1)
			return false
		}
		e.inbound++
		e.sources[addr]++
	}
	e.flows[st.key] = st
	return true
}

func (e *Edge) leave(st *stream, inbound bool) {
	e.mu.Lock()
	if inbound {
		addr := st.remote.Addr()
		e.inbound--
		if e.sources[addr]--; e.sources[addr] == 0 {
			delete(e.sources, addr)
		}
	}
	if e.flows[st.key] == st {
		delete(e.flows, st.key)
	}
	e.mu.Unlock()
	if e.c.Closed != nil {
		e.c.Closed(st.flow())
	}
}

// Outbound makes the listener that gives dialled connections of a transport
// (TCP or TLS) to the stack; it binds nothing. Serve it like the others. At
// most one per transport.
func (e *Edge) Outbound(t Transport) (*Listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t != TCP && t != TLS {
		return nil, fmt.Errorf("no connections over %s", t)
	}
	if e.outbound[t] != nil {
		return nil, fmt.Errorf("connections over %s are dialled already", t)
	}
	l := e.listener(t)
	e.outbound[t] = l
	return l, nil
}

// ErrNotServed is returned by Dial without an Outbound listener in use.
var ErrNotServed = errors.New("nothing serves dialled connections of this transport")

// Dial makes sure that a framed connection to the address exists and is known
// to the stack, which then uses it for requests to that address. c is for TLS
// only. An accepted connection from that very address is taken as well.
func (e *Edge) Dial(ctx context.Context, t Transport, to netip.AddrPort, c *tls.Config) error {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	e.mu.Lock()
	l := e.outbound[t]
	open := e.flows[flowKey{t, to.String()}] != nil
	e.mu.Unlock()
	if open {
		return nil
	}
	if l == nil {
		return ErrNotServed
	}
	// Callers share one attempt. It ends by itself, so that a caller who gives
	// up does not fail the others.
	shared := e.dials.DoChan(string(t)+to.String(), func() (any, error) {
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
		defer cancel()
		return nil, l.dial(attempt, to, c)
	})
	select {
	case r := <-shared:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return ErrNotServed
	}
}

// dialTimeout bounds connecting with the TLS handshake: half of Timer B, so
// that there is time for another address.
const dialTimeout = 16 * time.Second

func (l *Listener) dial(ctx context.Context, to netip.AddrPort, c *tls.Config) error {
	dialer := net.Dialer{Control: l.edge.c.Control}
	conn, err := dialer.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	var state *tls.ConnectionState
	if l.transport == TLS {
		client := tls.Client(conn, c)
		if err := client.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return fmt.Errorf("tls handshake: %w", err)
		}
		conn = client
		s := client.ConnectionState()
		state = &s
	}
	return l.give(ctx, conn, state)
}

// give hands a dialled connection to the stack and waits until it is stored.
func (l *Listener) give(ctx context.Context, conn net.Conn, state *tls.ConnectionState) error {
	st := l.adopt(conn, false)
	if st == nil {
		_ = conn.Close()
		return ErrNotServed
	}
	st.state = state
	st.given = make(chan struct{})
	select {
	case l.dialled <- st:
	case <-ctx.Done():
		_ = st.Close()
		return ctx.Err()
	case <-l.closed:
		_ = st.Close()
		return ErrNotServed
	}
	select {
	case <-st.given:
		return nil
	case <-l.closed:
		return ErrNotServed
	}
}
