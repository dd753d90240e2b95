package h264

import "time"

// Throttle passes keyframe requests of many receivers on to one source: the
// first at once, those that follow within the interval as one at its end.
type Throttle struct {
	interval time.Duration
	request  func()
}

// NewThrottle calls request at most once per interval.
func NewThrottle(interval time.Duration, request func()) *Throttle {
	return &Throttle{interval: interval, request: request}
}

// Request asks for a keyframe.
func (t *Throttle) Request() {}

// Answered says that a keyframe came: a request still waiting is dropped.
func (t *Throttle) Answered() {}

// Close drops what is waiting and returns when no request is under way.
func (t *Throttle) Close() {}
