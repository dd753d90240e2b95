package livekit

import (
	"slices"
	"sync"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// fanout hands each packet to every consumer attached. With hold set the
// packets that come before the first consumer are kept for it: a stream begins
// with a keyframe, and the next one may be a second away.
type fanout struct {
	mu   sync.RWMutex // read-held while packets are written
	taps []*tap
	hold bool
	held []*rtp.Packet
}

// mostHeld bounds what is kept for the first consumer: over a second of
// 1.5 Mbit/s. A consumer that comes later begins with the next keyframe.
const mostHeld = 256

type tap struct{ to media.Writer }

// attach adds a consumer. The returned function waits until no packet is being
// written to it; a consumer must not call it from its own WriteRTP.
func (f *fanout) attach(w media.Writer) (detach func()) {
	t := &tap{w}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taps = append(f.taps, t)
	for _, p := range f.held {
		_ = w.WriteRTP(p)
	}
	f.hold, f.held = false, nil
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taps = slices.DeleteFunc(f.taps, func(o *tap) bool { return o == t })
	}
}

// write gives p to all. What a consumer makes of it concerns it alone. Packets
// are written by one goroutine.
func (f *fanout) write(p *rtp.Packet) {
	f.mu.RLock()
	keep := f.hold
	for _, t := range f.taps {
		_ = t.to.WriteRTP(p)
	}
	f.mu.RUnlock()
	if keep {
		f.keep(p)
	}
}

// keep holds a packet back, or hands it to the consumer that came meanwhile.
func (f *fanout) keep(p *rtp.Packet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.hold:
		for _, t := range f.taps {
			_ = t.to.WriteRTP(p)
		}
	case len(f.held) == mostHeld:
		f.hold, f.held = false, nil
	default:
		f.held = append(f.held, p.Clone())
	}
}
