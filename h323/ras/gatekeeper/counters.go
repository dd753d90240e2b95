package gatekeeper

import (
	"sync/atomic"

	"github.com/roomgate/roomgate/h323/ras"
)

// Counts is how many messages there were since the start.
type Counts struct {
	Received, Sent map[ras.Kind]uint64
	Malformed      uint64 // could not be read
	Limited        uint64 // over the share of their source
	Repeated       uint64 // requests that came again
}

const kinds = int(ras.ACFS) + 1

type counters struct {
	in, out                      [kinds]atomic.Uint64
	malformed, limited, repeated atomic.Uint64
}

// count notes something that came.
func (g *Gatekeeper) count(n *atomic.Uint64, kind string) {
	n.Add(1)
	g.c.OnMessage(false, kind)
}

// Counts tells the numbers; kinds that did not occur are left out.
func (g *Gatekeeper) Counts() Counts {
	c := Counts{
		Received: map[ras.Kind]uint64{}, Sent: map[ras.Kind]uint64{},
		Malformed: g.counters.malformed.Load(), Limited: g.counters.limited.Load(), Repeated: g.counters.repeated.Load(),
	}
	for k := range kinds {
		if n := g.counters.in[k].Load(); n > 0 {
			c.Received[ras.Kind(k)] = n
		}
		if n := g.counters.out[k].Load(); n > 0 {
			c.Sent[ras.Kind(k)] = n
		}
	}
	return c
}
