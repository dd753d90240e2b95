package bridge_test

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// notices collects what a bridge tells.
type notices struct {
	mu   sync.Mutex
	list []bridge.Notice
}

func (n *notices) add(x bridge.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, x)
}

func (n *notices) count(kind bridge.NoticeKind) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, x := range n.list {
		if x.Kind == kind {
			count++
		}
	}
	return count
}

// stage is a bridge on a clock that the test moves.
type stage struct {
	t      *testing.T
	clock  *mixer.Clock
	bridge *bridge.Bridge
	notes  notices
	now    atomic.Int64 // nanoseconds; moves with the clock
}

func newStage(t *testing.T, sfu bridge.SFU) *stage {
	t.Helper()
	return newStageUnder(t, sfu, nil)
}

// newStageUnder is a stage whose lease says which node decides.
func newStageUnder(t *testing.T, sfu bridge.SFU, lease floor.Lease) *stage {
	t.Helper()
	s := &stage{t: t, clock: mixer.NewManualClock()}
	s.bridge = bridge.New(bridge.Config{
		Lease: lease,
		Alias: "demo", SFU: sfu, Local: sfu == nil, Codecs: &transcode.Codecs{}, Clock: s.clock,
		Now:    func() time.Time { return time.Unix(1e9, s.now.Load()) },
		Logger: zap.NewNop(), Notify: s.notes.add,
	})
	t.Cleanup(func() {
		s.bridge.Close()
		s.clock.Close()
	})
	return s
}

// add seats a leg and lets it negotiate.
func (s *stage) add(leg *fakeLeg) *bridge.Member {
	s.t.Helper()
	m := s.bridge.Add(leg, describe(leg.info.ID), nil)
	m.MediaChanged()
	return m
}

// talk lets everybody speak for n ticks.
func (s *stage) talk(n int, voices ...*voice) {
	s.t.Helper()
	for range n {
		for _, v := range voices {
			v.speak(s.t)
		}
		s.now.Add(int64(20 * time.Millisecond))
		s.clock.Tick()
	}
}

func near(got, want float64) bool { return math.Abs(got-want) < 15 }

func TestLegsHearEachOtherAndNotThemselves(t *testing.T) {
	s := newStage(t, nil)
	a, b := newLeg(t, "a", sound()), newLeg(t, "b", sound())
	ma, mb := s.add(a), s.add(b)
	ta, tb := newTrack("ta", media.Audio, pcmu), newTrack("tb", media.Audio, pcmu)
	ma.AddTrack(ta)
	mb.AddTrack(tb)
	eventually(t, "both are listened to", func() bool {
		return ta.attached() == 1 && tb.attached() == 1 && a.ear() != nil && b.ear() != nil
	})
	s.talk(100, newVoice(t, ta, 400), newVoice(t, tb, 1000))
	if got := a.ear().hears(); !near(got.Frequency, 1000) {
		t.Errorf("a hears %+v, want 1000 Hz", got)
	}
	if got := b.ear().hears(); !near(got.Frequency, 400) {
		t.Errorf("b hears %+v, want 400 Hz", got)
	}
}

func TestComfortNoiseIsAttachedAndDetachedWithTheSound(t *testing.T) {
	s := newStage(t, nil)
	m := s.add(newLeg(t, "a", sound()))
	track := newNoisyTrack("ta", pcmu)
	m.AddTrack(track)
	eventually(t, "sound and noise are listened to", func() bool { return track.attached() == 1 && track.noise.attached() == 1 })
	m.Leave()
	if track.attached() != 0 || track.noise.attached() != 0 {
		t.Errorf("%d and %d still listen after the leg has left", track.attached(), track.noise.attached())
	}
}

func TestLoneSeatReceivesUntilThereIsASecondLeg(t *testing.T) {
	t.Parallel()
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web-1", Name: "Lan", Tracks: []call.ParticipantTrack{{ID: "TR_a", Role: "audio"}}}}
	s := newStage(t, sfu)
	a := newLeg(t, "a", sound())
	s.add(a)
	eventually(t, "the leg has a seat that receives", func() bool { return sfu.seat("leg-a") != nil && sfu.seat("leg-a").receiver != nil })
	if n := len(sfu.hidden()); n != 0 {
		t.Fatalf("%d hidden receivers for a lone leg", n)
	}
	remote := newTrack("TR_a", media.Audio, opus)
	remote.who = sfu.roster[0]
	sfu.seat("leg-a").receiver.tracks <- remote
	eventually(t, "the browser is listened to", func() bool { return remote.attached() == 1 && a.ear() != nil })
	s.talk(100, newVoice(t, remote, 700))
	if got := a.ear().hears(); !near(got.Frequency, 700) {
		t.Errorf("the leg hears %+v, want 700 Hz", got)
	}

	s.add(newLeg(t, "b", sound()))
	eventually(t, "a hidden receiver takes over", func() bool { return len(sfu.hidden()) == 1 && sfu.seat("leg-a").receiver.hasLeft() })
	again := newTrack("TR_a", media.Audio, opus)
	again.who = remote.who
	sfu.hidden()[0].tracks <- again
	eventually(t, "the browser is listened to once", func() bool { return again.attached() == 1 && remote.attached() == 0 })
	if sfu.seat("leg-a").hasLeft() {
		t.Error("the seat itself was left")
	}
	if s.notes.count(bridge.Joined) != 1 {
		t.Errorf("%d joined notices, want 1", s.notes.count(bridge.Joined))
	}
}

func TestLegIsPublishedAndMuted(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	a := newLeg(t, "a", sound(), picture())
	m := s.add(a)
	track, camera := newTrack("ta", media.Audio, pcmu), newTrack("va", media.Main, h264)
	m.AddTrack(track)
	m.AddTrack(camera)
	eventually(t, "sound and picture are published", func() bool {
		seat := sfu.seat("leg-a")
		return seat != nil && seat.publishes(media.Audio) != nil && seat.publishes(media.Main) != nil
	})
	seat := sfu.seat("leg-a")
	if f := seat.publishes(media.Audio).Format(); !f.Encodes(opus) {
		t.Errorf("sound is published as %s", f)
	}
	eventually(t, "the leg is listened to", func() bool { return track.attached() == 1 })
	v := newVoice(t, track, 400)
	s.talk(60, v)
	if got := seat.ear().hears(); !near(got.Frequency, 400) {
		t.Errorf("the meeting hears %+v, want 400 Hz", got)
	}
	m.SetMuted(true)
	eventually(t, "the meeting knows", seat.isMuted)
	s.talk(20, v)
	seat.ear().forget()
	s.talk(100, v)
	if got := seat.ear().hears(); got.Level > -60 {
		t.Errorf("the meeting hears a muted leg: %+v", got)
	}

	camera.end()
	eventually(t, "the picture is gone", func() bool { return seat.publishes(media.Main) == nil })
	m.Leave()
	if !seat.hasLeft() {
		t.Error("the seat was not left")
	}
}

func TestMeetingThatDoesNotAnswer(t *testing.T) {
	sfu := newSFU(t)
	var fails atomic.Int32
	sfu.join = func(call.Participant, bool) error {
		if fails.Add(1) <= 1 {
			return errors.New("connection refused")
		}
		return nil
	}
	s := newStage(t, sfu)
	a := newLeg(t, "a", sound())
	s.add(a)
	eventually(t, "the leg joins in the end", func() bool { return sfu.seat("leg-a") != nil })
	eventually(t, "the gap is told once", func() bool { return s.notes.count(bridge.MeetingLost) == 1 && s.notes.count(bridge.MeetingBack) == 1 })
}

func TestMeetingThatRefuses(t *testing.T) {
	sfu := newSFU(t)
	sfu.join = func(call.Participant, bool) error { return errors.New("full") }
	sfu.permanent = &call.Cause{Code: call.UserBusy}
	s := newStage(t, sfu)
	s.add(newLeg(t, "a", sound()))
	eventually(t, "the owner is told", func() bool { return s.notes.count(bridge.RemovedByMeeting) == 1 })
}

func TestModeratorMutes(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	s.add(newLeg(t, "a", sound()))
	eventually(t, "seated", func() bool { return sfu.seat("leg-a") != nil })
	sfu.seat("leg-a").events(bridge.Event{Kind: bridge.SeatMuted, Role: media.Audio, On: true})
	eventually(t, "the owner is told", func() bool { return s.notes.count(bridge.MutedByMeeting) == 1 })
}
