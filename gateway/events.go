package gateway

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// eventRing keeps the last events for subscribers that come back, and hands
// new ones to those who wait. A slow subscriber loses the oldest events rather
// than hold anybody up; it sees the gap in Seq.
type eventRing struct {
	now func() time.Time
	// record is told of every state of a call; it must not block. May be nil.
	record func(Call)

	mu     sync.Mutex
	events []Event // ring, oldest at next
	next   int
	seq    uint64
	wake   chan struct{} // closed and replaced at every event
}

// ringSize bounds the events kept for Last-Event-ID.
const ringSize = 1024

func newEventRing(now func() time.Time, record func(Call)) *eventRing {
	return &eventRing{now: now, record: record, events: make([]Event, 0, ringSize), wake: make(chan struct{})}
}

func (r *eventRing) publish(e Event) {
	r.mu.Lock()
	r.seq++
	e.Seq = r.seq
	e.Time = r.now()
	if len(r.events) < ringSize {
		r.events = append(r.events, e)
	} else {
		r.events[r.next] = e
		r.next = (r.next + 1) % ringSize
	}
	wake := r.wake
	r.wake = make(chan struct{})
	r.mu.Unlock()
	close(wake)
	if e.Call != nil && r.record != nil {
		c := *e.Call
		c.Meeting = cmp.Or(c.Meeting, e.Meeting) // a call that has ended is in none any more
		r.record(c)
	}
}

// since copies the kept events after seq, and returns what to wait on for more.
func (r *eventRing) since(seq uint64) ([]Event, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Event
	for i := range r.events {
		e := r.events[(r.next+i)%len(r.events)]
		if e.Seq > seq {
			out = append(out, e)
		}
	}
	return out, r.wake
}

func (r *eventRing) last() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq
}

// Events delivers what happens from after the event numbered after (0: from
// now on) until ctx ends; then the channel is closed.
func (g *Gateway) Events(ctx context.Context, after uint64) <-chan Event {
	if after == 0 {
		after = g.events.last()
	}
	out := make(chan Event)
	if !g.begin() {
		close(out)
		return out
	}
	go func() {
		defer g.wait.Done()
		defer close(out)
		for {
			events, more := g.events.since(after)
			for _, e := range events {
				select {
				case out <- e:
					after = e.Seq
				case <-ctx.Done():
					return
				case <-g.done:
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			case <-g.done:
				return
			}
		}
	}()
	return out
}
