package gateway_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/directory/invite"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/gateway/route"
)

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// ledger is a gateway.Invitations in memory.
type ledger struct {
	mu      sync.Mutex
	attempt map[string]int
	again   map[string]time.Time // zero: settled
	now     func() time.Time
}

func (l *ledger) Take(_ context.Context, _ string, _ time.Time, targets []string, _ int) (calls []invite.Call, open bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, target := range targets {
		at, known := l.again[target]
		if known && at.IsZero() {
			continue
		}
		open = true
		if !known || !l.now().Before(at) {
			l.attempt[target]++
			l.again[target] = l.now().Add(time.Hour)
			calls = append(calls, invite.Call{Target: target, Attempt: l.attempt[target]})
		}
	}
	return calls, open, nil
}

func (l *ledger) Done(_ context.Context, _ string, _ time.Time, c invite.Call, again time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again[c.Target] = again
	return nil
}

func (l *ledger) settled(target string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.again[target]
	return known && at.IsZero()
}

func (l *ledger) due(target string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.again[target]
}

// plannedNode has a clock that the test sets.
type plannedNode struct {
	*node
	at  atomic.Int64 // since nine
	log *ledger
}

func (n *plannedNode) now() time.Time        { return nine.Add(time.Duration(n.at.Load())) }
func (n *plannedNode) after(d time.Duration) { n.at.Store(int64(d)) }
func (n *plannedNode) dialledTo(address string) int {
	n.endpoint.mu.Lock()
	defer n.endpoint.mu.Unlock()
	count := 0
	for _, to := range n.endpoint.dialed {
		if to.Address == address {
			count++
		}
	}
	return count
}

// startPlanned begins an hour before a meeting. Without words there is no lobby.
func startPlanned(t *testing.T, words *prompt.Set, invitees ...directory.Invitee) *plannedNode {
	t.Helper()
	rules, err := route.Compile(nil, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := &plannedNode{}
	n.after(-time.Hour)
	n.log = &ledger{attempt: map[string]int{}, again: map[string]time.Time{}, now: n.now}
	settings := gateway.Settings{Rules: rules, EarlyJoin: 10 * time.Minute, Lobby: gateway.LobbySettings{Language: "en"}}
	n.node = startNodeAs(t, func(c *gateway.Config) {
		c.Prompts, c.Now, c.Invitations = words, n.now, n.log
	}, settings)
	must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{
		Alias: "88001", Invitees: invitees,
		Plan: calendar.Plan{Starts: nine, Ends: nine.Add(time.Hour), Repeats: "FREQ=WEEKLY"},
	}))
	return n
}

func TestPlannedMeetingOpensInTime(t *testing.T) {
	n := startPlanned(t, prompts(t))
	if held := must(n.Meeting("88001")).Held; !held.Starts.Equal(nine) || !held.Ends.Equal(nine.Add(time.Hour)) {
		t.Errorf("held %+v", held)
	}
	if err := n.MayEnter(t.Context(), "88001", gateway.Knock{}); !errors.Is(err, gateway.ErrNotYet) {
		t.Error(err)
	}
	n.after(-20 * time.Minute)
	waits := n.dialIn("waits", "88001")
	eventually(t, "twenty minutes before it waits", func() bool {
		list := must(n.Waiting("88001"))
		return len(list) == 1 && list[0].For == lobby.WaitTime
	})
	n.after(-10 * time.Minute)
	n.comesTo(waits, "active 88001")
	if err := n.MayEnter(t.Context(), "88001", gateway.Knock{}); err != nil {
		t.Error(err)
	}
	n.after(time.Hour)
	eventually(t, "it is ended in time", func() bool { return waits.cause() == "" || waits.cause() == call.MeetingEnded })
	if held := must(n.Meeting("88001")).Held; !held.Starts.Equal(nine.AddDate(0, 0, 7)) {
		t.Errorf("the next is held %+v", held)
	}
}

func TestPlannedMeetingWithoutALobby(t *testing.T) {
	n := startPlanned(t, nil)
	early := n.dialIn("early", "88001")
	eventually(t, "an hour before it is refused", func() bool { return early.cause() == call.Unavailable })
	n.after(-10 * time.Minute)
	n.comesTo(n.dialIn("in time", "88001"), "active 88001")
}

func TestPlannedMeetingEndsAndIsExtended(t *testing.T) {
	n := startPlanned(t, prompts(t))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := n.Events(ctx, 0)
	if _, err := n.Extend(ctx, "88001", time.Hour); !errors.Is(err, gateway.ErrNotHeld) {
		t.Errorf("extended before it is held: %v", err)
	}
	n.after(time.Minute)
	l := n.dialIn("a", "88001")
	n.comesTo(l, "active 88001")
	warned := func() {
		t.Helper()
		for e := range events {
			if e.Kind == gateway.EventMeetingEnding {
				return
			}
		}
	}
	n.after(59*time.Minute + time.Second)
	warned()
	if until := must(n.Extend(ctx, "88001", 30*time.Minute)); !until.Equal(nine.Add(90 * time.Minute)) {
		t.Errorf("until %s", until)
	}
	n.after(61 * time.Minute)
	if late := n.dialIn("late", "88001"); true {
		n.comesTo(late, "active 88001")
	}
	n.after(89*time.Minute + time.Second)
	warned()
	n.after(90 * time.Minute)
	eventually(t, "it ends", func() bool { return l.cause() == call.MeetingEnded })
	eventually(t, "browsers are put out", func() bool {
		n.admin.mu.Lock()
		defer n.admin.mu.Unlock()
		return slices.Contains(n.admin.closed, "88001")
	})
	// Next week it has its usual length.
	if held := must(n.Meeting("88001")).Held; held.Ends.Sub(held.Starts) != time.Hour {
		t.Errorf("held %+v", held)
	}
}

func TestInviteesAreCalledUntilTheyAnswer(t *testing.T) {
	n := startPlanned(t, nil, directory.Invitee{Target: "sip:a@x", Name: "An"}, directory.Invitee{Target: "sip:b@x"}, directory.Invitee{Target: "sip:c@x"}, directory.Invitee{Target: "sip:refused"})
	n.after(-time.Minute)
	there := newLeg("c", "88001")
	there.info.Remote.URI = "sip:c@x"
	n.endpoint.calls <- there
	n.comesTo(there, "active 88001")
	if n.endpoint.out(0) != nil {
		t.Error("somebody is called before it starts")
	}
	n.after(0)
	eventually(t, "two are called", func() bool { return n.endpoint.out(1) != nil })
	a, b := n.endpoint.out(0), n.endpoint.out(1)
	if n.endpoint.dialed[0].Address != "sip:a@x" {
		a, b = b, a
	}
	a.answer()
	eventually(t, "who answers is settled", func() bool { return n.log.settled("sip:a@x") })
	if c := must(n.Call("out-sip:a@x")); c.Meeting != "88001" {
		t.Errorf("%+v", c)
	}
	b.Hangup(call.Cause{Code: call.UserBusy})
	eventually(t, "who is busy is noted", func() bool { return n.log.due("sip:b@x").Equal(nine.Add(30 * time.Second)) })
	n.after(30 * time.Second)
	eventually(t, "who was busy is called again", func() bool { return n.dialledTo("sip:b@x") == 2 })
	n.endpoint.out(2).Hangup(call.Cause{Code: call.Rejected})
	eventually(t, "who refuses is settled", func() bool { return n.log.settled("sip:b@x") })
	eventually(t, "who is there is settled", func() bool { return n.log.settled("sip:c@x") })
	eventually(t, "who cannot be called is given up", func() bool {
		if due := n.log.due("sip:refused"); due.After(n.now()) && due.Before(n.now().Add(time.Hour)) {
			n.after(due.Sub(nine))
		}
		return n.log.settled("sip:refused")
	})
	if got := n.dialledTo("sip:a@x") + n.dialledTo("sip:c@x"); got != 1 {
		t.Errorf("%d calls to who answered and who was there", got)
	}
}

// Who still rings must not be called by another node: a call rings for less than the
// claim on it lasts. A node that stops while it rings leaves it to the others at once.
func TestRingingInvitees(t *testing.T) {
	n := startPlanned(t, nil, directory.Invitee{Target: "sip:a@x"})
	n.after(0)
	eventually(t, "a is called", func() bool { return n.endpoint.out(0) != nil })
	n.endpoint.mu.Lock()
	rings := n.endpoint.dialed[0].Timeout
	n.endpoint.mu.Unlock()
	if rings <= 0 || rings+time.Minute >= invite.Patience {
		t.Errorf("rings for %v, and the claim lasts for %v", rings, invite.Patience)
	}
	n.endpoint.out(0).Hangup(call.Cause{Code: call.Draining})
	eventually(t, "it is left to others", func() bool { return n.log.due("sip:a@x").Equal(nine) || n.dialledTo("sip:a@x") > 1 })
}

func TestChangeMeeting(t *testing.T) {
	n := startPlanned(t, nil)
	m := must(n.ChangeMeeting(t.Context(), "88001", func(s *gateway.MeetingSpec) {
		s.Alias, s.Locked, s.Layout, s.Plan = "other", true, "grid", calendar.Plan{}
	}))
	if m.Alias != "88001" || !m.Locked || m.Layout != "grid" || !m.Held.Ends.IsZero() {
		t.Errorf("%+v", m)
	}
	if _, err := n.ChangeMeeting(t.Context(), "88001", func(s *gateway.MeetingSpec) { s.Plan.Starts = nine }); !errors.Is(err, gateway.ErrBadMeeting) {
		t.Error(err)
	}
	if _, err := n.ChangeMeeting(t.Context(), "88009", func(*gateway.MeetingSpec) {}); !errors.Is(err, gateway.ErrNoMeeting) {
		t.Error(err)
	}
	refused := n.dialIn("a", "88001")
	eventually(t, "the lock keeps guests out", func() bool { return refused.cause() == call.Rejected })
	if _, err := n.Extend(t.Context(), "88001", time.Hour); !errors.Is(err, gateway.ErrNoEnd) {
		t.Error(err)
	}
}
