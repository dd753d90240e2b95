package secure

import (
	"net"
	"os"
	"sync"
	"time"
)

// pipe is the socket of an association: its datagrams share a real socket with
// RTP, and come in through push.
type pipe struct {
	send func([]byte)
	in   chan []byte
	dead deadline

	once   sync.Once
	closed chan struct{}
}

// pipeQueue bounds the datagrams that wait; a handshake has about a dozen.
const pipeQueue = 32

func newPipe(send func([]byte)) *pipe {
	p := &pipe{send: send, in: make(chan []byte, pipeQueue), closed: make(chan struct{})}
	p.dead.set(time.Time{})
	return p
}

func (p *pipe) push(b []byte) {
	select {
	case p.in <- append([]byte(nil), b...):
	default: // DTLS sends again what is lost
	}
}

// ReadFrom waits for a datagram, the deadline or Close.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.closed:
		return 0, nil, net.ErrClosed
	case <-p.dead.passed():
		return 0, nil, os.ErrDeadlineExceeded
	case d := <-p.in:
		return copy(b, d), pipeAddr{}, nil
	}
}

// WriteTo sends at once.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-p.closed:
		return 0, net.ErrClosed
	default:
		p.send(b)
		return len(b), nil
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.dead.set(time.Time{})
	})
	return nil
}

func (p *pipe) LocalAddr() net.Addr                { return pipeAddr{} }
func (p *pipe) SetDeadline(t time.Time) error      { return p.SetReadDeadline(t) }
func (p *pipe) SetWriteDeadline(t time.Time) error { return nil } // writing never waits
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.dead.set(t)
	return nil
}

// pipeAddr stands for the far side, whose address the session knows.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "udp" }
func (pipeAddr) String() string  { return "media" }

// deadline is a moment one can wait for and move.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	done  chan struct{}
}

// set moves the deadline. Whoever waits already sees the new one.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.done // the timer runs: let it close the channel
	}
	d.timer = nil
	if d.done == nil || isClosed(d.done) {
		d.done = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		close(d.done)
		return
	}
	done := d.done
	d.timer = time.AfterFunc(left, func() { close(done) })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}
