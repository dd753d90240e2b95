package bridge

import (
	"fmt"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// Facts is what the bridge knows of one direction of one medium of a leg.
type Facts struct {
	Width, Height int
	FPS           float64
	Mode          string // passthrough, transcoded, mixed
	Pipeline      string
	Notice        string // why nothing flows
}

// Facts tells about what the leg is sent (sent) or sends, in a role.
func (m *Member) Facts(role media.Role, sent bool) Facts {
	if role == media.Audio {
		return m.soundFacts(sent)
	}
	if role == media.Content {
		return m.contentFacts(sent)
	}
	if !sent {
		if f, made := m.uplinkFacts(role); made {
			m.smallFacts(&f)
			return f
		}
		f := Facts{Mode: "passthrough", Pipeline: "H264 -> repacketize(mode 1) -> meeting"}
		if sps := m.sends.Load(); sps != nil {
			f.Width, f.Height, f.FPS = sps.Width, sps.Height, sps.FPS
		}
		m.smallFacts(&f)
		return f
	}
	if f, made := m.madeFacts(); made {
		return f
	}
	st := m.state.Load()
	if st == nil {
		return Facts{Mode: "passthrough", Notice: "no picture to show"}
	}
	f := Facts{Mode: "passthrough", Width: st.SPS.Width, Height: st.SPS.Height, FPS: st.SPS.FPS}
	from := "nobody"
	if st.Source != nil {
		from = st.Source.ID()
	}
	f.Pipeline = fmt.Sprintf("H264(%s) -> switch(%s) -> leg", from, st.Phase)
	switch st.Phase {
	case h264.Refused:
		f.Notice = st.Reason
	case h264.Waiting:
		f.Notice = "waiting for a keyframe"
	case h264.Idle:
		f.Notice = "no picture to show"
	}
	return f
}

// madeFacts tells about a picture that a worker makes for the leg.
func (m *Member) madeFacts() (f Facts, made bool) {
	m.bridge.call(func() {
		s, is := m.selected.(*share)
		if !is {
			return
		}
		made = true
		scene := s.Canvas().Scene()
		f = Facts{Mode: "transcoded", Width: scene.Width, Height: scene.Height, FPS: scene.FPS}
		from := fmt.Sprintf("%d pictures", len(m.view.Shown))
		if len(m.view.Shown) == 1 {
			from = m.view.Shown[0]
		}
		f.Pipeline = fmt.Sprintf("%s -> decode -> %s -> %s", from, m.view.Kind, s.ID())
		if m.picture != nil {
			f.Pipeline += " -> switch"
		}
		f.Pipeline += " -> leg"
		f.Notice = s.Stats().Failure
	})
	return f, made
}

// uplinkFacts tells about a picture of the leg that a worker makes for the
// meeting.
func (m *Member) uplinkFacts(role media.Role) (f Facts, made bool) {
	m.bridge.call(func() {
		o := m.uplinks[role]
		if o == nil {
			return
		}
		made = true
		scene := o.Canvas().Scene()
		f = Facts{Mode: "transcoded", Width: scene.Width, Height: scene.Height, FPS: scene.FPS}
		if t := m.tracks[role]; t != nil {
			f.Pipeline = fmt.Sprintf("%s -> decode -> %s -> meeting", t.Format(), o.ID())
		}
	})
	return f, made
}

// pictureChanged notes the size of the leg's picture as the meeting gets it. It is called on
// the packet path where that is passed on.
func (m *Member) pictureChanged(sps h264.SPS) {
	m.sends.Store(&sps)
	m.poke()
}

func (m *Member) soundFacts(sent bool) Facts {
	f := Facts{Mode: "mixed"}
	m.bridge.call(func() {
		switch {
		case sent && m.output != nil:
			f.Pipeline = fmt.Sprintf("mixer -> %s -> leg", m.output.Format())
		case !sent && m.input != nil:
			f.Pipeline = fmt.Sprintf("%s(decode) -> mixer", m.inFormat)
			if m.uplink != nil {
				f.Pipeline += fmt.Sprintf(", -> %s -> meeting", m.uplink.Format())
			}
		}
	})
	return f
}
