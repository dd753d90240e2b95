package h323

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/transport"
)

// bind opens the listeners; "[::]:1720" takes IPv4 too.
func (e *Endpoint) bind() error {
	for _, address := range e.cfg.Listen {
		config := net.ListenConfig{Control: e.cfg.Network.Mark}
		l, err := config.Listen(context.Background(), "tcp", address)
		if err != nil {
			e.Close()
			return fmt.Errorf("h323 call signalling: %w", err)
		}
		e.listeners = append(e.listeners, l)
		at := l.Addr().(*net.TCPAddr).AddrPort()
		e.addresses = append(e.addresses, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	}
	return nil
}

// acceptPause is waited after a failed accept, such as when files run out.
const acceptPause = 50 * time.Millisecond

// accept takes connections until the listener is closed.
func (e *Endpoint) accept(l net.Listener) {
	defer e.wg.Done()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			e.log.Warn("connection not accepted", zap.Error(err))
			time.Sleep(acceptPause)
			continue
		}
		e.welcome(conn)
	}
}

// welcome makes a link of a connection that somebody opened, if there is room.
func (e *Endpoint) welcome(conn net.Conn) {
	var from netip.Addr
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		from = at.Addr().Unmap()
	}
	pass := e.gate.Enter(from)
	if pass == nil {
		e.counters.refused.Add(1)
		_ = conn.Close() // it was never used
		return
	}
	if !e.startLink(newLink(e, conn, transport.Config{First: e.cfg.Timers.Silence}, pass)) {
		pass.Leave()
	}
}

// startLink runs a link; false when the endpoint is closing.
func (e *Endpoint) startLink(k *link) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		k.conn.Abort()
		return false
	}
	e.links[k] = struct{}{}
	e.wg.Add(1)
	go k.run()
	return true
}

// connect opens a signalling connection to a far side.
func (e *Endpoint) connect(ctx context.Context, to netip.AddrPort) (*link, error) {
	conn, err := e.dialTCP(ctx, to)
	if err != nil {
		return nil, err
	}
	k := newLink(e, conn, transport.Config{}, nil)
	if !e.startLink(k) {
		return nil, net.ErrClosed
	}
	return k, nil
}

func (e *Endpoint) dialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: e.cfg.Timers.Connect, Control: e.cfg.Network.Mark}
	if n := e.towards(to.Addr()); n.Local.IsValid() {
		d.LocalAddr = &net.TCPAddr{IP: n.Local.AsSlice(), Zone: to.Addr().Zone()}
	}
	return d.DialContext(ctx, "tcp", to.String())
}
