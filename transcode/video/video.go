// Package video shows pictures that cannot be passed through as they are: it
// decodes, composes and encodes them in worker processes (cmd/roomgate-video)
// and makes the result a media.Track again. The package itself is plain Go and
// touches no raw picture.
//
//	media.Track -> Source \                    / Output (a media.Track)
//	media.Track -> Source -> Canvas (a Scene) -> Output
//
// A Pool has a few processes; all pictures of one meeting are a Stage and live
// on one of them, so that each is decoded once. One Output serves any number of
// receivers. A process that dies is started anew and told everything again;
// sources ask for keyframes, and what is shown goes on within a second or two.
package video

import (
	"errors"
	"image"
	"strings"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video/wire"
)

// Errors that callers branch on.
var (
	ErrNoWorker = errors.New("video: there is no video worker")
	ErrCodec    = errors.New("video: the video worker does not know the codec")
	ErrClosed   = errors.New("video: closed")
)

// codecNumbers maps codecs to their numbers on the wire.
var codecNumbers = map[string]uint8{
	"h264": wire.H264, "vp8": wire.VP8, "vp9": wire.VP9, "av1": wire.AV1,
	"h263": wire.H263, "h263-1998": wire.H263, "h263-2000": wire.H263, "h261": wire.H261,
}

func codecNumber(c media.Codec) uint8 { return codecNumbers[strings.ToLower(string(c))] }

func has(mask, number uint8) bool { return number > 0 && mask>>(number-1)&1 == 1 }

// Fit says how a picture goes into a tile of another shape.
type Fit uint8

// Fits.
const (
	Contain Fit = iota // all of it, with bars
	Cover              // all of the tile, edges cut
	Stretch            // all of both
)

// Colour is 0xYYUUVV.
type Colour uint32

// Scene is what a canvas shows.
type Scene struct {
	Width, Height int // even
	FPS           float64
	// Follow, when not nil, sets the pace and the timestamps: the canvas is
	// drawn as its pictures come, FPS times a second at most.
	Follow     *Source
	Background Colour
	Tiles      []Tile // drawn in order
	Labels     []Label
}

// Tile is a place on a canvas.
type Tile struct {
	Source *Source // nil = Colour alone
	Rect   image.Rectangle
	Fit    Fit
	Colour Colour // until there is a picture
}

// Label is a bitmap over the tiles.
type Label struct {
	Bitmap *Bitmap
	At     image.Point
}

// Image is a picture in I420 without padding.
type Image struct {
	Timestamp     uint32
	Width, Height int
	Data          []byte
}

func (s *Scene) wire() *wire.Scene {
	out := &wire.Scene{
		Width: s.Width, Height: s.Height, FPS: s.FPS, Background: uint32(s.Background),
	}
	if s.Follow != nil {
		out.Follow = s.Follow.id
	}
	for _, t := range s.Tiles {
		w := wire.Tile{X: t.Rect.Min.X, Y: t.Rect.Min.Y, W: t.Rect.Dx(), H: t.Rect.Dy(), Fit: uint8(t.Fit), Colour: uint32(t.Colour)}
		if t.Source != nil {
			w.Source = t.Source.id
		}
		out.Tiles = append(out.Tiles, w)
	}
	for _, l := range s.Labels {
		out.Bitmaps = append(out.Bitmaps, wire.Place{Bitmap: l.Bitmap.id, X: l.At.X, Y: l.At.Y})
	}
	return out
}

// check refuses what no worker draws.
func (s *Scene) check() error {
	if s.Width < 16 || s.Height < 16 || s.Width%2 != 0 || s.Height%2 != 0 {
		return errors.New("video: size of the scene")
	}
	if len(s.Tiles) > wire.MaxTiles || len(s.Labels) > wire.MaxBitmaps {
		return errors.New("video: too many tiles or labels")
	}
	bounds := image.Rect(0, 0, s.Width, s.Height)
	for _, t := range s.Tiles {
		if !t.Rect.In(bounds) {
			return errors.New("video: a tile outside of the scene")
		}
	}
	for _, l := range s.Labels {
		if l.Bitmap == nil || !l.At.In(bounds) {
			return errors.New("video: a label outside of the scene")
		}
	}
	return nil
}
