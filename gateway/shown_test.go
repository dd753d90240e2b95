package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/transcode"
)

// A layout that was chosen at another node is shown here, too, unless something else was
// chosen later; what others keep about a room is passed over.
func TestChoicesOfOtherNodes(t *testing.T) {
	now := time.UnixMilli(1000)
	g, err := New(Config{SFU: lonely{}, Codecs: &transcode.Codecs{}, Logger: zap.NewNop(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.clock.Close)
	if _, err := g.CreateMeeting(t.Context(), MeetingSpec{Alias: "88001", Layout: "grid"}); err != nil {
		t.Fatal(err)
	}
	p, verdict := g.enter("88001", &claim{})
	if p == nil {
		t.Fatal(verdict)
	}
	t.Cleanup(func() { g.leave(p) })
	told := func(c choice, want string) {
		t.Helper()
		text, _ := json.Marshal(map[string]any{shownMember: c, "others": []int{1}})
		g.described(p.meeting, string(text))
		got, err := g.MeetingLayout("88001")
		if err != nil || got.Layout+" "+got.Pinned != want {
			t.Errorf("told %+v: %+v, want %s", c, got, want)
		}
	}
	told(choice{Layout: "3x3", Pinned: "leg-a", Chosen: 500}, "3x3 leg-a")
	told(choice{Layout: "speaker", Chosen: 400}, "3x3 leg-a") // late
	if err := g.SetMeetingLayout("88001", "single", ""); err != nil {
		t.Fatal(err)
	}
	told(choice{Layout: "3x3", Pinned: "leg-a", Chosen: 500}, "single ") // its own, told back before the new one
	told(choice{Chosen: 2000}, "grid ")                                  // as it was made; that node's clock is ahead
	if err := g.SetMeetingLayout("88001", "2x2", ""); err != nil {
		t.Fatal(err)
	}
	told(choice{Layout: "5x5", Chosen: 1999}, "2x2 ")
	told(choice{Layout: "5x5", Chosen: 1<<63 - 1}, "2x2 ") // nothing could be chosen after it
	for _, text := range []string{"null", "", "a note", `{"others":1}`, `{"roomgate":7}`, `{"roomgate":{"layout":"9x9","chosen":9}}`} {
		g.described(p.meeting, text)
	}
	if got, _ := g.MeetingLayout("88001"); got.Layout != "2x2" {
		t.Errorf("%+v", got)
	}
}

// A choice that the meeting server could not keep yet is told again until it can, and only
// the latest one.
func TestChoiceIsToldAgain(t *testing.T) {
	admin := &notebook{notes: make(chan choice), refuse: 3}
	g, err := New(Config{SFU: lonely{}, Admin: admin, Codecs: &transcode.Codecs{}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.clock.Close)
	if _, err := g.CreateMeeting(t.Context(), MeetingSpec{Alias: "88001"}); err != nil {
		t.Fatal(err)
	}
	p, verdict := g.enter("88001", &claim{})
	if p == nil {
		t.Fatal(verdict)
	}
	for i, kind := range []string{"3x3", "3x3", "2x2", "2x2"} { // told, told again, replaced, and kept at last
		if i == 0 || i == 2 {
			if err := g.SetMeetingLayout("88001", kind, ""); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case c := <-admin.notes:
			if c.Layout != kind {
				t.Fatalf("attempt %d told %+v, want %s", i, c, kind)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("attempt %d did not come", i)
		}
	}
	g.leave(p)
	g.wait.Wait() // nobody goes on telling
}

// notebook is a meeting server that does not know the room for a while.
type notebook struct {
	SFUAdmin
	notes  chan choice
	mu     sync.Mutex
	refuse int // so many
}

func (n *notebook) Note(_ context.Context, _, _ string, value any) error {
	n.notes <- value.(choice)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse > 0 {
		n.refuse--
		return ErrNoParticipant
	}
	return nil
}

func (*notebook) CloseRoom(context.Context, string) error { return nil }

// lonely is a meeting server that is not there.
type lonely struct{}

func (lonely) Join(context.Context, string, call.Participant, bool, func(bridge.Event)) (bridge.Seat, error) {
	return nil, errors.New("no meeting server in this test")
}

func (lonely) Receive(context.Context, string, bool, func(bridge.Event)) (bridge.Receiver, error) {
	return nil, errors.New("no meeting server in this test")
}

func (lonely) Permanent(error) *call.Cause { return nil }
