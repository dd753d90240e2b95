package gateway_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
)

// prompts are those built in; without them there is no lobby to test.
func prompts(t *testing.T) *prompt.Set {
	t.Helper()
	s, err := prompt.Open("")
	if errors.Is(err, prompt.ErrNotBuilt) {
		t.Skip("SKIPPED: ", err)
	}
	return must(s, err)
}

// press keys digits on a leg.
func (l *fakeLeg) press(digits string) {
	for _, d := range digits {
		l.events <- call.Event{Kind: call.Keypad, Digit: d}
	}
}

// state is that of the call of a leg, and the meeting that it is shown with.
func (n *node) state(l *fakeLeg) string {
	c, err := n.Call(l.Info().ID)
	if err != nil {
		return "gone"
	}
	return string(c.State) + " " + c.Meeting
}

func (n *node) comesTo(l *fakeLeg, want string) {
	n.t.Helper()
	eventually(n.t, l.Info().ID+" is "+want, func() bool { return n.state(l) == want })
}

func startLobby(t *testing.T) *node {
	t.Helper()
	rules, err := route.Compile([]route.Rule{{Pattern: "1900", Lobby: true, Language: "en"}, {Pattern: "7(.*)", Meeting: "88$1"}, {Pattern: "0900", Reject: call.Rejected}}, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rules.Lobby = route.Lobby{Aliases: []string{"lobby"}, Trunks: []string{"pstn"}}
	return startNodeWith(t, gateway.Settings{Rules: rules, Lobby: gateway.LobbySettings{Language: "vi", Tries: 3}}, prompts(t))
}

func TestLobbyLeadsIntoMeetings(t *testing.T) {
	n := startLobby(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := n.Events(ctx, 0)
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234", HostPIN: "9999"}))
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88002"}))
	for _, tc := range []struct{ id, called, keys, want string }{
		{"whole way", "lobby", "88001#1234#", "active 88001"},
		{"no PIN needed", "1900", "88002#", "active 88002"},
		{"by a rule", "lobby", "7002#", "active 88002"},
		{"second try", "lobby", "5#88002#", "active 88002"},
		{"PIN alone", "88001", "1234#", "active 88001"},
		{"after a wrong one", "88001*1", "9999#", "active 88001"},
		{"PIN dialled", "88001*1234", "", "active 88001"},
	} {
		l := n.dialIn(tc.id, tc.called)
		eventually(t, tc.id+" is answered", func() bool { return l.answered() != nil })
		l.press(tc.keys)
		n.comesTo(l, tc.want)
	}
	away := n.dialIn("away", "lobby")
	n.comesTo(away, "lobby ")
	away.press("88001#")
	n.comesTo(away, "lobby 88001")
	away.Hangup(call.Cause{Code: call.NormalClearing})
	if kinds := n.events(t, events, "away"); len(kinds) < 8 {
		t.Errorf("events %v", kinds)
	}
	if got := must(n.Meeting("88001")).Legs; got != 4 {
		t.Errorf("%d legs", got)
	}
	if all := n.Meetings(); len(all) != 2 {
		t.Errorf("the lobby shows as a meeting: %+v", all)
	}
	refused := n.dialIn("refused", "0900")
	eventually(t, "refused", func() bool { return refused.cause() == call.Rejected })
	nobody := n.dialIn("nobody", "4711")
	eventually(t, "nobody", func() bool { return nobody.cause() == call.UnknownAlias })
}

// events reads what happened until the end of a call, and fails at what tells
// keys.
func (n *node) events(t *testing.T, events <-chan gateway.Event, id string) (kinds []gateway.EventKind) {
	t.Helper()
	for e := range events {
		kinds = append(kinds, e.Kind)
		if e.Kind == gateway.EventCallKeypad {
			t.Errorf("a key of the lobby is an event: %+v", e)
		}
		if e.Call != nil && e.Call.Info.Called == "88001*1234" {
			t.Error("the PIN that was dialled is shown")
		}
		if e.Kind == gateway.EventCallEnded && e.Call.Info.ID == id {
			return kinds
		}
	}
	return kinds
}

func TestCallersOfATrunkAreAsked(t *testing.T) {
	n := startLobby(t)
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88002"}))
	l := newLeg("trunk", "02412345")
	l.info.Remote.Trunk = "pstn"
	n.endpoint.calls <- l
	n.comesTo(l, "lobby ")
	l.press("88002#")
	n.comesTo(l, "active 88002")
}

// Who guesses is turned away; somebody else with the right PIN is not.
func TestGuessersAreTurnedAway(t *testing.T) {
	n := startLobby(t)
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234"}))
	guess := func(id, called string) *fakeLeg {
		l := newLeg(id, called)
		l.info.Remote.Registered, l.info.Remote.Alias = true, "thief"
		n.endpoint.calls <- l
		return l
	}
	for i := range 10 {
		l := guess(string(rune('a'+i)), "88001*1111")
		n.comesTo(l, "lobby 88001")
		l.Hangup(call.Cause{Code: call.NormalClearing})
	}
	late := guess("late", "88001*1234") // the right one by now
	n.comesTo(late, "lobby 88001")
	honest := n.dialIn("honest", "88001*1234")
	n.comesTo(honest, "active 88001")
}

// Who is to say a name has a place meanwhile, and gives it back when it does not come.
func TestNamesAreAskedFor(t *testing.T) {
	sounds := prompts(t)
	ctx := context.Background()
	ask := func(names gateway.Names) *node {
		return startNodeWith(t, gateway.Settings{Lobby: gateway.LobbySettings{Language: "en", Names: names}}, sounds)
	}
	n := ask(gateway.NamesAll)
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234"}))
	legs := func(want int) {
		t.Helper()
		eventually(t, "places are taken", func() bool { return must(n.Meeting("88001")).Legs == want })
	}
	l := n.dialIn("named", "88001")
	n.comesTo(l, "lobby 88001")
	l.press("1234#")
	legs(1)
	if got := n.state(l); got != "lobby 88001" {
		t.Errorf("it is %s and has not said its name", got)
	}
	l.press("##")
	n.comesTo(l, "active 88001")
	away := n.dialIn("away", "88001")
	n.comesTo(away, "lobby 88001")
	away.press("1234#")
	legs(2)
	away.Hangup(call.Cause{Code: call.NormalClearing})
	legs(1)
	late := n.dialIn("late", "88001")
	n.comesTo(late, "lobby 88001")
	late.press("1234#")
	legs(2)
	if err := n.DeleteMeeting(ctx, "88001"); err != nil {
		t.Fatal(err)
	}
	late.press("##")
	eventually(t, "it is told that the meeting is over", func() bool { return late.cause() == call.MeetingEnded })
	if all := n.Meetings(); len(all) != 0 {
		t.Errorf("meetings %+v", all)
	}

	n = ask(gateway.NamesPhones)
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234"}))
	l = newLeg("terminal", "88001")
	n.endpoint.calls <- l
	n.comesTo(l, "lobby 88001")
	eventually(t, "it is answered", func() bool { return l.answered() != nil })
	l.mu.Lock()
	l.info.Streams = append(slices.Clone(l.info.Streams), media.Stream{Role: media.Main, Direction: media.SendRecv})
	l.mu.Unlock()
	l.press("1234#")
	n.comesTo(l, "active 88001")
}
