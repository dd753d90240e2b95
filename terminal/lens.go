package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media/h224"
)

// lens is the terminal's camera as far as it can be moved: it goes as long as it is told to.
type lens struct {
	moving h224.Motion
	since  time.Time
	report *CameraReport
}

// abilities are those of the camera; nil when it cannot be moved.
func (p *prepared) abilities() *h224.Abilities {
	if p.NoCamera || p.AudioOnly {
		return nil
	}
	return &h224.Abilities{Presets: 15, Pan: true, Tilt: true, Zoom: true, Focus: p.FocusCamera}
}

func (l *lens) command(m h224.Message, now time.Time, log *zap.Logger) {
	if l.report == nil {
		l.report = &CameraReport{Stored: []int{}, Visited: []int{}}
	}
	switch m.Kind {
	case h224.Start:
		l.rest(now)
		l.moving, l.since = m.Motion, now
		l.report.Moves++
		log.Info("the camera moves", zap.Any("motion", m.Motion))
	case h224.Stop:
		l.rest(now)
		log.Info("the camera rests")
	case h224.StorePreset:
		l.report.Stored = append(l.report.Stored, int(m.Number))
	case h224.ActivatePreset:
		l.report.Visited = append(l.report.Visited, int(m.Number))
	}
}

// rest adds up where the camera went.
func (l *lens) rest(now time.Time) {
	ms := now.Sub(l.since).Milliseconds()
	l.report.PanMS += int64(l.moving.Pan) * ms
	l.report.TiltMS += int64(l.moving.Tilt) * ms
	l.report.ZoomMS += int64(l.moving.Zoom) * ms
	l.report.FocusMS += int64(l.moving.Focus) * ms
	l.moving, l.since = h224.Motion{}, now
}

// end is where the camera went in all; nil when nobody moved it. It rests with the call at
// the latest: nobody is there to stop it.
func (l *lens) end(now time.Time, log *zap.Logger) *CameraReport {
	if l.report != nil {
		if l.report.Moving = l.moving.Moving(); l.report.Moving {
			log.Info("the camera rests")
		}
		l.rest(now)
	}
	return l.report
}

// steering is one thing done to the far side's camera.
type steering struct {
	motion h224.Motion
	preset uint8
	store  bool
	hold   bool // to the end of the call
}

const (
	steerAfter = time.Second
	steerFor   = 500 * time.Millisecond
)

var steerings = map[string]h224.Motion{
	"left": {Pan: -1}, "right": {Pan: 1}, "up": {Tilt: 1}, "down": {Tilt: -1}, "in": {Zoom: 1}, "out": {Zoom: -1},
	"focus-in": {Focus: 1}, "focus-out": {Focus: -1},
}

func (p *prepared) checkSteer() error {
	if p.Steer == "" {
		return nil
	}
	for _, word := range strings.Split(p.Steer, ",") {
		direction, hold := strings.CutPrefix(word, "hold:")
		motion, ok := steerings[direction]
		s := steering{motion: motion, hold: hold}
		if verb, number, is := strings.Cut(word, ":"); is && (verb == "store" || verb == "preset") {
			n, err := strconv.ParseUint(number, 10, 4)
			ok, s.preset, s.store = err == nil, uint8(n), verb == "store"
		}
		if !ok {
			return fmt.Errorf("steer %q is none of left, right, up, down, in, out, focus-in, focus-out, each also after hold:, store:N, preset:N", word)
		}
		p.steer = append(p.steer, s)
	}
	return nil
}

// steerNext does the next thing to the far side's camera, and tells when the one after it is
// due.
func (v *visit) steerNext() <-chan time.Time {
	c, ok := v.leg.(call.CameraController)
	if !ok {
		return nil
	}
	var err error
	if len(v.steer) == 0 {
		_ = c.MoveCamera(h224.Motion{}) // it was moved before
		return nil
	}
	s := v.steer[0]
	if !s.hold {
		v.steer = v.steer[1:]
	}
	if s.motion.Moving() {
		err = c.MoveCamera(s.motion)
	} else {
		if err = c.MoveCamera(h224.Motion{}); err == nil {
			err = c.CameraPreset(s.preset, s.store)
		}
	}
	if err != nil {
		v.log.Info("the far camera", zap.Error(err))
		return nil
	}
	return time.After(steerFor)
}
