package bridge_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// obedient is a leg's picture whose sender can be asked for less.
type obedient struct {
	*videotest.Camera
	asked atomic.Int64
}

func (o *obedient) TakeBitrate(bps int) { o.asked.Store(int64(bps)) }

// limit tells what a leg is sent by how much of it the path carries.
func limit(t *testing.T, leg *fakeLeg, bps int) {
	t.Helper()
	taker, ok := leg.publishes(media.Main).(media.BitrateTaker)
	require.True(t, ok)
	taker.TakeBitrate(bps)
}

// A picture that is passed on is made smaller for a leg whose path became narrow, and
// passed on to the others as it is; when all are narrow, its sender is asked for less.
func TestNarrowPathOfAPassedOnPicture(t *testing.T) {
	t.Parallel()
	th := newTheatre(t, nil, layout.Single)
	source := newLeg(t, "a", sound(), takes(h264At(31, 1), 0))
	m := th.bridge.Add(source, describe("a"), nil)
	m.MediaChanged()
	cam := &obedient{Camera: videotest.NewCamera(t, "cam", media.Main, clipOf(t, h264At(31, 1), 1280, 720, 5))}
	m.AddTrack(cam)
	videotest.Roll(t, cam.Camera)
	narrow, n, _ := th.seat("narrow", takes(h264At(31, 1), 0), nil)
	wide, w, _ := th.seat("wide", takes(h264At(31, 1), 0), nil)
	v, other := th.watch(narrow), th.watch(wide)
	mode := func(m *bridge.Member) string { return m.Facts(media.Main, true).Mode }
	eventually(t, "both are shown it as it is", func() bool {
		return v.Shows(5) && other.Shows(5) && mode(n) == "passthrough" && mode(w) == "passthrough"
	})
	limit(t, narrow, 150_000)
	eventually(t, "a smaller picture is made for one", func() bool {
		width, _ := v.Source.Size()
		return width > 0 && width < 1280 && v.Shows(5) && mode(n) == "transcoded"
	})
	assert.Equal(t, "passthrough", mode(w))
	assert.Zero(t, cam.asked.Load(), "the other takes all of it")
	limit(t, wide, 800_000)
	eventually(t, "nobody takes all of it", func() bool { return cam.asked.Load() == 800_000 })
	limit(t, wide, 0)
	limit(t, narrow, 0)
	eventually(t, "as it is again", func() bool {
		width, _ := v.Source.Size()
		return width == 1280 && mode(n) == "passthrough" && cam.asked.Load() == 0
	})
}

// A far side that changes the rate it agreed to goes on seeing: what is sent to it does not
// begin anew, which would leave it without a picture until the next keyframe.
func TestAgreedRateChangesWhilePicturesGoOut(t *testing.T) {
	t.Parallel()
	th := newTheatre(t, nil, layout.Single)
	source := newLeg(t, "a", sound(), takes(h264At(31, 1), 0))
	m := th.bridge.Add(source, describe("a"), nil)
	m.MediaChanged()
	cam := videotest.NewCamera(t, "cam", media.Main, clipOf(t, h264At(31, 1), 1280, 720, 5))
	m.AddTrack(cam)
	videotest.Roll(t, cam)
	leg, seen, _ := th.seat("b", takes(h264At(31, 1), 2_000_000), nil)
	v := th.watch(leg)
	eventually(t, "it is shown as it is", func() bool { return v.Shows(5) && seen.Facts(media.Main, true).Mode == "passthrough" })
	published := leg.publishes(media.Main)
	leg.says(sound(), takes(h264At(31, 1), 1_900_000))
	seen.MediaChanged()
	assert.Same(t, published, leg.publishes(media.Main))
	leg.says(sound(), takes(h264At(31, 1), 100_000))
	seen.MediaChanged()
	eventually(t, "what fits is made", func() bool {
		width, _ := v.Source.Size()
		return width < 1280 && v.Shows(5) && seen.Facts(media.Main, true).Mode == "transcoded"
	})
	assert.Same(t, published, leg.publishes(media.Main))
}

// Without a worker the sender is asked for what the narrowest path carries.
func TestNarrowPathWithoutWorker(t *testing.T) {
	s := newStage(t, nil)
	camera := &obedientFake{fakeTrack: newTrack("v", media.Main, h264)}
	s.add(newLeg(t, "a", sound(), picture())).AddTrack(camera)
	one, two := newLeg(t, "b", sound(), picture()), newLeg(t, "c", sound(), picture())
	s.add(one)
	s.add(two)
	eventually(t, "both look", func() bool { return camera.attached() == 2 })
	limit(t, one, 500_000)
	eventually(t, "the request", func() bool { return camera.asked.Load() == 500_000 })
	limit(t, two, 300_000)
	eventually(t, "the lower one", func() bool { return camera.asked.Load() == 300_000 })
}

type obedientFake struct {
	*fakeTrack
	asked atomic.Int64
}

func (o *obedientFake) TakeBitrate(bps int) { o.asked.Store(int64(bps)) }

// Of a browser with two layers, a leg on a narrow path is passed the low one.
func TestNarrowPathOfALayeredPicture(t *testing.T) {
	sfu := newSFU(t)
	web := call.Participant{Identity: "web", Tracks: []call.ParticipantTrack{{ID: "TR_v", Role: "video", Codec: "H264", Width: 1280, Height: 720}}}
	sfu.roster = []call.Participant{web}
	s := newStage(t, sfu)
	leg := newLeg(t, "a", sound(), picture())
	s.add(leg)
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil && sfu.seat("leg-a").receiver != nil })
	r := sfu.seat("leg-a").receiver
	eventually(t, "the picture is subscribed to", func() bool { return r.wants("TR_v") })
	open := func(r *fakeReceiver) *fakeTrack {
		camera := newTrack("TR_v", media.Main, h264)
		camera.who = web
		r.tracks <- camera
		return camera
	}
	high := open(r)
	eventually(t, "the high layer is shown", func() bool { return high.attached() == 1 })
	limit(t, leg, 500_000)
	eventually(t, "somebody receives low layers", func() bool {
		for _, h := range sfu.hidden() {
			if h.low && h.wants("TR_v") {
				return true
			}
		}
		return false
	})
	var low *fakeTrack
	for _, h := range sfu.hidden() {
		if h.low {
			low = open(h)
		}
	}
	eventually(t, "the low layer is selected", func() bool { return low.attached() == 1 })
	limit(t, leg, 0)
	eventually(t, "the high layer again", func() bool {
		s.now.Add(int64(100 * time.Millisecond))
		return low.attached() == 0 && high.attached() == 1
	})
}

// What the way to the meeting carries of a leg's picture is asked of the leg, and lifted.
func TestNarrowWayToTheMeeting(t *testing.T) {
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web"}}
	s := newStage(t, sfu)
	camera := &obedientFake{fakeTrack: newTrack("v", media.Main, h264)}
	s.add(newLeg(t, "a", sound(), picture())).AddTrack(camera)
	eventually(t, "the leg is seated", func() bool { return sfu.seat("leg-a") != nil })
	for _, bps := range []int{400_000, 300_000, 0} {
		sfu.seat("leg-a").events(bridge.Event{Kind: bridge.SeatNarrow, Role: media.Main, Bitrate: bps})
		eventually(t, "the request", func() bool { return camera.asked.Load() == int64(bps) })
	}
}

// A picture that a worker makes for the meeting is made as large as the way carries, in its
// own shape; its sender need not know.
func TestNarrowWayOfAMadePicture(t *testing.T) {
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web"}}
	th := newTheatre(t, sfu, layout.Single)
	leg := newLeg(t, "a", sound(), takes(h264At(31, 1), 0))
	m := th.bridge.Add(leg, describe("a"), nil)
	m.MediaChanged()
	vp8 := media.Format{Codec: media.VP8, ClockRate: 90000}
	cam := &obedient{Camera: videotest.NewCamera(t, "cam", media.Main, clipOf(t, vp8, 960, 720, 5))}
	m.AddTrack(cam)
	videotest.Roll(t, cam.Camera)
	eventually(t, "it is published", func() bool {
		s := sfu.seat("leg-a")
		return s != nil && s.publishes(media.Main) != nil
	})
	seat := sfu.seat("leg-a")
	whole := m.Facts(media.Main, false)
	assert.Equal(t, []int{960, 720}, []int{whole.Width, whole.Height})
	for _, tc := range []struct {
		carried, width, height int
		rate                   string
	}{
		{1_000_000, 960, 720, " 768 kbit/s"},
		{400_000, 480, 360, " 256 kbit/s"},
		{140_000, 352, 264, " 128 kbit/s"},
		{0, 960, 720, " 1745 kbit/s"},
	} {
		seat.events(bridge.Event{Kind: bridge.SeatNarrow, Role: media.Main, Bitrate: tc.carried})
		var o *video.Output
		eventually(t, fmt.Sprintf("%dx%d for %d bit/s", tc.width, tc.height, tc.carried), func() bool {
			o = seat.publishes(media.Main).(*video.Output)
			scene := o.Canvas().Scene()
			return scene.Width == tc.width && scene.Height == tc.height && strings.Contains(o.ID(), tc.rate)
		})
		v := videotest.Watch(t, th.stage, o, 640, 480, nil)
		eventually(t, "the card in it", func() bool {
			w, h := v.Source.Size()
			return v.Shows(5) && w == tc.width && h == tc.height
		})
		v.Source.Close()
	}
	assert.Zero(t, cam.asked.Load(), "its sender was asked for less")
}
