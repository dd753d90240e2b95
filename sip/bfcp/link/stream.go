package link

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"
)

// accept takes connections until the listener closes.
func (l *Link) accept() {
	defer l.wait.Done()
	for {
		conn, err := l.ear.Accept()
		if err != nil {
			return
		}
		l.hand(conn, func() { l.accepted(conn) })
	}
}

// hand gives run a connection to take; it is closed when run has ended before.
func (l *Link) hand(conn net.Conn, take func()) {
	taken := make(chan struct{})
	l.do(func() {
		close(taken)
		take()
	})
	select {
	case <-taken:
	case <-l.done:
		if conn != nil {
			_ = conn.Close()
		}
	}
}

func addressOf(conn net.Conn) netip.AddrPort {
	a, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// accepted takes a connection of whom SDP named, in place of the one before.
func (l *Link) accepted(conn net.Conn) {
	from := addressOf(conn).Addr()
	if l.session == nil || from != l.params.Remote.Addr().Unmap() && !slices.Contains(l.params.Trusted, from) {
		l.dropped.Add(1)
		_ = conn.Close()
		return
	}
	l.connected(conn, false)
}

// dial connects to the far side.
func (l *Link) dial() {
	l.redial = time.Time{}
	if l.dialing || l.conn != nil || !l.params.Active || l.params.Remote.Port() == 0 {
		return
	}
	l.dialing = true
	to := l.params.Remote
	l.wait.Add(1)
	go func() {
		defer l.wait.Done()
		ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
		defer cancel()
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: l.cfg.Local.AsSlice()}}).DialContext(ctx, "tcp", to.String())
		l.hand(conn, func() { l.dialled(conn, err) })
	}()
}

func (l *Link) dialled(conn net.Conn, err error) {
	l.dialing = false
	if err != nil {
		l.log.Info("no floor control connection to the far side", zap.Stringer("address", l.params.Remote), zap.Error(err))
		l.later()
		return
	}
	l.connected(conn, true)
}

// later tries again to connect, more and more patiently.
func (l *Link) later() {
	if !l.params.Active {
		return
	}
	l.backoff = min(max(2*l.backoff, time.Second), maxBackoff)
	l.redial = time.Now().Add(l.backoff)
}

// connected makes conn the one in use. The side that connects is the client of TLS
// (RFC 8856 §9).
func (l *Link) connected(conn net.Conn, active bool) {
	l.disconnect()
	if l.cfg.Transport == TLS {
		if l.params.TLS == nil {
			_ = conn.Close()
			return
		}
		if active {
			conn = tls.Client(conn, l.params.TLS)
		} else {
			conn = tls.Server(conn, l.params.TLS)
		}
	}
	l.conn = conn
	l.wait.Add(1)
	go l.read(conn)
	if l.cfg.Transport != TLS {
		l.begin(conn)
	}
}

// begin starts the conversation on a connection that is ready.
func (l *Link) begin(conn net.Conn) {
	if l.conn == conn {
		l.ready, l.backoff = true, 0
		l.session.Start(time.Now())
	}
}

// disconnect ends the connection in use.
func (l *Link) disconnect() {
	if l.conn == nil {
		return
	}
	_ = l.conn.Close()
	l.conn, l.ready = nil, false
	l.session.Disconnected(time.Now())
}

// lost takes the end of a connection.
func (l *Link) lost(conn net.Conn, err error) {
	_ = conn.Close()
	if l.conn != conn {
		return
	}
	l.log.Debug("floor control connection ended", zap.Error(err))
	l.conn, l.ready = nil, false
	l.session.Disconnected(time.Now())
	l.later()
}

// maxMessage bounds what a stream may announce, in octets.
const maxMessage = 64 * 1024

var errTooLong = errors.New("message is too long")

// read hands the messages of a connection to run until it ends.
func (l *Link) read(conn net.Conn) {
	defer l.wait.Done()
	err := l.readInner(conn)
	l.do(func() { l.lost(conn, err) })
	_ = conn.Close()
}

func (l *Link) readInner(conn net.Conn) error {
	if secured, ok := conn.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
		defer cancel()
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		l.do(func() { l.begin(conn) })
	}
	from := addressOf(conn)
	for {
		message := make([]byte, 12, 64)
		if _, err := io.ReadFull(conn, message); err != nil {
			return err
		}
		size := 4 * int(binary.BigEndian.Uint16(message[2:]))
		if size > maxMessage {
			return errTooLong
		}
		message = append(message, make([]byte, size)...)
		if _, err := io.ReadFull(conn, message[12:]); err != nil {
			return err
		}
		l.do(func() {
			if l.conn == conn {
				l.hear(from, message)
			}
		})
	}
}

// write sends one message. Who does not read is given up.
func (l *Link) write(data []byte) error {
	if l.cfg.Tap != nil {
		l.cfg.Tap(false, addressOf(l.conn), data)
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := l.conn.Write(data)
	if err != nil {
		_ = l.conn.Close() // read sees the end
	}
	return err
}
