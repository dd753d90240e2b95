package bridge_test

import (
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// A leg's picture is made small, in its own shape and in the codec that the meeting gets,
// while somebody there wants it small; it is passed on as before all along.
func TestSmallPictureForTheMeeting(t *testing.T) {
	t.Parallel()
	vp8 := media.Format{Codec: media.VP8, ClockRate: 90000}
	for _, tc := range []struct {
		name          string
		clip          *videotest.Clip
		width, height int // of the small one; 0: there is none
		mode          string
		others        int // encoders besides
	}{
		{"passed on", clipOf(t, h264At(31, 1), 1280, 720, 5), 320, 180, "passthrough", 0},
		{"made", clipOf(t, vp8, 960, 720, 5), 240, 180, "transcoded", 1},
		{"passed on in CIF", clipOf(t, h264At(13, 1), 352, 288, 5), 240, 180, "passthrough", 0},
		{"small as it is", clipOf(t, h264At(13, 1), 320, 180, 5), 0, 0, "passthrough", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sfu := newSFU(t)
			th := newTheatre(t, sfu, layout.Single)
			_, m, cam := th.seat("a", takes(h264At(31, 1), 0), tc.clip)
			videotest.Roll(t, cam)
			eventually(t, "the picture is published", func() bool {
				s := sfu.seat("leg-a")
				return s != nil && s.publishes(media.Main) != nil && (tc.mode != "passthrough" || th.encoders() == 0)
			})
			seat := sfu.seat("leg-a")
			large := videotest.Watch(t, th.stage, seat.publishes(media.Main), 640, 360, nil)
			t.Cleanup(large.Source.Close)
			eventually(t, "the card", func() bool { return large.Shows(5) })
			seat.events(bridge.Event{Kind: bridge.SeatSmall, Role: media.Main, On: true})
			if tc.width == 0 {
				large.Forget()
				eventually(t, "the card again", func() bool { return large.Shows(5) })
				offered, small := seat.sizes()
				assert.False(t, offered)
				assert.Nil(t, small)
				return
			}
			var small media.Track
			eventually(t, "a small picture", func() bool {
				offered, track := seat.sizes()
				small = track
				return offered && track != nil
			})
			assert.True(t, small.Format().Encodes(media.Format{Codec: media.H264, ClockRate: 90000, H264: small.Format().H264}))
			v := videotest.Watch(t, th.stage, small, 320, 180, nil)
			t.Cleanup(v.Source.Close)
			eventually(t, "the card in it", func() bool {
				w, h := v.Source.Size()
				return v.Shows(5) && w == tc.width && h == tc.height
			})
			f := m.Facts(media.Main, false)
			assert.Equal(t, tc.mode, f.Mode)
			assert.Contains(t, f.Pipeline, small.ID())
			assert.Equal(t, tc.others+1, th.encoders())
			_, made := seat.publishes(media.Main).(*video.Output)
			assert.Equal(t, tc.mode == "transcoded", made)

			seat.events(bridge.Event{Kind: bridge.SeatSmall, Role: media.Main})
			eventually(t, "no small picture any more", func() bool {
				offered, track := seat.sizes()
				return offered && track == nil && th.encoders() == tc.others
			})
			large.Forget()
			eventually(t, "the large one goes on", func() bool { return large.Shows(5) })
		})
	}
}

// A node makes no more small pictures than it may; when one ends there is room for another.
func TestSmallPicturesAreBounded(t *testing.T) {
	sfu := newSFU(t)
	th := newTheatreAs(t, sfu, layout.Single, func(c *bridge.Config) { c.Small = bridge.NewSmallPictures(1) })
	var cams []*videotest.Camera
	var members []*bridge.Member
	for i, id := range []string{"a", "b"} {
		_, m, cam := th.seat(id, takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 1280, 720, 5+i))
		cams, members = append(cams, cam), append(members, m)
	}
	videotest.Roll(t, cams...)
	one := func(id string) (offered bool, small media.Track) {
		if s := sfu.seat("leg-" + id); s != nil {
			return s.sizes()
		}
		return false, nil
	}
	for _, id := range []string{"a", "b"} {
		eventually(t, "its picture is published", func() bool {
			s := sfu.seat("leg-" + id)
			return s != nil && s.publishes(media.Main) != nil
		})
		// By what goes to the meeting its size is known.
		t.Cleanup(sfu.seat("leg-" + id).publishes(media.Main).Attach(media.WriterFunc(func(*rtp.Packet) error { return nil })))
	}
	eventually(t, "both may have one", func() bool {
		a, _ := one("a")
		b, _ := one("b")
		return a && b
	})
	sfu.seat("leg-a").events(bridge.Event{Kind: bridge.SeatSmall, Role: media.Main, On: true})
	eventually(t, "one has", func() bool {
		_, a := one("a")
		b, _ := one("b")
		return a != nil && !b
	})
	sfu.seat("leg-b").events(bridge.Event{Kind: bridge.SeatSmall, Role: media.Main, On: true})
	members[0].Leave()
	eventually(t, "the other one has", func() bool {
		_, b := one("b")
		return b != nil
	})
}

// A seat hears who has come to the meeting and who has gone, which it is not told by the SFU.
func TestSeatsHearOfOthers(t *testing.T) {
	sfu := newSFU(t)
	s := newStage(t, sfu)
	s.add(newLeg(t, "a", sound(), picture()))
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil && sfu.seat("leg-a").receiver != nil })
	seat := sfu.seat("leg-a")
	web := call.Participant{Identity: "web"}
	seat.events(bridge.Event{Kind: bridge.RosterChange, Participant: web})
	eventually(t, "somebody has come", func() bool { return len(seat.heard()) == 1 })
	seat.events(bridge.Event{Kind: bridge.RosterChange, Participant: web, Gone: true})
	eventually(t, "and gone", func() bool { return len(seat.heard()) == 2 })
	require.Equal(t, []bool{false, true}, seat.heard())
}
