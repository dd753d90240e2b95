package feedback

import "time"

// Throttle merges requests for key frames: a few at once after a pause, for a
// start must be quick, then one at a time. The zero value is ready.
type Throttle struct {
	tokens  float64
	last    time.Time
	waiting bool
}

// The rate of key frame requests.
const (
	KeyframeBurst = 3
	KeyframePause = 500 * time.Millisecond
)

// Ask reports whether a request may go out now. One that may not waits for Due.
func (t *Throttle) Ask(now time.Time) bool {
	t.refill(now)
	if t.tokens < 1 {
		t.waiting = true
		return false
	}
	t.tokens--
	t.waiting = false
	return true
}

// Due reports whether a request that had to wait goes out now.
func (t *Throttle) Due(now time.Time) bool { return t.waiting && t.Ask(now) }

func (t *Throttle) refill(now time.Time) {
	if t.last.IsZero() {
		t.tokens = KeyframeBurst
	} else if passed := now.Sub(t.last); passed > 0 {
		t.tokens = min(KeyframeBurst, t.tokens+passed.Seconds()/KeyframePause.Seconds())
	}
	t.last = now
}
