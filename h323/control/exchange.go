package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/media"
)

// exchange sends our capability set and waits for its acknowledgement: the CESE of H.245
// clause C.3, outgoing side.
type exchange struct {
	sequence     uint8
	waiting      bool
	acknowledged bool
	tries        int
	deadline     time.Time // T101
	reduced      int       // how much was left out because the far side could not take it
}

// Steps of leaving out, when the far side rejects the whole.
const (
	whole   = iota
	noExtra // no content, no encryption, no telephone events
	bare    // one format for each role
	reduceTooFar
)

// sendSet announces what we can do.
func (s *Session) sendSet() {
	x := &s.exchange
	x.tries, x.reduced = 1, whole
	s.resendSet()
}

func (s *Session) resendSet() {
	x := &s.exchange
	x.sequence++
	x.waiting, x.deadline = true, s.wait()
	s.sendRequest(&h245.RequestMessage{TerminalCapabilitySet: s.set(x.sequence, x.reduced)})
}

// receiveAck takes terminalCapabilitySetAck. An answer to an older set is void.
func (x *exchange) receiveAck(s *Session, m *h245.TerminalCapabilitySetAck) {
	if !x.waiting || m.SequenceNumber != x.sequence {
		return
	}
	x.waiting, x.acknowledged, x.deadline = false, true, time.Time{}
	s.establish()
}

// receiveReject takes terminalCapabilitySetReject: we say less.
func (x *exchange) receiveReject(s *Session, m *h245.TerminalCapabilitySetReject) {
	if !x.waiting || m.SequenceNumber != x.sequence {
		return
	}
	x.reduced++
	if x.reduced >= reduceTooFar {
		x.waiting, x.deadline = false, time.Time{}
		s.fail(ErrCapabilities)
		return
	}
	s.resendSet()
}

// tick handles the expiry of T101: release, and once more.
func (x *exchange) tick(s *Session) {
	if !x.waiting || !s.due(x.deadline) {
		return
	}
	s.sendIndication(&h245.IndicationMessage{TerminalCapabilitySetRelease: &h245.TerminalCapabilitySetRelease{}})
	if x.tries >= maxTries {
		x.waiting, x.deadline = false, time.Time{}
		s.fail(ErrCapabilities)
		return
	}
	x.tries++
	s.resendSet()
}

// receiveSet takes the far side's capabilities.
func (s *Session) receiveSet(m *h245.TerminalCapabilitySet) {
	remote, cause := readSet(m, s.remote)
	if cause != nil {
		s.sendResponse(&h245.ResponseMessage{TerminalCapabilitySetReject: &h245.TerminalCapabilitySetReject{
			SequenceNumber: m.SequenceNumber, Cause: *cause,
		}})
		return
	}
	s.sendResponse(&h245.ResponseMessage{TerminalCapabilitySetAck: &h245.TerminalCapabilitySetAck{SequenceNumber: m.SequenceNumber}})
	s.channels.forgive()
	switch {
	case remote.empty():
		s.pause()
	case s.paused:
		s.remote = remote
		s.resume()
	default:
		s.remote = remote
		s.establish()
	}
	s.changed()
}

// pause obeys the empty capability set: all channels that we opened are closed (H.323
// clause 8.4.6).
func (s *Session) pause() {
	s.remote = &remoteSet{}
	if !s.paused {
		s.paused = true
		s.emit(Paused{true})
	}
	s.loseToken()
	for role := range media.Camera + 1 {
		s.closeSending(role)
	}
}

// resume begins phase B anew after a pause: the far side may be another one now, so that
// the master is determined again and our set is sent again.
func (s *Session) resume() {
	s.paused = false
	s.channels.epoch++
	s.emit(Paused{false})
	s.established = false
	s.exchange.acknowledged = false
	s.sendSet()
	s.determination.again(s)
}

// sendSetAgain answers sendTerminalCapabilitySet.
func (s *Session) sendSetAgain() {
	if !s.exchange.waiting {
		s.sendSet()
	}
}
