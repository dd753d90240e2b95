package gateway_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
)

// answerAt is the answer to the nth call out.
func (n *node) answerAt(i int) *fakeLeg {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("call %d is placed", i), func() bool { return n.endpoint.out(i) != nil })
	l := n.endpoint.out(i)
	l.mu.Lock()
	l.info.Answered = time.Now()
	l.mu.Unlock()
	l.answer()
	return l
}

func (n *node) standing(id string) gateway.CallState {
	c, _ := n.Call(id)
	return c.State
}

// A call that the network lost is made again, within bounds; one that was hung up, or
// whose meeting has ended, is not.
func TestRedial(t *testing.T) {
	ctx := context.Background()
	n := startNode(t, gateway.Settings{AutoCreate: true})
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001"}))
	most := 2
	c := must(n.Dial(ctx, gateway.DialRequest{Target: "sip:mcu@10.0.0.1,12,#", Meeting: "88001", Redials: &most}))
	first := n.answerAt(0)
	eventually(t, "the menu hears its digits", func() bool { return first.gotDigits() == "12#" })
	_ = first.Hangup(call.Cause{Code: call.MediaTimeout})
	eventually(t, "it waits to be called again", func() bool { return n.standing(c.Info.ID) == gateway.StateRedialling })
	waiting := must(n.Call(c.Info.ID))
	if r := waiting.Redial; r == nil || r.Attempt != 1 || r.Most != 2 || r.Next.IsZero() || waiting.Cause.Code != call.MediaTimeout {
		t.Errorf("waiting: %+v", waiting)
	}
	if list := n.Calls(); len(list) != 1 || list[0].State != gateway.StateRedialling {
		t.Errorf("calls: %+v", list)
	}
	second := n.answerAt(1)
	eventually(t, "it is called again, and hears the digits", func() bool { return second.gotDigits() == "12#" })
	_ = second.Hangup(call.Cause{Code: call.NormalClearing})
	eventually(t, "who hung up is left alone", func() bool { return len(n.Calls()) == 0 })
	if l := n.endpoint.out(2); l != nil {
		t.Error("somebody who hung up was called")
	}
}

func TestRedialIsCancelled(t *testing.T) {
	ctx := context.Background()
	n := startNode(t, gateway.Settings{AutoCreate: true})
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001"}))
	most := 5
	for i, cancel := range []func(id string) error{
		func(id string) error { return n.Hangup(id, call.Removed) },
		func(string) error { return n.EndMeeting(ctx, "88001") },
		func(string) error { return n.DeleteMeeting(ctx, "88001") },
	} {
		c := must(n.Dial(ctx, gateway.DialRequest{Target: fmt.Sprintf("sip:%d@y", i), Meeting: "88001", Redials: &most}))
		_ = n.answerAt(i).Hangup(call.Cause{Code: call.Failure})
		eventually(t, "it waits", func() bool { return n.standing(c.Info.ID) == gateway.StateRedialling })
		if err := cancel(c.Info.ID); err != nil {
			t.Error(err)
		}
		if left := n.Calls(); len(left) != 0 {
			t.Errorf("%d: left %+v", i, left)
		}
	}
}

// The smallest rate of call and meeting counts, in both directions; so does the
// shortest time.
func TestRateAndDuration(t *testing.T) {
	ctx := context.Background()
	n := startNode(t, gateway.Settings{AutoCreate: true})
	must(n.CreateMeeting(ctx, gateway.MeetingSpec{Alias: "88001", Bandwidth: 768, LegLast: 50 * time.Millisecond}))
	for i, tc := range []struct{ asked, want int }{{1024, 768_000}, {384, 384_000}, {0, 768_000}} {
		must(n.Dial(ctx, gateway.DialRequest{Target: fmt.Sprintf("sip:%d@y", i), Meeting: "88001", Rate: tc.asked}))
		if got := n.endpoint.dialed[i].Can.Rate; got != tc.want {
			t.Errorf("asked %d: rate %d, want %d", tc.asked, got, tc.want)
		}
	}
	in := n.dialIn("a", "88001")
	eventually(t, "a is in", func() bool { return in.answered() != nil })
	if got := in.answered().Rate; got != 768_000 {
		t.Errorf("calls in: %d", got)
	}
	last := n.answerAt(0)
	eventually(t, "it lasts no longer", func() bool { return last.cause() == call.MeetingEnded })
	if _, err := n.Dial(ctx, gateway.DialRequest{Target: "sip:x@y", Meeting: "88001", Rate: 12}); err == nil {
		t.Error("12 kbit/s were taken")
	}
}

func TestWithin(t *testing.T) {
	all := media.Capabilities{
		Audio: []media.Format{pcmu}, MaxVideo: 4_000_000, MaxContent: 4_000_000,
		Video:   []media.Format{{Codec: media.H264, H264: media.H264Format{MaxBR: 3000}}},
		Content: []media.Format{{Codec: media.H264}},
	}
	for _, tc := range []struct{ rate, main, content, lines int }{
		{0, 4_000_000, 4_000_000, 1}, {6_144_000, 4_000_000, 3_040_000, 1}, {1_024_000, 960_000, 480_000, 1},
		{128_000, 64_000, 32_000, 1}, {64_000, 4_000_000, 4_000_000, 0},
	} {
		got := all.Within(tc.rate)
		if got.MaxVideo != tc.main || got.MaxContent != tc.content || len(got.Video) != tc.lines || got.Rate != tc.rate {
			t.Errorf("%d: %+v", tc.rate, got)
		}
		if tc.rate == 1_024_000 && got.Video[0].H264.MaxBR != 0 {
			t.Error("max-br beyond the rate was kept")
		}
	}
	if again := all.Within(384_000).Within(1_024_000); again.Rate != 384_000 {
		t.Errorf("the greater of two rates counts: %d", again.Rate)
	}
}

func TestCutDigits(t *testing.T) {
	for target, want := range map[string][2]string{
		"sip:mcu@10.0.0.1":      {"sip:mcu@10.0.0.1", ""},
		"sip:mcu@10.0.0.1,,12#": {"sip:mcu@10.0.0.1", ",,12#"},
		"h323:10.0.0.5##9,1":    {"h323:10.0.0.5##9", ",1"},
		"sip:a,b@10.0.0.1":      {"sip:a,b@10.0.0.1", ""},
		",12":                   {",12", ""},
	} {
		if address, digits := directory.CutDigits(target); [2]string{address, digits} != want {
			t.Errorf("%s: %q %q", target, address, digits)
		}
	}
}

// decides is a policy that answers one thing.
type decides route.Decision

func (d decides) Decide(context.Context, call.Info) (route.Decision, bool) {
	return route.Decision(d), true
}

// A policy chooses the layout of a call, in the place of what the directory says.
func TestPolicyChoosesTheLayout(t *testing.T) {
	n := startNode(t, gateway.Settings{Policy: decides{Meeting: "88001", Layout: "3x3"}})
	must(n.CreateMeeting(context.Background(), gateway.MeetingSpec{Alias: "88001"}))
	l := n.dialIn("any", "4711")
	n.comesTo(l, "active 88001")
	if got := must(n.Call("any")).Layout; got != "3x3" {
		t.Errorf("layout %q", got)
	}
}
