package gateway_test

import (
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// A terminal that an operator has forced onto a screen is on it again when it calls again,
// and the one whose screen it is keeps what was forced onto it.
func TestWhoIsForcedOntoAScreenComesBack(t *testing.T) {
	n := startNode(t, gateway.Settings{AutoCreate: true})
	from := func(id, alias string) *fakeLeg {
		l := newLeg(id, "88001")
		l.info.Remote.Alias = alias
		n.endpoint.calls <- l
		n.comesTo(l, "active 88001")
		return l
	}
	must(n.CreateMeeting(t.Context(), gateway.MeetingSpec{Alias: "88001"}))
	site, other := from("site1", "room-a"), from("other1", "room-b")
	most := 1
	c := must(n.Dial(t.Context(), gateway.DialRequest{Target: "sip:viewer@x", Meeting: "88001", Redials: &most}))
	viewer := n.answerAt(0)
	if err := n.SetLayout(c.Info.ID, "single", "leg-site1"); err != nil {
		t.Fatal(err)
	}
	if err := n.SetMeetingLayout("88001", "lecture", "leg-other1"); err != nil {
		t.Fatal(err)
	}
	pinned := func() string { return must(n.Call(c.Info.ID)).Pinned }
	if got := must(n.Call(c.Info.ID)); got.Layout != "single" || got.Pinned != "leg-site1" {
		t.Errorf("%q %q", got.Layout, got.Pinned)
	}
	_ = site.Hangup(call.Cause{Code: call.MediaTimeout})
	n.comesTo(site, "gone")
	from("stranger", "room-x")
	if got := pinned(); got != "leg-site1" {
		t.Errorf("somebody else takes the place: %q", got)
	}
	from("site2", "room-a")
	eventually(t, "the site is on the screen again", func() bool { return pinned() == "leg-site2" })

	// While the viewer is lost the site calls again, too.
	_ = viewer.Hangup(call.Cause{Code: call.MediaTimeout})
	eventually(t, "the viewer waits to be called again", func() bool { return n.standing(c.Info.ID) == gateway.StateRedialling })
	second := n.answerAt(1)
	if got := must(n.Call(second.Info().ID)); got.Layout != "single" || got.Pinned != "leg-site2" {
		t.Errorf("the viewer comes back with %q %q", got.Layout, got.Pinned)
	}
	_ = other.Hangup(call.Cause{Code: call.MediaTimeout})
	n.comesTo(other, "gone")
	from("other2", "room-b")
	eventually(t, "the lecturer is pinned for all again", func() bool { return n.PinnedForAll("88001") == "leg-other2" })
}
