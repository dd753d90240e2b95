package offer

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/media"
)

// newMedium begins with what the far side's m-line says by itself.
func newMedium(s *Section, role media.Role) Medium {
	slides := role == media.Main && slices.Contains(contentWords(s.Content), "slides")
	return Medium{
		Index:    s.Index,
		Stream:   media.Stream{Role: role, MaxSend: s.maxSend(role), Slides: slides},
		Host:     s.Host,
		Profile:  strings.ToUpper(s.Profile),
		Label:    s.Label,
		Content:  s.Content,
		Ptime:    s.milliseconds("ptime"),
		MaxPtime: s.milliseconds("maxptime"),
	}
}

// reachable: there is somewhere to send, by address or by name, and it is one
// host.
func (s *Section) reachable() bool {
	return s.Address.IsValid() && !s.Address.IsMulticast() || s.Host != ""
}

// destinations are where RTP and RTCP go; invalid while the far side takes
// nothing (c=0.0.0.0) or gave a name.
func (s *Section) destinations(mux bool) (rtp, rtcp netip.AddrPort) {
	if !s.Address.IsValid() || s.Address.IsUnspecified() {
		return rtp, rtcp
	}
	rtp = netip.AddrPortFrom(s.Address, uint16(s.Port))
	switch {
	case mux:
		rtcp = rtp
	case s.RTCP.Port() != 0:
		if a := s.RTCP.Addr(); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() {
			rtcp = s.RTCP
		}
	case s.Port < 65535:
		rtcp = netip.AddrPortFrom(s.Address, uint16(s.Port+1))
	}
	return rtp, rtcp
}

// intersect keeps of a direction what both want.
func intersect(a, b media.Direction) media.Direction {
	switch {
	case a.Sends() && b.Sends() && a.Receives() && b.Receives():
		return media.SendRecv
	case a.Sends() && b.Sends():
		return media.SendOnly
	case a.Receives() && b.Receives():
		return media.RecvOnly
	}
	return media.Inactive
}

// held: the far side takes no audio of ours, or no video where there is no
// audio.
func held(list []Medium) bool {
	for _, role := range []media.Role{media.Audio, media.Main} {
		for i := range list {
			if list[i].Stream.Role == role {
				return !list[i].Stream.Direction.Sends()
			}
		}
	}
	return false
}

// sendPtime is the packet length to send: the one asked for, in steps a codec
// can do (10 ms; for Opus 10, 20, 40 or 60; for G.722.1 its frames of 20 ms,
// RFC 5577), within maxptime.
func sendPtime(f media.Format, asked, most time.Duration) time.Duration {
	const step, longest = 10 * time.Millisecond, 60 * time.Millisecond
	d := asked
	if d <= 0 {
		d = 2 * step
	}
	if most > 0 {
		d = min(d, most)
	}
	d = min(max(d/step*step, step), longest)
	switch {
	case f.Codec == media.Opus && d != step && d != longest:
		d = d / (2 * step) * (2 * step)
	case f.Codec == media.G7221:
		d = max(d/(2*step), 1) * (2 * step)
	}
	return d
}

// answerContent repeats what the offer said a video is (RFC 4796 §5), in the
// words we know.
func (s *Section) answerContent() string {
	switch s.Content {
	case "main", "slides":
		return s.Content
	}
	return ""
}

// answerLabel gives our stream the label of theirs, under which floor control
// knows the pair.
func answerLabel(label string) string {
	if !isToken(label) {
		return ""
	}
	return label
}
