package rtpconn

import (
	"slices"
	"sync"
	"time"
)

// Clock is the time as a session sees it. All sessions of one leg share one, so
// that the sender reports of its audio and its video tell the same time.
type Clock interface {
	Now() time.Time
	// Ticker delivers the time every d until stop is called.
	Ticker(d time.Duration) (c <-chan time.Time, stop func())
}

// WallClock is the clock of the host.
type WallClock struct{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// Ticker is a time.Ticker; those of whole beats of the process tick together.
func (WallClock) Ticker(d time.Duration) (<-chan time.Time, func()) {
	if d > 0 && d%beat == 0 {
		return pulse.ticker(int(d / beat))
	}
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// beat is what the upkeep of all sessions is counted in.
const beat = 20 * time.Millisecond

// pulse is that of the process.
var pulse heart

// heart ticks for all sessions of the process. With a timer each, a thread would be woken for
// each of their ticks, which costs ten times what is done then.
type heart struct {
	mu      sync.Mutex
	tickers []*ticker
	beating bool
	started int // tickers so far: they tick in turn
}

// ticker ticks at each so many beats.
type ticker struct {
	c           chan time.Time
	every, turn int
}

func (h *heart) ticker(every int) (<-chan time.Time, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &ticker{c: make(chan time.Time, 1), every: every, turn: h.started % every}
	h.started++
	h.tickers = append(h.tickers, t)
	if !h.beating {
		h.beating = true
		go h.run()
	}
	return t.c, func() { h.stop(t) }
}

func (h *heart) stop(t *ticker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tickers = slices.DeleteFunc(h.tickers, func(o *ticker) bool { return o == t })
}

// run beats while there is anybody to beat for.
func (h *heart) run() {
	beats := time.NewTicker(beat)
	defer beats.Stop()
	for n := 0; ; n++ {
		if !h.tick(n, <-beats.C) {
			return
		}
	}
}

// tick tells the time to those whose turn it is; a tick that was not taken is not repeated.
func (h *heart) tick(n int, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beating = len(h.tickers) > 0
	for _, t := range h.tickers {
		if n%t.every != t.turn {
			continue
		}
		select {
		case t.c <- now:
		default:
		}
	}
	return h.beating
}
