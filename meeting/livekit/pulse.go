package livekit

import (
	"sync"
	"time"
)

// slots spreads what happens once per interval over it, so that a hundred legs
// do not all report in the same instant.
const slots = 10

// pulse calls each registered function once per interval: one timer and one
// goroutine for all the seats of a client instead of several each.
type pulse struct {
	interval time.Duration

	mu      sync.Mutex
	beats   [slots]map[*beat]struct{}
	filling int
	stop    chan struct{}
	done    chan struct{}
}

type beat struct{ call func(now time.Time) }

func newPulse(interval time.Duration) *pulse {
	p := &pulse{interval: interval, stop: make(chan struct{})}
	for i := range p.beats {
		p.beats[i] = make(map[*beat]struct{})
	}
	return p
}

// add registers f, which must not block for long; the returned function ends
// its calls, but does not wait for one in progress.
func (p *pulse) add(f func(now time.Time)) (remove func()) {
	b := &beat{call: f}
	p.mu.Lock()
	defer p.mu.Unlock()
	slot := p.filling
	p.filling = (p.filling + 1) % slots
	p.beats[slot][b] = struct{}{}
	if p.done == nil {
		p.done = make(chan struct{})
		go p.run()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.beats[slot], b)
	}
}

func (p *pulse) run() {
	defer close(p.done)
	ticker := time.NewTicker(p.interval / slots)
	defer ticker.Stop()
	var due []*beat
	for slot := 0; ; slot = (slot + 1) % slots {
		select {
		case <-p.stop:
			return
		case now := <-ticker.C:
			p.mu.Lock()
			due = due[:0]
			for b := range p.beats[slot] {
				due = append(due, b)
			}
			p.mu.Unlock()
			for _, b := range due {
				b.call(now)
			}
		}
	}
}

// close ends the calls and waits.
func (p *pulse) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stop:
		return
	default:
		close(p.stop)
	}
	if done := p.done; done != nil {
		p.mu.Unlock()
		<-done
		p.mu.Lock()
	}
}
