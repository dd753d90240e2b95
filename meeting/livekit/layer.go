package livekit

import (
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
)

// The names of the two sizes (RFC 8851), as LiveKit's clients give them: it puts them in
// this order whatever the SDP says.
const (
	smallRID = "q"
	largeRID = "h"
)

// The small picture as it is announced; who asks for pictures of a size gets it up to a
// tenth more than its height. The large one is announced so where its size is not known.
const (
	smallWidth, smallHeight = 320, 180
	usualWidth, usualHeight = 1280, 720
)

// layers are the sizes as they are announced to the SFU, the smallest first.
func layers(width, height uint32) []*livekit.VideoLayer {
	if height == 0 {
		width, height = usualWidth, usualHeight
	}
	return []*livekit.VideoLayer{
		{Quality: livekit.VideoQuality_LOW, Width: smallWidth, Height: smallHeight},
		{Quality: livekit.VideoQuality_HIGH, Width: width, Height: height},
	}
}

// small is the second size of a video: made by somebody while somebody wants it.
type small struct {
	appetite appetite

	// Guarded as their likes of the large picture.
	track    media.Track
	sender   *sender
	detach   func()
	attached media.Track

	began atomic.Int64 // when its first packet since it was attached went out, Unix nanoseconds
	last  atomic.Int64 // when the last one did
}

// While the small picture is all that is wanted it takes the place of the large one when it
// has come for so long, and for no longer than it comes.
const (
	settled = 2 * time.Second
	stalled = 1500 * time.Millisecond
)

// suffices reports whether the large picture need not be sent.
func (m *small) suffices(now time.Time) bool {
	began, last := m.began.Load(), m.last.Load()
	return m.appetite.isAlone() && began != 0 && now.Sub(time.Unix(0, began)) > settled && now.Sub(time.Unix(0, last)) < stalled
}

// take attaches a sender to the small picture.
func (m *small) take(track media.Track, to *sender) {
	to.splice()
	m.began.Store(0)
	m.attached = track
	m.detach = track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		now := time.Now()
		if !m.appetite.sends(now) {
			return nil // until it is detached
		}
		m.last.Store(now.UnixNano())
		m.began.CompareAndSwap(0, now.UnixNano())
		return to.WriteRTP(p)
	}))
}

func (m *small) drop() {
	if m.detach != nil {
		m.detach()
		m.detach = nil
	}
	m.began.Store(0)
}

// beside is where packets of the large picture go when there is a small one: the sender, and
// now and then a knock at the door of the small one.
func (m *small) beside(large, small *sender) media.Writer {
	m.appetite.began()
	return media.WriterFunc(func(p *rtp.Packet) error {
		err := large.WriteRTP(p)
		if m.appetite.sent(time.Now()) {
			small.knock()
		}
		return err
	})
}
