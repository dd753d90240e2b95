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
// call of two, that of who is on its screen in a meeting where it is a host.
func (s *session) cameraCommand(m h224.Message) {
	if s.forbids(directory.Moves) {
		return
	}
	s.mu.Lock()
	p, partner := s.place, s.partner
	s.mu.Unlock()
	target := partner
	if target == nil && p != nil && p.host {
		target = s.g.legOf(p.member.Watching())
	}
	if target == nil {
		return
	}
	c, ok := target.leg.(call.CameraController)
	if !ok {
		return
	}
	var err error
	switch m.Kind {
	case h224.Start, h224.Continue:
		err = c.MoveCamera(m.Motion)
	case h224.Stop:
		err = c.MoveCamera(h224.Motion{})
	case h224.StorePreset, h224.ActivatePreset:
		err = c.CameraPreset(m.Number, m.Kind == h224.StorePreset)
	}
	if err != nil {
		s.log.Debug("the other terminal has no camera to move")
	}
}
