package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

// status is the outcome of the determination.
type status uint8

const (
	undetermined status = iota
	isMaster
	isSlave
)

// opposite is the status of the far side.
func (s status) opposite() status {
	switch s {
	case isMaster:
		return isSlave
	case isSlave:
		return isMaster
	}
	return undetermined
}

// determinationState is the state of the MSDSE (H.245 clause C.2).
type determinationState uint8

const (
	determinationIdle determinationState = iota
	outgoingAwaiting
	incomingAwaiting
)

// determination finds out who is master: the greater terminal type, or among equals
// a throw of dice (H.245 clause C.2).
type determination struct {
	state    determinationState
	status   status
	pending  status // ours by the numbers, until the far side says the same
	before   status // what it was before a pause, if the far side will not tell again
	number   uint32 // statusDeterminationNumber
	tries    int
	deadline time.Time // T106
}

// statusNumberBits is the size of statusDeterminationNumber.
const (
	statusNumberBits = 24
	statusHalf       = 1 << (statusNumberBits - 1)
	statusMask       = 1<<statusNumberBits - 1
)

// compare decides by both terminal types and numbers (H.245 clause C.2.5.1.1).
func compare(ourType, theirType uint8, ours, theirs uint32) status {
	switch {
	case ourType > theirType:
		return isMaster
	case ourType < theirType:
		return isSlave
	}
	switch difference := (theirs - ours) & statusMask; {
	case difference == 0, difference == statusHalf:
		return undetermined
	case difference < statusHalf:
		return isMaster
	}
	return isSlave
}

// determine starts the procedure (DETERMINE.request).
func (s *Session) determine() {
	d := &s.determination
	d.tries = 1
	d.number = s.random()
	s.sendDetermination()
}

func (s *Session) sendDetermination() {
	d := &s.determination
	d.state, d.deadline = outgoingAwaiting, s.wait()
	s.sendRequest(&h245.RequestMessage{MasterSlaveDetermination: &h245.MasterSlaveDetermination{
		TerminalType: s.cfg.TerminalType, StatusDeterminationNumber: d.number,
	}})
}

// again starts the procedure after a pause. Some resume without it: what was determined
// before stands when they do not answer soon.
func (d *determination) again(s *Session) {
	d.before, d.status = d.status, undetermined
	if d.state != outgoingAwaiting {
		s.determine()
	}
	if d.before != undetermined {
		d.deadline = s.now.Add(patience)
	}
}

// patience is how long a far side that comes out of a pause may take to answer.
const patience = 2 * time.Second

// receive takes masterSlaveDetermination.
func (d *determination) receive(s *Session, m *h245.MasterSlaveDetermination) {
	result := compare(s.cfg.TerminalType, m.TerminalType, d.number, m.StatusDeterminationNumber)
	if result != undetermined {
		d.state, d.pending, d.deadline = incomingAwaiting, result, s.wait()
		s.sendDeterminationAck(result.opposite())
		return
	}
	if d.state == outgoingAwaiting {
		d.retry(s)
		return
	}
	s.sendResponse(&h245.ResponseMessage{MasterSlaveDeterminationReject: &h245.MasterSlaveDeterminationReject{
		Cause: h245.MasterSlaveDeterminationRejectCause{IdenticalNumbers: true},
	}})
}

// sendDeterminationAck tells the far side what it is.
func (s *Session) sendDeterminationAck(theirs status) {
	s.sendResponse(&h245.ResponseMessage{MasterSlaveDeterminationAck: &h245.MasterSlaveDeterminationAck{
		Decision: h245.MasterSlaveDeterminationAckDecision{Master: theirs == isMaster, Slave: theirs == isSlave},
	}})
}

// acknowledged takes masterSlaveDeterminationAck, which tells what we are.
func (d *determination) acknowledged(s *Session, m *h245.MasterSlaveDeterminationAck) {
	told := isSlave
	if m.Decision.Master {
		told = isMaster
	}
	switch d.state {
	case outgoingAwaiting:
		// The far side computed it from our number: it is told the rest.
		s.sendDeterminationAck(told.opposite())
		d.settle(s, told)
	case incomingAwaiting:
		// Both saw both numbers: a contradiction is the far side's error (error E),
		// and the rule decides.
		d.settle(s, d.pending)
	case determinationIdle: // a repeated answer
	}
}

// rejected takes masterSlaveDeterminationReject (identicalNumbers).
func (d *determination) rejected(s *Session) {
	if d.state == outgoingAwaiting {
		d.retry(s)
	}
}

// released takes masterSlaveDeterminationRelease: the far side gave up waiting, and will
// ask again or live with what was computed.
func (d *determination) released(s *Session) {
	if d.state == incomingAwaiting {
		d.settle(s, d.pending)
	}
}

// retry throws the dice again, up to N100 times.
func (d *determination) retry(s *Session) {
	if d.tries >= maxTries {
		d.state, d.deadline = determinationIdle, time.Time{}
		s.fail(ErrDetermination)
		return
	}
	d.tries++
	d.number = s.random()
	s.sendDetermination()
}

func (d *determination) settle(s *Session, result status) {
	d.state, d.deadline = determinationIdle, time.Time{}
	d.status, d.before = result, undetermined
	s.establish()
}

// tick handles the expiry of T106. A far side that computed the result and only does not
// confirm it is believed to agree.
func (d *determination) tick(s *Session) {
	if !s.due(d.deadline) {
		return
	}
	switch {
	case d.state == incomingAwaiting:
		d.settle(s, d.pending)
		return
	case d.before != undetermined:
		d.settle(s, d.before)
		return
	}
	s.sendIndication(&h245.IndicationMessage{MasterSlaveDeterminationRelease: &h245.MasterSlaveDeterminationRelease{}})
	d.retry(s)
}
