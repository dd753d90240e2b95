package gateway

import (
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/media/h224"
)

// Cameras of terminals, moved by operators, hosts and other terminals.

// CameraMotion and CameraAbilities are those of H.281.
type (
	CameraMotion    = h224.Motion
	CameraAbilities = h224.Abilities
)

// ErrNoCamera is returned where a terminal has no camera to move.
var ErrNoCamera = call.ErrNoCamera

// CameraOf is what the camera of a call's terminal can do; ok is false where there is none
// that can be moved.
func (g *Gateway) CameraOf(id string) (can CameraAbilities, ok bool) {
	s, err := g.session(id)
	if err != nil {
		return can, false
	}
	if c, is := s.leg.(call.CameraController); is {
		return c.Camera()
	}
	return can, false
}

// MoveCamera moves the camera of a call's terminal for h224.Hold; who wants more says so
// again. The zero Motion stops it.
func (g *Gateway) MoveCamera(id string, m CameraMotion) error {
	c, err := g.camera(id)
	if err != nil {
		return err
	}
	return c.MoveCamera(m)
}

// CameraPreset stores the camera's position under a number from 0 to 15, or goes to it.
func (g *Gateway) CameraPreset(id string, number uint8, store bool) error {
	c, err := g.camera(id)
	if err != nil {
		return err
	}
	return c.CameraPreset(number, store)
}

func (g *Gateway) camera(id string) (call.CameraController, error) {
	s, err := g.session(id)
	if err != nil {
		return nil, err
	}
	c, ok := s.leg.(call.CameraController)
	if !ok {
		return nil, ErrNoCamera
	}
	return c, nil
}

// CallOf finds the call behind an identity in a meeting.
func (g *Gateway) CallOf(alias, identity string) (id string, err error) {
	g.mu.Lock()
	m := g.meetings[alias]
	g.mu.Unlock()
	s := g.legOf(identity)
	if m == nil || s == nil || !s.inMeeting(m) {
		return "", ErrNoParticipant
	}
	return s.id, nil
}

// cameraCommand passes on what the terminal wants of the camera it sees: the other's in a
// call of two, that of who is on its screen in a meeting where it is a host. A motion goes on
// and ends at the camera it began at, whoever is on the screen by then.
func (s *session) cameraCommand(m h224.Message) {
	if s.forbids(directory.Moves) {
		s.letCameraRest()
		return
	}
	var err error
	switch m.Kind {
	case h224.Start:
		s.letCameraRest()
		if s.steers = s.cameraSeen(); s.steers != nil {
			err = s.steers.MoveCamera(m.Motion)
		}
	case h224.Continue:
		if s.steers != nil {
			err = s.steers.MoveCamera(m.Motion)
		}
	case h224.Stop:
		s.letCameraRest()
	case h224.StorePreset, h224.ActivatePreset:
		if c := s.cameraSeen(); c != nil {
			err = c.CameraPreset(m.Number, m.Kind == h224.StorePreset)
		}
	}
	if err != nil {
		s.log.Debug("the other terminal has no camera to move")
	}
}

// letCameraRest stops the camera that the terminal moves, also when it has left: nobody
// would stop it before its time is up.
func (s *session) letCameraRest() {
	if s.steers != nil {
		_ = s.steers.MoveCamera(h224.Motion{}) // an error: its terminal has left
		s.steers = nil
	}
}

// cameraSeen is the camera that the terminal may move; nil: there is none.
func (s *session) cameraSeen() call.CameraController {
	s.mu.Lock()
	p, target := s.place, s.partner
	s.mu.Unlock()
	if target == nil && p != nil && p.host {
		target = s.g.legOf(p.member.Watching())
	}
	if target == nil {
		return nil
	}
	c, _ := target.leg.(call.CameraController)
	return c
}
