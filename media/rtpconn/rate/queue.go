package rate

import "time"

// Queue measures how long packets wait on their way, by how much later than the
// fastest they come. Clocks that are not the same and drift a little do no harm.
// The zero value is ready.
type Queue struct {
	window   time.Duration // least transit since Take
	some     bool
	now, old time.Duration // least transits of this period and the one before
	since    time.Time
}

// period is how long the fastest packet is remembered, twice at most.
const period = 20 * time.Second

// Push notes a packet: transit is its arrival less its timestamp, of any origin.
func (q *Queue) Push(transit time.Duration, at time.Time) {
	if !q.some || transit < q.window {
		q.window, q.some = transit, true
	}
	switch {
	case q.since.IsZero():
		q.now, q.old, q.since = transit, transit, at
	case at.Sub(q.since) > period:
		q.old, q.now, q.since = q.now, transit, at
	default:
		q.now = min(q.now, transit)
	}
}

// Take is how long the packets since the last Take waited at least.
func (q *Queue) Take() time.Duration {
	if !q.some {
		return 0
	}
	q.some = false
	return max(0, q.window-min(q.now, q.old))
}

// Reset forgets everything: timestamps begin anew.
func (q *Queue) Reset() { *q = Queue{} }
