package lobby_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// second is how long each prompt of the tests lasts.
func second(clips []prompt.Clip) time.Duration { return time.Duration(len(clips)) * time.Second }

// written is an action in a word.
func written(a lobby.Action) string {
	var clips []string
	for _, c := range a.Clips {
		clips = append(clips, fmt.Sprintf("%s.%s", c.Language, c.ID))
	}
	said := strings.Join(clips, " ")
	switch a.Kind {
	case lobby.Say:
		return "say " + said
	case lobby.Hush:
		return "hush"
	case lobby.Look:
		if a.HasPIN {
			return fmt.Sprintf("look %s %q", a.Meeting, a.PIN)
		}
		return "look " + a.Meeting
	case lobby.Music:
		return "music"
	case lobby.Enter:
		return "enter " + a.Meeting + " " + said
	case lobby.Record:
		return "record"
	case lobby.Keep:
		return "keep"
	case lobby.Again:
		return "again"
	case lobby.Leave:
		return fmt.Sprintf("leave %d", a.Verdict)
	}
	return "nothing"
}

// conversation plays a script: digits and the signs below are what happens, and
// what the menu does is written after each.
func conversation(t *testing.T, c lobby.Config, script []step) {
	t.Helper()
	c.Length = second
	m, now := lobby.New(c), time.Unix(1e9, 0)
	for i, s := range script {
		var got []string
		handle := func(e lobby.Event) {
			for _, a := range m.Handle(e, now) {
				got = append(got, written(a))
			}
		}
		switch {
		case s.happens == "start":
			handle(lobby.Event{Kind: lobby.Started})
		case s.happens == "timeout":
			if s.after != 0 && m.Next() != now.Add(s.after) {
				t.Errorf("step %d: a timeout in %v, want %v", i, m.Next().Sub(now), s.after)
			}
			if m.Next().IsZero() {
				t.Fatalf("step %d: no timeout is due", i)
			}
			now = m.Next()
			handle(lobby.Event{Kind: lobby.Timeout})
		case s.happens == "spoken":
			handle(lobby.Event{Kind: lobby.Spoken})
		case s.verdict != 0:
			handle(lobby.Event{Kind: lobby.Answered, Verdict: s.verdict})
		default:
			for _, d := range s.happens {
				handle(lobby.Event{Kind: lobby.Key, Digit: d})
			}
		}
		if all := strings.Join(got, "; "); all != s.does {
			t.Errorf("step %d (%s %d): %s, want %s", i, s.happens, s.verdict, all, s.does)
		}
	}
}

type step struct {
	happens string
	verdict lobby.Verdict
	does    string
	after   time.Duration // of a timeout
}

const (
	greeting = "say vi.welcome vi.language en.language"
	askVi    = "say vi.meeting"
	askEn    = "say en.meeting"
)

func TestMenu(t *testing.T) {
	vi, en := lobby.Config{Language: prompt.Vietnamese}, lobby.Config{Language: prompt.English}
	known := lobby.Config{Language: prompt.English, Meeting: "88001"}
	for name, tc := range map[string]struct {
		in     lobby.Config
		script []step
	}{
		"the whole way in English": {lobby.Config{}, []step{
			{happens: "start", does: greeting},
			{happens: "2", does: askEn},
			{happens: "88001#", does: "hush; look 88001"},
			{verdict: lobby.WantsPIN, does: "say en.pin"},
			{happens: "1234#", does: `hush; look 88001 "1234"`},
			{verdict: lobby.In, does: "enter 88001 en.joined"},
			{happens: "5#"},
		}},
		"in Vietnamese, without #": {lobby.Config{}, []step{
			{happens: "start", does: greeting},
			{happens: "1", does: askVi},
			{happens: "88001", does: "hush"},
			{happens: "timeout", after: 4 * time.Second, does: "look 88001"},
			{verdict: lobby.InAndMuted, does: "enter 88001 vi.joined-muted"},
		}},
		"no language is chosen": {lobby.Config{}, []step{
			{happens: "start", does: greeting},
			{happens: "9*#"},
			{happens: "timeout", after: 13 * time.Second, does: askVi},
		}},
		"the language of the trunk": {vi, []step{
			{happens: "start", does: "say vi.welcome vi.meeting"},
		}},
		"no key in three tries": {en, []step{
			{happens: "start", does: "say en.welcome en.meeting"},
			{happens: "timeout", after: 12 * time.Second, does: "say en.no-input en.meeting"},
			{happens: "timeout", after: 12 * time.Second, does: "say en.no-input en.meeting"},
			{happens: "timeout", after: 12 * time.Second, does: "say en.no-input en.goodbye"},
			{happens: "5", does: ""},
			{happens: "timeout", after: 2500 * time.Millisecond, does: "leave 0"},
			{happens: "5"},
		}},
		"three meetings that are not": {en, []step{
			{happens: "start", does: "say en.welcome en.meeting"},
			{happens: "1#", does: "hush; look 1"},
			{happens: "7#"}, // while it is looked for
			{verdict: lobby.NoMeeting, does: "say en.no-meeting en.meeting"},
			{happens: "2#", does: "hush; look 2"},
			{verdict: lobby.NoMeeting, does: "say en.no-meeting en.meeting"},
			{happens: "3#", does: "hush; look 3"},
			{verdict: lobby.NoMeeting, does: "say en.no-meeting en.goodbye"},
			{happens: "timeout", does: fmt.Sprintf("leave %d", lobby.NoMeeting)},
		}},
		"three wrong PINs": {known, []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsPIN, does: "say en.pin"},
			{happens: "1#", does: `hush; look 88001 "1"`},
			{verdict: lobby.WrongPIN, does: "say en.wrong-pin en.pin"},
			{happens: "#", does: "hush; say en.no-input en.pin"},
			{happens: "2#", does: `hush; look 88001 "2"`},
			{verdict: lobby.WrongPIN, does: "say en.wrong-pin en.goodbye"},
			{happens: "timeout", does: fmt.Sprintf("leave %d", lobby.WrongPIN)},
		}},
		"keys are taken back": {known, []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsPIN, does: "say en.pin"},
			{happens: "99*12A34#", does: `hush; hush; look 88001 "1234"`},
		}},
		"too many digits": {known, []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsPIN, does: "say en.pin"},
			{happens: strings.Repeat("7", 40) + "#", does: `hush; look 88001 "` + strings.Repeat("7", 16) + `"`},
		}},
	} {
		t.Run(name, func(t *testing.T) { conversation(t, tc.in, tc.script) })
	}
}

// A name is asked for once, before a caller goes in or waits, and nobody is asked who is
// turned away.
func TestMenuAsksForNames(t *testing.T) {
	asks := func(yes bool, v lobby.Verdict) lobby.Config {
		c := verdict(v)
		c.Name = func() bool { return yes }
		return c
	}
	for name, tc := range map[string]struct {
		in     lobby.Config
		script []step
	}{
		"said and ended by a key": {asks(true, 0), []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsPIN, does: "say en.pin"},
			{happens: "1234#", does: `hush; look 88001 "1234"`},
			{verdict: lobby.InAndMuted, does: "say en.name"},
			{happens: "timeout", after: time.Second, does: "record"},
			{happens: "5"},
			{happens: "#", does: "keep; again"},
			{verdict: lobby.InAndMuted, does: "enter 88001 en.joined-muted"},
		}},
		"the question is cut short, silence ends": {asks(true, lobby.In), []step{
			{happens: "start", does: "say en.name"},
			{happens: "1", does: "hush; record"},
			{happens: "spoken", does: "keep; again"},
			{verdict: lobby.In, does: "enter 88001 en.joined"},
		}},
		"before waiting, and not again": {asks(true, lobby.WaitHost), []step{
			{happens: "start", does: "say en.name"},
			{happens: "timeout", after: time.Second, does: "record"},
			{happens: "timeout", after: 6 * time.Second, does: "keep; again"},
			{verdict: lobby.WaitHost, does: "say en.wait-host"},
			{happens: "spoken"},
			{verdict: lobby.In, does: "enter 88001 en.joined"},
		}},
		"the meeting has ended meanwhile": {asks(true, lobby.In), []step{
			{happens: "start", does: "say en.name"},
			{happens: "#", does: "hush; record"},
			{happens: "#", does: "keep; again"},
			{verdict: lobby.Ended, does: "say en.ended en.goodbye"},
		}},
		"turned away":        {asks(true, lobby.Locked), []step{{happens: "start", does: "say en.locked en.goodbye"}}},
		"nobody wants names": {asks(false, lobby.In), []step{{happens: "start", does: "enter 88001 en.joined"}}},
	} {
		t.Run(name, func(t *testing.T) { conversation(t, tc.in, tc.script) })
	}
}

func verdict(v lobby.Verdict) lobby.Config {
	return lobby.Config{Language: prompt.English, Meeting: "88001", Verdict: v}
}

func TestMenuOfAKnownMeeting(t *testing.T) {
	en, known := lobby.Config{Language: prompt.English}, lobby.Config{Language: prompt.English, Meeting: "88001"}
	for name, tc := range map[string]struct {
		in     lobby.Config
		script []step
	}{
		"a guest where only hosts have a PIN": {known, []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsHost, does: "say en.pin-host"},
			{happens: "#", does: `hush; look 88001 ""`},
			{verdict: lobby.WaitHost, does: "say en.wait-host"},
			{happens: "timeout", after: time.Second, does: "music"},
			{verdict: lobby.WaitHost},
			{happens: "12#"},
			{verdict: lobby.WaitAdmit, does: "say en.wait-admit"},
			{happens: "timeout", after: time.Second, does: "music"},
			{verdict: lobby.In, does: "enter 88001 en.joined"},
		}},
		"a guest who presses nothing": {known, []step{
			{happens: "start", does: "look 88001"},
			{verdict: lobby.WantsHost, does: "say en.pin-host"},
			{happens: "timeout", after: 11 * time.Second, does: `look 88001 ""`},
		}},
		"a wrong PIN was dialled": {verdict(lobby.WrongPIN), []step{
			{happens: "start", does: "say en.wrong-pin en.pin"},
			{happens: "1234#", does: `hush; look 88001 "1234"`},
		}},
		"a PIN in all languages": {lobby.Config{Meeting: "88001", Verdict: lobby.WantsPIN}, []step{
			{happens: "start", does: "say vi.pin en.pin"},
			{happens: "1234#", does: `hush; look 88001 "1234"`},
			{verdict: lobby.In, does: "enter 88001 vi.joined en.joined"},
		}},
		"waiting, then denied": {verdict(lobby.WaitAdmit), []step{
			{happens: "start", does: "say en.wait-admit"},
			{verdict: lobby.Denied, does: "say en.denied en.goodbye"},
			{verdict: lobby.In},
			{happens: "timeout", after: 2500 * time.Millisecond, does: fmt.Sprintf("leave %d", lobby.Denied)},
		}},
		"waiting, then it ended": {verdict(lobby.WaitHost), []step{
			{happens: "start", does: "say en.wait-host"},
			{verdict: lobby.Ended, does: "say en.ended en.goodbye"},
		}},
		"locked": {verdict(lobby.Locked), []step{
			{happens: "start", does: "say en.locked en.goodbye"},
			{happens: "timeout", does: fmt.Sprintf("leave %d", lobby.Locked)},
		}},
		"full":     {verdict(lobby.Full), []step{{happens: "start", does: "say en.full en.goodbye"}}},
		"too many": {verdict(lobby.TooMany), []step{{happens: "start", does: "say en.too-many en.goodbye"}}},
		"keys before the caller can hear": {en, []step{
			{happens: "88#"},
			{happens: "start", does: "say en.welcome en.meeting"},
		}},
	} {
		t.Run(name, func(t *testing.T) { conversation(t, tc.in, tc.script) })
	}
}

func TestWaits(t *testing.T) {
	m := lobby.New(lobby.Config{Meeting: "88001", Verdict: lobby.WaitHost})
	if m.Waits() != 0 || m.Meeting() != "" {
		t.Error("waits before it has begun")
	}
	m.Handle(lobby.Event{Kind: lobby.Started}, time.Unix(1e9, 0))
	if m.Waits() != lobby.WaitHost || m.Meeting() != "88001" {
		t.Errorf("waits for %v at %q", m.Waits(), m.Meeting())
	}
	m.Handle(lobby.Event{Kind: lobby.Answered, Verdict: lobby.WaitAdmit}, time.Unix(1e9, 0))
	if m.Waits() != lobby.WaitAdmit {
		t.Errorf("waits for %v", m.Waits())
	}
}
