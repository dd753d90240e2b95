package bridge_test

import (
	"flag"
	"image"
	"image/png"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// named is how a leg with a name of its own appears.
func named(id, name string) func() call.Participant {
	return func() call.Participant {
		return call.Participant{Identity: "leg-" + id, Name: name, Kind: call.Terminal}
	}
}

// Composed screens look as they did: places, bars beside pictures of other
// shapes, names in Vietnamese, the mark of who is muted, initials of who has no
// camera.
func TestGoldenScreens(t *testing.T) {
	for _, tc := range []struct {
		kind   layout.Kind
		format media.Format
	}{
		{layout.Grid2, h264At(31, 1)},
		{layout.Grid3, h264At(31, 1)},
		{layout.Grid4, h264At(31, 1)},
		{layout.Grid5, h264At(31, 1)},
		{layout.Speaker, h264At(31, 1)},
		{layout.Grid, media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1}}},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			th := newTheatre(t, nil, tc.kind)
			var cams []*videotest.Camera
			for i, who := range []struct {
				name string
				w, h int
			}{{"Nguyễn Thị Ánh Hường", 640, 360}, {"Sở Y tế Thừa Thiên Huế", 352, 288}, {"Điện thoại", 360, 640}} {
				id := string(rune('a' + i))
				m := th.bridge.Add(newLeg(t, id, sound()), named(id, who.name), nil)
				m.MediaChanged()
				m.SetMuted(i == 1)
				cam := videotest.NewCamera(t, "cam "+id, media.Main, clipOf(t, h264At(31, 1), who.w, who.h, 20+i))
				m.AddTrack(cam)
				cams = append(cams, cam)
			}
			phone := th.bridge.Add(newLeg(t, "p", sound()), named("p", "Trần Quốc Ổn"), nil)
			phone.MediaChanged()
			leg, _, _ := th.seat("viewer", takes(tc.format, 0), nil)
			eventually(t, "a picture is published", func() bool {
				showFirst(cams)
				return leg.publishes(media.Main) != nil
			})
			got := settledView(t, th, leg, cams)
			compare(t, got, "testdata/screen-"+string(tc.kind)+".png")
		})
	}
}

// Who sees nobody reads why, in a small picture; who comes is seen.
func TestGoldenSlate(t *testing.T) {
	th := newTheatre(t, nil, layout.Auto)
	th.bridge.SetSlate([]string{"Giao ban tuần của Ủy ban nhân dân tỉnh Thừa Thiên Huế", "Chưa có ai khác trong cuộc họp.", "Nobody else is here yet."})
	leg, _, _ := th.seat("viewer", takes(h264At(31, 1), 0), nil)
	eventually(t, "the slate is published", func() bool { return leg.publishes(media.Main) != nil })
	got := settledView(t, th, leg, nil)
	compare(t, got, "testdata/screen-slate.png")
	_, _, cam := th.seat("b", takes(h264At(31, 1), 0), clipOf(t, h264At(31, 1), 640, 360, 7))
	videotest.Roll(t, cam)
	v := th.watch(leg)
	eventually(t, "the card", func() bool { return v.Shows(7) })
}

// Screens tell who has come, by name, and the time of day; who was there is no news.
func TestGoldenBanner(t *testing.T) {
	th := newTheatreAs(t, nil, layout.Grid2, func(c *bridge.Config) { c.Banner, c.ClockZone, c.Came = time.Minute, time.UTC, "%s đã vào họp" })
	var cams []*videotest.Camera
	for i, name := range []string{"Sở Y tế", "Sở Tài chính"} {
		id := string(rune('a' + i))
		m := th.bridge.Add(newLeg(t, id, sound()), named(id, name), nil)
		m.MediaChanged()
		cam := videotest.NewCamera(t, "cam "+id, media.Main, clipOf(t, h264At(31, 1), 640, 360, 20+i))
		m.AddTrack(cam)
		cams = append(cams, cam)
	}
	leg, _, _ := th.seat("viewer", takes(h264At(31, 1), 0), nil)
	eventually(t, "a picture is published", func() bool {
		showFirst(cams)
		return leg.publishes(media.Main) != nil
	})
	late := th.bridge.Add(newLeg(t, "late", sound()), named("late", "Nguyễn Thị Ánh Hường"), nil)
	late.MediaChanged()
	got := settledView(t, th, leg, cams)
	band := 0 // of the time of day, which is another one each time
	for y := range 40 {
		for x := 560; x < 640; x++ {
			if y < 26 && got.GrayAt(x, y).Y < 100 { // above the card
				band++
			}
			got.Pix[y*got.Stride+x] = 0
		}
	}
	if band < 150 {
		t.Errorf("no time of day: %d dark pixels", band)
	}
	compare(t, got, "testdata/screen-banner.png")
}

// A picture that is made for a leg tells who it is, also where it has all of the screen,
// and that the meeting is recorded.
func TestGoldenSingle(t *testing.T) {
	sfu := newSFU(t)
	recordings := make(chan bool, 8)
	th := newTheatreAs(t, sfu, layout.Single, func(c *bridge.Config) {
		c.ClockZone = time.UTC
		c.Notify = func(n bridge.Notice) {
			if n.Kind == bridge.Recording {
				recordings <- n.On
			}
		}
	})
	m := th.bridge.Add(newLeg(t, "a", sound()), named("a", "Sở Y tế Thừa Thiên Huế"), nil)
	m.MediaChanged()
	m.SetMuted(true)
	cam := videotest.NewCamera(t, "cam a", media.Main, clipOf(t, h264At(31, 1), 640, 360, 20))
	m.AddTrack(cam)
	leg, _, _ := th.seat("viewer", takes(media.Format{Codec: media.H263, ClockRate: 90000, H263: media.H263Format{CIF: 1}}, 0), nil)
	cams := []*videotest.Camera{cam}
	eventually(t, "a picture is published", func() bool {
		showFirst(cams)
		return leg.publishes(media.Main) != nil
	})
	eventually(t, "the meeting is received", func() bool { return len(sfu.hidden()) > 0 })
	told := sfu.hidden()[0].events
	for _, on := range []bool{false, true, true, false, true} { // each class of receiver tells it
		told(bridge.Event{Kind: bridge.MeetingRecorded, On: on})
	}
	for _, on := range []bool{true, false, true} {
		require.Equal(t, on, <-recordings)
	}
	got := settledView(t, th, leg, cams)
	digits := 0 // of the time of day, which is another one each time
	for y := range 40 {
		for x := 540; x < 640; x++ {
			if got.GrayAt(x, y).Y > 140 {
				digits++
			}
			got.Pix[y*got.Stride+x] = 0
		}
	}
	if digits < 20 { // there are 49 to 90
		t.Errorf("no time of day: %d light pixels", digits)
	}
	compare(t, got, "testdata/screen-single.png")
}

// An MCU never reads a slate: it would show it to its own.
func TestMCUsReadNoSlate(t *testing.T) {
	th := newTheatre(t, nil, layout.Auto)
	th.bridge.SetSlate([]string{"alone"})
	mcu := newLeg(t, "mcu", sound(), takes(h264At(31, 1), 0))
	m := th.bridge.Add(mcu, describe("mcu"), nil)
	m.SetUnit(bridge.Unit{MCU: true})
	m.MediaChanged()
	viewer, _, _ := th.seat("viewer", takes(h264At(31, 1), 0), nil)
	v := th.watch(viewer) // it is written by now
	eventually(t, "a terminal reads it", func() bool { w, _ := v.Source.Size(); return w > 0 })
	if f := m.Facts(media.Main, true); f.Width != 0 {
		t.Errorf("an MCU is sent %+v", f)
	}
}

// showFirst sends the first card of each camera.
func showFirst(cams []*videotest.Camera) {
	for _, c := range cams {
		c.RequestKeyframe()
		c.Show()
	}
}

// settledView is what a leg sees when nothing changes any more.
func settledView(t *testing.T, th *theatre, leg *fakeLeg, cams []*videotest.Camera) *image.Gray {
	t.Helper()
	return settledViewIn(t, th, leg, cams, 640, 360)
}

// settledViewIn is one of a size.
func settledViewIn(t *testing.T, th *theatre, leg *fakeLeg, cams []*videotest.Camera, w, h int) *image.Gray {
	t.Helper()
	source, err := th.stage.Open(leg.publishes(media.Main))
	require.NoError(t, err)
	defer source.Close()
	var mu sync.Mutex
	var last *image.Gray // that showed all cards
	seen := 0
	source.View(w, h, true, func(i video.Image) {
		mu.Lock()
		defer mu.Unlock()
		if len(testcard.Read(i.Data, w, h)) < len(cams) {
			return
		}
		seen++
		last = &image.Gray{Pix: i.Data[:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}
	})
	began := time.Now()
	eventually(t, "a picture that stays", func() bool {
		showFirst(cams)
		<-time.After(50 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		most := 20
		if len(cams) == 0 {
			most = 4 // of what stands still
		}
		return seen > most && time.Since(began) > 2*time.Second // coded better and better
	})
	mu.Lock()
	defer mu.Unlock()
	return last
}

// compare allows for what coding does to a picture.
func compare(t *testing.T, got *image.Gray, file string) {
	t.Helper()
	if *update {
		out, err := os.Create(file)
		require.NoError(t, err)
		require.NoError(t, png.Encode(out, got))
		require.NoError(t, out.Close())
	}
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close()
	want, err := png.Decode(in)
	require.NoError(t, err)
	require.Equal(t, want.Bounds(), got.Bounds())
	// By blocks, so that one wrong name is not lost in a whole screen.
	const block = 40
	for y := 0; y < 360; y += block {
		for x := 0; x < 640; x += block {
			sum := 0
			for dy := range block {
				for dx := range block {
					w, _, _, _ := want.At(x+dx, y+dy).RGBA()
					d := int(w>>8) - int(got.GrayAt(x+dx, y+dy).Y)
					sum += d * d
				}
			}
			if mean := sum / block / block; mean > 250 {
				t.Errorf("%s: the block at %d,%d differs by %d (mean square)", file, x, y, mean)
			}
		}
	}
}
