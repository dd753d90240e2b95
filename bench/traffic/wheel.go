// Package traffic makes and takes the media of many calls at little cost:
// payloads are made before the run, one goroutine paces all senders, and calls
// share sockets.
package traffic

import (
	"sync"
	"time"
)

// slots is into how many steps a Wheel divides its period, so that the senders
// do not all send at once.
const slots = 10

// Wheel calls many functions at one period.
type Wheel struct {
	period time.Duration
	stop   chan struct{}
	done   chan struct{}

	mu    sync.Mutex
	slots [slots][]*turn
	next  int
	late  time.Duration // the worst so far
}

type turn struct{ call func(now time.Time) }

// NewWheel starts to turn.
func NewWheel(period time.Duration) *Wheel {
	w := &Wheel{period: period, stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Add has f called once a period, until remove, after which it is not running.
func (w *Wheel) Add(f func(now time.Time)) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slot, t := w.next, &turn{f}
	w.next = (w.next + 1) % slots
	w.slots[slot] = append(w.slots[slot], t)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, other := range w.slots[slot] {
			if other == t {
				w.slots[slot] = append(w.slots[slot][:i:i], w.slots[slot][i+1:]...)
				return
			}
		}
	}
}

func (w *Wheel) run() {
	defer close(w.done)
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for step := 0; ; step++ {
		due := began.Add(time.Duration(step) * w.period / slots)
		timer.Reset(time.Until(due))
		select {
		case <-w.stop:
			return
		case now := <-timer.C:
			w.turn(step%slots, now, now.Sub(due))
		}
	}
}

func (w *Wheel) turn(slot int, now time.Time, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = max(w.late, late)
	for _, t := range w.slots[slot] {
		t.call(now)
	}
}

// Late is the worst delay of a step since the last call of Late: large values
// say that the machine had no time for the load itself.
func (w *Wheel) Late() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	late := w.late
	w.late = 0
	return late
}

// Close ends all calls and waits.
func (w *Wheel) Close() {
	close(w.stop)
	<-w.done
}
