package bench

import (
	"sync"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
	"github.com/roomgate/roomgate/media/jitter"
)

// buffer is a jitter buffer that gets the stream that the gateway gets, to know
// how much of a delay is the buffer's.
type buffer struct {
	mu      sync.Mutex
	playout *jitter.Playout
	at      int64
	kept    delays
}

func newBuffer(clock *traffic.Wheel) *buffer {
	b := &buffer{playout: jitter.NewPlayout(8000)}
	pcm := make([]int16, 8000/50)
	clock.Add(func(now time.Time) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.playout.Read(pcm, now.UnixNano())
		b.kept.add(b.playout.Delay())
	})
	return b
}

// packet is the arrival of 20 ms.
func (b *buffer) packet(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var pcm [8000 / 50]int16
	b.playout.Write(pcm[:], b.at, false, now.UnixNano())
	b.at += int64(len(pcm))
}
