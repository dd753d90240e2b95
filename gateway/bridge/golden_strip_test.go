package bridge_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/label"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// A terminal without a second channel sees what is shared large, of another shape here,
// with people in a row below, whose names can be read.
func TestGoldenStrip(t *testing.T) {
	th := newTheatre(t, nil, layout.Auto)
	content := takes(h264At(31, 1), 0)
	content.Role = media.Content
	names := []string{"Nguyễn Thị Ánh Hường", "Sở Y tế", "Bệnh viện Đa khoa tỉnh Thừa Thiên Huế"}
	presenter := &holderLeg{fakeLeg: newLeg(t, "a", sound(), content)}
	presenter.member = th.bridge.Add(presenter, named("a", names[0]), nil)
	presenter.member.MediaChanged()
	slides := videotest.NewCamera(t, "slides", media.Content, clipOf(t, h264At(31, 1), 800, 600, 9))
	presenter.member.AddTrack(slides)
	cams := []*videotest.Camera{slides}
	for i, name := range names {
		id := string(rune('a' + i))
		m := presenter.member
		if i > 0 {
			m = th.bridge.Add(newLeg(t, id, sound()), named(id, name), nil)
			m.MediaChanged()
		}
		cam := videotest.NewCamera(t, "cam "+id, media.Main, clipOf(t, h264At(31, 1), 640, 360, 20+i))
		m.AddTrack(cam)
		cams = append(cams, cam)
	}
	presenter.member.Content(call.ContentRequested)
	leg, _, _ := th.seat("viewer", takes(h264At(31, 1), 0), nil)
	eventually(t, "a picture is published", func() bool {
		showFirst(cams)
		return leg.publishes(media.Main) != nil
	})
	got := settledViewIn(t, th, leg, cams, 1280, 720)
	compare(t, half(got), "testdata/screen-content.png")

	tiles := layout.Arrange(layout.Content, len(cams))
	for _, s := range testcard.Read(got.Pix, 1280, 720) {
		i := 0 // of what is shared
		if s.Identity >= 20 {
			i = 1 + s.Identity - 20
		}
		tile := tiles[i].Pixels(1280, 720)
		assert.True(t, s.Rect.In(tile.Inset(-4)), "the card %d in %v stands in %v", s.Identity, tile, s.Rect)
	}
	for i, name := range names {
		tile := tiles[i+1].Pixels(1280, 720)
		assert.True(t, reads(t, got, tile, name), "the name of %s", name)
		other := names[(i+1)%len(names)]
		assert.False(t, reads(t, got, tile, other), "%s reads %s", name, other)
	}
}

// half is a picture at half its size.
func half(g *image.Gray) *image.Gray {
	small := image.NewGray(image.Rect(0, 0, g.Rect.Dx()/2, g.Rect.Dy()/2))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			sum := 0
			for _, d := range [...]image.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 0, Y: 1}, {X: 1, Y: 1}} {
				sum += int(g.GrayAt(2*x+d.X, 2*y+d.Y).Y)
			}
			small.Pix[y*small.Stride+x] = uint8(sum / 4)
		}
	}
	return small
}

// reads reports whether a name stands at the foot of a tile: its letters are light, and
// what lies between them is dark, in the places where they would be drawn.
func reads(t *testing.T, g *image.Gray, tile image.Rectangle, name string) bool {
	t.Helper()
	height := max(tile.Dy()/10, 18) &^ 1
	b, err := label.Name(name, height, tile.Dx()-height, false)
	require.NoError(t, err)
	left, top := tile.Min.X+height/4&^1, tile.Max.Y-b.Height-height/4&^1
	var light, lights, dark, darks int
	for y := range b.Height {
		for x := range b.Width {
			v := int(g.GrayAt(left+x, top+y).Y)
			switch want := b.Data[y*b.Width+x]; {
			case want > 200:
				light, lights = light+v, lights+1
			case want < 40:
				dark, darks = dark+v, darks+1
			}
		}
	}
	require.NotZero(t, lights*darks)
	contrast := light/lights - dark/darks
	t.Logf("%q in %v: letters %d, between them %d", name, tile, light/lights, dark/darks)
	return contrast > 80
}
