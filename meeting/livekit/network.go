package livekit

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"

	"github.com/roomgate/roomgate/media/udp"
)

// interfacesAge is how long what is known of our interfaces is good: listing
// them takes longer than all else that a connection begins with.
const interfacesAge = 2 * time.Second

// networks gives connections their network: the interfaces, and sockets that are
// read together.
type networks struct {
	readers *udp.Readers

	mu    sync.Mutex
	known *stdnet.Net
	at    time.Time
}

// network is what a connection is given now.
func (n *networks) network() (*network, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || time.Since(n.at) > interfacesAge {
		std, err := stdnet.NewNet()
		if err != nil {
			return nil, err
		}
		n.known, n.at = std, time.Now()
	}
	return &network{Net: n.known, readers: n.readers, bound: make(map[*boundConn]bool)}, nil
}

// network is the system's, with media sockets of ours. It belongs to one connection, and
// closes what that leaves open: an ICE agent that is closed while it gathers forgets the
// socket it has just bound.
type network struct {
	transport.Net
	readers *udp.Readers
	// first may take a datagram before the connection does; nil where nothing does.
	first func(b []byte) bool

	mu     sync.Mutex
	bound  map[*boundConn]bool
	closed bool
}

// boundConn is a socket that its network knows of.
type boundConn struct {
	transport.UDPConn
	network *network
}

// Close closes the socket, once.
func (c *boundConn) Close() error {
	c.network.mu.Lock()
	known := c.network.bound[c]
	delete(c.network.bound, c)
	c.network.mu.Unlock()
	if !known {
		return net.ErrClosed
	}
	return c.UDPConn.Close()
}

// ListenUDP binds a socket of media.
func (n *network) ListenUDP(name string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.listen(name, at)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	c := &boundConn{conn, n}
	n.bound[c] = true
	return c, nil
}

func (n *network) listen(name string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := net.ListenUDP(name, at)
	if err != nil {
		return nil, err
	}
	if n.readers == nil {
		return conn, nil
	}
	c := &mediaConn{first: n.first, wake: make(chan struct{}, 1)}
	if c.socket, err = n.readers.Take(conn, c.put); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// close closes what is still open, and lets nothing be opened any more.
func (n *network) close() {
	n.mu.Lock()
	open := slices.Collect(maps.Keys(n.bound))
	n.closed = true
	n.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// mostWaiting bounds the datagrams that wait for the connection to take them: a
// picture of 300 kbyte.
const mostWaiting = 256

// mediaConn is a socket with a queue, as the ICE agent wants it. Of the methods
// of a UDP socket the agent uses those that are here.
type mediaConn struct {
	transport.UDPConn // nil
	socket            udp.Socket
	first             func(b []byte) bool
	wake              chan struct{}

	mu     sync.Mutex
	queue  []datagram // a ring
	head   int
	count  int
	closed bool
	from   netip.AddrPort // the last source, and the same for those who want it so
	source *net.UDPAddr
}

type datagram struct {
	data []byte
	from netip.AddrPort
}

// put takes a datagram from the readers; with a full queue it is lost.
func (c *mediaConn) put(b []byte, from netip.AddrPort) {
	if c.first != nil && c.first(b) {
		return
	}
	c.mu.Lock()
	if c.closed || c.count == mostWaiting {
		c.mu.Unlock()
		return
	}
	if c.count == len(c.queue) {
		c.grow()
	}
	d := &c.queue[(c.head+c.count)%len(c.queue)]
	d.data, d.from = append(d.data[:0], b...), from
	c.count++
	c.mu.Unlock()
	c.rouse()
}

func (c *mediaConn) grow() {
	larger := make([]datagram, max(4, 2*len(c.queue)))
	for i := range c.count {
		larger[i] = c.queue[(c.head+i)%len(c.queue)]
	}
	c.queue, c.head = larger, 0
}

func (c *mediaConn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// ReadFrom waits for a datagram. One goroutine reads.
func (c *mediaConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return 0, nil, net.ErrClosed
		}
		if c.count > 0 {
			d := &c.queue[c.head]
			n, from := copy(b, d.data), c.sourceOf(d.from)
			c.head, c.count = (c.head+1)%len(c.queue), c.count-1
			c.mu.Unlock()
			return n, from, nil
		}
		c.mu.Unlock()
		<-c.wake
	}
}

// sourceOf makes the address anew only when it is another than the last.
func (c *mediaConn) sourceOf(from netip.AddrPort) *net.UDPAddr {
	if c.source == nil || from != c.from {
		c.from, c.source = from, net.UDPAddrFromAddrPort(from)
	}
	return c.source
}

// WriteTo sends a datagram.
func (c *mediaConn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not of UDP: " + to.String())
	}
	return c.socket.WriteToUDPAddrPort(b, addr.AddrPort())
}

// LocalAddr is where it is bound.
func (c *mediaConn) LocalAddr() net.Addr { return c.socket.LocalAddr() }

// SetDeadline does nothing: the agent sets one only to end a read, and closes
// the socket right after.
func (c *mediaConn) SetDeadline(time.Time) error { return nil }

// Close ends a read under way.
func (c *mediaConn) Close() error {
	err := c.socket.Close()
	c.mu.Lock()
	c.closed, c.queue, c.count = true, nil, 0
	c.mu.Unlock()
	c.rouse()
	return err
}
