package gateway_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// fakeCodes are codes of the meeting 88001, with the role that each gives.
type fakeCodes struct {
	mu   sync.Mutex
	role map[string]string
	by   map[string]string // who has used it
}

func (c *fakeCodes) Look(_ context.Context, meeting, digits string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if meeting != "88001" || c.by[digits] != "" {
		return "", nil
	}
	return c.role[digits], nil
}

func (c *fakeCodes) Use(ctx context.Context, meeting, digits, by string) (string, error) {
	role, err := c.Look(ctx, meeting, digits)
	c.mu.Lock()
	defer c.mu.Unlock()
	if role != "" {
		c.by[digits] = by
	}
	return role, err
}

func (c *fakeCodes) Return(_ context.Context, _, digits, by string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[digits] == by {
		delete(c.by, digits)
	}
	return nil
}

func (c *fakeCodes) used(digits string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[digits] != ""
}

const guestCode, hostCode = "11111111", "22222222"

// startCoded is a node with a lobby and a meeting that has codes.
func startCoded(t *testing.T, spec gateway.MeetingSpec) (*node, *fakeCodes) {
	t.Helper()
	codes := &fakeCodes{role: map[string]string{guestCode: call.RoleGuest, hostCode: call.RoleHost}, by: map[string]string{}}
	sounds := prompts(t)
	n := startNodeAs(t, func(c *gateway.Config) { c.Prompts, c.Codes = sounds, codes }, gateway.Settings{Lobby: gateway.LobbySettings{Language: "en"}})
	spec.Alias = "88001"
	must(n.CreateMeeting(t.Context(), spec))
	return n, codes
}

func TestCodesAreDialledOnce(t *testing.T) {
	n, codes := startCoded(t, gateway.MeetingSpec{HostPIN: "9999", GuestPIN: "1234", JoinMuted: true})
	first := n.dialIn("first", "88001*"+guestCode)
	n.comesTo(first, "active 88001")
	if c := must(n.Call("first")); c.Info.Called != "88001*****" || !c.Muted {
		t.Errorf("%q, muted %v", c.Info.Called, c.Muted)
	}
	chair := n.dialIn("chair", "88001*"+hostCode)
	n.comesTo(chair, "active 88001")
	if must(n.Call("chair")).Muted {
		t.Error("a host comes in muted")
	}
	again := n.dialIn("again", "88001*"+guestCode)
	n.comesTo(again, "lobby 88001") // the PIN is asked for
	again.press("1234#")
	n.comesTo(again, "active 88001")
	first.Hangup(call.Cause{Code: call.NormalClearing})
	eventually(t, "the first has left", func() bool { return len(n.Calls()) == 2 })
	if !codes.used(guestCode) {
		t.Error("given back after the call")
	}
}

func TestCodesAreKeyed(t *testing.T) {
	n, codes := startCoded(t, gateway.MeetingSpec{GuestPIN: "1234"})
	l := n.dialIn("l", "88001")
	n.comesTo(l, "lobby 88001")
	l.press("87654321#") // none
	l.press(guestCode + "#")
	n.comesTo(l, "active 88001")
	if !codes.used(guestCode) {
		t.Error("not used up")
	}
}

// A code that let nobody in is good again.
func TestCodesAreGivenBack(t *testing.T) {
	n, codes := startCoded(t, gateway.MeetingSpec{GuestPIN: "1234", HostPIN: "9999", Locked: true})
	back := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return !codes.used(guestCode) })
	}
	late := n.dialIn("late", "88001*"+guestCode)
	n.comesTo(late, "lobby 88001") // which says that it is locked
	late.Hangup(call.Cause{Code: call.NormalClearing})
	back("locked")
	if err := n.Lock(t.Context(), "88001", false); err != nil {
		t.Fatal(err)
	}
	must(n.ChangeMeeting(t.Context(), "88001", func(s *gateway.MeetingSpec) { s.Lobby = true }))
	waits := func(id string) *fakeLeg {
		t.Helper()
		l := n.dialIn(id, "88001*"+guestCode)
		eventually(t, id+" waits", func() bool { return len(must(n.Waiting("88001"))) == 1 })
		if !codes.used(guestCode) {
			t.Error("two could wait by one code")
		}
		return l
	}
	waits("tired").Hangup(call.Cause{Code: call.Cancelled})
	back("gone while waiting")
	welcome := waits("welcome")
	if err := n.Admit("88001", "welcome", true); err != nil {
		t.Fatal(err)
	}
	n.comesTo(welcome, "active 88001")
	if !codes.used(guestCode) {
		t.Error("given back to one who is in")
	}
	codes.Return(t.Context(), "", guestCode, codes.by[guestCode])
	denied := waits("denied")
	if err := n.Admit("88001", "denied", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "turned away", func() bool { return denied.cause() == call.Rejected })
	if !codes.used(guestCode) {
		t.Error("a host has said no")
	}
}

func TestCodesForBrowsers(t *testing.T) {
	n, codes := startCoded(t, gateway.MeetingSpec{GuestPIN: "1234", HostPIN: "9999"})
	enter := func(pin string, want error) {
		t.Helper()
		if err := n.MayEnter(t.Context(), "88001", gateway.Knock{PIN: pin}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", pin, err, want)
		}
	}
	enter("87654321", gateway.ErrPIN)
	for range 3 {
		enter(guestCode, nil) // asking does not use it up
	}
	if codes.used(guestCode) {
		t.Fatal("used up by asking")
	}
	must(n.Token(t.Context(), "88001", "Lan", call.RoleGuest, guestCode, false))
	enter(guestCode, gateway.ErrPIN)
	if _, err := n.Token(t.Context(), "88001", "An", call.RoleGuest, guestCode, false); !errors.Is(err, gateway.ErrPIN) {
		t.Errorf("twice: %v", err)
	}
	must(n.Token(t.Context(), "88001", "An", call.RoleGuest, "1234", false))
}
