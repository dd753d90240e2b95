package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listener is a bound socket, or the source of dialled connections.
type Listener struct {
	edge      *Edge
	transport Transport
	udp       *datagrams   // of a UDP listener
	inner     net.Listener // of a TCP or TLS listener; nil for dialled ones
	tls       *tls.Config

	closed  chan struct{}
	once    sync.Once
	dialled chan *stream  // connections to give to the stack
	given   chan struct{} // of the last one given; closed once the stack has it

	mu      sync.Mutex
	streams map[*stream]struct{}
	idle    sync.WaitGroup // open streams
}

func (e *Edge) listener(t Transport) *Listener {
	return &Listener{
		edge:      e,
		transport: t,
		closed:    make(chan struct{}),
		dialled:   make(chan *stream),
		streams:   make(map[*stream]struct{}),
	}
}

// receiveBuffer of a UDP socket, in bytes: a second of a burst of calls.
const receiveBuffer = 4 << 20

// ListenUDP binds a UDP socket; address as of net.ListenPacket ("[::]:5060"
// takes IPv4 too, "0.0.0.0:5060" only IPv4).
func (e *Edge) ListenUDP(address string) (*Listener, error) {
	config := net.ListenConfig{Control: e.c.Control}
	conn, err := config.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return nil, fmt.Errorf("sip over udp: %w", err)
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil, fmt.Errorf("sip over udp: unexpected socket %T", conn)
	}
	_ = udp.SetReadBuffer(receiveBuffer) // the system may allow less
	l := e.listener(UDP)
	l.udp = &datagrams{
		edge:   e,
		conn:   udp,
		local:  addrPort(udp.LocalAddr()),
		linger: generationLinger,
		most:   generationSources,
		closed: make(chan struct{}),
		buffer: make([]byte, maxMessage),
	}
	return l, nil
}

// ListenTCP binds a TCP socket.
func (e *Edge) ListenTCP(address string) (*Listener, error) { return e.listen(TCP, address, nil) }

// ListenTLS binds a TCP socket whose connections start with a TLS handshake.
// Peers that offer no ALPN protocol, or others than "sip", are welcome.
func (e *Edge) ListenTLS(address string, c *tls.Config) (*Listener, error) {
	return e.listen(TLS, address, c)
}

func (e *Edge) listen(t Transport, address string, c *tls.Config) (*Listener, error) {
	config := net.ListenConfig{Control: e.c.Control}
	inner, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sip over %s: %w", t, err)
	}
	l := e.listener(t)
	l.inner, l.tls = inner, c
	return l, nil
}

// Transport of the listener.
func (l *Listener) Transport() Transport { return l.transport }

// Addr is the bound address; zero for dialled connections.
func (l *Listener) Addr() netip.AddrPort {
	switch {
	case l.udp != nil:
		return l.udp.local
	case l.inner != nil:
		return addrPort(l.inner.Addr())
	}
	return netip.AddrPort{}
}

// Serve hands messages to the stack until the listener is closed, then returns
// nil once all connections of the listener have ended.
func (l *Listener) Serve(s Server) error {
	defer l.idle.Wait()
	var err error
	switch l.transport {
	case UDP:
		return l.udp.serve(s)
	case TLS:
		err = s.ServeTLS(source{l})
	default:
		err = s.ServeTCP(source{l})
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Close ends the listener and its connections.
func (l *Listener) Close() error {
	if l.udp != nil {
		return l.udp.close()
	}
	err := net.ErrClosed
	l.once.Do(func() {
		close(l.closed)
		err = nil
		if l.inner != nil {
			err = l.inner.Close()
		}
	})
	l.mu.Lock()
	open := make([]*stream, 0, len(l.streams))
	for st := range l.streams {
		open = append(open, st)
	}
	l.mu.Unlock()
	for _, st := range open {
		_ = st.Close()
	}
	return err
}

// source is the listener as the stack sees it.
type source struct{ *Listener }

// Accept gives the stack the next connection that is within the limits.
func (s source) Accept() (net.Conn, error) {
	if s.given != nil {
		close(s.given) // back for more: the stack has stored the last one
		s.Listener.given = nil
	}
	if s.inner == nil {
		select {
		case st := <-s.dialled:
			s.Listener.given = st.given
			return st, nil
		case <-s.closed:
			return nil, net.ErrClosed
		}
	}
	for {
		conn, err := s.inner.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil, net.ErrClosed
			}
			s.pause() // out of file descriptors, or reset before it was accepted
			continue
		}
		if st := s.adopt(conn, true); st != nil {
			return st, nil
		}
		_ = conn.Close()
	}
}

// pause waits for file descriptors.
func (l *Listener) pause() {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.closed:
	}
}

// Addr implements net.Listener.
func (s source) Addr() net.Addr {
	if s.inner != nil {
		return s.inner.Addr()
	}
	return &net.TCPAddr{IP: net.IPv4zero}
}

func addrPort(a net.Addr) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(a.String()) // sockets of ours are all IP
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
