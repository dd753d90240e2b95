package bridge_test

import (
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
	"github.com/roomgate/roomgate/media"
)

// addPlain adds a terminal with one picture and no second channel.
func (s *stage) addPlain(id string) (*fakeLeg, *bridge.Member, *fakeTrack) {
	s.t.Helper()
	leg := newLeg(s.t, id, sound(), picture())
	m := s.bridge.Add(leg, describe(id), nil)
	m.MediaChanged()
	camera := newTrack("camera-"+id, media.Main, h264)
	m.AddTrack(camera)
	return leg, m, camera
}

// The only picture of a terminal becomes content by a key, and its camera again by the
// next, or when somebody takes over.
func TestPictureIsPresentedByKey(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	_, m, camera := s.addPlain("a")
	viewer := newHolder(t, "b")
	slides := s.addHolder(viewer)
	seat := func(id string) *fakeSeat { return sfu.seat("leg-" + id) }
	eventually(t, "both are seated", func() bool { return seat("a") != nil && seat("b") != nil })
	eventually(t, "the camera is published", func() bool { return seat("a").publishes(media.Main) != nil })

	if got := m.PresentPicture(); got != bridge.PresentsNow {
		t.Fatalf("%v", got)
	}
	eventually(t, "it is content to the meeting, and no camera", func() bool {
		return seat("a").publishes(media.Content) != nil && seat("a").publishes(media.Main) == nil
	})
	eventually(t, "and in the second channel of the other", func() bool { return viewer.publishes(media.Content) != nil && camera.attached() >= 1 })
	if got := m.PresentPicture(); got != bridge.PresentsNoMore {
		t.Fatalf("%v", got)
	}
	eventually(t, "it is the camera again", func() bool {
		return seat("a").publishes(media.Content) == nil && seat("a").publishes(media.Main) != nil
	})
	if s.notes.last(bridge.PresentingKeyed) != "none" {
		t.Error("who has pressed the key is told twice")
	}

	m.PresentPicture()
	viewer.member.Content(call.ContentRequested)
	eventually(t, "the other takes over", func() bool { return seat("b").publishes(media.Content) != nil && slides.attached() >= 1 })
	eventually(t, "the first shows its camera", func() bool {
		return seat("a").publishes(media.Main) != nil && seat("a").publishes(media.Content) == nil
	})
	eventually(t, "and is told", func() bool { return s.notes.last(bridge.PresentingKeyed) == "leg-a" })
}

// Who has asked by a key is told what hosts say; one without a picture presents nothing.
func TestKeyThatPresentsWaits(t *testing.T) {
	s := newStage(t, nil)
	s.bridge.SetFloor(floor.Ask)
	_, a, _ := s.addPlain("a")
	_, b, _ := s.addPlain("b")
	phone := s.bridge.Add(newLeg(t, "c", sound()), describe("c"), nil)
	if got := phone.PresentPicture(); got != bridge.PresentsNothing {
		t.Errorf("a phone: %v", got)
	}
	if got := a.PresentPicture(); got != bridge.PresentsNow {
		t.Fatalf("%v", got)
	}
	for _, yes := range []bool{false, true} {
		if got := b.PresentPicture(); got != bridge.PresentsLater {
			t.Fatalf("%v", got)
		}
		told := s.notes.count(bridge.PresentingKeyed)
		s.bridge.Present("leg-b", yes)
		eventually(t, "b is told", func() bool {
			return s.notes.count(bridge.PresentingKeyed) > told && s.notes.last(bridge.PresentingKeyed) == "leg-b"
		})
		if presenter, _ := s.bridge.Presenter(); (presenter == "leg-b") != yes {
			t.Errorf("%q presents", presenter)
		}
	}
	s.bridge.SetFloor(floor.HostOnly)
	if got := a.PresentPicture(); got != bridge.PresentsDenied {
		t.Errorf("a guest: %v", got)
	}
	b.Leave()
	eventually(t, "nobody presents", func() bool { p, _ := s.bridge.Presenter(); return p == "" })
}

// A terminal that says in its signalling that slides have replaced its camera presents.
func TestPictureIsSaidToBeSlides(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	leg, m, _ := s.addPlain("a")
	eventually(t, "it is seated", func() bool { seat := sfu.seat("leg-a"); return seat != nil && seat.publishes(media.Main) != nil })
	for _, are := range []bool{true, false} {
		st := picture()
		st.Slides = are
		leg.says(sound(), st)
		m.MediaChanged()
		eventually(t, "the picture is what it is said to be", func() bool {
			return (sfu.seat("leg-a").publishes(media.Content) != nil) == are && (sfu.seat("leg-a").publishes(media.Main) != nil) == !are
		})
	}
}
