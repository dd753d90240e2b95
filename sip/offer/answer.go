package offer

import (
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// Answer answers an offer. Errors leave the previous state in force:
// ErrNoCommonMedia, *EncryptionRequiredError, or a failing local.Rand.
func Answer(remote *Description, local *Local, previous *State) (body []byte, result *Result, err error) {
	a := answering{remote: remote, local: local, previous: previous, state: previous.next(local)}
	if err := a.pick(); err != nil {
		return nil, nil, err
	}
	session := &sdp.SessionDescription{TimeDescriptions: timing(remote)}
	a.floor = a.floorSection()
	a.result = &Result{Applications: remote.applications(), State: a.state}
	for i := range remote.Sections {
		m, err := a.section(&remote.Sections[i])
		if err != nil {
			return nil, nil, err
		}
		session.MediaDescriptions = append(session.MediaDescriptions, m)
	}
	if err := a.state.write(session, local, previous); err != nil {
		return nil, nil, err
	}
	a.result.Held = held(a.result.Media)
	return a.state.Body(), a.result, nil
}

// answering is one answer in the making.
type answering struct {
	remote   *Description
	local    *Local
	previous *State
	state    *State
	result   *Result
	plans    [media.Camera + 1]*plan
	floor    *Section // the line of floor control
}

// plan is how an offered m-line would be answered.
type plan struct {
	section *Section
	role    media.Role
	choice
	security
}

// pick plans at most one m-line for each role.
func (a *answering) pick() error {
	open, unencrypted := false, -1
	for i, role := range a.remote.roles(a.previous) {
		s := &a.remote.Sections[i]
		if role == noRole || s.Port == 0 {
			continue
		}
		open = open || role != media.Camera
		p, refused := a.plan(s, role)
		switch {
		case refused == notEncrypted && unencrypted < 0:
			unencrypted = i
		case refused == accepted && a.better(p, a.plans[role]):
			a.plans[role] = p
		}
	}
	switch {
	case !open || [media.Camera]*plan(a.plans[:media.Camera]) != [media.Camera]*plan{}:
		return nil
	case unencrypted >= 0:
		return &EncryptionRequiredError{Index: unencrypted}
	}
	return ErrNoCommonMedia
}

// plan sees whether an m-line can be taken.
func (a *answering) plan(s *Section, role media.Role) (*plan, refusal) {
	if !s.usable || a.local.Transport[role].RTP == 0 || !s.reachable() {
		return nil, nothingInCommon
	}
	p := &plan{section: s, role: role}
	var ok bool
	if p.choice, ok = choose(a.local.formats(role), s.payloads); !ok {
		return nil, nothingInCommon
	}
	var refused refusal
	before := a.previous.continued(s.Index)
	p.security, refused = a.local.protect(s, before.handshake)
	return p, refused
}

// better compares two lines for the same role: encryption first, unless it is
// off, then the line that carried the stream so far, then the first one.
func (a *answering) better(p, q *plan) bool {
	if q == nil {
		return true
	}
	if p.encrypted() != q.encrypted() {
		return p.encrypted()
	}
	before := func(p *plan) bool {
		l := a.previous.line(p.section.Index)
		return l != nil && l.open && l.role == p.role
	}
	return before(p) && !before(q)
}

// section answers one m-line: as planned, or with port zero.
func (a *answering) section(s *Section) (*sdp.MediaDescription, error) {
	for _, p := range a.plans {
		if p != nil && p.section == s {
			return a.accept(p)
		}
	}
	if s == a.floor {
		return a.acceptFloor(s), nil
	}
	l := a.previous.continued(s.Index).close()
	l.kind, l.profile, l.formats = s.Kind, s.Profile, s.Formats
	a.state.lines = append(a.state.lines, l)
	return describeClosed(s.Kind, s.Profile, s.Formats), nil
}

// accept answers an m-line that is taken.
func (a *answering) accept(p *plan) (*sdp.MediaDescription, error) {
	l := a.previous.continued(p.section.Index)
	s := p.section
	medium := newMedium(s, p.role)
	a.local.withinRate(&medium)
	medium.Stream.Direction = intersect(a.local.direction(), s.effective().Reverse())
	stated := a.formats(p, &medium)
	answer := mediaLine{
		kind: kindOf(p.role), profile: strings.ToUpper(s.Profile),
		port: a.local.Transport[p.role].RTP, rtcp: a.local.Transport[p.role].rtcp(),
		payloads:  stated,
		bandwidth: a.local.maxReceive(p.role),
		content:   s.answerContent(), label: answerLabel(s.Label),
		direction: medium.Stream.Direction,
	}
	if p.role == media.Content && answer.label == "" && a.floor != nil {
		answer.label = a.floorLabel(a.floor) // or the floor would name no stream of ours
	}
	if address := a.local.address(p.role); address != a.local.Address.Unmap().WithZone("") {
		answer.address = address
	}
	if p.role == media.Audio {
		answer.ptime = medium.Stream.Recv.PacketDuration()
	} else if p.role != media.Camera {
		medium.Feedback, answer.feedback = s.feedback(p.theirs.PayloadType)
	}
	if medium.Mux = s.Mux; medium.Mux {
		answer.mux, answer.rtcp = true, answer.port+1
	}
	_, answer.reduced = s.attribute("rtcp-rsize")
	medium.ReducedSize = answer.reduced
	medium.RTP, medium.RTCP = s.destinations(s.Mux)
	if err := a.secure(p, &l, &medium, &answer); err != nil {
		return nil, err
	}
	l.kind, l.profile, l.formats = answer.kind, answer.profile, answer.formats()
	l.role, l.open, l.stated, l.mux = p.role, true, stated, medium.Mux
	l.content, l.label = answer.content, answer.label
	l.remember(s.payloads, stated)
	a.state.lines = append(a.state.lines, l)
	a.result.Media = append(a.result.Media, medium)
	return answer.describe(), nil
}

// formats settles what goes either way and returns the payloads we state.
func (a *answering) formats(p *plan, m *Medium) []payload {
	ours, theirs := p.ours, p.theirs
	codec := theirs
	codec.Format = ours
	codec.PayloadType = theirs.PayloadType
	m.Stream.Send = theirs.Format
	if ours.Codec == media.H264 {
		codec.H264, m.Stream.Send.H264 = answerH264(ours.H264, theirs.H264)
	}
	stated := []payload{codec}
	m.Stream.Recv = codec.Format
	m.Stream.Recv.H264.ParameterSets = theirs.H264.ParameterSets
	if p.role == media.Audio {
		m.Stream.Send.Ptime = sendPtime(m.Stream.Send, m.Ptime, m.MaxPtime)
		m.Stream.Recv.Ptime = ours.PacketDuration()
	}
	m.Receive = []media.Format{m.Stream.Recv}
	if events, ok := pairedEvents(p.section.payloads, ours.ClockRate); ok && p.role == media.Audio && a.local.Capabilities.Keypad {
		stated = append(stated, events)
		m.SendEvents, m.RecvEvents = events.asEvents(), events.asEvents()
		m.Receive = append(m.Receive, events.Format)
		m.Stream.Keypad = true
	}
	if noise, ok := comfortNoise(a.local.Capabilities.Audio, p.section.payloads, ours.ClockRate); ok && p.role == media.Audio {
		stated = append(stated, noise)
		m.ComfortNoise = &noise.Format
		m.Receive = append(m.Receive, noise.Format)
	}
	return stated
}

// secure states our key or fingerprint.
func (a *answering) secure(p *plan, l *line, m *Medium, answer *mediaLine) error {
	m.Stream.Encryption = p.security.name()
	switch {
	case p.crypto != nil:
		key, err := l.key(a.local, p.crypto.Suite)
		if err != nil {
			return err
		}
		out := Crypto{Tag: p.crypto.Tag, Suite: p.crypto.Suite, Keys: []MasterKey{key}, name: p.crypto.name}
		m.SRTP = &SRTP{In: *p.crypto, Out: out}
		answer.cryptos = []Crypto{out}
		l.suite, l.handshake = p.crypto.Suite, nil
	case p.dtls != nil:
		m.DTLS = p.dtls
		answer.fingerprint, answer.setup = a.local.Fingerprint, setupWord(p.dtls.Active)
		active := p.dtls.Active
		l.handshake, l.keys, l.suite = &active, nil, ""
	default:
		l.handshake, l.keys, l.suite = nil, nil, ""
	}
	return nil
}

// timing repeats t= of the offer (RFC 3264 §6).
func timing(remote *Description) []sdp.TimeDescription {
	if t := remote.Session.TimeDescriptions; len(t) > 0 {
		return t[:1]
	}
	return []sdp.TimeDescription{{}}
}
