package control

import "github.com/roomgate/roomgate/media"

// Medium is what stands of a role; nil when neither direction has a channel.
func (s *Session) Medium(role media.Role) *Medium {
	out, in := s.channels.sending[role], s.channels.latest(role)
	if out != nil && out.state != open {
		out = nil
	}
	if out == nil && in == nil {
		return nil
	}
	m := &Medium{Stream: media.Stream{Role: role}}
	if in != nil {
		s.addReceiving(m, in)
	}
	if out != nil {
		s.addSending(m, out)
	}
	m.Stream.Encryption = m.encryption()
	return m
}

func (s *Session) addReceiving(m *Medium, in *incoming) {
	m.RecvChannel, m.RecvKey, m.Muted = in.channel(), in.key, in.muted
	m.RTCP = in.rtcp
	m.Stream.Recv = in.format
	m.Stream.Direction = media.RecvOnly
	m.Receive = []media.Format{in.format}
	for _, c := range s.channels.receiving {
		if c != in && c.role == in.role && c.format.PayloadType != in.format.PayloadType {
			m.Receive = append(m.Receive, c.format) // one of them replaces the other
		}
	}
	if pt, ok := eventsType(s.can); ok && in.role == media.Audio && pt != in.format.PayloadType {
		m.RecvEvents = Events{PayloadType: pt, ClockRate: eventsClock}
	}
}

func (s *Session) addSending(m *Medium, out *outgoing) {
	m.SendChannel, m.SendKey = out.channel(), out.key
	m.RTP = out.rtp
	if out.rtcp.IsValid() {
		m.RTCP = out.rtcp
	}
	m.Stream.Send = out.format
	m.Stream.MaxSend, m.Held = s.withinRate(out.role, out.bps), max(out.limit, 0)
	switch {
	case out.limit == 0, s.paused, !out.rtp.IsValid() && !s.traverses():
	case m.Stream.Direction == media.RecvOnly:
		m.Stream.Direction = media.SendRecv
	default:
		m.Stream.Direction = media.SendOnly
	}
	if s.can.Keypad && out.role == media.Audio && s.remote != nil && s.remote.events.ClockRate != 0 {
		m.SendEvents = s.remote.events
		m.Stream.Keypad = true
	}
}

// traverses reports whether the far side may be reached although it told no address.
func (s *Session) traverses() bool {
	if t, ok := s.cfg.Traversal.(interface{ Enabled() bool }); ok {
		return t.Enabled()
	}
	return s.cfg.Traversal != nil
}

// eventsClock is the clock of telephone events in H.323, which has no way to tell it.
const eventsClock = 8000

// withinRate bounds what is sent by the rate of the call.
func (s *Session) withinRate(role media.Role, bps int) int {
	if most := s.can.PictureRate(role); most > 0 && (bps == 0 || most < bps) {
		return most
	}
	return bps
}
