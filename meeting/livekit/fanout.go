package livekit

import (
	"slices"
	"sync"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// fanout hands each packet to every consumer attached.
type fanout struct {
	mu   sync.RWMutex // read-held while packets are written
	taps []*tap
}

type tap struct{ to media.Writer }

// attach adds a consumer. The returned function waits until no packet is being
// written to it; a consumer must not call it from its own WriteRTP.
func (f *fanout) attach(w media.Writer) (detach func()) {
	t := &tap{w}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taps = append(f.taps, t)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taps = slices.DeleteFunc(f.taps, func(o *tap) bool { return o == t })
	}
}

// write gives p to all. What a consumer makes of it concerns it alone.
func (f *fanout) write(p *rtp.Packet) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, t := range f.taps {
		_ = t.to.WriteRTP(p)
	}
}
