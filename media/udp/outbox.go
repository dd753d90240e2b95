package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// More is a Socket that can hold datagrams back until others follow, so that one system
// call sends them all.
type More interface {
	Socket
	// WriteMore sends a datagram that others follow at once, as those of a picture
	// do: with one that is written after it, or when the Readers have taken what there
	// was to read. While they take nothing it sends at once. What the network refuses
	// later is told by the write that comes next.
	WriteMore(b []byte, to netip.AddrPort) (int, error)
}

// outbox holds datagrams of one size, the last of which may be shorter, that go to one
// address: what UDP_SEGMENT sends by one system call, as
//
//	+---------+---------+---------+----+
//	| segment | segment | segment | .. |   used
//	+---------+---------+---------+----+
//	 <- size ->
type outbox struct {
	mu      sync.Mutex  // held while what is held is sent: nothing overtakes it
	holds   atomic.Bool // changed under mu
	entered bool        // the look under way ends with a flush
	plain   bool        // the kernel or the network cannot, for good
	to      netip.AddrPort
	size    int
	used    int
	count   int
	bundle  *bundle // nil while nothing is held
	err     error   // of a flush that nobody was told of
}

// Bounds of what is held.
const (
	maxSegments = 64 // UDP_MAX_SEGMENTS of Linux before 6.9
	maxBundle   = 32 << 10
)

// bundle is what the kernel is given.
type bundle struct {
	buf [maxBundle]byte
	segments
}

var bundles = sync.Pool{New: func() any { return new(bundle) }}

// fits reports whether b can go behind what is held.
func (o *outbox) fits(b []byte, to netip.AddrPort) bool {
	return to == o.to && len(b) > 0 && len(b) <= o.size && o.used == o.count*o.size &&
		o.count < maxSegments && o.used+len(b) <= maxBundle
}

func (o *outbox) push(b []byte, to netip.AddrPort) {
	if o.bundle == nil {
		o.bundle = bundles.Get().(*bundle)
		o.to, o.size, o.used, o.count = to, len(b), 0, 0
	}
	o.used += copy(o.bundle.buf[o.used:], b)
	o.count++
	o.holds.Store(true)
}

func (w *watched) WriteMore(b []byte, to netip.AddrPort) (int, error) {
	o := &w.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if w.over.Load() {
		return 0, net.ErrClosed
	}
	err := o.told()
	if o.bundle != nil && !o.fits(b, to) {
		err = errors.Join(err, w.flush())
	}
	if o.plain || len(b) == 0 || len(b) > maxBundle || !o.entered && !w.readers.hold(w) {
		if err = errors.Join(err, w.send(b, to)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	o.entered = true
	o.push(b, to)
	return len(b), err
}

// writeBehind sends what is held and b.
func (w *watched) writeBehind(b []byte, to netip.AddrPort) error {
	o := &w.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.told()
	if o.bundle != nil && o.fits(b, to) {
		o.push(b, to)
		return errors.Join(err, w.flush())
	}
	return errors.Join(err, w.flush(), w.send(b, to))
}

// told is what nobody was told of yet.
func (o *outbox) told() error {
	err := o.err
	o.err = nil
	return err
}

// release sends what is held at the end of a look.
func (w *watched) release() {
	o := &w.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	o.entered = false
	if err := w.flush(); err != nil {
		o.err = err
	}
}

// flush sends what is held. Where a system or a path cannot send it by one call, the
// datagrams go one by one, from then on too.
func (w *watched) flush() error {
	o := &w.outbox
	if o.bundle == nil {
		return nil
	}
	held := o.bundle
	o.bundle = nil
	defer func() {
		bundles.Put(held)
		o.holds.Store(false)
	}()
	if o.count > 1 && !o.plain {
		err := w.sendTogether(held)
		if err == nil || !unable(err) {
			return err
		}
		o.plain = true
	}
	var all error
	for at := 0; at < o.used; at += o.size {
		if err := w.send(held.buf[at:min(at+o.size, o.used)], o.to); err != nil {
			all = err
		}
	}
	return all
}

func (w *watched) sendTogether(held *bundle) error {
	w.sending.RLock()
	defer w.sending.RUnlock()
	if w.closed {
		return net.ErrClosed
	}
	o := &w.outbox
	if err := w.readers.sendSegments(w.fd, w.v6, held.buf[:o.used], o.size, o.to, &held.segments); err != nil {
		return fmt.Errorf("send %d datagrams to %v: %w", o.count, o.to, err)
	}
	return nil
}

// looks are the sockets to flush when Readers have taken what there is.
type looks struct {
	mu      sync.Mutex
	on      bool
	holding []*watched
}

// longestLook is after how many rounds over the sockets what is held leaves even if there
// is still something to read.
const longestLook = 16

// hold has w flushed at the end of the look under way; it reports false when there is none.
func (r *Readers) hold(w *watched) bool {
	r.looks.mu.Lock()
	defer r.looks.mu.Unlock()
	if r.looks.on {
		r.looks.holding = append(r.looks.holding, w)
	}
	return r.looks.on
}

func (r *Readers) beginLook() {
	r.looks.mu.Lock()
	defer r.looks.mu.Unlock()
	r.looks.on = true
}

// endLook flushes the sockets that hold something. None is added meanwhile.
func (r *Readers) endLook(buf *[Largest]byte) {
	r.looks.mu.Lock()
	r.looks.on = false
	r.looks.mu.Unlock()
	holding := r.looks.holding
	if len(holding) == 0 {
		return
	}
	r.batch.flushing = holding
	r.share(len(holding), buf)
	r.batch.flushing = nil
	clear(holding)
	r.looks.holding = holding[:0]
}
