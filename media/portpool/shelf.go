package portpool

import (
	"math/rand/v2"
	"time"
)

// shelf keeps the ports of one local address: the free ones in the order they
// came back, so that each rests as long as possible, and the resting ones in
// the order they wake.
type shelf struct {
	size          int
	free, resting queue
}

type rest struct {
	port  uint16
	until time.Time
}

// newShelf shuffles the ports: a stranger should not guess the next one.
func newShelf(ports []uint16) *shelf {
	s := &shelf{size: len(ports), free: newQueue(len(ports)), resting: newQueue(len(ports))}
	rand.Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
	for _, p := range ports {
		s.free.push(rest{port: p})
	}
	return s
}

// wake frees the ports whose quarantine is over.
func (s *shelf) wake(now time.Time) {
	for s.resting.len() > 0 && !s.resting.head().until.After(now) {
		s.free.push(s.resting.pop())
	}
}

// queue is a ring of fixed capacity; a shelf never holds more than its ports.
type queue struct {
	ring     []rest
	start, n int
}

func newQueue(capacity int) queue { return queue{ring: make([]rest, capacity)} }

func (q *queue) len() int    { return q.n }
func (q *queue) head() *rest { return &q.ring[q.start] }

func (q *queue) push(r rest) {
	q.ring[(q.start+q.n)%len(q.ring)] = r
	q.n++
}

func (q *queue) pop() rest {
	r := q.ring[q.start]
	q.start = (q.start + 1) % len(q.ring)
	q.n--
	return r
}
