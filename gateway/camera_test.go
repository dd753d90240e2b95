package gateway_test

import (
	"slices"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/media/h224"
)

// A terminal moves the camera of the one it talks to; a word that a motion goes on counts
// for a motion that has begun, and what goes on rests when the terminal is gone.
func TestMotionRestsWithWhoSteers(t *testing.T) {
	n := startNode(t, gateway.Settings{}, "room-b")
	a := n.dialIn("a", "room-b")
	eventually(t, "room-b is called", func() bool { return n.endpoint.out(0) != nil })
	b := n.endpoint.out(0)
	b.answer()
	eventually(t, "a is answered", func() bool { return a.answered() != nil })
	left := h224.Motion{Pan: -1}
	for _, m := range []h224.Message{{Kind: h224.Continue, Motion: left}, {Kind: h224.Start, Motion: left}, {Kind: h224.Continue, Motion: left}} {
		a.events <- call.Event{Kind: call.CameraCommand, Camera: m}
	}
	eventually(t, "the camera goes on", func() bool { return slices.Equal(b.moved(), []h224.Motion{left, left}) })
	a.Hangup(call.Cause{Code: call.NormalClearing})
	eventually(t, "the camera rests", func() bool { return slices.Equal(b.moved(), []h224.Motion{left, left, {}}) })
	eventually(t, "no calls are left", func() bool { return len(n.Calls()) == 0 })
}
