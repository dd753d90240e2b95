package face

import "time"

// Timer is a timer whose expiry waits in a queue: one that was stopped meanwhile is told
// by its round. It belongs to the goroutine that reads the queue.
type Timer struct {
	t     *time.Timer
	round int
}

// Start runs the timer anew; fire is called with the round.
func (t *Timer) Start(d time.Duration, fire func(round int)) {
	t.Stop()
	round := t.round
	t.t = time.AfterFunc(d, func() { fire(round) })
}

// Stop stops it, and makes what fired already void.
func (t *Timer) Stop() {
	t.round++
	if t.t != nil {
		t.t.Stop()
		t.t = nil
	}
}

// Running reports whether it was started and neither stopped nor taken.
func (t *Timer) Running() bool { return t.t != nil }

// Take reports whether a round that fired is the one that runs; it does no longer.
func (t *Timer) Take(round int) bool {
	if t.round != round {
		return false
	}
	t.t = nil
	return true
}
