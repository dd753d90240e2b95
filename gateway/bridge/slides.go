package bridge

import (
	"github.com/roomgate/roomgate/media"
)

// Slides in the only picture of a terminal: one that has no second channel presents by
// showing slides in place of its camera. It says so by a key (PresentPicture), or in its
// signalling (content:slides on its one video line, RFC 4796 §5). While it has the floor
// its picture is content, and nobody's camera.

// slides is a leg's part in that. It belongs to the bridge's goroutine.
type slides struct {
	wanted bool // the picture is to be presented
	waits  bool // by a key, and a yes is awaited
	keyed  bool // by a key: its user is told what becomes of it
	said   bool // by signalling
	shown  *asContent
}

// Presented is what came of a key that presents, or stops.
type Presented uint8

// What comes of it.
const (
	PresentsNothing Presented = iota // there is no picture
	PresentsNow
	PresentsLater  // if somebody says yes; a notice tells
	PresentsDenied // it may not
	PresentsNoMore // it did, or waited to
)

// PresentPicture lets a leg present its picture, or stop presenting, as its user has
// keyed. One whose second channel carries something presents that.
func (m *Member) PresentPicture() (p Presented) {
	b := m.bridge
	b.call(func() {
		a := b.arbiter
		switch {
		case m.gone:
		case a.Presenter() == m.identity:
			m.slides.keyed = false // it knows
			a.Revoke()
			p = PresentsNoMore
		case a.Waiting() == m.identity:
			m.slides = slides{said: m.slides.said}
			a.Stop(m.identity)
			p = PresentsNoMore
		case m.tracks[media.Main] == nil && m.tracks[media.Content] == nil:
		default:
			p = m.presentByKey()
		}
	})
	return p
}

func (m *Member) presentByKey() Presented {
	a := m.bridge.arbiter
	m.slides.keyed, m.slides.waits = true, false
	m.slides.wanted = !m.sendsContent(m.bridge.in.Now())
	a.Ask(m.identity, m.bridge.in.Now())
	switch m.identity {
	case a.Presenter():
		return PresentsNow
	case a.Waiting():
		m.slides.waits = true
		return PresentsLater
	}
	m.slides = slides{said: m.slides.said}
	return PresentsDenied
}

// slidesSaid follows what the far side says about its only picture.
func (m *Member) slidesSaid(are bool) {
	s := &m.slides
	if are == s.said {
		return
	}
	a := m.bridge.arbiter
	if s.said = are; are {
		s.wanted = true
		a.Ask(m.identity, m.bridge.in.Now())
		return
	}
	s.wanted = false
	a.Stop(m.identity)
	m.followSlides()
}

// slidesGranted and slidesOver are told by the arbiter, through the member.
func (m *Member) slidesGranted() {
	if m.slides.waits {
		m.slides.waits = false
		m.bridge.in.Notify(Notice{Kind: PresentingKeyed, Identity: m.identity, On: true})
	}
}

// slidesOver reports whether it was the picture, or a key, that presented or wanted to.
func (m *Member) slidesOver() bool {
	s := &m.slides
	if !s.wanted && !s.keyed {
		return false
	}
	tell, picture := s.keyed && !s.said, s.wanted
	*s = slides{said: s.said, shown: s.shown}
	m.followSlides()
	if tell {
		m.bridge.in.Notify(Notice{Kind: PresentingKeyed, Identity: m.identity})
	}
	return picture
}

// followSlides makes the leg's picture content while it is presented, and its camera
// again afterwards.
func (m *Member) followSlides() {
	b, s := m.bridge, &m.slides
	t := m.tracks[media.Main]
	on := s.wanted && t != nil && b.presenter == m.identity
	if on == (s.shown != nil) && (!on || s.shown.Track == t) {
		return
	}
	if s.shown != nil {
		s.shown = nil
		b.dropSource(sourceKey(m.identity, media.Content))
		m.want(media.Content, nil)
		delete(m.uplinks, media.Content)
		for _, role := range []media.Role{media.Main, media.Content} {
			if t := m.tracks[role]; t != nil && !on {
				b.addLegSource(m, t)
			}
		}
	}
	if on {
		s.shown = &asContent{t}
		b.dropSource(sourceKey(m.identity, media.Main))
		m.want(media.Main, nil)
		delete(m.uplinks, media.Main)
		b.addLegSource(m, s.shown)
	}
}

// pictures are the leg's, by what they are.
func (m *Member) pictures() map[media.Role]media.Track {
	if m.slides.shown == nil {
		return m.tracks
	}
	return map[media.Role]media.Track{media.Content: m.slides.shown}
}

// asContent is a picture in the role of content.
type asContent struct{ media.Track }

// Role implements media.Track.
func (*asContent) Role() media.Role { return media.Content }

// TakeBitrate implements media.BitrateTaker.
func (c *asContent) TakeBitrate(bps int) {
	if t, ok := c.Track.(media.BitrateTaker); ok {
		t.TakeBitrate(bps)
	}
}

// NTP implements media.SenderReporter.
func (c *asContent) NTP() (ntp uint64, rtpTime uint32, ok bool) {
	if t, is := c.Track.(media.SenderReporter); is {
		return t.NTP()
	}
	return 0, 0, false
}
