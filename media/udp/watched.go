package udp

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// watched is a socket of Readers.
type watched struct {
	readers *Readers
	fd      int
	slot    int32
	v6      bool
	local   net.Addr
	take    Taker

	reading sync.Mutex // held while the taker has a datagram
	ended   bool       // guarded by reading

	sending sync.RWMutex // read-held while the descriptor is written to
	closed  bool         // guarded by sending
	over    atomic.Bool  // Close was called

	outbox outbox
}

var _ More = (*watched)(nil)

// watch takes conn over: the runtime's poller must not be told of each packet,
// so the socket gets another descriptor and the one it knows is closed.
func (r *Readers) watch(conn *net.UDPConn, take Taker) (*watched, error) {
	local := conn.LocalAddr()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &watched{readers: r, local: local, take: take, fd: -1}
	err = raw.Control(func(fd uintptr) {
		var domain int
		if domain, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil {
			w.v6 = domain == unix.AF_INET6
			w.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		}
	})
	if err != nil || w.fd < 0 {
		return nil, fmt.Errorf("take %v over: %w", local, err)
	}
	if err := conn.Close(); err != nil {
		_ = unix.Close(w.fd)
		return nil, err
	}
	if err := r.enter(w); err != nil {
		_ = unix.Close(w.fd)
		return nil, err
	}
	return w, nil
}

// receive hands one datagram on. More of them make another event.
func (w *watched) receive(buf []byte) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if w.ended {
		return
	}
	// An error is something the network said about a datagram of ours.
	if n, from, err := receiveFrom(w.fd, buf); err == nil {
		w.take(buf[:n], from)
	}
}

func (w *watched) LocalAddr() net.Addr { return w.local }

func (w *watched) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	var err error
	if w.outbox.holds.Load() {
		err = w.writeBehind(b, to)
	} else {
		err = w.send(b, to)
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// send sends a datagram at once.
func (w *watched) send(b []byte, to netip.AddrPort) error {
	w.sending.RLock()
	defer w.sending.RUnlock()
	if w.closed {
		return net.ErrClosed
	}
	if err := sendTo(w.fd, w.v6, b, to); err != nil {
		return fmt.Errorf("send to %v: %w", to, err)
	}
	return nil
}

func (w *watched) Close() error {
	w.reading.Lock()
	again := w.ended
	w.ended = true
	w.reading.Unlock()
	if again {
		return nil
	}
	w.readers.leave(w)
	w.over.Store(true)
	w.release()
	w.sending.Lock()
	defer w.sending.Unlock()
	w.closed = true
	return unix.Close(w.fd)
}
