package control

import (
	"errors"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
)

// H.239: a second video, sent by who holds the token.
const (
	oidH239Control per.OID = "0.0.8.239.1.1"
	oidH239Video   per.OID = "0.0.8.239.1.2"
	oidH239Message per.OID = "0.0.8.239.2"
)

// Messages of H.239 (its Table 9), told apart by the subMessageIdentifier.
const (
	flowReleaseRequest  = 1 // genericRequest
	flowReleaseResponse = 2 // genericResponse
	presentRequest      = 3 // genericRequest
	presentResponse     = 4 // genericResponse
	presentRelease      = 5 // genericCommand
	presentOwner        = 6 // genericIndication
)

// Parameters of these messages, and of the capability.
const (
	h239Role        = 1 // booleanArray: 1 presentation, 2 live
	h239Channel     = 42
	h239Symmetry    = 43 // 1 to 127
	h239Terminal    = 44
	h239Acknowledge = 126
	h239Reject      = 127

	rolePresentation = 1
)

// ErrNoPresentation is returned where the far side takes no second video.
var ErrNoPresentation = errors.New("control: the far side takes no presentation")

// tokenState says who may send content.
type tokenState uint8

const (
	tokenFree tokenState = iota
	tokenAsked
	tokenOurs
	tokenTheirs
)

// token is the right to present.
type token struct {
	state    tokenState
	symmetry uint8  // of our request
	channel  uint16 // number of the channel that our request names
	tries    int
	deadline time.Time
	collided bool // equal numbers met: the refusal is no answer

	asked       bool // the far side waits for AnswerToken
	taken       bool // TokenTaken was told
	theirLabel  uint16
	theirNumber uint16
}

// extendedVideo marks a capability as one for content.
func extendedVideo(c *h245.VideoCapability) *h245.VideoCapability {
	return &h245.VideoCapability{ExtendedVideoCapability: &h245.ExtendedVideoCapability{
		VideoCapability: []h245.VideoCapability{*c},
		VideoCapabilityExtension: []h245.GenericCapability{{
			CapabilityIdentifier: standard(oidH239Video),
			Collapsing:           []h245.GenericParameter{booleanArray(h239Role, rolePresentation)},
		}},
	}}
}

// presents reports whether an extended capability is for content: by its role, or because
// it tells none.
func presents(x *h245.ExtendedVideoCapability) bool {
	for i := range x.VideoCapabilityExtension {
		g := &x.VideoCapabilityExtension[i]
		if identifier(g) != oidH239Video {
			continue
		}
		if role, ok := find(g.Collapsing, h239Role); ok {
			return role&rolePresentation != 0
		}
	}
	return true
}

func isH239(m *h245.GenericMessage) bool {
	return m.MessageIdentifier.Standard != nil && *m.MessageIdentifier.Standard == oidH239Message && m.SubMessageIdentifier != nil
}

func h239Message(sub uint8, content ...h245.GenericParameter) *h245.GenericMessage {
	return &h245.GenericMessage{MessageIdentifier: standard(oidH239Message), SubMessageIdentifier: &sub, MessageContent: content}
}

// Presents reports whether the far side takes a presentation.
func (s *Session) Presents() bool {
	return s.remote != nil && s.remote.presents && len(s.candidates(media.Content)) > 0
}

// RequestToken asks for the right to present: TokenGranted or TokenDenied follows.
func (s *Session) RequestToken(now time.Time) error {
	if !s.Presents() || s.ended {
		return ErrNoPresentation
	}
	s.do(now, func() {
		switch {
		case s.token.state == tokenAsked:
		case s.token.state == tokenOurs:
			s.emit(TokenGranted{})
		case s.token.asked && s.cfg.Yields: // whoever answers has not heard of it yet
			s.emit(TokenDenied{})
		default:
			if s.token.asked { // our wish is the answer
				s.token.asked = false
				s.respondToken(false)
			}
			s.token.tries = 0
			s.token.channel = s.channels.allocate()
			s.askToken()
		}
	})
	return nil
}

func (s *Session) askToken() {
	t := &s.token
	t.state, t.collided, t.deadline = tokenAsked, false, s.wait()
	t.tries++
	if t.symmetry = 1; !s.cfg.Yields || t.tries > 1 {
		t.symmetry = uint8(1 + s.random()%127)
	}
	s.sendRequest(&h245.RequestMessage{GenericRequest: h239Message(presentRequest,
		unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, t.channel), unsignedMin(h239Symmetry, uint16(t.symmetry)))})
}

// ReleaseToken gives up the right to present, or the wish for it.
func (s *Session) ReleaseToken(now time.Time) {
	s.do(now, func() {
		switch s.token.state {
		case tokenOurs:
			s.freeToken()
			s.sendRelease()
			s.closeSending(media.Content)
		case tokenAsked:
			s.freeToken()
		}
	})
}

func (s *Session) sendRelease() {
	s.sendCommand(&h245.CommandMessage{GenericCommand: h239Message(presentRelease,
		unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, s.token.channel))})
}

func (s *Session) freeToken() { s.token.state, s.token.deadline = tokenFree, time.Time{} }

// returnToken gives up the right because there is nothing to send, or nobody to take it.
func (s *Session) returnToken() {
	if s.token.state == tokenOurs {
		s.sendRelease()
		s.loseToken()
	}
}

// loseToken takes the right from us, if we have it.
func (s *Session) loseToken() {
	if s.token.state != tokenOurs {
		return
	}
	s.freeToken()
	s.closeSending(media.Content)
	s.emit(TokenLost{})
}

// AnswerToken answers TokenRequested.
func (s *Session) AnswerToken(now time.Time, grant bool) {
	s.do(now, func() {
		t := &s.token
		if !t.asked {
			return
		}
		t.asked = false
		s.respondToken(grant)
		if grant {
			s.loseToken()
			t.state, t.deadline = tokenTheirs, time.Time{}
		}
	})
}

func (s *Session) respondToken(grant bool) {
	answer := uint8(h239Reject)
	if grant {
		answer = h239Acknowledge
	}
	s.sendResponse(&h245.ResponseMessage{GenericResponse: h239Message(presentResponse, logical(answer),
		unsignedMin(h239Terminal, s.token.theirLabel), unsignedMin(h239Channel, s.token.theirNumber))})
}

// tokenRequest takes a request of the far side. When both ask at once the greater number
// wins, and equal ones are refused and thrown again.
func (s *Session) tokenRequest(m *h245.GenericMessage) {
	if *m.SubMessageIdentifier == flowReleaseRequest {
		s.releaseFlow(m)
		return
	}
	if *m.SubMessageIdentifier != presentRequest || len(s.can.Content) == 0 {
		s.notSupported(&h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{GenericRequest: m}})
		return
	}
	t := &s.token
	label, _ := find(m.MessageContent, h239Terminal)
	number, _ := find(m.MessageContent, h239Channel)
	symmetry, _ := find(m.MessageContent, h239Symmetry)
	t.theirLabel, t.theirNumber = uint16(min(label, 0xffff)), uint16(min(number, 0xffff))
	switch {
	case t.state == tokenAsked && symmetry <= uint32(t.symmetry):
		t.collided = symmetry == uint32(t.symmetry)
		s.respondToken(false)
	case t.state == tokenTheirs: // once more
		s.respondToken(true)
	case t.state == tokenAsked:
		s.freeToken()
		s.emit(TokenDenied{})
		fallthrough
	default:
		t.asked = true
		s.emit(TokenRequested{})
	}
}

// tokenResponse takes the answer to our request.
func (s *Session) tokenResponse(m *h245.GenericMessage) {
	t := &s.token
	_, granted := find(m.MessageContent, h239Acknowledge)
	switch {
	case *m.SubMessageIdentifier != presentResponse:
	case t.state == tokenFree && granted: // no longer wanted
		s.sendRelease()
	case t.state != tokenAsked:
	case granted:
		t.state, t.deadline = tokenOurs, time.Time{}
		s.sendIndication(&h245.IndicationMessage{GenericIndication: h239Message(presentOwner,
			unsignedMin(h239Terminal, 0), unsignedMin(h239Channel, t.channel))})
		s.emit(TokenGranted{})
	case t.collided && t.tries < maxTries:
		s.askToken()
	default:
		s.denied()
	}
}

// denied: our wish is over, and who presented goes on.
func (s *Session) denied() {
	s.freeToken()
	if s.token.taken {
		s.token.state = tokenTheirs
	}
	s.emit(TokenDenied{})
}

// tokenCommand takes presentationTokenRelease.
func (s *Session) tokenCommand(m *h245.GenericMessage) {
	if *m.SubMessageIdentifier == presentRelease {
		s.contentClosed()
	}
}

// tokenIndication takes presentationTokenIndicateOwner.
func (s *Session) tokenIndication(m *h245.GenericMessage) {
	if *m.SubMessageIdentifier == presentOwner {
		s.contentOpened()
	}
}

// contentOpened: the far side presents, with our leave or without asking.
func (s *Session) contentOpened() {
	s.loseToken()
	t := &s.token
	if t.state != tokenAsked { // otherwise the answer to our request decides
		t.state, t.deadline = tokenTheirs, time.Time{}
	}
	t.asked = false
	if !t.taken {
		t.taken = true
		s.emit(TokenTaken{})
	}
}

// contentClosed: the far side presents no longer.
func (s *Session) contentClosed() {
	t := &s.token
	if t.state == tokenTheirs {
		s.freeToken()
	}
	if t.taken {
		t.taken = false
		s.emit(TokenReleased{})
	}
}

// notUnderstood: a far side that does not know our request will not answer it.
func (t *token) notUnderstood(s *Session) {
	if t.state == tokenAsked {
		s.denied()
	}
}

func (s *Session) tickToken() {
	if s.token.state == tokenAsked && s.due(s.token.deadline) {
		s.denied()
	}
}

// releaseFlow answers flowControlReleaseRequest: the far side wants to send faster than we
// asked for. Without a bound of ours there is nothing to release.
func (s *Session) releaseFlow(m *h245.GenericMessage) {
	number, _ := find(m.MessageContent, h239Channel)
	answer := uint8(h239Acknowledge)
	c := s.channels.receiving[uint16(min(number, 0xffff))]
	if c != nil && s.channels.limits[c.role] > 0 {
		answer = h239Reject
	}
	s.sendResponse(&h245.ResponseMessage{GenericResponse: h239Message(flowReleaseResponse, logical(answer),
		unsignedMin(h239Channel, uint16(min(number, 0xffff))))})
}
