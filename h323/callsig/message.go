package callsig

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/q931"
)

// Message is a message of the call signalling channel, with what many kinds of
// them share in one place.
type Message struct {
	Q931 *q931.Message
	// UU is the H.225.0 message; nil where there was none, or one that cannot be
	// read: Err.
	UU  *h225.H323UserInformation
	Err error

	Common
	// Control holds the tunnelled H.245 messages; Tunnelling is what the far side
	// says about them, nil when nothing.
	Control    [][]byte
	Tunnelling *bool
}

// Common is what several messages of H.225.0 have. Zero values mean absent.
type Common struct {
	CallID       *[16]byte
	ConferenceID *[16]byte
	H245Address  netip.AddrPort
	FastStart    [][]byte
	FastRefused  bool
	Endpoint     *h225.EndpointType // of who sent it
	Tokens       []h235.ClearToken
	CryptoTokens []h225.CryptoH323Token
	// MultipleCalls and MaintainConnection say what the connection may be used
	// for (H.225.0 clause 7.3).
	MultipleCalls, MaintainConnection bool
	Features                          *h225.FeatureSet
}

// Parse takes the payload of a TPKT apart. An error means that it is no Q.931
// message; one whose H.225.0 part cannot be read is returned with Err.
func Parse(payload []byte) (*Message, error) {
	q, err := q931.Parse(payload)
	if q == nil {
		return nil, err
	}
	m := &Message{Q931: q}
	if err != nil {
		m.Err = err
		return m, nil
	}
	if m.UU, m.Err = h225.FromQ931(q); m.Err != nil {
		m.UU = nil
		return m, nil
	}
	pdu := &m.UU.H323UUPDU
	m.Common = common(&pdu.H323MessageBody)
	m.Control = pdu.H245Control
	if !pdu.ProvisionalRespToH245Tunnelling { // H.225.0 clause 7.6: it has not made up its mind
		m.Tunnelling = pdu.H245Tunnelling
	}
	return m, nil
}

// Type and Reference are those of the Q.931 message.
func (m *Message) Type() q931.MessageType { return m.Q931.Type }

// Reference is the call reference.
func (m *Message) Reference() q931.CallReference { return m.Q931.Reference }

// Body is the H.225.0 message; empty when there is none.
func (m *Message) Body() *h225.MessageBody {
	if m.UU == nil {
		return &h225.MessageBody{}
	}
	return &m.UU.H323UUPDU.H323MessageBody
}

// Display is the text for the user, "" without.
func (m *Message) Display() string {
	if e, ok := m.Q931.Get(q931.DisplayID); ok {
		return q931.ParseDisplay(e)
	}
	return ""
}

func identifier(c *h225.CallIdentifier) *[16]byte {
	if c == nil {
		return nil
	}
	return &c.GUID
}

func is(b *bool) bool { return b != nil && *b }

func common(b *h225.MessageBody) (c Common) {
	var address *h225.TransportAddress
	switch {
	case b.Setup != nil:
		s := b.Setup
		c = Common{
			CallID: identifier(s.CallIdentifier), ConferenceID: &s.ConferenceID, FastStart: s.FastStart, Endpoint: &s.SourceInfo,
			Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection),
			Features: &h225.FeatureSet{NeededFeatures: s.NeededFeatures, DesiredFeatures: s.DesiredFeatures, SupportedFeatures: s.SupportedFeatures},
		}
		address = s.H245Address
	case b.CallProceeding != nil:
		s := b.CallProceeding
		c = Common{
			CallID: identifier(s.CallIdentifier), FastStart: s.FastStart, FastRefused: s.FastConnectRefused, Endpoint: &s.DestinationInfo,
			Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection), Features: s.FeatureSet,
		}
		address = s.H245Address
	case b.Alerting != nil:
		s := b.Alerting
		c = Common{
			CallID: identifier(s.CallIdentifier), FastStart: s.FastStart, FastRefused: s.FastConnectRefused, Endpoint: &s.DestinationInfo,
			Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection), Features: s.FeatureSet,
		}
		address = s.H245Address
	case b.Progress != nil:
		s := b.Progress
		c = Common{
			CallID: &s.CallIdentifier.GUID, FastStart: s.FastStart, FastRefused: s.FastConnectRefused, Endpoint: &s.DestinationInfo,
			Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection),
		}
		address = s.H245Address
	case b.Connect != nil:
		s := b.Connect
		c = Common{
			CallID: identifier(s.CallIdentifier), ConferenceID: &s.ConferenceID, FastStart: s.FastStart, FastRefused: s.FastConnectRefused,
			Endpoint: &s.DestinationInfo, Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection), Features: s.FeatureSet,
		}
		address = s.H245Address
	default:
		c, address = commonLater(b)
	}
	c.H245Address, _ = alias.AddrPort(address)
	return c
}

// commonLater is common for messages that do not set a call up.
func commonLater(b *h225.MessageBody) (c Common, address *h225.TransportAddress) {
	switch {
	case b.Facility != nil:
		s := b.Facility
		return Common{
			CallID: identifier(s.CallIdentifier), ConferenceID: s.ConferenceID, FastStart: s.FastStart, FastRefused: s.FastConnectRefused,
			Endpoint: s.DestinationInfo, Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
			MultipleCalls: is(s.MultipleCalls), MaintainConnection: is(s.MaintainConnection),
		}, s.H245Address
	case b.ReleaseComplete != nil:
		s := b.ReleaseComplete
		c = Common{CallID: identifier(s.CallIdentifier), Endpoint: s.DestinationInfo, Tokens: s.Tokens, CryptoTokens: s.CryptoTokens}
	case b.Information != nil:
		s := b.Information
		c = Common{
			CallID: identifier(s.CallIdentifier), FastStart: s.FastStart, FastRefused: s.FastConnectRefused,
			Tokens: s.Tokens, CryptoTokens: s.CryptoTokens,
		}
	case b.Notify != nil:
		c = Common{CallID: &b.Notify.CallIdentifier.GUID, Endpoint: b.Notify.DestinationInfo}
	case b.SetupAcknowledge != nil:
		c = Common{CallID: &b.SetupAcknowledge.CallIdentifier.GUID}
	case b.Status != nil:
		c = Common{CallID: &b.Status.CallIdentifier.GUID}
	case b.StatusInquiry != nil:
		c = Common{CallID: &b.StatusInquiry.CallIdentifier.GUID}
	}
	return c, nil
}
