package worker

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/transcode/video/wire"
)

// patience is how long one frame may keep C code busy. Whoever needs longer
// is caught in a loop, or fed something made to take long.
const patience = 2 * time.Second

// cores lets as much C code run at once as there are processors, and ends the
// process when some does not return.
type cores struct {
	slots  chan int
	since  []atomic.Int64 // when the work in a slot began; 0 = idle
	start  time.Time
	frames atomic.Uint32
	busy   atomic.Int64 // nanoseconds
	stop   chan struct{}
	wait   sync.WaitGroup
}

func newCores() *cores {
	n := runtime.NumCPU()
	c := &cores{slots: make(chan int, n), since: make([]atomic.Int64, n), start: time.Now(), stop: make(chan struct{})}
	for i := range n {
		c.slots <- i
	}
	c.wait.Add(1)
	go c.watch()
	return c
}

// work runs f on a core.
func (c *cores) work(f func()) {
	slot := <-c.slots
	began := time.Since(c.start)
	c.since[slot].Store(int64(began) + 1)
	f()
	c.since[slot].Store(0)
	c.busy.Add(int64(time.Since(c.start) - began))
	c.frames.Add(1)
	c.slots <- slot
}

func (c *cores) load() wire.Load {
	return wire.Load{Frames: c.frames.Load(), Busy: uint64(c.busy.Load() / 1000)}
}

// watch is the watchdog. C code cannot be interrupted, so it ends the process.
func (c *cores) watch() {
	defer c.wait.Done()
	tick := time.NewTicker(patience / 8)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		now := int64(time.Since(c.start))
		for i := range c.since {
			if began := c.since[i].Load(); began != 0 && now-began > int64(patience) {
				fmt.Fprintln(os.Stderr, "a frame took longer than", patience)
				os.Exit(exitStuck)
			}
		}
	}
}

func (c *cores) close() {
	close(c.stop)
	c.wait.Wait()
}

// exitStuck is the exit code of a process that its watchdog ended.
const exitStuck = 3
