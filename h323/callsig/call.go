package callsig

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/q931"
)

// ErrState is returned for a message that the state of the call does not allow.
var ErrState = errors.New("call signalling: not in this state")

// Call is one call on a signalling connection: its names, its state, and the
// messages we send for it. The zero State is Null.
type Call struct {
	Reference    uint16
	Caller       bool // we sent the SETUP, and chose the reference
	CallID       [16]byte
	ConferenceID [16]byte
	// Self is what we are.
	Self h225.EndpointType
	// MultipleCalls and MaintainConnection are what we say about the connection.
	MultipleCalls, MaintainConnection bool

	state    State
	statuses int
}

// Carry is what a message of ours takes along.
type Carry struct {
	Tunnelling  bool // we tunnel H.245, or would
	Control     [][]byte
	H245Address netip.AddrPort
	FastStart   [][]byte
	FastRefused bool
	Display     string
	Tokens      []h235.ClearToken
	Crypto      []h225.CryptoH323Token
	Features    []h225.GenericData // supportedFeatures
	// Sign proves who we are, and encodes; nil: nobody wants to know.
	Sign func(*q931.Message, *h225.H323UserInformation) ([]byte, error)
}

// State is where the call stands.
func (c *Call) State() State { return c.state }

// Take moves the state on for a message that came, and says what to do with it.
func (c *Call) Take(t q931.MessageType) (v Verdict) {
	c.state, v = c.state.receive(t)
	return v
}

// Incoming makes the call of a SETUP that came.
func Incoming(m *Message, self h225.EndpointType) *Call {
	c := &Call{Reference: m.Reference().Value, Self: self, state: Present}
	if m.CallID != nil {
		c.CallID = *m.CallID
	}
	if m.ConferenceID != nil {
		c.ConferenceID = *m.ConferenceID
	}
	c.MultipleCalls, c.MaintainConnection = m.MultipleCalls, m.MaintainConnection
	return c
}

func (c *Call) identifier() *h225.CallIdentifier { return &h225.CallIdentifier{GUID: c.CallID} }

// message begins a message of a type; it moves the state on.
func (c *Call) message(t q931.MessageType) (*q931.Message, error) {
	next, ok := c.state.send(t)
	if !ok {
		return nil, fmt.Errorf("%w: %s while %s", ErrState, t, c.state)
	}
	c.state = next
	return &q931.Message{
		Reference: q931.CallReference{Value: c.Reference, FromDestination: !c.Caller}, Type: t,
	}, nil
}

// finish puts the H.225.0 message into q.
func finish(q *q931.Message, body h225.MessageBody, carry Carry) ([]byte, error) {
	if carry.Display != "" {
		q.Set(q931.DisplayElement(carry.Display))
	}
	tunnelling := carry.Tunnelling
	u := &h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{
		H323MessageBody: body, H245Tunnelling: &tunnelling, H245Control: carry.Control,
	}}
	if carry.Sign != nil {
		return carry.Sign(q, u)
	}
	if err := h225.Attach(q, u); err != nil {
		return nil, err
	}
	return q.Marshal()
}

// supported describes what we can do; nil when there is nothing to say.
func supported(features []h225.GenericData) *h225.FeatureSet {
	if len(features) == 0 {
		return nil
	}
	return &h225.FeatureSet{SupportedFeatures: features}
}

func flag(b bool) *bool { return &b }

// CallProceeding, Alerting, Progress and Connect answer a SETUP.
func (c *Call) CallProceeding(carry Carry) ([]byte, error) {
	q, err := c.message(q931.CallProceeding)
	if err != nil {
		return nil, err
	}
	return finish(q, h225.MessageBody{CallProceeding: &h225.CallProceeding{
		ProtocolIdentifier: h225.ProtocolIdentifier, DestinationInfo: c.Self, CallIdentifier: c.identifier(),
		H245Address: alias.Transport(carry.H245Address), FastStart: carry.FastStart, FastConnectRefused: carry.FastRefused,
		Tokens: carry.Tokens, CryptoTokens: carry.Crypto, FeatureSet: supported(carry.Features),
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
	}}, carry)
}

// Alerting tells that the called user is being rung.
func (c *Call) Alerting(carry Carry) ([]byte, error) {
	q, err := c.message(q931.Alerting)
	if err != nil {
		return nil, err
	}
	return finish(q, h225.MessageBody{Alerting: &h225.Alerting{
		ProtocolIdentifier: h225.ProtocolIdentifier, DestinationInfo: c.Self, CallIdentifier: c.identifier(),
		H245Address: alias.Transport(carry.H245Address), FastStart: carry.FastStart, FastConnectRefused: carry.FastRefused,
		Tokens: carry.Tokens, CryptoTokens: carry.Crypto, FeatureSet: supported(carry.Features),
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
	}}, carry)
}

// Progress tells that there are tones or announcements in the media.
func (c *Call) Progress(carry Carry) ([]byte, error) {
	q, err := c.message(q931.Progress)
	if err != nil {
		return nil, err
	}
	q.Set(q931.ProgressIndicator{Description: q931.InBand}.Element())
	return finish(q, h225.MessageBody{Progress: &h225.Progress{
		ProtocolIdentifier: h225.ProtocolIdentifier, DestinationInfo: c.Self, CallIdentifier: *c.identifier(),
		H245Address: alias.Transport(carry.H245Address), FastStart: carry.FastStart, FastConnectRefused: carry.FastRefused,
		Tokens: carry.Tokens, CryptoTokens: carry.Crypto,
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
	}}, carry)
}

// Connect answers the call.
func (c *Call) Connect(carry Carry) ([]byte, error) {
	q, err := c.message(q931.Connect)
	if err != nil {
		return nil, err
	}
	return finish(q, h225.MessageBody{Connect: &h225.Connect{
		ProtocolIdentifier: h225.ProtocolIdentifier, DestinationInfo: c.Self, ConferenceID: c.ConferenceID, CallIdentifier: c.identifier(),
		H245Address: alias.Transport(carry.H245Address), FastStart: carry.FastStart, FastConnectRefused: carry.FastRefused,
		Tokens: carry.Tokens, CryptoTokens: carry.Crypto, FeatureSet: supported(carry.Features),
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
	}}, carry)
}

// SetupAcknowledge asks for more digits (Q.931 clause 5.2.4).
func (c *Call) SetupAcknowledge() ([]byte, error) {
	q, err := c.message(q931.SetupAcknowledge)
	if err != nil {
		return nil, err
	}
	return finish(q, h225.MessageBody{SetupAcknowledge: &h225.SetupAcknowledge{
		ProtocolIdentifier: h225.ProtocolIdentifier, CallIdentifier: *c.identifier(),
	}}, Carry{})
}

// ReleaseComplete ends the call.
func (c *Call) ReleaseComplete(cause call.Cause, carry Carry) ([]byte, error) {
	q, err := c.message(q931.ReleaseComplete)
	if err != nil {
		return nil, err
	}
	q.Set(q931.Cause{Value: uint8(cause.Code.Q850())}.Element())
	return finish(q, h225.MessageBody{ReleaseComplete: &h225.ReleaseComplete{
		ProtocolIdentifier: h225.ProtocolIdentifier, Reason: Reason(cause.Code), CallIdentifier: c.identifier(),
	}}, carry)
}
