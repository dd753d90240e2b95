package lobby

import (
	"sync"
	"time"
)

// Guard slows down those who guess PINs, and turns away who goes on. What one
// source does never keeps another from a right PIN: failures at one meeting
// from many sources make wrong answers slower, no more.
type Guard struct {
	now func() time.Time

	mu      sync.Mutex
	records map[string]*record
}

type record struct {
	failures int
	since    time.Time
}

// The limits. A source is a caller of a trunk, a registered terminal, or an
// address.
const (
	guardWindow  = 10 * time.Minute
	sourceLimit  = 10   // failures within the window
	guardRecords = 8192 // kept at most
	firstDelay   = 250 * time.Millisecond
	longestDelay = 8 * time.Second
	meetingCalm  = 30 // failures of a meeting before all wrong answers are slow
)

// NewGuard makes a guard.
func NewGuard(now func() time.Time) *Guard {
	return &Guard{now: now, records: map[string]*record{}}
}

// TurnedAway reports whether a source has failed too often.
func (g *Guard) TurnedAway(source string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.records["s "+source]
	return r != nil && r.failures >= sourceLimit && g.now().Sub(r.since) < guardWindow
}

// Failed notes a wrong PIN and tells how long the answer is to wait.
func (g *Guard) Failed(source, meeting string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count("m "+meeting) > meetingCalm {
		g.count("s " + source)
		return longestDelay
	}
	delay := firstDelay << min(g.count("s "+source), 10)
	return min(delay, longestDelay)
}

// count adds to a record; needs mu.
func (g *Guard) count(key string) int {
	now := g.now()
	r := g.records[key]
	if r == nil || now.Sub(r.since) >= guardWindow {
		if r == nil && len(g.records) >= guardRecords {
			g.makeRoom(now)
		}
		r = &record{since: now}
		g.records[key] = r
	}
	r.failures++
	return r.failures
}

// makeRoom forgets a quarter at least: what is out of date, then those who are
// not turned away, then others.
func (g *Guard) makeRoom(now time.Time) {
	for _, expendable := range []func(*record) bool{
		func(r *record) bool { return now.Sub(r.since) >= guardWindow },
		func(r *record) bool { return r.failures < sourceLimit },
		func(*record) bool { return true },
	} {
		for key, r := range g.records {
			if len(g.records) <= guardRecords*3/4 {
				return
			}
			if expendable(r) {
				delete(g.records, key)
			}
		}
	}
}
