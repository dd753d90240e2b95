package control

import "github.com/roomgate/roomgate/h323/h245"

// request handles what wants an answer.
func (s *Session) request(m *h245.RequestMessage) {
	switch {
	case m.MasterSlaveDetermination != nil:
		s.determination.receive(s, m.MasterSlaveDetermination)
	case m.TerminalCapabilitySet != nil:
		s.receiveSet(m.TerminalCapabilitySet)
	case m.OpenLogicalChannel != nil:
		s.asked(m.OpenLogicalChannel)
	case m.CloseLogicalChannel != nil:
		s.leave(m.CloseLogicalChannel)
	case m.RequestChannelClose != nil:
		s.askedToClose(m.RequestChannelClose)
	case m.RequestMode != nil:
		s.requestMode(m.RequestMode)
	case m.RoundTripDelayRequest != nil:
		s.sendResponse(&h245.ResponseMessage{RoundTripDelayResponse: &h245.RoundTripDelayResponse{
			SequenceNumber: m.RoundTripDelayRequest.SequenceNumber,
		}})
	case m.MaintenanceLoopRequest != nil:
		s.refuseLoop(m.MaintenanceLoopRequest)
	case m.ConferenceRequest != nil:
		s.conferenceRequest(m.ConferenceRequest)
	case m.LogicalChannelRateRequest != nil:
		s.rateRequest(m.LogicalChannelRateRequest)
	case m.GenericRequest != nil && isH239(m.GenericRequest):
		s.tokenRequest(m.GenericRequest)
	default:
		s.notSupported(&h245.MultimediaSystemControlMessage{Request: m})
	}
}

// response handles answers. Unexpected ones are ignored.
func (s *Session) response(m *h245.ResponseMessage) {
	switch {
	case m.MasterSlaveDeterminationAck != nil:
		s.determination.acknowledged(s, m.MasterSlaveDeterminationAck)
	case m.MasterSlaveDeterminationReject != nil:
		s.determination.rejected(s)
	case m.TerminalCapabilitySetAck != nil:
		s.exchange.receiveAck(s, m.TerminalCapabilitySetAck)
	case m.TerminalCapabilitySetReject != nil:
		s.exchange.receiveReject(s, m.TerminalCapabilitySetReject)
	case m.OpenLogicalChannelAck != nil:
		s.acknowledged(m.OpenLogicalChannelAck)
	case m.OpenLogicalChannelReject != nil:
		s.rejected(m.OpenLogicalChannelReject)
	case m.CloseLogicalChannelAck != nil:
		s.closed(m.CloseLogicalChannelAck)
	case m.RoundTripDelayResponse != nil:
		s.roundTrip(m.RoundTripDelayResponse)
	case m.GenericResponse != nil && isH239(m.GenericResponse):
		s.tokenResponse(m.GenericResponse)
	}
}

// command handles what wants to be done, not answered.
func (s *Session) command(m *h245.CommandMessage) {
	switch {
	case m.EndSessionCommand != nil: // whatever its options
		s.ended = true
		s.emit(Disconnected{})
	case m.SendTerminalCapabilitySet != nil:
		s.sendSetAgain()
	case m.FlowControlCommand != nil:
		s.flowControl(m.FlowControlCommand)
	case m.MiscellaneousCommand != nil:
		s.miscellaneous(m.MiscellaneousCommand)
	case m.GenericCommand != nil && isH239(m.GenericCommand):
		s.tokenCommand(m.GenericCommand)
	case m.MaintenanceLoopOffCommand != nil, m.CommunicationModeCommand != nil, m.ConferenceCommand != nil,
		m.NonStandard != nil, m.GenericCommand != nil, m.EncryptionCommand != nil:
		// Nothing of ours depends on these.
	default:
		s.notSupported(&h245.MultimediaSystemControlMessage{Command: m})
	}
}

// indication handles what only informs; what is not understood is ignored.
func (s *Session) indication(m *h245.IndicationMessage) {
	switch {
	case m.MasterSlaveDeterminationRelease != nil:
		s.determination.released(s)
	case m.UserInput != nil:
		s.userInput(m.UserInput)
	case m.MiscellaneousIndication != nil:
		s.told(m.MiscellaneousIndication)
	case m.VendorIdentification != nil:
		s.emit(Product{Product: text(m.VendorIdentification.ProductNumber), Version: text(m.VendorIdentification.VersionNumber)})
	case m.ConferenceIndication != nil:
		s.conferenceIndication(m.ConferenceIndication)
	case m.FunctionNotSupported != nil, m.FunctionNotUnderstood != nil:
		s.token.notUnderstood(s)
	case m.GenericIndication != nil && isH239(m.GenericIndication):
		s.tokenIndication(m.GenericIndication)
	}
}

// notSupported answers a request or command that we do not know (H.245 clause 8.14); nil:
// one that could not even be read.
func (s *Session) notSupported(m *h245.MultimediaSystemControlMessage) {
	f := &h245.FunctionNotSupported{Cause: h245.FunctionNotSupportedCause{UnknownFunction: true}}
	if m != nil {
		if data, err := m.Marshal(); err == nil && len(data) <= maxReturned {
			f.ReturnedFunction = data
		}
	}
	s.sendIndication(&h245.IndicationMessage{FunctionNotSupported: f})
}

// maxReturned bounds what is sent back of what was not understood, in octets.
const maxReturned = 256
