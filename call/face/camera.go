package face

import (
	"context"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h224"
)

// Cameras is a leg's conversation about cameras, for a stack that embeds it: it implements
// call.CameraController. Follow and Close belong to the stack's goroutine.
type Cameras struct {
	ours    *h224.Abilities // of the cameras that the far side may move; nil: none
	told    func(h224.Message)
	log     *zap.Logger
	channel atomic.Pointer[h224.Channel]
	carried media.Peer // what carries it now

	mu    sync.Mutex
	heard media.Track // of the far side, which may speak before all is agreed on here
}

// NewCameras makes one; told hears, on no goroutine of the leg's, what the far side wants.
func NewCameras(ours *h224.Abilities, log *zap.Logger, told func(h224.Message)) *Cameras {
	return &Cameras{ours: ours, told: told, log: log}
}

// Follow keeps the conversation on what was agreed for it: a session that sends, or nil.
func (c *Cameras) Follow(carrier media.Peer) {
	if carrier == nil {
		c.Close()
		return
	}
	ch := c.channel.Load()
	if ch == nil {
		ch = h224.NewChannel(h224.Config{Camera: c.ours, OnMessage: c.told})
		c.mu.Lock()
		c.channel.Store(ch)
		if c.heard != nil {
			c.heard.Attach(ch)
		}
		c.mu.Unlock()
	}
	if c.carried == carrier {
		return
	}
	if _, err := carrier.Publish(context.Background(), ch); err != nil {
		c.log.Debug("camera control is not sent", zap.Error(err))
		return
	}
	c.carried = carrier
}

// Hear takes what the far side says, from a track of the role Camera; false for others.
func (c *Cameras) Hear(t media.Track) bool {
	if t.Role() != media.Camera {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = t
	if ch := c.channel.Load(); ch != nil {
		t.Attach(ch)
	}
	return true
}

// Close ends the conversation; what moves is told to stop.
func (c *Cameras) Close() {
	c.carried = nil
	if ch := c.channel.Swap(nil); ch != nil {
		ch.Close()
	}
}

// Camera implements call.CameraController.
func (c *Cameras) Camera() (h224.Abilities, bool) {
	if ch := c.channel.Load(); ch != nil {
		return ch.Abilities()
	}
	return h224.Abilities{}, false
}

// MoveCamera implements call.CameraController.
func (c *Cameras) MoveCamera(m h224.Motion) error {
	ch := c.channel.Load()
	if ch == nil {
		return call.ErrNoCamera
	}
	ch.Move(m)
	return nil
}

// CameraPreset implements call.CameraController.
func (c *Cameras) CameraPreset(number uint8, store bool) error {
	ch := c.channel.Load()
	if ch == nil {
		return call.ErrNoCamera
	}
	ch.Preset(number, store)
	return nil
}
