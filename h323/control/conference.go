package control

import (
	"time"

	"github.com/roomgate/roomgate/h323/h245"
)

// maxName bounds a terminalID in H.245, in octets.
const maxName = 128

// identify tells who we are.
func (s *Session) identify() {
	id := &s.cfg.Identity
	if id.Vendor.Object == nil && id.Vendor.H221NonStandard == nil {
		return
	}
	s.sendIndication(&h245.IndicationMessage{VendorIdentification: &h245.VendorIdentification{
		Vendor: id.Vendor, ProductNumber: octets(id.Product, 256), VersionNumber: octets(id.Version, 256),
	}})
}

// octets is a text of at most limit octets; nil for none.
func octets(text string, limit int) []byte {
	if text == "" {
		return nil
	}
	return []byte(text[:min(len(text), limit)])
}

// text reads one: peers end them with zeros.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// Number gives the far side its number in our conference (terminalNumberAssign, H.243).
func (s *Session) Number(now time.Time, mcu, terminal uint8) {
	s.indicate(now, &h245.ConferenceIndication{TerminalNumberAssign: &h245.TerminalLabel{MCUNumber: mcu, TerminalNumber: terminal}})
}

// Joined and Left tell the far side who comes and goes.
func (s *Session) Joined(now time.Time, mcu, terminal uint8) {
	s.indicate(now, &h245.ConferenceIndication{TerminalJoinedConference: &h245.TerminalLabel{MCUNumber: mcu, TerminalNumber: terminal}})
}

// Left is the reverse of Joined.
func (s *Session) Left(now time.Time, mcu, terminal uint8) {
	s.indicate(now, &h245.ConferenceIndication{TerminalLeftConference: &h245.TerminalLabel{MCUNumber: mcu, TerminalNumber: terminal}})
}

// Seen tells the far side whether somebody sees its picture.
func (s *Session) Seen(now time.Time, seen bool) {
	s.indicate(now, &h245.ConferenceIndication{SeenByAtLeastOneOther: seen, CancelSeenByAtLeastOneOther: !seen})
}

func (s *Session) indicate(now time.Time, c *h245.ConferenceIndication) {
	s.do(now, func() {
		if s.established {
			s.sendIndication(&h245.IndicationMessage{ConferenceIndication: c})
		}
	})
}

// conferenceIndication takes what a conference says of us.
func (s *Session) conferenceIndication(c *h245.ConferenceIndication) {
	switch {
	case c.TerminalNumberAssign != nil:
		s.cfg.Identity.label = *c.TerminalNumberAssign
		s.cfg.Identity.label.Extensions = nil
		s.emit(Numbered{MCU: c.TerminalNumberAssign.MCUNumber, Terminal: c.TerminalNumberAssign.TerminalNumber})
	case c.SeenByAtLeastOneOther, c.SeenByAll:
		s.emit(Seen{true})
	case c.CancelSeenByAtLeastOneOther:
		s.emit(Seen{false})
	}
}

// conferenceRequest answers what a conference, or a terminal that takes us for one, asks.
// The rights of a chairman are given by the meeting, not over this channel.
func (s *Session) conferenceRequest(c *h245.ConferenceRequest) {
	name := octets(s.cfg.Identity.Name, maxName)
	label := s.cfg.Identity.label
	var r h245.ConferenceResponse
	switch {
	case (c.RequestTerminalID != nil || c.EnterH243TerminalID) && name != nil:
		if c.RequestTerminalID != nil { // echoed: some match their question by it
			label.MCUNumber, label.TerminalNumber = c.RequestTerminalID.MCUNumber, c.RequestTerminalID.TerminalNumber
		}
		r.TerminalIDResponse = &h245.ConferenceResponseTerminalIDResponse{TerminalLabel: label, TerminalID: name}
	case c.RequestAllTerminalIDs && name != nil:
		r.RequestAllTerminalIDsResponse = &h245.RequestAllTerminalIDsResponse{
			TerminalInformation: []h245.TerminalInformation{{TerminalLabel: label, TerminalID: name}},
		}
	case c.TerminalListRequest:
		r.TerminalListResponse = []h245.TerminalLabel{label}
	case c.MakeMeChair:
		r.MakeMeChairResponse = &h245.ConferenceResponseMakeMeChairResponse{DeniedChairToken: true}
	case c.CancelMakeMeChair:
		return // nothing was given
	case c.DropTerminal != nil:
		r.TerminalDropReject = true
	case c.BroadcastMyLogicalChannel != nil:
		r.BroadcastMyLogicalChannelResponse = &h245.ConferenceResponseBroadcastMyLogicalChannelResponse{DeniedBroadcastMyLogicalChannel: true}
	case c.MakeTerminalBroadcaster != nil:
		r.MakeTerminalBroadcasterResponse = &h245.ConferenceResponseMakeTerminalBroadcasterResponse{DeniedMakeTerminalBroadcaster: true}
	case c.SendThisSource != nil:
		r.SendThisSourceResponse = &h245.ConferenceResponseSendThisSourceResponse{DeniedSendThisSource: true}
	case c.RemoteMCRequest != nil:
		r.RemoteMCResponse = &h245.RemoteMCResponse{Reject: &h245.RemoteMCResponseReject{FunctionNotSupported: true}}
	default:
		s.notSupported(&h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{ConferenceRequest: c}})
		return
	}
	s.sendResponse(&h245.ResponseMessage{ConferenceResponse: &r})
}
