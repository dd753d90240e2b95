package udp

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pause is how long Readers sleep while much comes in.
const pause = 3 * time.Millisecond

// Readers read sockets. A nil *Readers gives each socket its own goroutine.
type Readers struct {
	sockets int // the epoll instance that holds the sockets
	// gate holds only the instance above, so that the runtime's poller can be
	// told to wait for it or to let it be.
	gate *os.File
	raw  syscall.RawConn
	arm  func(gate uintptr)
	look func(gate uintptr) bool

	mu    sync.RWMutex
	slots []*watched
	free  []int32

	looks   looks
	batch   batch
	helpers chan struct{} // a token each for those who are to help with the batch
	wait    sync.WaitGroup
	closed  atomic.Bool

	sendSegments func(fd int, v6 bool, b []byte, size int, to netip.AddrPort, s *segments) error
}

// batch are the sockets that have something to read, or to send.
type batch struct {
	events   [256]unix.EpollEvent
	flushing []*watched // in place of the events
	n        int32
	next     atomic.Int32
	helped   sync.WaitGroup
}

// worth is how many sockets of a batch are worth a helper: to wake one costs as much as to
// read several.
const worth = 32

// NewReaders begins to read; there is nothing to read yet.
func NewReaders() (*Readers, error) {
	sockets, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	gate, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		_ = unix.Close(sockets)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r := &Readers{sockets: sockets, helpers: make(chan struct{}, 64), sendSegments: sendSegments}
	err = unix.SetNonblock(gate, true) // makes os.NewFile have the runtime wait for it
	if err == nil {
		err = unix.EpollCtl(gate, unix.EPOLL_CTL_ADD, sockets, &unix.EpollEvent{})
	}
	r.gate = os.NewFile(uintptr(gate), "udp sockets")
	if err == nil {
		r.raw, err = r.gate.SyscallConn()
	}
	if err != nil {
		_ = r.gate.Close()
		_ = unix.Close(sockets)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r.waiting()
	r.wait.Add(1)
	go r.run()
	for range runtime.GOMAXPROCS(0) - 1 {
		r.wait.Add(1)
		go r.help()
	}
	return r, nil
}

// Close ends the reading, of sockets that are left too, and waits.
func (r *Readers) Close() error {
	if r == nil || r.closed.Swap(true) {
		return nil
	}
	err := r.gate.Close() // ends await
	r.wait.Wait()
	_ = unix.Close(r.sockets)
	return err
}

// run takes what comes, until Close.
func (r *Readers) run() {
	defer r.wait.Done()
	defer close(r.helpers)
	buf := new([Largest]byte)
	var p pace
	rounds := 0 // of the look under way
	defer r.endLook(buf)
	for !r.closed.Load() {
		n := r.ready()
		if rounds > 0 && (n == 0 || rounds == longestLook) {
			r.endLook(buf)
			rounds = 0
		}
		switch {
		case n > 0:
			p.taken += n
			if rounds++; rounds == 1 {
				r.beginLook()
			}
			r.share(n, buf)
		case p.busy(time.Now()):
			time.Sleep(pause)
		case !r.await():
			return
		}
	}
}

// pace knows whether much comes in.
type pace struct {
	taken int // since
	since time.Time
	sleep bool
}

// A look at the sockets every three milliseconds is worth it from about three
// packets in each.
const (
	paceWindow = 20 * time.Millisecond
	paceBusy   = 24 // packets in a window
)

func (p *pace) busy(now time.Time) bool {
	if passed := now.Sub(p.since); passed >= paceWindow {
		p.sleep = passed < 2*paceWindow && p.taken >= paceBusy
		p.taken, p.since = 0, now
	}
	return p.sleep
}

// ready asks which sockets have something, without waiting.
func (r *Readers) ready() int {
	n, err := unix.EpollWait(r.sockets, r.batch.events[:], 0)
	if err != nil {
		return 0 // EINTR; the next look tells more
	}
	return n
}

// await waits until a socket has something; it reports false after Close.
func (r *Readers) await() bool {
	return r.raw.Control(r.arm) == nil && r.raw.Read(r.look) == nil
}

// waiting makes what await has the runtime do, once for all: they do not allocate.
func (r *Readers) waiting() {
	armed := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}
	r.arm = func(gate uintptr) { _ = unix.EpollCtl(int(gate), unix.EPOLL_CTL_MOD, r.sockets, &armed) }
	var event [1]unix.EpollEvent
	r.look = func(gate uintptr) bool {
		n, _ := unix.EpollWait(int(gate), event[:], 0)
		return n > 0
	}
}

// share works on n sockets of the batch, with helpers when it is large: reads a datagram
// of each, or flushes it.
func (r *Readers) share(n int, buf *[Largest]byte) {
	b := &r.batch
	b.n = int32(n)
	b.next.Store(0)
	for range min(n/worth, runtime.GOMAXPROCS(0)-1, cap(r.helpers)) {
		b.helped.Add(1)
		r.helpers <- struct{}{}
	}
	r.drain(buf)
	b.helped.Wait()
}

func (r *Readers) help() {
	defer r.wait.Done()
	buf := new([Largest]byte)
	for range r.helpers {
		r.drain(buf)
		r.batch.helped.Done()
	}
}

// drain works on the batch until nothing of it is left.
func (r *Readers) drain(buf *[Largest]byte) {
	b := &r.batch
	for {
		i := b.next.Add(1) - 1
		if i >= b.n {
			return
		}
		if b.flushing != nil {
			b.flushing[i].release()
		} else if w := r.find(&b.events[i]); w != nil {
			w.receive(buf[:])
		}
	}
}

// find is the socket of an event; nil when it was closed meanwhile.
func (r *Readers) find(e *unix.EpollEvent) *watched {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.slots[e.Fd]
}

// enter gives a socket a slot and watches it.
func (r *Readers) enter(w *watched) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		w.slot, r.free = r.free[n-1], r.free[:n-1]
	} else {
		w.slot = int32(len(r.slots))
		r.slots = append(r.slots, nil)
	}
	r.slots[w.slot] = w
	err := unix.EpollCtl(r.sockets, unix.EPOLL_CTL_ADD, w.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: w.slot})
	if err != nil {
		r.slots[w.slot] = nil
		r.free = append(r.free, w.slot)
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// leave takes a socket out. An event of it that is under way finds nothing, or
// the next socket of the slot, which then has nothing to read.
func (r *Readers) leave(w *watched) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed.Load() {
		_ = unix.EpollCtl(r.sockets, unix.EPOLL_CTL_DEL, w.fd, nil)
	}
	r.slots[w.slot] = nil
	r.free = append(r.free, w.slot)
}
