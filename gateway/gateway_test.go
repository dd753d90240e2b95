package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIncomingCalls(t *testing.T) {
	rules, err := route.Compile([]route.Rule{{Pattern: "09.*", Reject: call.Rejected}}, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := startNode(t, gateway.Settings{Rules: rules, MaxCalls: 3})
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001", GuestPIN: "1234", MaxLegs: 1, Encryption: "require"}))

	for _, tc := range []struct {
		called string
		want   call.CauseCode
	}{
		{"nobody", call.UnknownAlias},
		{"0900", call.Rejected},
		{"88001", call.Rejected},      // no PIN
		{"88001*9999", call.Rejected}, // a wrong one
		{"", call.UnknownAlias},
	} {
		l := n.dialIn("x"+tc.called, tc.called)
		eventually(t, "an end of the call to "+tc.called, func() bool { return l.cause() == tc.want })
		if l.answered() != nil {
			t.Errorf("%q was answered", tc.called)
		}
	}
	a := n.dialIn("a", "88001*1234")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	if got := a.answered().Encryption; got != "require" {
		t.Errorf("encryption policy %q", got)
	}
	full := n.dialIn("b", "88001#1234")
	eventually(t, "b is told the meeting is full", func() bool { return full.cause() == call.UserBusy })
	m := must(n.Meeting("88001"))
	if m.Legs != 1 {
		t.Errorf("%d legs", m.Legs)
	}
	people := must(n.Participants(context.Background(), "88001"))
	if len(people) != 1 || people[0].Identity != "leg-a" || people[0].Kind != call.Phone || people[0].CallID != "a" {
		t.Errorf("roster %+v", people)
	}
	if err := n.DeleteMeeting(context.Background(), "88001"); err != nil {
		t.Error(err)
	}
	eventually(t, "a is put out", func() bool { return a.cause() == call.MeetingEnded })
	eventually(t, "no calls are left", func() bool { return len(n.Calls()) == 0 })
}

func TestLimitAndDrain(t *testing.T) {
	n := startNode(t, gateway.Settings{AutoCreate: true, MaxCalls: 1})
	a := n.dialIn("a", "demo")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	b := n.dialIn("b", "demo")
	eventually(t, "b is over the limit", func() bool { return b.cause() == call.Congestion })
	if st := n.Status(context.Background()); st.Calls != 1 || st.Refused != 1 || st.Total != 1 {
		t.Errorf("status %+v", st)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	n.Drain(ctx)
	eventually(t, "a is ended after the time-out", func() bool { return a.cause() == call.Draining })
	c := n.dialIn("c", "demo")
	eventually(t, "new calls are refused", func() bool { return c.cause() == call.Draining })
	if _, err := n.Dial(context.Background(), gateway.DialRequest{Target: "sip:x@y", Meeting: "demo"}); !errors.Is(err, gateway.ErrDraining) {
		t.Errorf("dial while draining: %v", err)
	}
	eventually(t, "the meeting made on demand is gone", func() bool { return len(n.Meetings()) == 0 })
}

func TestDrainReturnsWhenTheLastCallEnds(t *testing.T) {
	n := startNode(t, gateway.Settings{AutoCreate: true})
	a := n.dialIn("a", "demo")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	done := make(chan struct{})
	go func() {
		n.Drain(context.Background())
		close(done)
	}()
	eventually(t, "draining", n.Draining)
	a.Hangup(call.Cause{Code: call.NormalClearing})
	<-done
}

func TestTerminalCallsTerminal(t *testing.T) {
	n := startNode(t, gateway.Settings{}, "room-b")
	a := n.dialIn("a", "room-b")
	eventually(t, "room-b is called", func() bool { return n.endpoint.out(0) != nil })
	b := n.endpoint.out(0)
	b.events <- call.Event{Kind: call.Ringing}
	eventually(t, "a hears ringing", func() bool { return a.rang() == 1 })
	if a.answered() != nil {
		t.Error("a was answered before b")
	}
	b.answer()
	eventually(t, "a is answered", func() bool { return a.answered() != nil })
	a.events <- call.Event{Kind: call.Keypad, Digit: '5'}
	eventually(t, "b gets the digit", func() bool { return b.gotDigits() == "5" })
	if len(n.Meetings()) != 0 {
		t.Errorf("a call between terminals shows as a meeting: %+v", n.Meetings())
	}
	if calls := n.Calls(); len(calls) != 2 || calls[0].Meeting != "" {
		t.Errorf("calls %+v", calls)
	}
	b.Hangup(call.Cause{Code: call.NormalClearing})
	eventually(t, "a is hung up too", func() bool { return a.cause() == call.NormalClearing })
	eventually(t, "no calls are left", func() bool { return len(n.Calls()) == 0 })
}

func TestCalledTerminalIsBusy(t *testing.T) {
	n := startNode(t, gateway.Settings{}, "room-b")
	a := n.dialIn("a", "room-b")
	eventually(t, "room-b is called", func() bool { return n.endpoint.out(0) != nil })
	n.endpoint.out(0).Hangup(call.Cause{Code: call.UserBusy})
	eventually(t, "a is told", func() bool { return a.cause() == call.UserBusy })
}

func TestCallerGivesUp(t *testing.T) {
	n := startNode(t, gateway.Settings{}, "room-b")
	a := n.dialIn("a", "room-b")
	eventually(t, "room-b is called", func() bool { return n.endpoint.out(0) != nil })
	a.Hangup(call.Cause{Code: call.Cancelled})
	eventually(t, "b is let go", func() bool { return n.endpoint.out(0).cause() != "" })
	eventually(t, "no calls are left", func() bool { return len(n.Calls()) == 0 })
}

func TestDialOut(t *testing.T) {
	n := startNode(t, gateway.Settings{AutoCreate: true})
	for target, want := range map[string]error{
		"tel:+84243": gateway.ErrBadTarget, "nobody": gateway.ErrBadTarget, "h323:1001@10.0.0.6": gateway.ErrBadTarget, "sip:refused": gateway.ErrBadTarget,
	} {
		if _, err := n.Dial(context.Background(), gateway.DialRequest{Target: target, Meeting: "demo"}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", target, err, want)
		}
	}
	if len(n.Meetings()) != 0 {
		t.Errorf("failed calls leave %+v", n.Meetings())
	}
	c := must(n.Dial(context.Background(), gateway.DialRequest{Target: "sip:room@10.0.0.5", Meeting: "demo", Name: "Hội trường"}))
	if c.State != gateway.StateRinging || c.Meeting != "demo" {
		t.Errorf("call %+v", c)
	}
	n.endpoint.out(0).answer()
	eventually(t, "the call is active", func() bool { return must(n.Call(c.Info.ID)).State == gateway.StateActive })
	if people := must(n.Participants(context.Background(), "demo")); len(people) != 1 || people[0].Name != "Hội trường" {
		t.Errorf("roster %+v", people)
	}
	if err := n.Mute(c.Info.ID, true); err != nil {
		t.Error(err)
	}
	if !must(n.Call(c.Info.ID)).Muted {
		t.Error("not muted")
	}
	if err := n.Hangup(c.Info.ID, call.NormalClearing); err != nil {
		t.Error(err)
	}
	eventually(t, "gone", func() bool { _, err := n.Call(c.Info.ID); return errors.Is(err, gateway.ErrNoCall) })
}

// A meeting shows another layout until it is empty.
func TestMeetingLayout(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "one", Layout: "grid"}))
	if err := n.SetMeetingLayout("one", "single", ""); !errors.Is(err, gateway.ErrNoMeeting) {
		t.Errorf("nobody is in: %v", err)
	}
	a := n.dialIn("a", "one")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	events := n.Events(t.Context(), 0)
	for _, tc := range []struct {
		layout string
		err    error
		shown  string
	}{{"single", nil, "single"}, {"mosaic", gateway.ErrLayout, ""}, {"", nil, "grid"}} {
		if err := n.SetMeetingLayout("one", tc.layout, "web-1"); !errors.Is(err, tc.err) {
			t.Errorf("%q: %v", tc.layout, err)
		}
		want := gateway.ShownLayout{Layout: tc.shown, Default: "grid", Pinned: "web-1"}
		if got := must(n.MeetingLayout("one")); tc.err == nil && got != want {
			t.Errorf("%q: %+v", tc.layout, got)
		}
		for tc.err == nil {
			if e := <-events; e.Kind == gateway.EventMeetingLayout {
				if e.Meeting != "one" || e.Text != tc.shown {
					t.Errorf("%q: %+v", tc.layout, e)
				}
				break
			}
		}
	}
}

func TestReferMovesToAnotherMeeting(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "one"}))
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "two"}))
	a := n.dialIn("a", "one")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	outcome := make(chan call.CauseCode, 2)
	refer := func(to string) *call.Refer {
		return &call.Refer{
			To:     to,
			Accept: func() func(call.Cause) { return func(c call.Cause) { outcome <- c.Code } },
			Refuse: func(c call.Cause) { outcome <- c.Code },
		}
	}
	a.events <- call.Event{Kind: call.Referred, Refer: refer("sip:three@gw")}
	if got := <-outcome; got != call.UnknownAlias {
		t.Errorf("refer to nowhere: %s", got)
	}
	a.events <- call.Event{Kind: call.Referred, Refer: refer("sip:two@gw;transport=tcp")}
	if got := <-outcome; got != "" {
		t.Errorf("refer: %q, want no outcome, for the call goes on", got)
	}
	if one, two := must(n.Meeting("one")), must(n.Meeting("two")); one.Legs != 0 || two.Legs != 1 {
		t.Errorf("legs: one %d, two %d", one.Legs, two.Legs)
	}
	if a.cause() != "" {
		t.Errorf("a ended: %s", a.cause())
	}
}

func TestTransfer(t *testing.T) {
	n := startNode(t, gateway.Settings{})
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "one"}))
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "two", GuestPIN: "99"}))
	a := n.dialIn("a", "one")
	eventually(t, "a is in", func() bool { return a.answered() != nil })
	if err := n.Transfer(context.Background(), "a", "two"); err != nil {
		t.Error(err)
	}
	if one, two := must(n.Meeting("one")), must(n.Meeting("two")); one.Legs != 0 || two.Legs != 1 {
		t.Errorf("legs: one %d, two %d", one.Legs, two.Legs)
	}
	for id, want := range map[string]error{"a": gateway.ErrBadTarget, "none": gateway.ErrNoCall} {
		if err := n.Transfer(context.Background(), id, "three"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
	}
	if err := n.Transfer(context.Background(), "a", "sip:desk@example.com"); err != nil || a.transferred() != "sip:desk@example.com" {
		t.Errorf("refer: %v, to %q", err, a.transferred())
	}
}

func TestEventsResume(t *testing.T) {
	n := startNode(t, gateway.Settings{AutoCreate: true})
	ctx, cancel := context.WithCancel(context.Background())
	stream := n.Events(ctx, 0)
	a := n.dialIn("a", "demo")
	var first gateway.Event
	seen := map[gateway.EventKind]bool{}
	for !seen[gateway.EventCallUpdated] || !seen[gateway.EventCallStarted] || !seen[gateway.EventMeetingStarted] {
		e := <-stream
		if first.Seq == 0 {
			first = e
		}
		seen[e.Kind] = true
	}
	cancel()
	for range stream {
	}
	a.Hangup(call.Cause{Code: call.NormalClearing})
	again, stop := context.WithCancel(context.Background())
	defer stop()
	next := first.Seq
	for e := range n.Events(again, first.Seq) {
		if e.Seq != next+1 {
			t.Fatalf("event %d follows %d", e.Seq, next)
		}
		next = e.Seq
		if e.Kind == gateway.EventMeetingEnded {
			break
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The legs of a trunk are offered its own audio, in its order.
func TestTrunkAudio(t *testing.T) {
	g729 := media.Format{Codec: media.G729, PayloadType: 18, ClockRate: 8000}
	n := startNode(t, gateway.Settings{AutoCreate: true, TrunkAudio: map[string][]media.Format{"pstn": {g729}}})
	for name, want := range map[string]int{"pstn": 1, "pbx": 0, "": 0} { // the node's own are none
		l := newLeg("of-"+name, "demo")
		l.info.Remote.Trunk = name
		n.endpoint.calls <- l
		eventually(t, "the leg is in", func() bool { return l.answered() != nil })
		if got := l.answered().Audio; len(got) != want || want == 1 && got[0] != g729 {
			t.Errorf("trunk %q is offered %v", name, got)
		}
	}
}
