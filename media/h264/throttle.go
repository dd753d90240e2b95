package h264

import (
	"sync"
	"time"
)

// Throttle passes keyframe requests of many receivers on to one source: the
// first at once, those that follow within the interval as one at its end,
// unless a keyframe came meanwhile.
type Throttle struct {
	interval time.Duration
	request  func()

	mu      sync.Mutex
	last    time.Time // of the last request passed on
	timer   *time.Timer
	waiting bool
	closed  bool
	calls   sync.WaitGroup // of request
}

// NewThrottle calls request, on the caller's goroutine or on one of its own,
// at most once per interval. Close it in the end.
func NewThrottle(interval time.Duration, request func()) *Throttle {
	return &Throttle{interval: interval, request: request}
}

// Request asks for a keyframe.
func (t *Throttle) Request() {
	t.mu.Lock()
	if t.closed || t.waiting {
		t.mu.Unlock()
		return
	}
	if rest := t.interval - time.Since(t.last); !t.last.IsZero() && rest > 0 {
		t.waiting = true
		t.timer = time.AfterFunc(rest, t.due)
		t.mu.Unlock()
		return
	}
	t.pass()
}

// pass is called with the lock held and gives it back before the request.
func (t *Throttle) pass() {
	t.last = time.Now()
	t.calls.Add(1)
	t.mu.Unlock()
	defer t.calls.Done()
	t.request()
}

func (t *Throttle) due() {
	t.mu.Lock()
	if !t.waiting || t.closed || time.Since(t.last) < t.interval { // or a timer stopped too late
		t.mu.Unlock()
		return
	}
	t.waiting = false
	t.pass()
}

// Answered says that a keyframe came: a request still waiting is dropped.
func (t *Throttle) Answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop()
}

// Fresh says that requests go to another source from now on, which was asked
// for nothing yet.
func (t *Throttle) Fresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop()
	t.last = time.Time{}
}

func (t *Throttle) drop() {
	if t.waiting {
		t.waiting = false
		t.timer.Stop()
	}
}

// Close drops what is waiting and returns when no request is under way. It
// must not be called from request.
func (t *Throttle) Close() {
	t.mu.Lock()
	t.closed = true
	t.drop()
	t.mu.Unlock()
	t.calls.Wait()
}
