package bridge

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/h264"
)

// Main video has half of its share of a rated call while content goes out beside it.
func TestAllowance(t *testing.T) {
	now := time.Unix(1e9, 0)
	m := &Member{receiver: h264.Receiver{MaxBitrate: 960_000}}
	if got := m.allowance(now); got != 0 {
		t.Errorf("no rate: %d", got)
	}
	m.unit.Rated = true
	if got := m.allowance(now); got != 0 {
		t.Errorf("no content: %d", got)
	}
	m.presentation.screen = &contentScreen{}
	if got := m.allowance(now); got != 480_000 {
		t.Errorf("with content: %d", got)
	}
	m.allowed.take(200_000, now)
	if got := m.allowance(now); got != 200_000 {
		t.Errorf("less is allowed: %d", got)
	}
}
