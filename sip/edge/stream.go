package edge

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// stream is a connection of which the stack reads screened messages only. The
// stack's reading goroutine does the framing and screening too; the
// connection has none of its own.
type stream struct {
	net.Conn
	edge      *Edge
	transport Transport
	local     netip.AddrPort
	remote    netip.AddrPort
	key       flowKey
	since     time.Time

	// of the reading goroutine
	screener screener
	in       []byte // arrived, not yet framed
	searched int    // bytes of in without an end of headers
	began    time.Time
	heard    bool // a whole message has arrived
	crlfs    int  // CRLFs since the last message or ping
	out      []byte
	pending  []byte // the part of out that the stack has not read yet

	mu    sync.Mutex
	state *tls.ConnectionState

	once sync.Once
	gone chan struct{} // closed with the connection
	done func()        // called once after the connection was closed

	given chan struct{} // of a dialled connection: closed once the stack has it
}

// Sizes of a stream's input buffer: to start with, and to keep between
// messages.
const (
	firstBuffer = 4096
	keepBuffer  = 16384
)

// Read gives the stack screened messages. It ends with io.EOF whatever ended
// the connection: a time-out is nothing the stack could report better.
func (st *stream) Read(p []byte) (int, error) {
	if err := st.handshake(); err != nil {
		return 0, io.EOF
	}
	for len(st.pending) == 0 {
		if err := st.advance(); err != nil {
			if errors.Is(err, errLost) {
				st.drain()
			}
			return 0, io.EOF
		}
	}
	n := copy(p, st.pending)
	st.pending = st.pending[n:]
	if len(st.pending) == 0 && cap(st.out) > keepBuffer {
		st.out = nil
	}
	return n, nil
}

// handshake completes TLS within its time.
func (st *stream) handshake() error {
	conn, ok := st.Conn.(*tls.Conn)
	if !ok || st.connectionState() != nil {
		return nil
	}
	if err := conn.SetDeadline(time.Now().Add(st.edge.c.HandshakeTimeout)); err != nil {
		return err
	}
	if err := conn.Handshake(); err != nil {
		st.edge.count.slow(err)
		return err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	state := conn.ConnectionState()
	st.mu.Lock()
	st.state = &state
	st.mu.Unlock()
	return nil
}

func (st *stream) connectionState() *tls.ConnectionState {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.state
}

// errLost ends a connection behind a message that cannot be framed.
var errLost = errors.New("message boundaries are lost")

// drainTime is for answers to earlier messages, which the stack may be about
// to write, and so that ours is not lost with the data the peer still sends.
const drainTime = time.Second

// drain reads to no end what cannot be framed.
func (st *stream) drain() {
	st.in = nil
	if st.Conn.SetReadDeadline(time.Now().Add(drainTime)) == nil {
		_, _ = io.Copy(io.Discard, st.Conn)
	}
}

// advance takes the next message or keep-alive from the input, or reads more.
func (st *stream) advance() error {
	if err := st.keepalives(); err != nil {
		return err
	}
	if len(st.in) == 0 || string(st.in) == "\r" {
		return st.fill()
	}
	f := nextFrame(st.in, st.searched, st.edge.c.MaxMessage)
	if f.length == 0 {
		st.searched = f.from
		return st.fill()
	}
	message := st.in[:f.length]
	st.in, st.searched, st.crlfs, st.heard = st.in[f.length:], 0, 0, true
	st.began = time.Now() // the next message, if some of it has arrived
	st.message(message, f.over)
	if f.lost {
		return errLost
	}
	return nil
}

// message screens one message and leaves it for the stack, or answers it.
func (st *stream) message(data []byte, over bool) {
	if !st.turn() {
		return
	}
	s := &st.screener
	out := s.screen(st.out[:0], data, st.remote, false)
	st.out = out
	if over || len(out) > maxMessage {
		s.fault = fault{513, "Message Too Large"}
	}
	if s.fault.status == 0 {
		st.edge.accepted(st.transport, st.local, st.remote, data)
		st.pending = out
		return
	}
	answer := s.refusal(st.edge.c.ServerName)
	st.edge.refused(st.transport, st.local, st.remote, data, s.fault, answer != nil)
	if answer != nil {
		_, _ = st.Write(answer) // a failed write closes the connection
	}
}

// turnWait is how often a source over its share is looked at again.
const turnWait = 20 * time.Millisecond

// turn waits until the source may send one more message: over a connection
// nothing is sent again, so that reading slower serves better than dropping.
// Who never gets a turn is not heard.
func (st *stream) turn() bool {
	if st.edge.allow(st.remote.Addr()) {
		return true
	}
	tick := time.NewTicker(turnWait)
	defer tick.Stop()
	for end := time.Now().Add(st.edge.c.MessageTimeout); time.Now().Before(end); {
		select {
		case <-tick.C:
		case <-st.gone:
			return false
		}
		if st.edge.c.Allow(st.remote.Addr()) {
			return true
		}
	}
	return false
}

// keepalives takes CRLFs between messages (RFC 3261 §7.5): two are a ping and
// answered by one (RFC 5626 §3.5.1), one is a pong.
func (st *stream) keepalives() error {
	for len(st.in) >= 2 && st.in[0] == '\r' && st.in[1] == '\n' {
		st.in, st.searched = st.in[2:], 0
		st.began = time.Now()
		if st.crlfs++; st.crlfs < 2 {
			continue
		}
		st.crlfs = 0
		if !st.edge.allow(st.remote.Addr()) {
			continue
		}
		st.edge.count.keepalives.Add(1)
		if _, err := st.write(crlf); err != nil {
			return err
		}
	}
	return nil
}

// fill reads what has arrived, within the time that the peer has.
func (st *stream) fill() error {
	var deadline time.Time
	switch {
	case len(st.in) > 0:
		deadline = st.began.Add(st.edge.c.MessageTimeout)
	case !st.heard:
		deadline = st.since.Add(st.edge.c.FirstTimeout)
	default:
		deadline = time.Now().Add(st.edge.c.IdleTimeout)
	}
	if err := st.Conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	partial := len(st.in) > 0
	st.makeRoom()
	n, err := st.Conn.Read(st.in[len(st.in):cap(st.in)])
	st.in = st.in[:len(st.in)+n]
	if n > 0 {
		if !partial {
			st.began = time.Now()
		}
		return nil
	}
	if err != nil {
		st.edge.count.slow(err)
	}
	return err
}

// makeRoom moves what is left to the start of a buffer with space behind it.
func (st *stream) makeRoom() {
	if cap(st.in)-len(st.in) >= firstBuffer/4 && (len(st.in) > 0 || cap(st.in) <= keepBuffer) {
		return
	}
	size := firstBuffer
	for size < 2*len(st.in) {
		size *= 2
	}
	st.in = append(make([]byte, 0, size), st.in...)
}

// Write sends a message of the stack.
func (st *stream) Write(p []byte) (int, error) {
	n, err := st.write(p)
	if err == nil {
		st.edge.sent(st.transport, st.local, st.remote, p)
	}
	return n, err
}

// write sends all of p or closes the connection: a part of a message would
// garble all that follow.
func (st *stream) write(p []byte) (int, error) {
	err := st.Conn.SetWriteDeadline(time.Now().Add(st.edge.c.WriteTimeout))
	if err != nil {
		return 0, err
	}
	n, err := st.Conn.Write(p)
	if err != nil {
		_ = st.Close()
	}
	return n, err
}

// Close closes the connection; idempotent.
func (st *stream) Close() error {
	var err error
	st.once.Do(func() {
		close(st.gone)
		if conn, ok := st.Conn.(*tls.Conn); ok && st.connectionState() == nil {
			err = conn.NetConn().Close() // no handshake, no closing alert
		} else {
			err = st.Conn.Close()
		}
		st.done()
	})
	return err
}

// flow describes the connection.
func (st *stream) flow() Flow {
	state := st.connectionState()
	return Flow{
		Transport: st.transport,
		Local:     st.local,
		Remote:    st.remote,
		Since:     st.since,
		LegacyTLS: state != nil && isLegacy(state),
		TLS:       state,
	}
}
