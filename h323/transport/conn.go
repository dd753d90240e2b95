// Package transport carries TPKTs over TCP: the call signalling channel of
// H.225.0 and the control channel of H.245. A connection has one reader, which is
// its owner's goroutine, and one writer of its own behind a bounded queue, so
// that nobody who sends ever waits for a slow peer.
//
//	         +------------------ Conn ------------------+
//	Run  <---| reader, paced: a packet begun must end   |<--- TCP
//	Send --->| queue of at most so many octets | writer |---> TCP
//	         +------------------------------------------+
package transport

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/roomgate/roomgate/h323/tpkt"
)

// Errors of a connection.
var (
	// ErrClosed: the connection was closed by us.
	ErrClosed = errors.New("connection is closed")
	// ErrSlow: the peer does not read what it is sent.
	ErrSlow = errors.New("the far side does not read")
)

// Config bounds a connection. Zero values take the defaults.
type Config struct {
	Limit        int           // octets of a packet; default all that TPKT can hold
	Queue        int           // octets that may wait to be sent; default 256 KB
	WriteTimeout time.Duration // of what is on its way; default 10 s
	// PacketTimeout is how long a packet may take from its first octet to its
	// last; default 10 s.
	PacketTimeout time.Duration
	// First is how long the first packet may take, Idle how long the silence
	// between two; zero means for ever. Keep-alives count as packets.
	First, Idle time.Duration
}

func (c *Config) withDefaults() {
	if c.Limit <= 0 {
		c.Limit = tpkt.MaxPayload
	}
	if c.Queue <= 0 {
		c.Queue = 256 << 10
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = 10 * time.Second
	}
	if c.PacketTimeout <= 0 {
		c.PacketTimeout = 10 * time.Second
	}
}

// Conn is one connection. It is safe for concurrent use.
type Conn struct {
	cfg    Config
	conn   net.Conn
	local  netip.AddrPort
	remote netip.AddrPort

	mu      sync.Mutex
	queue   [][]byte
	waiting int       // octets in queue
	closing bool      // nothing more is taken; what waits is sent
	until   time.Time // when closing: how long the peer may take to close too
	err     error

	wake    chan struct{} // to the writer
	gone    chan struct{} // closed when the connection is
	written sync.WaitGroup
}

// New takes a TCP connection over. Run has to follow, or Abort.
func New(conn net.Conn, cfg Config) *Conn {
	cfg.withDefaults()
	c := &Conn{cfg: cfg, conn: conn, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	c.local, c.remote = addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
	keepAlive(conn)
	c.written.Add(1)
	go c.write()
	return c
}

func addrPort(a net.Addr) netip.AddrPort {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// keepAlive finds peers that are gone without a word.
func keepAlive(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A kernel that cannot leaves finding out to the timers above.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 4})
	}
}

// Local and Remote are the ends of the connection.
func (c *Conn) Local() netip.AddrPort { return c.local }

// Remote is the far end.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.gone }

// Run gives every packet that has a payload to handle, on the calling goroutine,
// until the connection ends; it returns why when its writer has ended too.
func (c *Conn) Run(handle func(payload []byte)) error {
	err := c.read(handle)
	c.fail(err)
	c.written.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Conn) read(handle func([]byte)) error {
	buffered := bufio.NewReaderSize(c.conn, 4096)
	reader := tpkt.NewReader(buffered)
	reader.Limit = c.cfg.Limit
	patience := c.cfg.First
	for {
		if err := c.expect(patience); err != nil {
			return err
		}
		if _, err := buffered.Peek(1); err != nil {
			return err
		}
		if err := c.expect(c.cfg.PacketTimeout); err != nil {
			return err
		}
		payload, err := reader.Packet()
		if err != nil {
			return fmt.Errorf("packet: %w", err)
		}
		if len(payload) > 0 {
			patience = c.cfg.Idle
			handle(payload)
		}
	}
}

// expect sets how long the next read may take.
func (c *Conn) expect(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return c.conn.SetReadDeadline(c.until)
	}
	return c.conn.SetReadDeadline(deadline(d))
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// Send queues one packet. A peer that lets more wait than the queue holds loses
// the connection: it is of no use to either side.
func (c *Conn) Send(payload []byte) error {
	packet, err := tpkt.Append(make([]byte, 0, len(payload)+4), payload)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.closing || c.err != nil {
		c.mu.Unlock()
		return ErrClosed
	}
	full := c.waiting+len(packet) > c.cfg.Queue
	if !full {
		c.queue = append(c.queue, packet)
		c.waiting += len(packet)
	}
	c.mu.Unlock()
	if full {
		c.fail(ErrSlow)
		return ErrSlow
	}
	c.rouse()
	return nil
}

// KeepAlive sends an empty packet.
func (c *Conn) KeepAlive() error { return c.Send(nil) }

func (c *Conn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write is the writer: what waits goes out in one piece.
func (c *Conn) write() {
	defer c.written.Done()
	for {
		select {
		case <-c.gone:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		list, closing := net.Buffers(c.queue), c.closing
		c.queue, c.waiting = nil, 0
		c.mu.Unlock()
		if len(list) > 0 {
			err := c.conn.SetWriteDeadline(deadline(c.cfg.WriteTimeout))
			if err == nil {
				_, err = list.WriteTo(c.conn)
			}
			if err != nil {
				c.fail(fmt.Errorf("write: %w", err))
				return
			}
		}
		if closing {
			c.linger()
			return
		}
	}
}

// lingering is how long a peer may take to close its side after ours.
const lingering = 2 * time.Second

// linger closes our side and lets the reader see the peer close its own: a
// connection closed with octets unread would be reset, and what was sent last
// could be lost with it.
func (c *Conn) linger() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		c.fail(ErrClosed)
		return
	}
	c.mu.Lock()
	c.until = time.Now().Add(lingering)
	err := c.conn.SetReadDeadline(c.until)
	c.mu.Unlock()
	if err != nil {
		c.fail(ErrClosed)
	}
}

// Close sends what waits, then ends the connection; it does not wait.
func (c *Conn) Close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.rouse()
}

// Abort ends the connection at once.
func (c *Conn) Abort() { c.fail(ErrClosed) }

// fail ends the connection for a reason; the first one counts.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
	}
	c.mu.Unlock()
	if first {
		close(c.gone)
		_ = c.conn.Close() // nothing is left to be lost
	}
}
