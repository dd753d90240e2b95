// Package cards lets a video worker code test cards: short pieces of video whose
// pictures say who shows them and when, for simulated terminals and for load.
package cards

import (
	"context"
	"fmt"
	"image"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video"
)

// FPS is how many pictures of a clip of cards are meant for a second, PageFPS of pages.
const (
	FPS     = 30
	PageFPS = 5
)

// Spec says what a clip is.
type Spec struct {
	Identity int
	Format   media.Format
	Size     image.Point
	Bitrate  int
	Pictures int
	// Page: pages of text are shown, as slides are.
	Page bool
}

// draw paints one picture, and tells its role and how many there are in a second.
func (s Spec) draw(dst []byte, counter int) (picture []byte, role media.Role, fps float64) {
	c := testcard.Card{Identity: s.Identity, Counter: counter}
	if s.Page {
		return testcard.DrawPage(dst, s.Size.X, s.Size.Y, c), media.Content, PageFPS
	}
	return testcard.Draw(dst, s.Size.X, s.Size.Y, c), media.Main, FPS
}

// Picture is the packets of one picture; of their headers only the marker
// counts.
type Picture []*rtp.Packet

// Make codes the cards 0, 1, 2, ... of an identity; the first is a keyframe,
// and the only one. Pictures that the encoder leaves out are missing.
func Make(ctx context.Context, stage *video.Stage, s Spec) ([]Picture, error) {
	scene := video.Scene{Width: s.Size.X, Height: s.Size.Y, FPS: 60, Background: 0x108080}
	canvas, err := stage.Canvas(scene)
	if err != nil {
		return nil, err
	}
	defer canvas.Close()
	c := collector{pictures: make(chan Picture, 4)}
	var clip []Picture
	var out *video.Output
	var raw []byte
	for i := range s.Pictures {
		var role media.Role
		var fps float64
		raw, role, fps = s.draw(raw, i)
		card, err := stage.Bitmap(s.Size.X, s.Size.Y, opaque(raw))
		if err != nil {
			return nil, err
		}
		defer card.Close()
		scene.Labels = []video.Label{{Bitmap: card}}
		if err := canvas.Show(scene); err != nil {
			return nil, err
		}
		if out == nil { // not before there is something to code
			out, err = canvas.Encode(video.Encoding{ID: "card", Role: role, Format: s.Format, Bitrate: s.Bitrate, FPS: fps})
			if err != nil {
				return nil, fmt.Errorf("test cards in %s: %w", s.Format, err)
			}
			defer out.Close()
			defer out.Attach(&c)()
		}
		select {
		case p := <-c.pictures:
			clip = append(clip, p)
		case <-time.After(leftOut):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(clip) == 0 {
		return nil, fmt.Errorf("test cards in %s: the worker coded nothing", s.Format)
	}
	return clip, nil
}

// leftOut is how long a picture may take before it counts as left out by the
// rate control; only the first may take longer, on a busy machine.
const leftOut = 400 * time.Millisecond

// collector puts packets together to pictures.
type collector struct {
	pictures chan Picture
	under    Picture
}

// WriteRTP implements media.Writer.
func (c *collector) WriteRTP(p *rtp.Packet) error {
	if c.under = append(c.under, p.Clone()); p.Marker {
		select {
		case c.pictures <- c.under:
		default: // more than were asked for
		}
		c.under = nil
	}
	return nil
}

// opaque is a picture as a bitmap that nothing shines through.
func opaque(raw []byte) []byte {
	luma := len(raw) * 2 / 3
	out := append(make([]byte, 0, len(raw)+luma), raw...)
	for range luma {
		out = append(out, 255)
	}
	return out
}
