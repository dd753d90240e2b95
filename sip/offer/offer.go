package offer

import (
	"fmt"

	"github.com/pion/sdp/v3"

	"github.com/roomgate/roomgate/media"
)

// Offer makes an offer: the first of a dialog when previous is nil, otherwise a
// new one in which every m-line keeps its place. The body names what
// local.Capabilities ask for; hold is Capabilities.Hold. Complete takes the
// state returned.
//
// A first offer is RTP/AVP under Off and Prefer and RTP/SAVP under Require;
// under Prefer with secure signalling the RTP/AVP lines carry a=crypto, which
// the far side may take or ignore (best effort, as room systems do).
func Offer(local *Local, previous *State) (body []byte, offered *State, err error) {
	o := offering{local: local, previous: previous, state: previous.next(local)}
	o.state.outstanding, o.state.before = true, previous
	if err := o.compose(); err != nil {
		return nil, nil, err
	}
	session := &sdp.SessionDescription{
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: o.sections,
	}
	if err := o.state.write(session, local, previous); err != nil {
		return nil, nil, err
	}
	return o.state.Body(), o.state, nil
}

// offering is one offer in the making.
type offering struct {
	local    *Local
	previous *State
	state    *State
	sections []*sdp.MediaDescription
}

// wants reports whether we have a use for a role.
func (o *offering) wants(role media.Role) bool {
	if o.local.Transport[role].RTP == 0 {
		return false
	}
	for _, f := range o.local.formats(role) {
		if isCodec(f) {
			return true
		}
	}
	return false
}

// compose goes through the m-lines so far, then adds what is missing.
func (o *offering) compose() error {
	missing := o.missing()
	if o.previous != nil {
		for i := range o.previous.lines {
			if err := o.continueLine(&o.previous.lines[i], &missing); err != nil {
				return err
			}
		}
	}
	for _, role := range missing {
		if err := o.add(line{role: role}); err != nil {
			return err
		}
	}
	if o.wantsFloor() && (o.previous == nil || o.local.Extend) && !o.state.has(floorRole) {
		o.addFloor(line{})
	}
	for i := range o.state.lines {
		if o.state.lines[i].open && o.state.lines[i].role < media.Camera {
			return nil
		}
	}
	return fmt.Errorf("%w: nothing to offer", ErrNoCommonMedia)
}

// missing are the roles to open a line for.
func (o *offering) missing() []media.Role {
	var list []media.Role
	for _, role := range []media.Role{media.Audio, media.Main, media.Content, media.Camera} {
		if o.wants(role) && (o.previous == nil || o.local.Extend && !o.previous.has(role)) {
			list = append(list, role)
		}
	}
	return list
}

// has reports whether a role has an open line.
func (s *State) has(role media.Role) bool {
	for i := range s.lines {
		if s.lines[i].open && s.lines[i].role == role {
			return true
		}
	}
	return false
}

// continueLine repeats an m-line, closes it, or gives it to a missing role.
func (o *offering) continueLine(l *line, missing *[]media.Role) error {
	switch {
	case l.open && l.role == floorRole && o.wantsFloor():
		o.addFloor(*l)
		return nil
	case l.open && l.role < floorRole && o.wants(l.role):
		return o.add(*l)
	}
	for i, role := range *missing {
		if !l.open && l.kind == kindOf(role) {
			*missing = append((*missing)[:i:i], (*missing)[i+1:]...)
			return o.add(line{role: role, meanings: l.meanings})
		}
	}
	o.state.lines = append(o.state.lines, l.close())
	o.sections = append(o.sections, describeClosed(l.kind, l.profile, l.formats))
	return nil
}

func kindOf(role media.Role) string {
	switch role {
	case media.Audio:
		return "audio"
	case media.Camera:
		return "application"
	}
	return "video"
}

// add offers one open line.
func (o *offering) add(l line) error {
	role := l.role
	m := mediaLine{
		port: o.local.Transport[role].RTP, rtcp: o.local.Transport[role].rtcp(),
		mux:       o.local.Mux || l.open && l.mux,
		bandwidth: o.local.maxReceive(role),
		direction: o.local.direction(),
	}
	if address := o.local.address(role); address != o.local.Address.Unmap().WithZone("") {
		m.address = address
	}
	if !l.open {
		o.begin(&l)
	}
	m.kind, m.profile, m.content, m.label = l.kind, l.profile, l.content, l.label
	m.payloads = o.payloads(&l)
	if role == media.Audio {
		m.ptime = m.payloads[0].PacketDuration()
	} else if role != media.Camera {
		m.feedback = offeredFeedback
	}
	if err := o.secure(&l, &m); err != nil {
		return err
	}
	l.open, l.stated, l.formats, l.mux = true, m.payloads, m.formats(), m.mux
	l.remember(m.payloads)
	o.state.lines = append(o.state.lines, l)
	o.sections = append(o.sections, m.describe())
	return nil
}

// Labels of our video lines where both are offered.
const (
	mainLabel    = "1"
	contentLabel = "2"
)

// begin settles what a new line keeps for its life.
func (o *offering) begin(l *line) {
	l.kind, l.profile = kindOf(l.role), "RTP/AVP"
	if o.local.Encryption == Require {
		l.profile = "RTP/SAVP"
	}
	switch {
	case l.role == media.Content:
		l.content, l.label = "slides", o.previous.floorLabel()
	case l.role == media.Main && o.wants(media.Content):
		l.content, l.label = "main", mainLabel
	}
}

// secure adds keys: all our suites on a new line, the one in use on a line
// that goes on.
func (o *offering) secure(l *line, m *mediaLine) error {
	l.cryptos = nil
	if l.open && l.handshake != nil {
		m.fingerprint, m.setup = o.local.Fingerprint, setupBoth
		return nil
	}
	var suites []Suite
	switch {
	case l.open && l.suite != "":
		suites = []Suite{l.suite}
	case l.open:
	case o.local.Encryption == Require, o.local.Encryption == Prefer && o.local.Secure:
		suites = o.local.suites()
	}
	for i, suite := range suites {
		key, err := l.key(o.local, suite)
		if err != nil {
			return err
		}
		l.cryptos = append(l.cryptos, Crypto{Tag: i + 1, Suite: suite, Keys: []MasterKey{key}})
	}
	m.cryptos = l.cryptos
	return nil
}
