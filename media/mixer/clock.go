package mixer

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Tick is the period of a Clock.
const Tick = 20 * time.Millisecond

// maxCatchUp bounds how many missed ticks are made up for at once.
const maxCatchUp = 10

// Clock ticks every 20 ms and spreads the work of the mixers on it over the
// processors. One serves a whole process.
type Clock struct {
	work    chan job       // to the workers; nil: jobs run at once
	pending sync.WaitGroup // jobs of the tick under way
	ticking sync.Mutex     // held during a tick

	mu     sync.Mutex
	mixers atomic.Pointer[[]*Mixer]

	ticks, late, skipped atomic.Uint64
	lateness             [len(LateBounds) + 1]atomic.Uint64
	lateSum              atomic.Int64 // nanoseconds

	stop   chan struct{}
	closed sync.Once
	done   sync.WaitGroup
}

// job is one piece of a tick's work.
type job struct {
	mixer    *Mixer
	group    *group
	output   *Output
	from, to int // of the group's members to deliver to
}

// NewClock starts a clock with a worker for each processor.
func NewClock() *Clock {
	c := NewManualClock()
	c.work = make(chan job, 1024)
	c.done.Add(1)
	go func() {
		defer c.done.Done()
		defer close(c.work) // the workers end when the last tick is done
		c.run()
	}()
	for range runtime.GOMAXPROCS(0) {
		c.done.Add(1)
		go func() {
			defer c.done.Done()
			for j := range c.work {
				j.run(c)
				c.pending.Done()
			}
		}()
	}
	return c
}

// NewManualClock makes a clock that moves only by Tick, for tests and offline
// rendering.
func NewManualClock() *Clock {
	c := &Clock{stop: make(chan struct{})}
	c.mixers.Store(new([]*Mixer))
	return c
}

// ClockStats are counts since the start.
type ClockStats struct {
	Ticks   uint64
	Late    uint64 // ticks that were missed at their time and caught up
	Skipped uint64 // ticks given up after a long stall
	// Lateness counts ticks by how late they began: up to each of LateBounds, and
	// beyond the last. LateSum adds it up.
	Lateness [len(LateBounds) + 1]uint64
	LateSum  time.Duration
}

// LateBounds are the bounds by which the lateness of ticks is counted.
var LateBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
}

// Stats are the counts so far.
func (c *Clock) Stats() ClockStats {
	s := ClockStats{Ticks: c.ticks.Load(), Late: c.late.Load(), Skipped: c.skipped.Load(), LateSum: time.Duration(c.lateSum.Load())}
	for i := range c.lateness {
		s.Lateness[i] = c.lateness[i].Load()
	}
	return s
}

// noteLate counts a tick that began late by so much.
func (c *Clock) noteLate(by time.Duration) {
	i := 0
	for i < len(LateBounds) && by > LateBounds[i] {
		i++
	}
	c.lateness[i].Add(1)
	c.lateSum.Add(int64(by))
}

func (c *Clock) run() {
	s := schedule{next: time.Now().Add(Tick)}
	timer := time.NewTimer(Tick)
	defer timer.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-timer.C:
		}
		now := time.Now()
		ticks, skipped := s.due(now)
		c.skipped.Add(uint64(skipped))
		for i := range ticks {
			if i > 0 {
				c.late.Add(1)
			}
			// The last of them was due one period before the next is.
			c.noteLate(now.Sub(s.next) + Tick*time.Duration(ticks-i))
			c.Tick()
		}
		timer.Reset(time.Until(s.next))
	}
}

// schedule says when ticks are due.
type schedule struct{ next time.Time }

// due are the ticks to run now: those that were missed are caught up, but after
// a long stall only the last of them.
func (s *schedule) due(now time.Time) (ticks, skipped int) {
	if now.Before(s.next) {
		return 0, 0
	}
	ticks = int(now.Sub(s.next)/Tick) + 1
	s.next = s.next.Add(time.Duration(ticks) * Tick)
	skipped = max(0, ticks-maxCatchUp)
	return ticks - skipped, skipped
}

// Tick runs one tick to its end.
func (c *Clock) Tick() {
	c.ticking.Lock()
	defer c.ticking.Unlock()
	c.ticks.Add(1)
	for _, m := range *c.mixers.Load() {
		c.spawn(job{mixer: m})
	}
	c.pending.Wait()
}

// spawn hands a job to a worker, or does it here when there is none free.
func (c *Clock) spawn(j job) {
	if c.work == nil {
		j.run(c)
		return
	}
	c.pending.Add(1)
	select {
	case c.work <- j:
	default:
		j.run(c)
		c.pending.Done()
	}
}

func (j job) run(c *Clock) {
	switch {
	case j.mixer != nil:
		j.mixer.tick(c)
	case j.output != nil:
		j.output.encodePrivate()
	case j.to > 0:
		j.group.deliver(j.from, j.to)
	default:
		j.group.tick(c)
	}
}

func (c *Clock) add(m *Mixer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mixers := append(slices.Clone(*c.mixers.Load()), m)
	c.mixers.Store(&mixers)
}

// remove returns when m is not being ticked any more.
func (c *Clock) remove(m *Mixer) {
	c.mu.Lock()
	mixers := slices.DeleteFunc(slices.Clone(*c.mixers.Load()), func(o *Mixer) bool { return o == m })
	c.mixers.Store(&mixers)
	c.mu.Unlock()
	c.settle()
}

// settle waits for the tick under way.
func (c *Clock) settle() {
	c.ticking.Lock()
	defer c.ticking.Unlock()
}

// Close stops the clock and waits for the tick under way. A manual clock needs
// no Close.
func (c *Clock) Close() {
	c.closed.Do(func() { close(c.stop) })
	c.done.Wait()
}
