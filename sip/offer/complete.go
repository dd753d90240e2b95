package offer

import (
	"slices"
	"strings"

	"github.com/roomgate/roomgate/media"
)

// Complete reads the answer to an offer of ours. offered is what Offer
// returned, local what it was made with. The answer may be far from RFC 3264:
// codecs never offered, fewer or more m-lines, a profile of its own, several
// payload types, all of it is read as far as it makes sense.
//
// Errors are ErrNotOffered, ErrNoCommonMedia and *EncryptionRequiredError; the
// call cannot go on with any of them.
func Complete(offered *State, answer *Description, local *Local) (*Result, error) {
	if offered == nil || !offered.outstanding {
		return nil, ErrNotOffered
	}
	state := *offered
	state.before, state.outstanding, state.lines = nil, false, slices.Clone(offered.lines)
	c := completing{local: local, before: offered.before, result: &Result{Applications: answer.applications(), State: &state}}
	unencrypted := -1
	for i := range state.lines {
		refused := nothingInCommon
		if i < len(answer.Sections) && state.lines[i].open {
			refused = c.line(&state.lines[i], &answer.Sections[i])
		}
		if refused != accepted {
			state.lines[i] = state.lines[i].close()
		}
		if refused == notEncrypted && unencrypted < 0 {
			unencrypted = i
		}
	}
	switch {
	case slices.ContainsFunc(c.result.Media, func(m Medium) bool { return m.Stream.Role != media.Camera }):
		c.result.Held = held(c.result.Media)
		return c.result, nil
	case unencrypted >= 0:
		return nil, &EncryptionRequiredError{Index: unencrypted}
	}
	return nil, ErrNoCommonMedia
}

// completing is one answer being read.
type completing struct {
	local  *Local
	before *State
	result *Result
}

// line reads the answer to one open m-line of ours.
func (c *completing) line(l *line, s *Section) refusal {
	if l.role == floorRole {
		return c.floor(l, s)
	}
	_, rtp := rtpTransport(s.Profile)
	if !strings.EqualFold(s.Kind, l.kind) || s.Port == 0 || !s.usable || !rtp || !s.reachable() {
		return nothingInCommon
	}
	theirs := s.answered(l.stated)
	chosen, ok := chooseAnswered(l.stated, theirs)
	if !ok {
		return nothingInCommon
	}
	m := newMedium(s, l.role)
	c.local.withinRate(&m)
	refused := c.secure(l, s, &m)
	if refused != accepted {
		return refused
	}
	m.Stream.Direction = intersect(c.local.direction(), s.effective().Reverse())
	c.formats(l, chosen, theirs, &m)
	m.Mux = l.mux && s.Mux
	l.mux = m.Mux
	_, m.ReducedSize = s.attribute("rtcp-rsize")
	m.RTP, m.RTCP = s.destinations(s.Mux)
	if l.role != media.Audio && l.role != media.Camera {
		agreed, _ := s.feedback(chosen.theirs.PayloadType)
		m.Feedback = agreed.and(Feedback{NACK: true, PLI: true, FIR: true, TMMBR: true})
	}
	l.remember(theirs)
	c.result.Media = append(c.result.Media, m)
	return accepted
}

// answered are the payloads of an answer; one without a=rtpmap has the meaning
// we gave its number, and G.722.1 without a bit rate the one we gave.
func (s *Section) answered(stated []payload) []payload {
	list := slices.Clone(s.payloads)
	for i := range list {
		at := slices.IndexFunc(stated, func(p payload) bool { return p.PayloadType == list[i].PayloadType })
		switch {
		case at < 0:
		case list[i].Codec == "":
			list[i] = stated[at]
		case list[i].Codec == media.G7221 && list[i].Bitrate == 0:
			list[i].Bitrate = stated[at].Bitrate
		}
	}
	return list
}

// chooseAnswered picks what to send of an answer. Our preference decides; an
// H.264 profile that we did not offer is better than no picture.
func chooseAnswered(stated, theirs []payload) (choice, bool) {
	formats := make([]media.Format, len(stated))
	for i, p := range stated {
		formats[i] = p.Format
	}
	if c, ok := choose(formats, theirs); ok {
		return c, true
	}
	for _, our := range formats {
		for _, their := range theirs {
			if isCodec(our) && same(our, their.Format) && their.H264.PacketizationMode <= 1 {
				return choice{our, their}, true
			}
		}
	}
	return choice{}, false
}

// formats settles what goes either way: they send with our payload types, we
// with theirs (RFC 3264 §7).
func (c *completing) formats(l *line, chosen choice, theirs []payload, m *Medium) {
	m.Stream.Send, m.Stream.Recv = chosen.theirs.Format, chosen.ours
	m.Stream.Send.H264.ParameterSets = ""
	m.Stream.Recv.H264.ParameterSets = chosen.theirs.H264.ParameterSets
	audio := l.role == media.Audio
	if audio {
		m.Stream.Send.Ptime = sendPtime(m.Stream.Send, m.Ptime, m.MaxPtime)
		m.Stream.Recv.Ptime = chosen.ours.PacketDuration()
	}
	m.Receive = append(m.Receive, m.Stream.Recv)
	for _, p := range l.stated {
		if p.PayloadType != m.Stream.Recv.PayloadType {
			m.Receive = append(m.Receive, p.Format)
		}
	}
	if audio {
		c.events(l, chosen, theirs, m)
	}
	// Some send under the numbers of their answer.
	for _, p := range theirs {
		if _, taken := m.Format(p.PayloadType); taken || p.Codec == "" {
			continue
		}
		for _, our := range l.stated {
			if same(our.Format, p.Format) && p.H264.PacketizationMode <= 1 {
				p.Format.Ptime = our.Ptime
				m.Receive = append(m.Receive, p.Format)
				break
			}
		}
	}
}

// events and comfort noise of an answer. Comfort noise was never offered, but
// some answer with it.
func (c *completing) events(l *line, chosen choice, theirs []payload, m *Medium) {
	if p, ok := pairedEvents(theirs, chosen.theirs.ClockRate); ok && c.local.Capabilities.Keypad {
		m.SendEvents = p.asEvents()
		m.Stream.Keypad = true
		if our, ok := pairedEvents(l.stated, p.ClockRate); ok {
			m.RecvEvents = our.asEvents()
		}
	}
	if p, ok := comfortNoise(c.local.Capabilities.Audio, theirs, chosen.theirs.ClockRate); ok {
		m.ComfortNoise = &p.Format
		if _, taken := m.Format(p.PayloadType); !taken {
			m.Receive = append(m.Receive, p.Format)
		}
	}
}

// secure pairs their keys with ours. The suite decides, the tag only between
// lines of one suite.
func (c *completing) secure(l *line, s *Section, m *Medium) refusal {
	secure := isSecure(l.profile)
	if l.handshake != nil && len(l.cryptos) == 0 {
		active, ok := answerSetup(s.setup(), l.handshake)
		fingerprints := s.fingerprints()
		if !ok || len(fingerprints) == 0 {
			return nothingInCommon
		}
		m.DTLS = &DTLS{Fingerprints: fingerprints, Active: active}
		m.Stream.Encryption = encryptionDTLS
		l.handshake = &active
		return accepted
	}
	if in, out, ok := pairCryptos(l.cryptos, s.cryptos(c.local.suites())); ok {
		m.SRTP = &SRTP{In: in, Out: out}
		m.Stream.Encryption = encryptionSDES
		l.suite = out.Suite
		return accepted
	}
	switch {
	case c.local.Encryption == Require:
		return notEncrypted
	case secure || isSecure(s.Profile):
		return nothingInCommon
	}
	m.Stream.Encryption = encryptionNone
	l.suite, l.keys = "", nil
	return accepted
}

// pairCryptos finds the line of an answer that takes up one of ours.
func pairCryptos(ours, theirs []Crypto) (in, out Crypto, ok bool) {
	for _, exact := range []bool{true, false} {
		for _, in := range theirs {
			for _, out := range ours {
				if in.Suite == out.Suite && (in.Tag == out.Tag || !exact) {
					return in, out, true
				}
			}
		}
	}
	return in, out, false
}
