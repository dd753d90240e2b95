package bench

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/bench/traffic"
)

// stamps remember when packets were sent, by their stamp.
type stamps struct{ at []atomic.Int64 }

// remembered is how many packets are: some seconds of them.
const remembered = 1 << 12

func newStamps() *stamps { return &stamps{at: make([]atomic.Int64, remembered)} }

func (s *stamps) sent(stamp uint32) { s.at[stamp%remembered].Store(time.Now().UnixNano()) }

// since is how long ago a packet was sent; ok is false when it never was.
func (s *stamps) since(stamp uint32, now time.Time) (d time.Duration, ok bool) {
	at := s.at[stamp%remembered].Load()
	return time.Duration(now.UnixNano() - at), at != 0
}

// delays collect durations.
type delays struct {
	mu   sync.Mutex
	list []time.Duration
}

func (d *delays) add(v time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) < 1<<20 {
		d.list = append(d.list, v)
	}
}

// reset forgets what came so far, such as the start of a scenario.
func (d *delays) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = d.list[:0]
}

func (d *delays) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.list)
}

// quantile is the value that a share q of the durations does not exceed, in
// milliseconds.
func (d *delays) quantile(q float64) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) == 0 {
		return 0
	}
	slices.Sort(d.list)
	i := min(int(q*float64(len(d.list))), len(d.list)-1)
	return float64(d.list[i]) / float64(time.Millisecond)
}

// of is what to do with payloads that carry the stamps of a sender.
func (d *delays) of(sender *stamps) func(now time.Time, payload []byte) {
	return func(now time.Time, payload []byte) {
		if stamp := traffic.Stamp(payload); stamp != 0 {
			if took, ok := sender.since(stamp, now); ok {
				d.add(took)
			}
		}
	}
}

// later is a look at payloads that is known only after they have begun to come.
type later struct {
	look atomic.Pointer[func(now time.Time, payload []byte)]
}

func (l *later) set(f func(now time.Time, payload []byte)) { l.look.Store(&f) }

func (l *later) seen(now time.Time, payload []byte) {
	if f := l.look.Load(); f != nil {
		(*f)(now, payload)
	}
}
