package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/transcode/video/engine"
)

// easel is a canvas whose time the test moves, 50 ticks a second.
type easel struct {
	t       *testing.T
	canvas  *canvas
	source  *source
	watcher *encoder
	ticks   int
}

const tickTime = 20 * time.Millisecond

// newEasel draws one source into half of the canvas, or follows it.
func newEasel(t *testing.T, follows bool) *easel {
	t.Helper()
	w := &Worker{cores: newCores(), start: time.Now()}
	t.Cleanup(w.cores.close)
	src := &source{w: w}
	s := &scene{width: 64, height: 32, fps: 50, background: 0x808080, tiles: []tile{{source: src, rect: engine.Rect{W: 32, H: 32}}}}
	if follows {
		s.follow = src
	}
	e := &easel{t: t, source: src, canvas: &canvas{w: w, width: 64, height: 32, scene: s, version: 1}, watcher: &encoder{fresh: true}}
	e.canvas.add(e.watcher)
	e.comes()
	t.Cleanup(func() {
		src.latest.Release()
		if c := e.canvas; c.current != nil {
			c.current.Release()
		}
		if c := e.canvas; c.spare != nil {
			c.spare.Release()
		}
	})
	return e
}

// comes lets the source have another picture, as of now.
func (e *easel) comes() {
	e.t.Helper()
	p, err := engine.NewPicture(32, 32)
	require.NoError(e.t, err)
	e.source.publish(p, uint32(e.ticks*1800))
}

// given reports whether an encoder was handed a picture, and takes it.
func given(e *encoder) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.next == nil {
		return false
	}
	e.next.Release()
	e.next, e.key, e.fresh = nil, false, false
	return true
}

// run ticks for a while; it gives the pauses between the pictures that the watcher was
// handed, counted from the beginning.
func (e *easel) run(d time.Duration, each func(tick int)) (pauses []time.Duration) {
	e.t.Helper()
	last := e.ticks
	for tick := range int(d / tickTime) {
		e.ticks++
		if each != nil {
			each(tick)
		}
		e.canvas.tick(e.canvas.w.start.Add(time.Duration(e.ticks) * tickTime))
		if given(e.watcher) {
			pauses = append(pauses, time.Duration(e.ticks-last)*tickTime)
			last = e.ticks
		}
	}
	return pauses
}

// sharpens says that pictures came as of what stands still: some in short order, so that
// it gets sharp, then few, so that it costs nothing and nobody takes it for dead.
func sharpens(t *testing.T, pauses []time.Duration) {
	t.Helper()
	require.Greater(t, len(pauses), sharpened+2)
	for i, pause := range pauses {
		switch {
		case i == 0: // drawn at once
			assert.LessOrEqual(t, pause, tickTime, "the first")
		case i <= sharpened:
			assert.InDelta(t, still, pause, float64(tickTime), "picture %d sharpens", i)
		default:
			assert.InDelta(t, calm, pause, float64(tickTime), "picture %d shows that it lives", i)
		}
	}
}

// What stands still gets sharp and is left alone then.
func TestStillCanvas(t *testing.T) {
	for _, follows := range []bool{false, true} {
		e := newEasel(t, follows)
		sharpens(t, e.run(30*time.Second, nil))
	}
}

// What moves is never taken for still, however slowly it moves, and however long it has
// stood still before.
func TestMovingCanvas(t *testing.T) {
	for _, every := range []int{1, 2, 20} { // ticks; the last is slower than any camera
		e := newEasel(t, false)
		pauses := e.run(20*time.Second, func(tick int) {
			if tick%every == 0 {
				e.comes()
			}
		})
		assert.InDelta(t, 1000/every, len(pauses), 1, "a picture in %d ticks", every)
		for _, pause := range pauses[1:] {
			assert.Equal(t, time.Duration(every)*tickTime, pause)
		}
	}

	// Slower than it would be drawn for its sharpness: what is new is drawn at once, and
	// gets sharp as far as there is time.
	e := newEasel(t, false)
	e.run(20*time.Second, nil) // calm by now
	for range 5 {
		e.comes()
		assert.Len(t, e.run(tickTime, nil), 1, "drawn in the tick it came in")
		assert.Len(t, e.run(2*still+100*time.Millisecond, nil), 2, "for its sharpness")
	}
	e.comes()
	sharpens(t, e.run(30*time.Second, nil))
}

// Another scene over a source that stands still, such as one with another name, is drawn
// at once, not as late as one that is left alone.
func TestStillSourceOfAnotherScene(t *testing.T) {
	e := newEasel(t, true)
	e.run(22*time.Second, nil)
	other := *e.canvas.scene
	other.background = 0x208080
	e.canvas.show(&other)
	sharpens(t, e.run(30*time.Second, nil))
}

// Who comes to what stands still sees it at once and sees it sharpen, and so does everybody
// else; who asks for a keyframe gets it at once, which begins nothing anew.
func TestStillCanvasHasVisitors(t *testing.T) {
	e := newEasel(t, false)
	e.run(20*time.Second, nil)
	other := &encoder{fresh: true}
	e.canvas.add(other)
	seen := 0
	sharpens(t, e.run(30*time.Second, func(int) {
		if given(other) {
			seen++
		}
	}))
	assert.Greater(t, seen, sharpened)

	for range 4 {
		e.run(time.Second, nil)
		e.watcher.mu.Lock()
		e.watcher.key = true
		e.watcher.mu.Unlock()
		pauses := e.run(4*time.Second, nil)
		require.Len(t, pauses, 1, "the keyframe alone")
		assert.LessOrEqual(t, pauses[0], tickTime)
		given(other)
	}
}
