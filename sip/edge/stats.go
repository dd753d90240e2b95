package edge

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
)

// Stats counts since the start.
type Stats struct {
	Accepted    uint64         // messages given to the stack
	Refused     map[int]uint64 // by the status they were answered with
	Dropped     uint64         // malformed, and not to be answered
	Limited     uint64         // over their source's share: dropped, or kept waiting over a connection
	Keepalives  uint64         // CRLF and STUN
	Connections int            // open now
	Turned      uint64         // connections refused: too many
	Slow        uint64         // connections closed by a time-out
}

// counters behind Stats.
type counters struct {
	accepted, limited, keepalives, turned, late atomic.Uint64

	mu       sync.Mutex
	statuses map[int]uint64 // the few statuses the edge answers with; -1 = none
}

func (c *counters) refuse(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.statuses == nil {
		c.statuses = make(map[int]uint64)
	}
	c.statuses[status]++
}

// slow counts a connection that ended by err, if that is a time-out.
func (c *counters) slow(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.late.Add(1)
	}
}

// Stats is a snapshot of the counters.
func (e *Edge) Stats() Stats {
	s := Stats{
		Accepted:   e.count.accepted.Load(),
		Refused:    make(map[int]uint64),
		Limited:    e.count.limited.Load(),
		Keepalives: e.count.keepalives.Load(),
		Turned:     e.count.turned.Load(),
		Slow:       e.count.late.Load(),
	}
	e.count.mu.Lock()
	for status, n := range e.count.statuses {
		if status < 0 {
			s.Dropped = n
		} else {
			s.Refused[status] = n
		}
	}
	e.count.mu.Unlock()
	e.mu.Lock()
	s.Connections = len(e.flows)
	e.mu.Unlock()
	return s
}
