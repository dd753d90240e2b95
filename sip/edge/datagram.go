package edge

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// The stack remembers each source of datagrams for as long as it serves a
// socket, which with forged sources is a leak. So it serves a socket by
// generations: after so many sources it is given the same socket as a new
// connection, and when the linger time has passed, the old one ends and its
// sources are forgotten. The linger time is for requests that the stack has
// read but not yet looked up the source of.
const (
	generationSources = 4096
	generationLinger  = 5 * time.Second
)

// datagrams is a UDP socket.
type datagrams struct {
	edge   *Edge
	conn   *net.UDPConn
	local  netip.AddrPort
	linger time.Duration
	most   int // sources of a generation
	closed chan struct{}
	once   sync.Once

	// of the reading goroutine, of which there is one at a time
	screener screener
	buffer   []byte
}

// generation is the socket as the stack knows it for a while.
type generation struct {
	*datagrams
	sources map[netip.AddrPort]struct{}
	retired chan struct{} // closed by the reader when it hands over
	over    bool
}

func (d *datagrams) generation() *generation {
	return &generation{datagrams: d, sources: make(map[netip.AddrPort]struct{}), retired: make(chan struct{})}
}

// serve runs generations until the socket is closed.
func (d *datagrams) serve(s Server) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		g := d.generation()
		running.Go(func() { _ = s.ServeUDP(g) })
		select {
		case <-g.retired:
		case <-d.closed:
			return nil
		}
	}
}

func (d *datagrams) close() error {
	err := net.ErrClosed
	d.once.Do(func() {
		close(d.closed)
		err = d.conn.Close()
	})
	return err
}

// ReadFrom gives the stack the next screened message.
func (g *generation) ReadFrom(p []byte) (int, net.Addr, error) {
	if g.over {
		timer := time.NewTimer(g.linger)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-g.closed:
		}
		return 0, nil, net.ErrClosed
	}
	for {
		n, source, err := g.conn.ReadFromUDPAddrPort(g.buffer)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return 0, nil, net.ErrClosed
			}
			g.pause() // an ICMP error of an earlier datagram; the socket lives
			continue
		}
		source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
		if out := g.receive(p, g.buffer[:n], source); out > 0 {
			g.remember(source)
			return out, net.UDPAddrFromAddrPort(source), nil
		}
	}
}

// pause keeps a socket that only fails from taking a core.
func (d *datagrams) pause() {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.closed:
	}
}

// remember counts the source; with the last one the generation is over and
// the next one reads.
func (g *generation) remember(source netip.AddrPort) {
	g.sources[source] = struct{}{}
	if len(g.sources) >= g.most {
		g.over = true
		g.sources = nil
		close(g.retired)
	}
}

// receive screens a datagram into p; 0 when there is nothing for the stack.
func (d *datagrams) receive(p, data []byte, source netip.AddrPort) int {
	if !d.edge.allow(source.Addr()) {
		return 0
	}
	if isKeepalive(data) {
		d.edge.count.keepalives.Add(1)
		return 0
	}
	if answer := stunAnswer(data, source); answer != nil {
		d.edge.count.keepalives.Add(1)
		_, _ = d.conn.WriteToUDPAddrPort(answer, source)
		return 0
	}
	s := &d.screener
	out := s.screen(p[:0], data, source, true)
	if len(out) > len(p) || len(data) > d.edge.c.MaxMessage {
		s.fault = fault{513, "Message Too Large"}
	}
	if s.fault.status == 0 {
		d.edge.accepted(UDP, d.local, source, data)
		return len(out)
	}
	answer := s.refusal(d.edge.c.ServerName)
	d.edge.refused(UDP, d.local, source, data, s.fault, answer != nil)
	if answer != nil {
		d.send(answer, s.replyTo())
	}
	return 0
}

// isKeepalive reports whether a datagram holds line breaks and NULs only, as
// terminals send to keep a translator's mapping.
func isKeepalive(data []byte) bool {
	for _, b := range data {
		if b != '\r' && b != '\n' && b != 0 {
			return false
		}
	}
	return true
}

func (d *datagrams) send(b []byte, to netip.AddrPort) {
	if _, err := d.conn.WriteToUDPAddrPort(b, to); err == nil {
		d.edge.sent(UDP, d.local, to, b)
	}
}

// WriteTo sends a message of the stack.
func (g *generation) WriteTo(b []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: addr, Err: os.ErrInvalid}
	}
	n, err := g.conn.WriteToUDP(b, to)
	if err == nil {
		g.edge.sent(UDP, g.local, to.AddrPort(), b)
	}
	return n, err
}

// LocalAddr is the address of the socket.
func (g *generation) LocalAddr() net.Addr { return g.conn.LocalAddr() }

// Close does nothing: the socket outlives its generations.
func (g *generation) Close() error { return nil }

// SetDeadline implements net.PacketConn; the stack sets none.
func (g *generation) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.PacketConn; the stack sets none.
func (g *generation) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.PacketConn; the stack sets none.
func (g *generation) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
