package worker

import (
	"fmt"
	"sync"
	"time"

	"github.com/roomgate/roomgate/transcode/video/engine"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// scene is what a canvas shows, with sources and bitmaps looked up.
type scene struct {
	width, height int
	fps           float64
	follow        *source
	background    engine.YUV
	tiles         []tile
	bitmaps       []placed
	strays        bool // a bitmap lies on more than one tile
}

type tile struct {
	source *source
	rect   engine.Rect
	fit    engine.Fit
	colour engine.YUV
}

type placed struct {
	bitmap *engine.Bitmap
	x, y   int
}

// scene checks what a gateway wants shown.
func (w *Worker) scene(s *wire.Scene) (*scene, error) {
	out := &scene{width: s.Width, height: s.Height, fps: min(max(s.FPS, 1), 60), background: engine.YUV(s.Background)}
	if s.Width < 16 || s.Height < 16 || s.Width%2 != 0 || s.Height%2 != 0 || s.Width*s.Height > maxCanvas {
		return nil, fmt.Errorf("canvas of %dx%d", s.Width, s.Height)
	}
	out.follow = w.sources[s.Follow]
	for _, t := range s.Tiles {
		if engine.Fit(t.Fit) > engine.Stretch {
			return nil, fmt.Errorf("fit %d", t.Fit)
		}
		out.tiles = append(out.tiles, tile{
			w.sources[t.Source], engine.Rect{X: t.X, Y: t.Y, W: t.W, H: t.H}.Even(), engine.Fit(t.Fit), engine.YUV(t.Colour),
		})
	}
	for _, p := range s.Bitmaps {
		if b := w.bitmaps[p.Bitmap]; b != nil {
			out.bitmaps = append(out.bitmaps, placed{b, p.X &^ 1, p.Y &^ 1})
			out.strays = out.strays || !out.inOneTile(out.bitmaps[len(out.bitmaps)-1])
		}
	}
	return out, nil
}

// maxCanvas bounds the pixels of a canvas: 1920x1200.
const maxCanvas = 1920 * 1200

// inOneTile reports whether what lies under a bitmap is drawn with one tile.
func (s *scene) inOneTile(p placed) bool {
	touches := 0
	inside := false
	for _, t := range s.tiles {
		if p.touches(t.rect) {
			touches++
			inside = p.x >= t.rect.X && p.y >= t.rect.Y && p.x+p.bitmap.Width <= t.rect.X+t.rect.W && p.y+p.bitmap.Height <= t.rect.Y+t.rect.H
		}
	}
	return touches == 1 && inside
}

func (p placed) touches(r engine.Rect) bool {
	return p.x < r.X+r.W && r.X < p.x+p.bitmap.Width && p.y < r.Y+r.H && r.Y < p.y+p.bitmap.Height
}

// canvas draws a scene again and again and hands it to encoders.
type canvas struct {
	w             *Worker
	width, height int
	wake          chan struct{}
	stop          chan struct{}

	mu       sync.Mutex
	scene    *scene
	version  uint64 // of the scene
	encoders []*encoder

	// Of run's goroutine.
	current   *engine.Picture // drawn last
	spare     *engine.Picture
	drawn     uint64   // version of the scene drawn last
	serials   []uint64 // of the pictures in its tiles
	sent      time.Time
	sentStamp uint32
	began     bool
	alike     int // pictures in a row that were the same
	looking   int // encoders there were
	// What the source followed was at when it was looked at last.
	followed    *source
	serial      uint64
	sourceStamp uint32 // of its last picture that was due
}

// still is how often a canvas that does not change is encoded all the same, so that its
// quality gets better: sharpened times, then every calm, so that nobody takes it for dead.
const (
	still     = 500 * time.Millisecond
	sharpened = 6
	calm      = 5 * time.Second
)

func newCanvas(w *Worker, s *scene) *canvas {
	c := &canvas{w: w, width: s.width, height: s.height, wake: make(chan struct{}, 1), stop: make(chan struct{}), scene: s, version: 1}
	if s.follow != nil {
		s.follow.follow(c)
	}
	w.wait.Add(1)
	go c.run()
	return c
}

// show changes the scene.
func (c *canvas) show(s *scene) {
	c.mu.Lock()
	old := c.scene
	c.scene = s
	c.version++
	c.mu.Unlock()
	if old.follow != s.follow {
		if old.follow != nil {
			old.follow.unfollow(c)
		}
		if s.follow != nil {
			s.follow.follow(c)
		}
	}
	c.nudge()
}

func (c *canvas) add(e *encoder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.encoders = append(append([]*encoder(nil), c.encoders...), e)
}

func (c *canvas) remove(e *encoder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rest []*encoder
	for _, o := range c.encoders {
		if o != e {
			rest = append(rest, o)
		}
	}
	c.encoders = rest
}

// nudge makes run look again; it never blocks.
func (c *canvas) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *canvas) close() { close(c.stop) }

// run draws when it is time.
func (c *canvas) run() {
	defer c.w.wait.Done()
	defer c.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for {
		select {
		case <-c.stop:
			return
		case <-c.wake:
			c.mu.Lock()
			follows := c.scene.follow != nil
			c.mu.Unlock()
			if follows {
				c.tick(time.Now())
			}
		case now := <-timer.C:
			c.mu.Lock()
			s := c.scene
			c.mu.Unlock()
			every := time.Duration(float64(time.Second) / s.fps)
			if s.follow != nil {
				every = still
			}
			c.tick(time.Now())
			if next = next.Add(every); next.Before(now) { // too late to catch up
				next = now.Add(every)
			}
			timer.Reset(time.Until(next))
		}
	}
}

func (c *canvas) end() {
	for _, p := range []*engine.Picture{c.current, c.spare} {
		if p != nil {
			p.Release()
		}
	}
	c.mu.Lock()
	follow := c.scene.follow
	c.mu.Unlock()
	if follow != nil {
		follow.unfollow(c)
	}
}

// tick draws and encodes, as far as there is anything new.
func (c *canvas) tick(now time.Time) {
	c.mu.Lock()
	s, version, encoders := c.scene, c.version, c.encoders
	c.mu.Unlock()
	urgent := false
	for _, e := range encoders {
		urgent = urgent || e.waiting()
	}
	changed := c.changed(s, version)
	if len(encoders) != c.looking { // whoever is new has to see it sharpen, too
		c.looking, c.alike = len(encoders), 0
	}
	pause := still
	if c.alike >= sharpened && !changed {
		pause = calm
	}
	if len(encoders) == 0 || !urgent && !changed && now.Sub(c.sent) < pause {
		return
	}
	stamp, due := c.stamp(s, now, pause)
	if !due && !urgent {
		return
	}
	p := c.draw(s, version)
	if p == nil {
		return
	}
	c.sent, c.sentStamp, c.began = now, stamp, true
	if !urgent {
		c.alike++
	}
	if changed {
		c.alike = 0
	}
	for _, e := range encoders {
		e.give(p.Hold(), stamp, now)
	}
	p.Release()
}

// changed reports whether a picture is another than when it was drawn last.
func (c *canvas) changed(s *scene, version uint64) bool {
	if version != c.drawn || len(c.serials) != len(s.tiles) {
		return true
	}
	for i, t := range s.tiles {
		if t.source != nil && t.source.serial.Load() != c.serials[i] {
			return true
		}
	}
	return false
}

// stamp is the timestamp of a picture drawn now: that of the source followed,
// or of our own clock. One that comes too early for the frame rate is not due.
// A source that jumps in time jumps here, too.
func (c *canvas) stamp(s *scene, now time.Time, pause time.Duration) (stamp uint32, due bool) {
	if s.follow == nil {
		return uint32(now.Sub(c.w.start) * 9 / 100_000), true
	}
	stamp, serial := s.follow.position()
	since := now.Sub(c.sent)
	if c.began && s.follow == c.followed && serial == c.serial { // for those who want it now, or nothing else came
		return c.sentStamp + uint32(max(since, time.Millisecond)*9/100_000), since >= pause
	}
	early := c.began && s.follow == c.followed && stamp-c.sourceStamp < uint32(0.7*90000/s.fps)
	c.followed, c.serial = s.follow, serial
	if !early {
		c.sourceStamp = stamp
	}
	return stamp, !early
}

// draw gives the scene as a picture held for the caller.
func (c *canvas) draw(s *scene, version uint64) *engine.Picture {
	if p := c.untouched(s, version); p != nil {
		return p
	}
	all := version != c.drawn || len(c.serials) != len(s.tiles) || s.strays || c.current == nil
	if !c.current.Alone() { // an encoder still looks at it
		c.current, c.spare = c.spare, c.current
		all = true
		if !c.current.Alone() {
			if c.current != nil {
				c.current.Release()
			}
			p, err := engine.NewPicture(c.width, c.height)
			if err != nil {
				c.current = nil
				return nil
			}
			c.current = p
		}
	}
	if len(c.serials) != len(s.tiles) {
		c.serials = make([]uint64, len(s.tiles))
	}
	c.w.cores.work(func() { c.paint(s, all) })
	c.drawn = version
	return c.current.Hold()
}

// untouched gives a source's own picture when the scene is nothing else.
func (c *canvas) untouched(s *scene, version uint64) *engine.Picture {
	if len(s.tiles) != 1 || len(s.bitmaps) > 0 || s.tiles[0].source == nil || s.tiles[0].rect != (engine.Rect{W: c.width, H: c.height}) {
		return nil
	}
	p, serial := s.tiles[0].source.hold()
	if p == nil {
		return nil
	}
	if w, h := p.Size(); w != c.width || h != c.height {
		p.Release()
		return nil
	}
	c.drawn, c.serials = version, append(c.serials[:0], serial)
	if c.current != nil { // not what is shown any more
		c.current.Release()
		c.current = nil
	}
	return p
}

// paint draws all of a scene, or the tiles that have changed.
func (c *canvas) paint(s *scene, all bool) {
	if all {
		c.current.Fill(engine.Rect{W: c.width, H: c.height}, s.background)
	}
	for i, t := range s.tiles {
		var p *engine.Picture
		var serial uint64
		if t.source != nil {
			p, serial = t.source.hold()
		}
		fresh := all || serial != c.serials[i]
		c.serials[i] = serial
		switch {
		case p != nil && fresh:
			c.current.Draw(t.rect, p, t.fit)
		case fresh:
			c.current.Fill(t.rect, t.colour)
		}
		if p != nil {
			p.Release()
		}
		if !fresh || all {
			continue
		}
		for _, b := range s.bitmaps {
			if b.touches(t.rect) {
				c.current.Blend(b.x, b.y, b.bitmap)
			}
		}
	}
	if all {
		for _, b := range s.bitmaps {
			c.current.Blend(b.x, b.y, b.bitmap)
		}
	}
}
