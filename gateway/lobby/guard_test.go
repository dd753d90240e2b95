package lobby_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby"
)

func TestGuard(t *testing.T) {
	now := time.Unix(1e9, 0)
	g := lobby.NewGuard(func() time.Time { return now })
	var last time.Duration
	for i := range 10 {
		if g.TurnedAway("thief") {
			t.Fatalf("turned away after %d", i)
		}
		delay := g.Failed("thief", "88001")
		if delay < last || delay < 500*time.Millisecond || delay > 8*time.Second {
			t.Errorf("failure %d waits %v after %v", i, delay, last)
		}
		last = delay
	}
	if !g.TurnedAway("thief") || last != 8*time.Second {
		t.Errorf("not turned away; the last answer took %v", last)
	}
	if g.TurnedAway("minister") {
		t.Error("somebody else is turned away")
	}
	if d := g.Failed("minister", "88001"); d != 500*time.Millisecond {
		t.Errorf("somebody else's first mistake waits %v", d)
	}
	now = now.Add(10 * time.Minute)
	if g.TurnedAway("thief") {
		t.Error("turned away for ever")
	}
	if d := g.Failed("thief", "88001"); d != 500*time.Millisecond {
		t.Errorf("the first failure of a new time waits %v", d)
	}
}

// Guesses from many sources are slow at the meeting they are about, turn nobody
// away, and do not fill the memory.
func TestGuardOfManySources(t *testing.T) {
	now := time.Unix(1e9, 0)
	g := lobby.NewGuard(func() time.Time { return now })
	var slow time.Duration
	for i := range 20000 {
		slow = g.Failed(fmt.Sprint("bot-", i), "88001")
	}
	if slow != 8*time.Second {
		t.Errorf("waits %v", slow)
	}
	if g.TurnedAway("minister") || g.Failed("minister", "88002") != 500*time.Millisecond {
		t.Error("another meeting is disturbed")
	}
}
