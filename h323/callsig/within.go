package callsig

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
)

// Tunnel sends H.245 messages when nothing else is to be said: a FACILITY with an
// empty body (H.323 clause 8.2.1).
func (c *Call) Tunnel(carry Carry) ([]byte, error) {
	q, err := c.message(q931.Facility)
	if err != nil {
		return nil, err
	}
	q.Set(q931.FacilityElement(nil))
	return finish(q, h225.MessageBody{Empty: true}, carry)
}

// FacilityOptions is what a FACILITY says.
type FacilityOptions struct {
	Reason  h225.FacilityReason
	Address netip.AddrPort // alternativeAddress
	Aliases []h225.AliasAddress
}

// Facility tells that something about the call changes (H.225.0 clause 7.3.5).
func (c *Call) Facility(o FacilityOptions, carry Carry) ([]byte, error) {
	q, err := c.message(q931.Facility)
	if err != nil {
		return nil, err
	}
	q.Set(q931.FacilityElement(nil))
	return finish(q, h225.MessageBody{Facility: &h225.Facility{
		ProtocolIdentifier: h225.ProtocolIdentifier, Reason: o.Reason, CallIdentifier: c.identifier(), ConferenceID: &c.ConferenceID,
		AlternativeAddress: alias.Transport(o.Address), AlternativeAliasAddress: o.Aliases,
		H245Address: alias.Transport(carry.H245Address), FastStart: carry.FastStart, FastConnectRefused: carry.FastRefused,
		Tokens: carry.Tokens, CryptoTokens: carry.Crypto,
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
	}}, carry)
}

// Information adds digits to a number, or shows a text.
func (c *Call) Information(digits string, complete bool, carry Carry) ([]byte, error) {
	q, err := c.message(q931.Information)
	if err != nil {
		return nil, err
	}
	if digits != "" {
		q.Set(q931.Number{Plan: q931.PlanE164, Digits: digits}.Element(q931.CalledNumberID))
	}
	if complete {
		q.Set(q931.SendingCompleteElement())
	}
	return finish(q, h225.MessageBody{Information: &h225.Information{
		ProtocolIdentifier: h225.ProtocolIdentifier, CallIdentifier: c.identifier(),
	}}, carry)
}

// maxStatuses bounds the STATUS messages of a call: two sides that hold each
// other's messages for wrong must come to an end.
const maxStatuses = 20

// Q.850 causes of a STATUS.
const (
	CauseStatusEnquiry  = 30  // response to STATUS ENQUIRY
	CauseNotCompatible  = 101 // message not compatible with call state
	CauseUnknownMessage = 97  // message type non-existent or not implemented
)

// Status tells the state of the call; nil when enough was told.
func (c *Call) Status(cause uint8) ([]byte, error) {
	if c.statuses++; c.statuses > maxStatuses || c.state == Null || c.state == Released {
		return nil, nil
	}
	q := &q931.Message{Reference: q931.CallReference{Value: c.Reference, FromDestination: !c.Caller}, Type: q931.Status}
	q.Set(q931.Cause{Value: cause}.Element())
	q.Set(q931.CallStateElement(uint8(c.state)))
	return finish(q, h225.MessageBody{Status: &h225.Status{
		ProtocolIdentifier: h225.ProtocolIdentifier, CallIdentifier: *c.identifier(),
	}}, Carry{})
}

// Refusal answers a message whose call reference belongs to no call, or a SETUP
// that is not taken, without a Call: RELEASE COMPLETE (Q.931 clause 5.8.3.2).
func Refusal(m *Message, cause uint8, reason *h225.ReleaseCompleteReason, display string) ([]byte, error) {
	q := &q931.Message{Reference: m.Reference().Reply(), Type: q931.ReleaseComplete}
	q.Set(q931.Cause{Value: cause}.Element())
	r := &h225.ReleaseComplete{ProtocolIdentifier: h225.ProtocolIdentifier, Reason: reason}
	if m.CallID != nil {
		r.CallIdentifier = &h225.CallIdentifier{GUID: *m.CallID}
	}
	return finish(q, h225.MessageBody{ReleaseComplete: r}, Carry{Display: display})
}

// IdleStatus answers a STATUS ENQUIRY about the connection as a whole, or about a
// call that is none (Q.931 clause 5.8.10).
func IdleStatus(m *Message) ([]byte, error) {
	q := &q931.Message{Reference: m.Reference().Reply(), Type: q931.Status}
	q.Set(q931.Cause{Value: CauseStatusEnquiry}.Element())
	q.Set(q931.CallStateElement(uint8(Null)))
	s := &h225.Status{ProtocolIdentifier: h225.ProtocolIdentifier}
	if m.CallID != nil {
		s.CallIdentifier.GUID = *m.CallID
	}
	return finish(q, h225.MessageBody{Status: s}, Carry{})
}
