package bridge

import (
	"fmt"
	"image"
	"time"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video"
)

// uplinkBitrate is that of a picture of 352x288; larger ones have more.
const uplinkBitrate = 512_000

// publishMade keeps the meeting supplied with pictures of legs whose codec it
// does not know.
func (b *Bridge) publishMade(now time.Time) {
	if b.in.Local || !b.studio.present() {
		return
	}
	for _, m := range b.members {
		for role, t := range m.pictures() {
			if role != media.Audio && (role != media.Content || b.presenter == m.identity) && (m.roomCodec != "" || !t.Format().Codec.Is(string(media.H264))) && b.studio.ready() {
				b.publishUplink(m, role, t, now)
			}
		}
	}
}

func (b *Bridge) publishUplink(m *Member, role media.Role, t media.Track, now time.Time) {
	key := sourceKey(m.identity, role)
	src := b.studio.lens(lensKey{key, high}, t, now)
	if src == nil {
		return
	}
	w, h := squarePixels(src.Size())
	if w == 0 {
		src.OnSize(func(int, int) { b.nudge() })
		return
	}
	bps := uplinkRate(w, h)
	if role == media.Main && m.carried > 0 {
		w, h, bps = withinWay(w, h, m.carried)
	}
	scene := video.Scene{
		Width: w, Height: h, FPS: 30, Follow: src,
		Tiles: []video.Tile{{Source: src, Rect: image.Rect(0, 0, w, h)}},
	}
	board := b.studio.board(fmt.Sprintf("uplink %s %dx%d", key, w, h), scene, now)
	if board == nil {
		return
	}
	f := m.meetingFormat(layout.Screen{Width: w, Height: h, FPS: 30, Bitrate: bps})
	o := b.studio.output(board, role, f, bps, now)
	if o != nil && m.uplinks[role] != o {
		m.uplinks[role] = o
		m.want(role, o)
		if role == media.Main {
			m.pictureChanged(h264.SPS{Width: w, Height: h}) // the meeting chooses sizes by it
		}
	}
}

// uplinkRate is the bit rate of a picture of a size where the way carries all.
func uplinkRate(w, h int) int {
	return min(max(uplinkBitrate*w*h/(352*288)/2, uplinkBitrate), 2_000_000)
}

// withinWay is what is made of a picture for a way that carries so much: the size that looks
// best at that bit rate, in the shape of the picture.
func withinWay(w, h, carried int) (width, height, bps int) {
	s := layout.Limits{Bitrate: int(float64(carried) * headroom)}.Choose()
	if s.Width < w || s.Height < h {
		w, h = within(w, h, s.Width, s.Height)
	}
	return w, h, min(s.Bitrate, uplinkRate(w, h))
}

// within is a size of a shape that fits into another one.
func within(w, h, width, height int) (int, int) {
	if w*height > h*width {
		return width, max(h*width/w&^1, 16)
	}
	return max(w*height/h&^1, 16), height
}

// squarePixels is the size of a picture when its pixels are made square, as
// browsers show them: those of the CIF family are 12:11.
func squarePixels(w, h int) (int, int) {
	if w*9 == h*11 {
		return h * 4 / 3 &^ 1, h &^ 1
	}
	return w &^ 1, h &^ 1
}
