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
	Mode          string // passthrough, mixed
	Pipeline      string
	Notice        string // why nothing flows
}

// Facts tells about what the leg is sent (sent) or sends, in a role.
func (m *Member) Facts(role media.Role, sent bool) Facts {
	if role == media.Audio {
		return m.soundFacts(sent)
	}
	if !sent {
		f := Facts{Mode: "passthrough", Pipeline: "H264 -> repacketize(mode 1) -> meeting"}
		if sps := m.sends.Load(); sps != nil {
			f.Width, f.Height, f.FPS = sps.Width, sps.Height, sps.FPS
		}
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

// pictureChanged notes the size of what the leg sends. It is called on the
// packet path.
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
