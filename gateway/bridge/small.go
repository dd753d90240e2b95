package bridge

import (
	"fmt"
	"image"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
)

// sized is a Seat that can publish a picture in two sizes: its own, and a small one that is
// made while SeatSmall says that somebody wants it.
type sized interface {
	OfferSmall(role media.Role, on bool)
	SetSmall(role media.Role, t media.Track)
	// OthersChanged says that somebody has gone, or come, who may have wanted it, or want it.
	OthersChanged(gone bool)
}

// smallScreen is what the small picture is made for, a tile among many.
var smallScreen = layout.Screen{Width: 320, Height: 180, FPS: 15, Bitrate: 150_000}

// worthSmall is the height from which a picture is made small: below, it is small enough.
const worthSmall = 240

// SmallPictures bounds how many small pictures a node makes at once: each costs a decoding.
type SmallPictures struct {
	most int64
	made atomic.Int64
}

// NewSmallPictures lets there be so many.
func NewSmallPictures(most int) *SmallPictures { return &SmallPictures{most: int64(most)} }

// free reports whether there may be another one; of nil there may be any number.
func (s *SmallPictures) free() bool { return s == nil || s.made.Load() < s.most }

// begin counts one in, unless there are too many.
func (s *SmallPictures) begin() bool {
	if s != nil && s.made.Add(1) > s.most {
		s.made.Add(-1)
		return false
	}
	return true
}

func (s *SmallPictures) end() {
	if s != nil {
		s.made.Add(-1)
	}
}

// smallSize is the small size of a leg's picture as the seat is told of it.
type smallSize struct {
	offered    bool
	track      media.Track
	gone, came bool // somebody
}

// makeSmall sees to the small size of every leg's picture.
func (b *Bridge) makeSmall(now time.Time, worker bool) {
	if b.in.Local {
		return
	}
	for _, m := range b.members {
		offered, o := false, (*video.Output)(nil)
		if worker {
			offered, o = b.smallOf(m, now)
		}
		if !offered || !m.smallWanted {
			m.endSmall()
		}
		if offered == m.offersSmall && o == m.small {
			continue
		}
		m.offersSmall, m.small = offered, o
		m.tellSize(func(s *smallSize) {
			s.offered, s.track = offered, nil
			if o != nil {
				s.track = o
			}
		})
	}
}

// smallOf is the small size of a leg's picture, nil while it is not wanted, and whether there
// can be one.
func (b *Bridge) smallOf(m *Member, now time.Time) (offered bool, o *video.Output) {
	t := m.pictures()[media.Main]
	if t == nil || m.publishedHeight(t) < worthSmall {
		return false, nil
	}
	if !m.smallCounted && !b.in.Small.free() {
		return false, nil
	}
	if !m.smallWanted || !b.studio.ready() {
		return true, nil
	}
	if m.smallCounted = m.smallCounted || b.in.Small.begin(); !m.smallCounted {
		return false, nil
	}
	key := sourceKey(m.identity, media.Main)
	src := b.studio.lens(lensKey{key, high}, t, now)
	if src == nil {
		return false, nil
	}
	w, h := squarePixels(src.Size())
	if w == 0 {
		src.OnSize(func(int, int) { b.nudge() })
		return true, nil
	}
	w, h = within(w, h, smallScreen.Width, smallScreen.Height)
	board := b.studio.board(fmt.Sprintf("small %s %dx%d", key, w, h), video.Scene{
		Width: w, Height: h, FPS: smallScreen.FPS, Follow: src,
		Tiles: []video.Tile{{Source: src, Rect: image.Rect(0, 0, w, h)}},
	}, now)
	if board == nil {
		return true, nil
	}
	return true, b.studio.output(board, media.Main, m.meetingFormat(smallScreen), smallScreen.Bitrate, now)
}

// endSmall counts the leg's small picture out.
func (m *Member) endSmall() {
	if m.smallCounted {
		m.smallCounted = false
		m.bridge.in.Small.end()
	}
}

// publishedHeight is that of the leg's picture as the meeting gets it, as far as it is known.
func (m *Member) publishedHeight(t media.Track) int {
	if o := m.uplinks[media.Main]; o != nil {
		return o.Canvas().Scene().Height
	}
	if sps := m.sends.Load(); sps != nil && t.Format().Codec.Is(string(media.H264)) {
		return sps.Height
	}
	return 0
}

// meetingFormat is that of what a worker makes for the meeting.
func (m *Member) meetingFormat(s layout.Screen) media.Format {
	if m.roomCodec != "" {
		return media.Format{Codec: m.roomCodec, ClockRate: 90000}
	}
	return media.Format{Codec: media.H264, ClockRate: 90000, H264: media.H264Format{ProfileLevelID: 0x42e000 | levelFor(s), PacketizationMode: 1}}
}

// othersChanged tells the seats who has come or gone.
func (b *Bridge) othersChanged(gone bool) {
	for _, m := range b.members {
		m.tellSize(func(s *smallSize) {
			s.gone, s.came = s.gone || gone, s.came || !gone
		})
	}
}

// tellSize changes what the seat is told of the small size.
func (m *Member) tellSize(change func(*smallSize)) {
	m.mu.Lock()
	change(&m.sized)
	m.mu.Unlock()
	m.poke()
}

// size tells a seat about the small size what it does not know yet.
func (m *Member) size(seat sized, told *smallSize) {
	m.mu.Lock()
	s := m.sized
	m.sized.gone, m.sized.came = false, false
	m.mu.Unlock()
	if s.track != told.track {
		seat.SetSmall(media.Main, s.track)
	}
	if s.offered != told.offered {
		seat.OfferSmall(media.Main, s.offered)
	}
	if s.came {
		seat.OthersChanged(false)
	}
	if s.gone {
		seat.OthersChanged(true)
	}
	*told = s
}

// smallFacts tells what is made of the leg's picture besides.
func (m *Member) smallFacts(f *Facts) {
	m.bridge.call(func() {
		if m.small != nil {
			f.Pipeline += fmt.Sprintf(", -> decode -> %s -> meeting", m.small.ID())
		}
	})
}
