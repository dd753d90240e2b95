package gateway

import (
	"sync/atomic"
	"time"
)

// Durations is how long something took: counts up to each of Bounds, and beyond the
// last; Sum adds it up.
type Durations struct {
	Bounds []time.Duration
	Counts []uint64
	Sum    time.Duration
}

// routeBounds are those of routing decisions.
var routeBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond,
	2500 * time.Microsecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second,
}

// durations counts. Safe for concurrent use.
type durations struct {
	counts [len(routeBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (d *durations) add(took time.Duration) {
	i := 0
	for i < len(routeBounds) && took > routeBounds[i] {
		i++
	}
	d.counts[i].Add(1)
	d.sum.Add(int64(took))
}

func (d *durations) read() Durations {
	out := Durations{Bounds: routeBounds[:], Sum: time.Duration(d.sum.Load())}
	for i := range d.counts {
		out.Counts = append(out.Counts, d.counts[i].Load())
	}
	return out
}
