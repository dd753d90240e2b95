package worker

import (
	"sync"
	"time"

	"github.com/roomgate/roomgate/transcode/video/engine"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// encoder codes what its canvas gives it. Of pictures that come while it is at
// work it takes the last.
type encoder struct {
	w    *Worker
	id   uint32
	from *canvas
	wake chan struct{}
	stop chan struct{}

	mu     sync.Mutex
	next   *engine.Picture
	stamp  uint32
	since  time.Time // when next was drawn
	key    bool
	fresh  bool // it has coded nothing yet
	rate   int  // to be changed to, 0 = as it is
	fps    float64
	closed bool
	failed bool // and said so; of run's goroutine
}

func newEncoder(w *Worker, id uint32, spec engine.Encoding) (*encoder, error) {
	c, err := engine.NewEncoder(spec)
	if err != nil {
		return nil, err
	}
	e := &encoder{w: w, id: id, wake: make(chan struct{}, 1), stop: make(chan struct{}), fresh: true}
	w.wait.Add(1)
	go e.run(c)
	return e, nil
}

// give hands over a held picture.
func (e *encoder) give(p *engine.Picture, stamp uint32, now time.Time) {
	e.mu.Lock()
	old := e.next
	if e.closed {
		old, p = p, nil
	}
	e.next, e.stamp, e.since = p, stamp, now
	e.mu.Unlock()
	if old != nil {
		old.Release()
	}
	e.poke()
}

func (e *encoder) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// waiting reports whether a picture is wanted though nothing has changed.
func (e *encoder) waiting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return (e.key || e.fresh) && e.next == nil
}

func (e *encoder) wantKey() {
	e.mu.Lock()
	e.key = true
	e.mu.Unlock()
	e.from.nudge()
}

func (e *encoder) change(bitrate int, fps float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rate, e.fps = bitrate, fps
}

func (e *encoder) close() {
	e.mu.Lock()
	e.closed = true
	if e.next != nil {
		e.next.Release()
		e.next = nil
	}
	e.mu.Unlock()
	close(e.stop)
}

func (e *encoder) run(c *engine.Encoder) {
	defer e.w.wait.Done()
	defer c.Close()
	clock := mediaClock{}
	for {
		select {
		case <-e.stop:
			return
		case <-e.wake:
			e.encode(c, &clock)
		}
	}
}

func (e *encoder) encode(c *engine.Encoder, clock *mediaClock) {
	e.mu.Lock()
	p, stamp, since, key, rate, fps := e.next, e.stamp, e.since, e.key, e.rate, e.fps
	e.next = nil
	if p != nil {
		e.key, e.rate, e.fresh = false, 0, false
	}
	e.mu.Unlock()
	if p == nil {
		return
	}
	var m []byte
	var err error
	e.w.cores.work(func() {
		if rate > 0 {
			err = c.Change(rate, fps)
		}
		var coded engine.Coded
		if err == nil {
			coded, err = c.Encode(p, clock.at(stamp), key)
		}
		if err != nil || len(coded.Data) == 0 {
			return
		}
		f := wire.Frame{Timestamp: stamp, Data: coded.Data, Side: coded.Side, Delay: uint32(time.Since(since).Microseconds())}
		if coded.Keyframe {
			f.Flags |= wire.FlagKey
		}
		m, err = wire.Append(nil, wire.Encoded, e.id, f.AppendEncoded)
	})
	p.Release()
	switch {
	case err != nil && e.failed:
	case err != nil:
		e.failed = true
		e.w.tell(wire.Failed, e.id, wire.Failure{Of: wire.OpenEncoder, Text: err.Error()}.Append)
	case m == nil: // left out by the rate control
		if key {
			e.wantKey()
		}
	default:
		select {
		case e.w.out <- m:
		case <-e.w.done:
		}
	}
}

// mediaClock turns timestamps of 90 kHz that may jump into a time that does not
// go back.
type mediaClock struct {
	began bool
	last  uint32
	now   time.Duration
}

func (m *mediaClock) at(stamp uint32) time.Duration {
	if m.began {
		if step := int32(stamp - m.last); step > 0 && step < 90000*5 {
			m.now += time.Duration(step) * time.Second / 90000
		} else {
			m.now += time.Second / 30
		}
	}
	m.began, m.last = true, stamp
	return m.now
}
