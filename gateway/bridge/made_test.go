package bridge_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/mixer"
	"github.com/roomgate/roomgate/transcode"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// theatre is a bridge with a video worker, in real time.
type theatre struct {
	t      *testing.T
	bridge *bridge.Bridge
	pool   *video.Pool
	stage  *video.Stage // of those who look
}

func newTheatre(t *testing.T, sfu bridge.SFU, k layout.Kind) *theatre {
	t.Helper()
	return newTheatreAs(t, sfu, k, func(*bridge.Config) {})
}

func newTheatreAs(t *testing.T, sfu bridge.SFU, k layout.Kind, change func(*bridge.Config)) *theatre {
	t.Helper()
	th := &theatre{t: t, pool: videotest.Pool(t)}
	clock := mixer.NewClock()
	config := bridge.Config{
		Alias: "demo", SFU: sfu, Local: sfu == nil, Codecs: &transcode.Codecs{}, Clock: clock,
		Logger: zap.NewNop(), Video: th.pool, Layout: k,
	}
	change(&config)
	th.bridge = bridge.New(config)
	var err error
	th.stage, err = th.pool.Stage()
	require.NoError(t, err)
	t.Cleanup(func() {
		th.bridge.Close()
		clock.Close()
		th.stage.Close()
	})
	return th
}

// takes is a stream of pictures in a format.
func takes(f media.Format, bps int) media.Stream {
	return media.Stream{Role: media.Main, Direction: media.SendRecv, Send: f, Recv: f, MaxSend: bps}
}

func h264At(level uint32, mode uint8) media.Format {
	return media.Format{Codec: media.H264, ClockRate: 90000, PayloadType: 97, H264: media.H264Format{ProfileLevelID: 0x42e000 | level, PacketizationMode: mode}}
}

// seat adds a leg that takes pictures in a format and, with a clip, shows one.
func (th *theatre) seat(id string, st media.Stream, c *videotest.Clip) (*fakeLeg, *bridge.Member, *videotest.Camera) {
	th.t.Helper()
	leg := newLeg(th.t, id, sound(), st)
	m := th.bridge.Add(leg, describe(id), nil)
	m.MediaChanged()
	if c == nil {
		return leg, m, nil
	}
	cam := videotest.NewCamera(th.t, "cam "+id, media.Main, c)
	m.AddTrack(cam)
	return leg, m, cam
}

// watch decodes what a leg is sent.
func (th *theatre) watch(leg *fakeLeg) *videotest.Viewer {
	th.t.Helper()
	eventually(th.t, "a picture is published", func() bool { return leg.publishes(media.Main) != nil })
	v := videotest.Watch(th.t, th.stage, leg.publishes(media.Main), 640, 360, nil)
	th.t.Cleanup(v.Source.Close)
	return v
}

func clipOf(t *testing.T, f media.Format, w, h, identity int) *videotest.Clip {
	return videotest.Encode(t, f, w, h, 0, identity)
}

// packetSizes notes what a leg is sent.
type packetSizes struct {
	mu      sync.Mutex
	largest int
	kinds   map[byte]int
}

func (p *packetSizes) WriteRTP(packet *rtp.Packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.largest = max(p.largest, len(packet.Payload))
	p.kinds[packet.Payload[0]&0x1f]++
	return nil
}

// A picture that does not fit a leg as it is gets made to fit.
func TestPicturesAreMadeToFit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		takes media.Stream
		clip  *videotest.Clip
		width int    // of what the leg is sent
		rate  string // of it; "": any
	}{
		{"large slices, packetization-mode 0", takes(h264At(31, 0), 0), clipOf(t, h264At(31, 1), 1280, 720, 5), 1280, ""},
		{"level too high", takes(h264At(30, 1), 0), clipOf(t, h264At(31, 1), 1280, 720, 5), 640, ""},
		{"unusual size", takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 500, 300, 5), 1280, ""},
		{"VP8", takes(h264At(31, 1), 0), clipOf(t, media.Format{Codec: media.VP8, ClockRate: 90000}, 640, 360, 5), 1280, ""},
		{"VP8, CIF at 384 kbit/s", takes(h264At(13, 1), 384_000), clipOf(t, media.Format{Codec: media.VP8, ClockRate: 90000}, 640, 360, 5), 352, ""},
		{"H.264 for H.263", takes(media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1}}, 384_000), clipOf(t, h264At(31, 1), 640, 360, 5), 352, " 256 kbit/s"},
		{"H.264 for H.263 that states MaxBR", takes(media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1, MaxBR: 1280}}, 384_000), clipOf(t, h264At(31, 1), 640, 360, 5), 352, " 96 kbit/s"},
		{"H.264 for H.261", takes(media.Format{Codec: media.H261, ClockRate: 90000, H263: media.H263Format{QCIF: 1}}, 128_000), clipOf(t, h264At(31, 1), 640, 360, 5), 176, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			th := newTheatre(t, nil, layout.Auto)
			_, _, cam := th.seat("a", takes(h264At(31, 1), 0), tc.clip)
			leg, m, _ := th.seat("b", tc.takes, nil)
			videotest.Roll(t, cam)
			v := th.watch(leg)
			eventually(t, "the card", func() bool { return v.Shows(5) })
			w, _ := v.Source.Size()
			assert.Equal(t, tc.width, w)
			f := m.Facts(media.Main, true)
			assert.Equal(t, "transcoded", f.Mode, "%+v", f)
			assert.Contains(t, f.Pipeline, tc.rate)
			if tc.takes.Send.H264.PacketizationMode == 0 && tc.takes.Send.Codec == media.H264 {
				sizes := &packetSizes{kinds: map[byte]int{}}
				detach := leg.publishes(media.Main).Attach(sizes)
				defer detach()
				eventually(t, "packets", func() bool {
					sizes.mu.Lock()
					defer sizes.mu.Unlock()
					return sizes.kinds[1]+sizes.kinds[5] > 30
				})
				sizes.mu.Lock()
				defer sizes.mu.Unlock()
				assert.LessOrEqual(t, sizes.largest, 1188)
				assert.Zero(t, sizes.kinds[28]+sizes.kinds[24], "neither FU-A nor STAP-A")
			}
		})
	}
}

// What fits is passed on, worker or not.
func TestPicturesThatFitArePassedOn(t *testing.T) {
	th := newTheatre(t, nil, layout.Auto)
	_, _, cam := th.seat("a", takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 640, 360, 5))
	leg, m, _ := th.seat("b", takes(h264At(31, 1), 0), nil)
	videotest.Roll(t, cam)
	v := th.watch(leg)
	eventually(t, "the card", func() bool { return v.Shows(5) })
	assert.Equal(t, "passthrough", m.Facts(media.Main, true).Mode)
}

// Legs with the same needs share a screen; those shown in a small grid do not
// see themselves.
func TestSharedScreens(t *testing.T) {
	th := newTheatre(t, nil, layout.Grid2)
	var cams []*videotest.Camera
	for i := range 2 {
		_, _, cam := th.seat(fmt.Sprint("shown", i), takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 640, 360, 10+i))
		cams = append(cams, cam)
	}
	var views []*videotest.Viewer
	var members []*bridge.Member
	videotest.Roll(t, cams...)
	for i := range 3 {
		leg, m, _ := th.seat(fmt.Sprint("viewer", i), takes(h264At(31, uint8(i%2)), 0), nil)
		views = append(views, th.watch(leg))
		members = append(members, m)
	}
	for _, v := range views {
		eventually(t, "both cards", func() bool { return v.Shows(10, 11) })
		for _, s := range v.Last() { // in the top row of a 2x2 grid
			assert.InDelta(t, 320*(s.Identity-10), s.Rect.Min.X, 8)
			assert.InDelta(t, 320, s.Rect.Dx(), 10)
			assert.InDelta(t, 0, s.Rect.Min.Y, 8)
		}
	}
	for _, m := range members {
		f := m.Facts(media.Main, true)
		assert.Equal(t, "transcoded", f.Mode)
		assert.Equal(t, members[0].Facts(media.Main, true).Pipeline, f.Pipeline)
	}
}

// A leg of H.263 is published as H.264, and the meeting's VP8 is shown to it.
func TestOldTerminalInAMeeting(t *testing.T) {
	sfu := newSFU(t)
	th := newTheatre(t, sfu, layout.Auto)
	h263 := media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1}}
	leg, m, cam := th.seat("old", takes(h263, 384_000), videotest.Encode(t, h263, 352, 288, 1180, 7))
	videotest.Roll(t, cam)
	eventually(t, "a seat that publishes a picture", func() bool {
		seat := sfu.seat("leg-old")
		return seat != nil && seat.publishes(media.Main) != nil
	})
	published := sfu.seat("leg-old").publishes(media.Main)
	assert.True(t, published.Format().Codec.Is("H264"))
	v := videotest.Watch(t, th.stage, published, 384, 288, nil)
	defer v.Source.Close()
	eventually(t, "the card of the terminal", func() bool { return v.Shows(7) })
	w, h := v.Source.Size()
	assert.Equal(t, [2]int{384, 288}, [2]int{w, h}, "square pixels")
	assert.Equal(t, "transcoded", m.Facts(media.Main, false).Mode)

	receiver := sfu.seat("leg-old").receiver
	require.NotNil(t, receiver)
	who := call.Participant{Identity: "web", Name: "Trình duyệt", Tracks: []call.ParticipantTrack{{ID: "TR_v", Role: "video", Codec: "VP8", Width: 640, Height: 360}}}
	receiver.events(bridge.Event{Kind: bridge.RosterChange, Participant: who})
	eventually(t, "the picture is subscribed to", func() bool { return receiver.wants("TR_v") })
	web := &remoteCamera{videotest.NewCamera(t, "TR_v", media.Main, clipOf(t, media.Format{Codec: media.VP8, ClockRate: 90000}, 640, 360, 9)), who}
	receiver.tracks <- web
	videotest.Roll(t, web.Camera)
	shown := th.watch(leg)
	eventually(t, "the card of the browser", func() bool { return shown.Shows(9) })
}

// remoteCamera is a camera of somebody else in the meeting.
type remoteCamera struct {
	*videotest.Camera
	who call.Participant
}

func (c *remoteCamera) Participant() call.Participant { return c.who }

// A leg that can take less is sent less, without a word to the others.
func TestBandwidthIsALegsOwnMatter(t *testing.T) {
	t.Parallel()
	th := newTheatre(t, nil, layout.Grid2)
	_, _, one := th.seat("a", takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 640, 360, 1))
	_, _, two := th.seat("b", takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 640, 360, 2))
	narrow, m, _ := th.seat("narrow", takes(h264At(31, 1), 0), nil)
	wide, w, _ := th.seat("wide", takes(h264At(31, 1), 0), nil)
	videotest.Roll(t, one, two)
	v, other := th.watch(narrow), th.watch(wide)
	eventually(t, "both cards", func() bool { return v.Shows(1, 2) && other.Shows(1, 2) })
	assert.Equal(t, 1280, m.Facts(media.Main, true).Width)

	taker, ok := narrow.publishes(media.Main).(media.BitrateTaker)
	require.True(t, ok)
	taker.TakeBitrate(320_000)
	eventually(t, "a smaller picture", func() bool {
		width, _ := v.Source.Size()
		return width == 512 && v.Shows(1, 2)
	})
	assert.Equal(t, 1280, w.Facts(media.Main, true).Width)
	taker.TakeBitrate(0)
	eventually(t, "the large picture again", func() bool {
		width, _ := v.Source.Size()
		return width == 1280
	})
}

// A picture in a codec that nobody knows stands in nobody's way.
func TestUnknownCodecsAreLeftOut(t *testing.T) {
	sfu := newSFU(t)
	th := newTheatre(t, sfu, layout.Single)
	_, _, cam := th.seat("a", takes(h264At(31, 1), 0), clipOf(t, media.Format{Codec: media.VP8, ClockRate: 90000}, 640, 360, 6))
	leg, _, _ := th.seat("b", takes(h264At(31, 1), 0), nil)
	videotest.Roll(t, cam)
	v := th.watch(leg)
	eventually(t, "the card", func() bool { return v.Shows(6) }) // by now a worker is there
	eventually(t, "a receiver", func() bool { return len(sfu.hidden()) > 0 })
	receiver := sfu.hidden()[0]
	who := call.Participant{Identity: "web", Name: "Web", Tracks: []call.ParticipantTrack{{ID: "TR_x", Role: "content", Codec: "H265", Width: 640, Height: 360}}}
	receiver.events(bridge.Event{Kind: bridge.RosterChange, Participant: who})
	v.Forget()
	eventually(t, "the card all the same", func() bool { return v.Shows(6) })
	assert.False(t, receiver.wants("TR_x"))
}

// Content that has to be made is made once for all legs that need the same of it, at its own
// size and as seldom as pages are turned.
func TestContentIsMadeOnce(t *testing.T) {
	t.Parallel()
	th := newTheatre(t, nil, layout.Auto)
	add := func(id string, f media.Format, bps int) *holderLeg {
		st := takes(f, bps)
		st.Role = media.Content
		leg := &holderLeg{fakeLeg: newLeg(t, id, sound(), st)}
		leg.member = th.bridge.Add(leg, describe(id), nil)
		leg.member.MediaChanged()
		return leg
	}
	vp8 := media.Format{Codec: media.VP8, ClockRate: 90000}
	presenter := add("presenter", vp8, 0)
	slides := videotest.NewCamera(t, "slides", media.Content, clipOf(t, vp8, 800, 600, 9))
	presenter.member.AddTrack(slides)
	videotest.Roll(t, slides)
	same := []*holderLeg{
		add("a", h264At(31, 1), 2_000_000), add("b", h264At(31, 0), 2_000_000), add("c", h264At(31, 1), 1_920_000), add("d", h264At(32, 1), 1_920_000),
	}
	slow := add("slow", h264At(31, 1), 768_000)
	presenter.member.Content(call.ContentRequested)
	for _, leg := range append(same, slow) {
		eventually(t, "content is published", func() bool { return leg.publishes(media.Content) != nil })
		v := videotest.Watch(t, th.stage, leg.publishes(media.Content), 800, 600, nil)
		t.Cleanup(v.Source.Close)
		eventually(t, "the page", func() bool { return v.Shows(9) })
		w, h := v.Source.Size()
		assert.Equal(t, [2]int{800, 600}, [2]int{w, h}, "of %s", leg.info.ID)
		f := leg.member.Facts(media.Content, true)
		assert.Equal(t, "transcoded", f.Mode, "%+v", f)
	}
	assert.Equal(t, 2, th.pool.Stats().Encoders, "encoders for four legs that need the same and one that needs less")
	slow.member.Leave()
	for _, leg := range same[1:] {
		leg.member.Leave()
	}
	eventually(t, "one encoder is left for the last leg", func() bool { return th.pool.Stats().Encoders == 1 })
}
