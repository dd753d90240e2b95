package gateway_test

import (
	"context"
	"errors"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
)

func startKeys(t *testing.T, on bool) *node {
	t.Helper()
	rules, err := route.Compile(nil, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rules.Lobby = route.Lobby{Aliases: []string{"lobby"}}
	return startNodeWith(t, gateway.Settings{Rules: rules, Keypad: on, Lobby: gateway.LobbySettings{Language: "en"}}, prompts(t), "1001")
}

func (n *node) muted(l *fakeLeg) bool {
	c, err := n.Call(l.Info().ID)
	return err == nil && c.Muted
}

// Keys in a meeting mute, and lock for hosts; those that were for the lobby do not.
func TestKeysInAMeeting(t *testing.T) {
	n := startKeys(t, true)
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234", HostPIN: "9999"}))
	guest, host := n.dialIn("guest", "88001"), n.dialIn("host", "88001*9999")
	n.comesTo(guest, "lobby 88001")
	n.comesTo(host, "active 88001")
	guest.press("*1234#6") // * begins the PIN anew there
	n.comesTo(guest, "active 88001")
	locked := func() bool { return must(n.Meeting("88001")).Locked }
	host.press("*5")
	eventually(t, "it is locked", locked)
	host.press("*5")
	eventually(t, "it is open", func() bool { return !locked() })
	guest.press("*5*6")
	eventually(t, "the guest is muted", func() bool { return n.muted(guest) })
	if locked() {
		t.Error("a guest has locked the meeting")
	}
	guest.press("6*9*6")
	eventually(t, "the guest is heard again", func() bool { return !n.muted(guest) })
}

// Who asks for the chat where nobody has written is told so; who is no longer there is not.
func TestNoChat(t *testing.T) {
	n := startKeys(t, true)
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001"}))
	a := n.dialIn("a", "88001")
	n.comesTo(a, "active 88001")
	if err := n.ShowChat(a.Info().ID); !errors.Is(err, gateway.ErrNoChat) {
		t.Errorf("chat of nobody: %v", err)
	}
	if err := n.ShowChat("none"); !errors.Is(err, gateway.ErrNoCall) {
		t.Errorf("chat of no call: %v", err)
	}
}

// In a call of two terminals, and where they are turned off, keys are no commands.
func TestKeysThatAreNoCommands(t *testing.T) {
	n := startKeys(t, true)
	a := n.dialIn("a", "1001")
	eventually(t, "the other is called", func() bool { return n.endpoint.out(0) != nil })
	b := n.endpoint.out(0)
	b.answer()
	eventually(t, "it is answered", func() bool { return a.answered() != nil })
	a.press("*6")
	eventually(t, "the keys go to the other", func() bool { return len(b.gotDigits()) == 2 })
	if n.muted(a) {
		t.Error("and mute")
	}

	n = startKeys(t, false)
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001"}))
	c := n.dialIn("c", "88001")
	n.comesTo(c, "active 88001")
	c.press("*6")
	c.events <- call.Event{Kind: call.Held}
	n.comesTo(c, "held 88001") // so the keys were looked at
	if n.muted(c) {
		t.Error("a key that is turned off mutes")
	}
}
