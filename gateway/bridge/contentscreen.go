package bridge

import (
	"fmt"
	"image"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video"
)

// contentScreen is the second channel of a leg while it is sent content.
type contentScreen struct {
	takes    media.Format
	receiver h264.Receiver
	picture  *h264.Switch // of H.264
	state    atomic.Pointer[h264.State]
	drop     func()
	selected media.Track
	shown    *source // passed on
	refusal  refusal // of shown
	made     bool    // by a worker
}

// followContent keeps the second channel as it was negotiated and granted.
func (m *Member) followContent(st media.Stream) {
	p := &m.presentation
	if !st.Direction.Sends() || st.Send.Codec == "" || !p.allowed {
		m.closeContent()
		return
	}
	receiver := receiverOf(st)
	if s := p.screen; s != nil && s.takes == st.Send && m.keeps(&s.receiver, receiver, s.picture) {
		return
	}
	m.closeContent()
	s := &contentScreen{takes: st.Send, receiver: receiver}
	if st.Send.Codec.Is(string(media.H264)) {
		s.picture = h264.NewSwitch(h264.SwitchConfig{
			ID: m.identity + " content", Role: media.Content, Format: st.Send, Receiver: receiver,
			OnState: func(state h264.State) {
				s.state.Store(&state)
				m.bridge.nudge()
			},
		})
		drop, err := m.leg.Publish(m.ctx, s.picture)
		if err != nil {
			m.log.Warn("the leg takes no content", zap.Error(err))
			s.picture.Close()
			return
		}
		s.drop = drop
	}
	p.screen = s
	m.bridge.nudge()
}

func (m *Member) closeContent() {
	s := m.presentation.screen
	if s == nil {
		return
	}
	m.presentation.screen = nil
	if s.drop != nil {
		s.drop()
	}
	if s.picture != nil {
		s.picture.Close()
	}
	m.bridge.nudge()
}

// show puts a track into the second channel; nil blanks it.
func (s *contentScreen) show(m *Member, t media.Track) {
	if s.selected == t {
		return
	}
	if s.picture != nil {
		s.picture.Select(t)
		s.selected = t
		return
	}
	if t == nil {
		return
	}
	drop, err := m.leg.Publish(m.ctx, t)
	if err != nil {
		m.log.Warn("the leg takes no content", zap.Stringer("format", t.Format()), zap.Error(err))
		return
	}
	if s.drop != nil {
		s.drop()
	}
	s.drop, s.selected = drop, t
}

// directContent shows the presenter's content in second channels: as it is where it
// fits, or made by a worker.
func (b *Bridge) directContent(p *pass, worker bool) {
	src := b.sources[sourceKey(b.presenter, media.Content)]
	if src != nil && !b.counts(src) {
		src = nil
	}
	for _, m := range b.members {
		s := m.presentation.screen
		if s == nil || m.identity == b.presenter {
			continue
		}
		s.noteRefusal(p)
		switch {
		case src == nil:
			s.shown, s.made = nil, false
			s.show(m, nil)
		case s.picture != nil && decodable(src) && !(worker && s.shown == src && s.refusal.holds(src, s.picture.Bound(), p.now)):
			s.shown, s.made = src, false
			if t := b.trackOf(src, p); t != nil {
				s.show(m, t)
			}
		case worker && b.studio.ready():
			if t := b.makeContent(m, s, src, p); t != nil {
				s.made = true
				s.show(m, t)
			}
		}
	}
}

// trackOf is the track that carries a source; nil while it is not there.
func (b *Bridge) trackOf(src *source, p *pass) media.Track {
	if src.member != nil {
		return src.track
	}
	p.watched.add(src.remoteID, high)
	if f := b.feeds[high]; f != nil {
		if t := f.pictures[src.remoteID]; t != nil {
			return t
		}
	}
	return nil
}

// noteRefusal remembers that the content does not fit as it is.
func (s *contentScreen) noteRefusal(p *pass) {
	st := s.state.Load()
	if st == nil || s.shown == nil || s.made || st.Phase != h264.Refused || st.Source != s.selected {
		return
	}
	s.refusal = refusalOf(s.shown, st, p.now)
}

// makeContent has a worker make the content for a leg; legs that take the same share
// it. Its size is the content's own where the leg takes that.
func (b *Bridge) makeContent(m *Member, s *contentScreen, src *source, p *pass) media.Track {
	t := b.trackOf(src, p)
	if t == nil {
		return nil
	}
	eye := b.studio.lens(lensKey{src.key, high}, t, p.now)
	if eye == nil {
		return nil
	}
	w, h := eye.Size()
	if w == 0 {
		eye.OnSize(func(int, int) { b.nudge() })
		return nil
	}
	to := limitsOf(s.takes, s.receiver, 0).Text(squarePixels(w, h))
	scene := video.Scene{
		Width: to.Width, Height: to.Height, FPS: to.FPS, Background: backdrop, Follow: eye,
		Tiles: []video.Tile{{Source: eye, Rect: image.Rect(0, 0, to.Width, to.Height), Colour: empty}},
	}
	board := b.studio.board(fmt.Sprintf("content %s %dx%d@%g", src.key, to.Width, to.Height, to.FPS), scene, p.now)
	if board == nil {
		return nil
	}
	o := b.studio.output(board, media.Content, encodingOf(s.takes, to), to.Bitrate, p.now)
	if o == nil {
		return nil
	}
	return o
}

// contentFacts tells about the second channel.
func (m *Member) contentFacts(sent bool) (f Facts) {
	f.Mode = "passthrough"
	if !sent {
		f.Pipeline = "H264 -> repacketize(mode 1) -> meeting"
		if sps := m.presents.Load(); sps != nil {
			f.Width, f.Height, f.FPS = sps.Width, sps.Height, sps.FPS
		}
		return f
	}
	m.bridge.call(func() {
		s := m.presentation.screen
		switch {
		case s == nil || s.selected == nil:
			f.Notice = "nobody presents"
		case s.made:
			f.Mode, f.Pipeline = "transcoded", s.selected.ID()+" -> leg"
		default:
			f.Pipeline = fmt.Sprintf("%s(%s) -> switch -> leg", s.takes.Codec, s.selected.ID())
			if st := s.state.Load(); st != nil {
				f.Width, f.Height, f.FPS, f.Notice = st.SPS.Width, st.SPS.Height, st.SPS.FPS, st.Reason
			}
		}
	})
	return f
}
