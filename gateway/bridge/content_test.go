package bridge_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/media"
)

// holderLeg is a leg whose far side yields the floor when it is asked to.
type holderLeg struct {
	*fakeLeg
	member *bridge.Member

	floor    sync.Mutex
	said     []string
	stubborn bool
}

func newHolder(t *testing.T, id string) *holderLeg {
	content := picture()
	content.Role = media.Content
	return &holderLeg{fakeLeg: newLeg(t, id, sound(), picture(), content)}
}

func (l *holderLeg) note(what string) {
	l.floor.Lock()
	defer l.floor.Unlock()
	l.said = append(l.said, what)
}

func (l *holderLeg) heard(what string) func() bool {
	return func() bool {
		l.floor.Lock()
		defer l.floor.Unlock()
		return slices.Contains(l.said, what)
	}
}

func (l *holderLeg) forget() {
	l.floor.Lock()
	defer l.floor.Unlock()
	l.said = nil
}

func (l *holderLeg) RequestContent(context.Context) error {
	l.note("request")
	if l.stubborn {
		l.member.Content(call.ContentRefused)
		return nil
	}
	l.member.Content(call.ContentStopped)
	l.member.Content(call.ContentGranted)
	return nil
}

func (l *holderLeg) ReleaseContent(context.Context) error {
	l.note("release")
	return nil
}

func (l *holderLeg) AnswerContent(_ context.Context, grant bool) error {
	if !grant {
		l.note("denied")
		return nil
	}
	l.note("granted")
	l.member.Content(call.ContentLost)
	l.member.Content(call.ContentStarted)
	return nil
}

func (s *stage) addHolder(l *holderLeg) *fakeTrack {
	s.t.Helper()
	l.member = s.bridge.Add(l, describe(l.info.ID), nil)
	l.member.MediaChanged()
	slides := newTrack("slides-"+l.info.ID, media.Content, h264)
	l.member.AddTrack(slides)
	return slides
}

func (n *notices) last(kind bridge.NoticeKind) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.list) - 1; i >= 0; i-- {
		if n.list[i].Kind == kind {
			return n.list[i].Identity
		}
	}
	return "none"
}

// A terminal asks, presents to the other's second channel and to the meeting; the other
// takes over; the floor is free when that one hangs up.
func TestTakeOverBetweenTerminals(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	a, b := newHolder(t, "a"), newHolder(t, "b")
	slidesA, slidesB := s.addHolder(a), s.addHolder(b)
	eventually(t, "both are seated", func() bool { return sfu.seat("leg-a") != nil && sfu.seat("leg-b") != nil })

	a.member.Content(call.ContentRequested)
	eventually(t, "a is granted the floor", a.heard("granted"))
	eventually(t, "the floor of b is asked for", b.heard("request"))
	eventually(t, "b is shown the slides of a", func() bool { return slidesA.attached() >= 1 && b.publishes(media.Content) != nil })
	eventually(t, "the meeting is, too", func() bool { return sfu.seat("leg-a").publishes(media.Content) != nil })
	if s.notes.last(bridge.Presenting) != "leg-a" {
		t.Error("nobody was told that a presents")
	}
	if slidesB.attached() != 0 || sfu.seat("leg-b").publishes(media.Content) != nil {
		t.Error("what b would present is shown already")
	}

	b.member.Content(call.ContentRequested)
	eventually(t, "b is granted the floor", b.heard("granted"))
	eventually(t, "that of a is taken", a.heard("request"))
	eventually(t, "a is shown the slides of b", func() bool {
		return slidesB.attached() >= 1 && slidesA.attached() == 0 && a.publishes(media.Content) != nil && b.publishes(media.Content) == nil
	})
	eventually(t, "and so is the meeting", func() bool {
		return sfu.seat("leg-b").publishes(media.Content) != nil && sfu.seat("leg-a").publishes(media.Content) == nil
	})

	b.member.Leave()
	eventually(t, "the floor of a is given back", a.heard("release"))
	if got := s.notes.last(bridge.Presenting); got != "" {
		t.Errorf("%q presents", got)
	}
}

// A browser that shares presents; a terminal that takes over has its share stopped, and
// the other way round.
func TestTakeOverBetweenBrowserAndTerminal(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	a := newHolder(t, "a")
	slides := s.addHolder(a)
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	r := sfu.seat("leg-a").receiver
	web := call.Participant{Identity: "web-1", Tracks: []call.ParticipantTrack{{ID: "TR_s", Role: "content", Codec: "H264", Width: 1280, Height: 720}}}
	r.events(bridge.Event{Kind: bridge.RosterChange, Participant: web})
	eventually(t, "the floor of the leg is asked for", a.heard("request"))
	eventually(t, "the share is subscribed to", func() bool { return r.wants("TR_s") })
	screen := newTrack("TR_s", media.Content, h264)
	screen.who = web
	r.tracks <- screen
	eventually(t, "it is shown in the second channel alone", func() bool { return screen.attached() == 1 })

	a.member.Content(call.ContentRequested)
	eventually(t, "the leg takes over", a.heard("granted"))
	eventually(t, "the share is stopped", func() bool { return s.notes.last(bridge.StopSharing) == "web-1" })
	eventually(t, "the slides are published", func() bool { return sfu.seat("leg-a").publishes(media.Content) != nil })
	_ = slides
	bare := web
	bare.Tracks = nil
	r.events(bridge.Event{Kind: bridge.RosterChange, Participant: bare})

	a.forget()
	r.events(bridge.Event{Kind: bridge.RosterChange, Participant: web})
	eventually(t, "the browser takes over", a.heard("request"))
	eventually(t, "the slides are not published any more", func() bool { return sfu.seat("leg-a").publishes(media.Content) == nil })
	if got := s.notes.last(bridge.Presenting); got != "web-1" {
		t.Errorf("%q presents", got)
	}
}

type heldLease struct{ held atomic.Bool }

func (l *heldLease) Held() bool { return l.held.Load() }

// Where another node decides, this one stops nobody's share, and follows what the
// other lets be shown; it decides as soon as the other is gone.
func TestAnotherNodeDecides(t *testing.T) {
	sfu, lease := newSFU(t), &heldLease{}
	s := newStageUnder(t, sfu, lease)
	s.bridge.SetFloor(floor.HostOnly)
	a := newHolder(t, "a")
	s.addHolder(a)
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	seat := sfu.seat("leg-a")
	far := call.Participant{Identity: "leg-far", Tracks: []call.ParticipantTrack{{ID: "TR_s", Role: "content", Codec: "H264", Width: 1280, Height: 720}}}
	seat.receiver.events(bridge.Event{Kind: bridge.RosterChange, Participant: far})
	eventually(t, "a leg of another node presents", func() bool { p, _ := s.bridge.Presenter(); return p == "leg-far" })
	a.member.Content(call.ContentRequested)
	eventually(t, "a may try", a.heard("granted"))
	eventually(t, "its slides are published", func() bool { return seat.publishes(media.Content) != nil })
	seat.events(bridge.Event{Kind: bridge.SeatMuted, Role: media.Content, On: true}) // the other node's word
	eventually(t, "who was let present is followed again", func() bool { p, _ := s.bridge.Presenter(); return p == "leg-far" })
	if n := s.notes.count(bridge.StopSharing); n != 0 {
		t.Errorf("it stopped %d shares where another node decides", n)
	}

	lease.held.Store(true)
	a.forget()
	a.member.Content(call.ContentRequested)
	eventually(t, "a guest is denied here now", a.heard("denied"))
	a.member.SetHost()
	a.member.Content(call.ContentRequested)
	eventually(t, "a host is granted", a.heard("granted"))
	eventually(t, "and the share of who presented is stopped", func() bool { return s.notes.last(bridge.StopSharing) == "leg-far" })
}

func TestPoliciesOfAMeeting(t *testing.T) {
	s := newStage(t, nil)
	a, b := newHolder(t, "a"), newHolder(t, "b")
	s.addHolder(a)
	s.addHolder(b)
	s.bridge.SetFloor(floor.HostOnly)
	a.member.Content(call.ContentRequested)
	eventually(t, "a guest is denied", a.heard("denied"))
	b.member.SetHost()
	b.member.Content(call.ContentRequested)
	eventually(t, "a host is granted", b.heard("granted"))

	s.bridge.SetFloor(floor.Ask)
	a.forget()
	a.member.Content(call.ContentRequested)
	eventually(t, "a waits", func() bool { _, w := s.bridge.Presenter(); return w == "leg-a" })
	if !s.bridge.Present("leg-a", true) {
		t.Error("who waits is not there")
	}
	eventually(t, "a is granted", a.heard("granted"))
	if !s.bridge.Present("leg-a", false) || s.bridge.Present("stranger", true) {
		t.Error("stopped, or let present, the wrong one")
	}
	eventually(t, "nobody presents", func() bool { p, _ := s.bridge.Presenter(); return p == "" })
	eventually(t, "the floor of a was taken from it", a.heard("request"))
	eventually(t, "and given back", a.heard("release"))
}

// A terminal that does not yield is not shown what others present, and does not keep
// them from it.
func TestStubbornTerminal(t *testing.T) {
	s := newStage(t, nil)
	a, b := newHolder(t, "a"), newHolder(t, "b")
	a.stubborn = true
	s.addHolder(a)
	slides := s.addHolder(b)
	a.member.Content(call.ContentRequested)
	eventually(t, "a presents", a.heard("granted"))
	b.member.Content(call.ContentRequested)
	eventually(t, "b takes over", b.heard("granted"))
	eventually(t, "a is asked to yield", a.heard("request"))
	if a.publishes(media.Content) != nil {
		t.Error("it is sent content that it did not agree to")
	}
	eventually(t, "a sees b's slides where it sees anything", func() bool { return slides.attached() == 1 })
}

// Without floor control who sends content presents, until nothing comes any more.
func TestContentWithoutFloorControl(t *testing.T) {
	t.Parallel()
	s := newStage(t, nil)
	content := picture()
	content.Role = media.Content
	leg := &countedLeg{fakeLeg: newLeg(t, "a", sound(), picture(), content)}
	m := s.bridge.Add(leg, describe("a"), nil)
	m.MediaChanged()
	m.AddTrack(newTrack("slides", media.Content, h264))
	presenter := func() string { p, _ := s.bridge.Presenter(); return p }
	leg.saw(time.Unix(1e9, s.now.Load()))
	eventually(t, "it presents", func() bool { return presenter() == "leg-a" })
	s.now.Add(int64(5 * time.Second))
	eventually(t, "it has stopped", func() bool { return presenter() == "" })
}

// countedLeg is a leg that counts content.
type countedLeg struct {
	*fakeLeg
	at   sync.Mutex
	last time.Time
}

func (l *countedLeg) saw(at time.Time) {
	l.at.Lock()
	defer l.at.Unlock()
	l.last = at
}

func (l *countedLeg) Stats() []media.StreamStats {
	l.at.Lock()
	defer l.at.Unlock()
	return []media.StreamStats{{Role: media.Content, LastSeen: l.last}}
}
