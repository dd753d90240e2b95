package bridge_test

import (
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/media"
)

func TestSpeakerIsShownToTheOthers(t *testing.T) {
	s := newStage(t, nil)
	cameras, voices := map[string]*fakeTrack{}, map[string]*voice{}
	for _, id := range []string{"a", "b", "c"} {
		m := s.add(newLeg(t, id, sound(), picture()))
		microphone := newTrack("t"+id, media.Audio, pcmu)
		cameras[id] = newTrack("v"+id, media.Main, h264)
		m.AddTrack(microphone)
		m.AddTrack(cameras[id])
		eventually(t, id+" is listened to", func() bool { return microphone.attached() == 1 })
		voices[id] = newVoice(t, microphone, 500)
	}
	watchers := func(a, b, c int) func() bool {
		return func() bool {
			return cameras["a"].attached() == a && cameras["b"].attached() == b && cameras["c"].attached() == c
		}
	}
	// Nobody has spoken: the first one that is not oneself.
	eventually(t, "the first is shown", watchers(2, 1, 0))
	s.talk(40, voices["c"])
	eventually(t, "c is shown to a and b, and c still sees a", watchers(1, 0, 2))
	s.talk(200, voices["b"])
	eventually(t, "b is shown to a and c, and b sees c who spoke before", watchers(0, 2, 1))
	if cameras["b"].asked() == 0 {
		t.Error("no keyframe was asked of the new speaker")
	}
	s.bridge.SetLayout("", "leg-a")
	eventually(t, "a is pinned for all, and a still sees b who spoke last", watchers(2, 1, 0))
	s.bridge.SetLayout("", "")
	eventually(t, "who speaks is shown again", watchers(0, 2, 1))
}

func TestContentComesFirstAndPicturesAreSubscribedOnDemand(t *testing.T) {
	sfu := newSFU(t)
	web := call.Participant{Identity: "web-1", Name: "Lan", Tracks: []call.ParticipantTrack{
		{ID: "TR_a", Role: "audio"}, {ID: "TR_v", Role: "video", Codec: "H264", Width: 1280, Height: 720}}}
	sfu.roster = []call.Participant{web}
	s := newStage(t, sfu)
	s.add(newLeg(t, "a", sound(), picture()))
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	r := sfu.seat("leg-a").receiver
	eventually(t, "the camera is subscribed to", func() bool { return r.wants("TR_v") })
	if r.wants("TR_a") {
		t.Error("sound comes unasked")
	}
	camera := newTrack("TR_v", media.Main, h264)
	camera.who = web
	r.tracks <- camera
	eventually(t, "the camera is shown", func() bool { return camera.attached() == 1 })

	web.Tracks = append(web.Tracks, call.ParticipantTrack{ID: "TR_s", Role: "content", Codec: "H264", Width: 1280, Height: 720})
	r.events(bridge.Event{Kind: bridge.RosterChange, Participant: web})
	eventually(t, "the screen is subscribed to", func() bool { return r.wants("TR_s") })
	screen := newTrack("TR_s", media.Content, h264)
	screen.who = web
	r.tracks <- screen
	eventually(t, "the screen is selected", func() bool { return screen.attached() == 1 })

	web.Tracks = web.Tracks[:2]
	screen.end()
	r.events(bridge.Event{Kind: bridge.RosterChange, Participant: web})
	eventually(t, "the camera is back", func() bool { return camera.attached() == 1 && screen.attached() == 0 })
}

// Whoever an attribute names is shown in the place of the speaker, whichever node has
// set it; one who leaves is not waited for.
func TestSpotlight(t *testing.T) {
	sfu := newSFU(t)
	person := func(identity, picture string) call.Participant {
		return call.Participant{Identity: identity, Name: identity, Tracks: []call.ParticipantTrack{{ID: picture, Role: "video", Codec: "H264", Width: 1280, Height: 720}}}
	}
	first, second := person("web-1", "TR_1"), person("web-2", "TR_2")
	sfu.roster = []call.Participant{first, second}
	s := newStage(t, sfu)
	s.add(newLeg(t, "a", sound(), picture()))
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	r := sfu.seat("leg-a").receiver
	cameras := map[string]*fakeTrack{}
	for id, who := range map[string]call.Participant{"TR_1": first, "TR_2": second} {
		cameras[id] = newTrack(id, media.Main, h264)
		cameras[id].who = who
		r.tracks <- cameras[id]
	}
	shows := func(id string) {
		t.Helper()
		eventually(t, id+" alone is shown", func() bool {
			for other, camera := range cameras {
				if camera.attached() != map[bool]int{true: 1}[other == id] {
					return false
				}
			}
			return true
		})
	}
	light := func(p call.Participant, on, gone bool) {
		if on {
			p.Attributes = map[string]string{call.AttrSpotlight: "yes"}
		}
		r.events(bridge.Event{Kind: bridge.RosterChange, Participant: p, Gone: gone})
	}
	shows("TR_1")
	light(second, true, false)
	shows("TR_2")
	light(first, true, false) // before the other is said to be out of it
	shows("TR_1")
	light(second, false, false)
	light(second, true, false)
	shows("TR_2")
	light(second, true, true)
	shows("TR_1")
	if got := s.notes.count(bridge.Spotlit); got != 4 {
		t.Errorf("%d notices, want 4", got)
	}
}

func TestVP8IsNotForwarded(t *testing.T) {
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web-1", Tracks: []call.ParticipantTrack{
		{ID: "TR_8", Role: "video", Codec: "VP8", Width: 1280, Height: 720}}}}
	s := newStage(t, sfu)
	m := s.add(newLeg(t, "a", sound(), picture()))
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	eventually(t, "the leg is told there is nothing to show", func() bool { return m.Facts(media.Main, true).Notice != "" })
	if sfu.seat("leg-a").receiver.wants("TR_8") {
		t.Error("a picture that terminals cannot decode was subscribed to")
	}
}
