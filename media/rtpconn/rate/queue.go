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

	stamped bool // stamp is one
	stamp   uint32
	ticks   int64
	origin  time.Time
}

// period is how long the fastest packet is remembered, twice at most.
const period = 20 * time.Second

// Stamped notes a packet of RTP: of those with the same timestamp, which are of one
// picture, the first.
func (q *Queue) Stamped(stamp, clockRate uint32, at time.Time) {
	if clockRate == 0 || q.stamped && stamp == q.stamp {
		return
	}
	if ahead := int32(stamp - q.stamp); !q.stamped || ahead < 0 || ahead > int32(10*clockRate) {
		*q = Queue{stamped: true, origin: at}
	} else {
		q.ticks += int64(ahead)
	}
	q.stamp = stamp
	q.Push(at.Sub(q.origin)-time.Duration(q.ticks*int64(time.Second)/int64(clockRate)), at)
}

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
