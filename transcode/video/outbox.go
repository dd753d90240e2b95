package video

import (
	"net"
	"sync"

	"github.com/roomgate/roomgate/transcode/video/wire"
)

// outbox is what waits to be sent to a worker. Whoever puts something in never
// blocks: frames beyond a bound are refused.
type outbox struct {
	mu      sync.Mutex
	wake    *sync.Cond
	waiting []byte // whole messages
	spare   []byte
	closed  bool
}

// maxWaiting bounds the bytes of frames that wait: two seconds of a lot.
const maxWaiting = 8 << 20

func (o *outbox) init() {
	o.wake = sync.NewCond(&o.mu)
	o.closed = true
}

// reset opens the box for a new worker.
func (o *outbox) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting, o.closed = o.waiting[:0], false
}

// close makes drain return.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.wake.Signal()
}

func (o *outbox) put(kind wire.Kind, id uint32, body func([]byte) []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	// Nothing but a bitmap could be too long, and those are bounded.
	o.waiting, _ = wire.Append(o.waiting, kind, id, body)
	o.wake.Signal()
}

// frame puts a coded frame in; false when it is refused.
func (o *outbox) frame(id uint32, f *wire.Frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.waiting) > maxWaiting {
		return false
	}
	var err error
	o.waiting, err = wire.AppendFrame(o.waiting, id, f)
	o.wake.Signal()
	return err == nil
}

// drain sends until the box is closed or the worker does not take any more.
func (o *outbox) drain(to net.Conn) {
	for {
		o.mu.Lock()
		for len(o.waiting) == 0 && !o.closed {
			o.wake.Wait()
		}
		if o.closed {
			o.mu.Unlock()
			return
		}
		batch := o.waiting
		o.waiting, o.spare = o.spare[:0], nil
		o.mu.Unlock()
		_, err := to.Write(batch)
		o.mu.Lock()
		if cap(batch) <= maxWaiting {
			o.spare = batch[:0]
		}
		if err != nil {
			o.closed = true
		}
		o.mu.Unlock()
	}
}
