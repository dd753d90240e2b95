package bridge_test

import (
	"image"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// chatted is a screen in CIF that shows a camera and, for a while, what Nguyễn Thị Lan writes;
// receiver tells of that.
func chatted(t *testing.T, show time.Duration, camera string) (*theatre, *fakeLeg, []*videotest.Camera, *fakeReceiver) {
	t.Helper()
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web-lan", Name: "Nguyễn Thị Lan"}}
	th := newTheatreAs(t, sfu, layout.Single, func(c *bridge.Config) { c.Chat = show })
	m := th.bridge.Add(newLeg(t, "a", sound()), named("a", camera), nil)
	m.MediaChanged()
	cam := videotest.NewCamera(t, "cam a", media.Main, clipOf(t, h264At(31, 1), 640, 360, 20))
	m.AddTrack(cam)
	leg, _, _ := th.seat("viewer", takes(media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1}}, 0), nil)
	eventually(t, "somebody receives", func() bool { return len(sfu.hidden()) > 0 })
	cams := []*videotest.Camera{cam}
	eventually(t, "a picture is published", func() bool {
		showFirst(cams)
		return leg.publishes(media.Main) != nil
	})
	return th, leg, cams, sfu.hidden()[0]
}

// Screens that are made show what is written in the meeting: the last three lines, once each,
// with the name of who wrote it; long ones in two rows.
func TestGoldenChat(t *testing.T) {
	th, leg, cams, receiver := chatted(t, time.Minute, "Sở Y tế")
	for _, line := range [][2]string{
		{"1", "Dòng này đã trôi qua."}, {"2", "Xin chào các đồng chí!"},
		{"3", "Đề nghị các điểm cầu kiểm tra lại âm thanh và hình ảnh trước khi cuộc họp bắt đầu lúc tám giờ sáng, cảm ơn."},
		{"4", "Đã rõ."}, {"2", "Xin chào các đồng chí!"},
	} {
		receiver.events(bridge.Event{Kind: bridge.Chatted, ID: line[0], Text: line[1], Participant: call.Participant{Identity: "web-lan"}})
	}
	receiver.events(bridge.Event{Kind: bridge.Chatted, ID: "5", Text: "of nobody", Participant: call.Participant{Identity: "web-unknown"}})
	got := settledView(t, th, leg, cams)
	compare(t, got, "testdata/screen-chat.png")
}

// What is written stands on a screen for its time, and goes; without a wish for it it never
// stands there.
func TestChatGoes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		show time.Duration
	}{{"not shown", 0}, {"shown for a while", 3 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) {
			th, leg, cams, receiver := chatted(t, tc.show, "")
			plain := settledView(t, th, leg, cams)
			write := func(id string) {
				receiver.events(bridge.Event{Kind: bridge.Chatted, ID: id, Text: "Xin chào", Participant: call.Participant{Identity: "web-lan"}})
			}
			write("1")
			if tc.show == 0 {
				require.Less(t, difference(plain, settledView(t, th, leg, cams)), wordsDiffer)
				return
			}
			differs := func() bool {
				now := latestView(t, th, leg, cams)
				return now != nil && difference(plain, now) > wordsDiffer
			}
			eventually(t, "it is read", differs)
			eventually(t, "it is gone", func() bool { return !differs() })
			write("1") // told again
			require.Less(t, difference(plain, settledView(t, th, leg, cams)), wordsDiffer)
		})
	}
}

// A leg that asks reads what was written last, also where its picture is passed on as it is
// to others; then that is passed on to it again.
func TestChatIsReadOnRequest(t *testing.T) {
	sfu := newSFU(t)
	sfu.roster = []call.Participant{{Identity: "web-lan", Name: "Nguyễn Thị Lan"}}
	th := newTheatre(t, sfu, layout.Single)
	m := th.bridge.Add(newLeg(t, "a", sound()), named("a", "Sở Y tế"), nil)
	m.MediaChanged()
	cam := videotest.NewCamera(t, "cam a", media.Main, clipOf(t, h264At(31, 1), 640, 360, 20))
	m.AddTrack(cam)
	leg, asks, _ := th.seat("viewer", takes(h264At(31, 1), 0), nil)
	_, other, _ := th.seat("other", takes(h264At(31, 1), 0), nil)
	mode := func(m *bridge.Member) string { return m.Facts(media.Main, true).Mode }
	cams := []*videotest.Camera{cam}
	eventually(t, "the picture is passed on", func() bool {
		showFirst(cams)
		return leg.publishes(media.Main) != nil && mode(asks) == "passthrough" && mode(other) == "passthrough"
	})
	require.False(t, asks.ReadChat(time.Minute), "nobody has written")
	eventually(t, "somebody receives", func() bool { return len(sfu.hidden()) > 0 })
	sfu.hidden()[0].events(bridge.Event{Kind: bridge.Chatted, ID: "1", Text: "Mời Sở Y tế phát biểu.", Participant: call.Participant{Identity: "web-lan"}})
	require.False(t, m.ReadChat(time.Minute), "a phone has no screen")
	require.True(t, asks.ReadChat(time.Minute))
	eventually(t, "a screen is made", func() bool {
		showFirst(cams)
		return mode(asks) == "transcoded"
	})
	compare(t, settledView(t, th, leg, cams), "testdata/screen-chat-asked.png")
	require.Equal(t, "passthrough", mode(other))
	require.True(t, asks.ReadChat(time.Millisecond))
	eventually(t, "the picture is passed on again", func() bool {
		showFirst(cams)
		return mode(asks) == "passthrough"
	})
}

// wordsDiffer is how much letters on a band change a part of a picture, at least.
const wordsDiffer = 400

// latestView is what a leg sees next.
func latestView(t *testing.T, th *theatre, leg *fakeLeg, cams []*videotest.Camera) *image.Gray {
	t.Helper()
	source, err := th.stage.Open(leg.publishes(media.Main))
	require.NoError(t, err)
	defer source.Close()
	seen := make(chan *image.Gray, 1)
	source.View(640, 360, true, func(i video.Image) {
		select {
		case seen <- &image.Gray{Pix: slices.Clone(i.Data[:640*360]), Stride: 640, Rect: image.Rect(0, 0, 640, 360)}:
		default:
		}
	})
	var got *image.Gray
	eventually(t, "a picture", func() bool {
		showFirst(cams)
		select {
		case got = <-seen:
		default:
		}
		return got != nil
	})
	return got
}

// difference is the largest mean square of one between the blocks of two pictures.
func difference(a, b *image.Gray) (most int) {
	const block = 40
	for y := 0; y < a.Rect.Dy(); y += block {
		for x := 0; x < a.Rect.Dx(); x += block {
			sum := 0
			for dy := range block {
				for dx := range block {
					d := int(a.GrayAt(x+dx, y+dy).Y) - int(b.GrayAt(x+dx, y+dy).Y)
					sum += d * d
				}
			}
			most = max(most, sum/block/block)
		}
	}
	return most
}
