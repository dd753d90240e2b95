package bridge

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
)

// studio is what a video worker does for the bridge: pictures that do not fit a
// leg, and screens composed of several. It belongs to the bridge's goroutine.
//
// Each pass of the director says what it needs; what nobody has needed for a
// while is closed.
type studio struct {
	bridge *Bridge
	pool   *video.Pool

	stage   *video.Stage
	can     video.Abilities
	opening bool
	retry   time.Time // not before

	lenses map[lensKey]*lens
	boards map[string]*board
	names  map[nameKey]*name
	views  map[string]*settled
}

// lensKey is a picture in a quality class.
type lensKey struct {
	source string
	class  int
}

// lens is a picture being decoded.
type lens struct {
	track  media.Track
	source *video.Source // nil: it cannot be
	used   time.Time
}

// board is a canvas and who encodes it.
type board struct {
	canvas  *video.Canvas
	scene   video.Scene
	outputs map[string]*reel
	used    time.Time
}

type reel struct {
	output *video.Output
	used   time.Time
}

// settled is what a view showed last.
type settled struct {
	shown []string
	used  time.Time
}

// view decides what a screen shows; who has a place keeps it.
func (s *studio) view(all []layout.Candidate, w layout.Wish, now time.Time) layout.View {
	v := layout.Choose(all, w, nil)
	last := s.views[v.Key]
	if last == nil {
		last = &settled{}
		s.views[v.Key] = last
	}
	v = layout.Choose(all, w, last.shown)
	last.shown, last.used = v.Shown, now
	return v
}

// linger is how long what nobody needs is kept, in case somebody does.
const linger = 3 * time.Second

// retryWorker is how often a worker that is not there is looked for.
const retryWorker = 10 * time.Second

func newStudio(b *Bridge, pool *video.Pool) *studio {
	return &studio{
		bridge: b, pool: pool, lenses: map[lensKey]*lens{}, boards: map[string]*board{},
		names: map[nameKey]*name{}, views: map[string]*settled{},
	}
}

// ready reports whether pictures can be made. When not it sees to it that they
// can be soon, if at all.
func (s *studio) ready() bool {
	if s == nil || s.pool == nil {
		return false
	}
	now := s.bridge.in.Now()
	if s.stage == nil && !s.opening && now.After(s.retry) {
		s.open(now)
	}
	return s.stage != nil
}

// present reports whether there is a worker, ready or not.
func (s *studio) present() bool { return s != nil && s.pool != nil && s.pool.Available() == nil }

// knows reports whether a codec can be decoded, as far as that is known.
func (s *studio) knows(codec string) bool {
	return s.stage == nil || codec == "" || s.can.Decodes(media.Codec(codec))
}

// open takes a place at a worker, which may take a moment to start.
func (s *studio) open(now time.Time) {
	s.retry = now.Add(retryWorker)
	if s.pool.Available() != nil {
		return
	}
	s.opening = true
	b := s.bridge
	b.start(func() {
		stage, err := s.pool.Stage()
		var can video.Abilities
		if err == nil {
			can, err = stage.Abilities()
		}
		taken := false
		b.call(func() {
			s.opening = false
			if err != nil {
				b.log.Warn("no pictures but those that fit", zap.Error(err))
				return
			}
			taken = true
			s.stage, s.can = stage, can
			b.nudge()
		})
		if stage != nil && !taken {
			stage.Close()
		}
	})
}

// lens decodes a track, under the name of the picture it carries.
func (s *studio) lens(key lensKey, t media.Track, now time.Time) *video.Source {
	l := s.lenses[key]
	if l == nil || l.track != t {
		if l != nil {
			l.close()
		}
		l = &lens{track: t}
		s.lenses[key] = l
		var err error
		if l.source, err = s.stage.Open(t); err != nil {
			s.bridge.log.Warn("a picture cannot be decoded", zap.Stringer("format", t.Format()), zap.Error(err))
		}
	}
	l.used = now
	return l.source
}

func (l *lens) close() {
	if l.source != nil {
		l.source.Close()
	}
}

// board draws a scene under a key; a scene that changes its size needs another
// key.
func (s *studio) board(key string, scene video.Scene, now time.Time) *board {
	b := s.boards[key]
	if b == nil {
		canvas, err := s.stage.Canvas(scene)
		if err != nil {
			s.bridge.log.Warn("a screen cannot be composed", zap.String("view", key), zap.Error(err))
			return nil
		}
		b = &board{canvas: canvas, scene: scene, outputs: map[string]*reel{}}
		s.boards[key] = b
	}
	b.used = now
	if !sameScene(&b.scene, &scene) {
		if err := b.canvas.Show(scene); err != nil {
			s.bridge.log.Warn("a screen cannot be composed", zap.String("view", key), zap.Error(err))
			return b
		}
		b.scene = scene
	}
	return b
}

func sameScene(a, b *video.Scene) bool {
	return a.Width == b.Width && a.Height == b.Height && a.FPS == b.FPS && a.Follow == b.Follow &&
		a.Background == b.Background && slices.Equal(a.Tiles, b.Tiles) && slices.Equal(a.Labels, b.Labels)
}

// output encodes a board.
func (s *studio) output(b *board, role media.Role, f media.Format, bps int, now time.Time) *video.Output {
	key := fmt.Sprintf("%s %v %d", f.Codec, f.H264.ProfileLevelID, bps)
	r := b.outputs[key]
	if r == nil {
		o, err := b.canvas.Encode(video.Encoding{
			ID: fmt.Sprintf("composed %dx%d %s %d kbit/s", b.scene.Width, b.scene.Height, f.Codec, bps/1000), Role: role, Format: f,
			Bitrate: bps, FPS: b.scene.FPS,
		})
		if err != nil {
			s.bridge.log.Warn("a screen cannot be encoded", zap.Stringer("format", f), zap.Error(err))
			return nil
		}
		r = &reel{output: o}
		b.outputs[key] = r
	}
	r.used = now
	return r.output
}

// sweep closes what nobody has needed for a while.
func (s *studio) sweep(now time.Time) {
	if s == nil {
		return
	}
	stale := func(used time.Time) bool { return now.Sub(used) > linger }
	for key, b := range s.boards {
		for k, r := range b.outputs {
			if stale(r.used) {
				r.output.Close()
				delete(b.outputs, k)
			}
		}
		if stale(b.used) {
			b.close()
			delete(s.boards, key)
		}
	}
	for key, v := range s.views {
		if stale(v.used) {
			delete(s.views, key)
		}
	}
	for key, l := range s.lenses {
		if stale(l.used) {
			l.close()
			delete(s.lenses, key)
		}
	}
	for key, n := range s.names {
		if stale(n.used) {
			n.bitmap.Close()
			delete(s.names, key)
		}
	}
}

func (b *board) close() {
	for _, r := range b.outputs {
		r.output.Close()
	}
	b.canvas.Close()
}

// close ends everything. Nobody may show it any more.
func (s *studio) close() {
	if s == nil || s.stage == nil {
		return
	}
	for _, b := range s.boards {
		b.close()
	}
	for _, l := range s.lenses {
		l.close()
	}
	for _, n := range s.names {
		n.bitmap.Close()
	}
	s.stage.Close()
	s.stage = nil
}
