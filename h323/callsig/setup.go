package callsig

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
)

// SetupOptions is what a SETUP of ours says beyond what every message does.
type SetupOptions struct {
	// Called are the aliases dialled; Extra are meant for whoever stands behind
	// them (remoteExtensionAddress).
	Called []h225.AliasAddress
	From   []h225.AliasAddress
	// Destination and Source are the signalling addresses of both ends.
	Destination, Source netip.AddrPort
	// EndpointID is ours at the gatekeeper of the call, "" without one.
	EndpointID string
	// Rate is the bit rate of the call, for the bearer capability; below 128000 it
	// is a call without pictures.
	Rate int
	// MediaWait asks for no media before CONNECT.
	MediaWait bool
	// Parallel carries H.245 messages beside fastStart (H.323 clause 8.2.4);
	// without fastStart they go into Carry.Control.
	Parallel [][]byte
}

// Setup asks for the call.
func (c *Call) Setup(o SetupOptions, carry Carry) ([]byte, error) {
	q, err := c.message(q931.Setup)
	if err != nil {
		return nil, err
	}
	if o.Rate < 128000 {
		q.Set(q931.Bearer{Capability: q931.Speech, Rate: q931.Rate64k, Layer1: q931.LayerH221}.Element())
	} else {
		q.Set(q931.VideoBearer(o.Rate).Element())
	}
	setNumber(q, q931.CalledNumberID, o.Called)
	setNumber(q, q931.CallingNumberID, o.From)
	s := &h225.Setup{
		ProtocolIdentifier: h225.ProtocolIdentifier, SourceInfo: c.Self, SourceAddress: o.From, DestinationAddress: o.Called,
		H245Address:           alias.Transport(carry.H245Address),
		DestCallSignalAddress: alias.Transport(o.Destination), SourceCallSignalAddress: alias.Transport(o.Source),
		ConferenceID: c.ConferenceID, ConferenceGoal: h225.SetupConferenceGoal{Create: true},
		CallType: h225.CallType{PointToPoint: true}, CallIdentifier: c.identifier(),
		FastStart: carry.FastStart, Tokens: carry.Tokens, CryptoTokens: carry.Crypto,
		MediaWaitForConnect: flag(o.MediaWait), CanOverlapSend: flag(false),
		MultipleCalls: flag(c.MultipleCalls), MaintainConnection: flag(c.MaintainConnection),
		ParallelH245Control: o.Parallel, SupportedFeatures: carry.Features,
	}
	if o.EndpointID != "" {
		s.EndpointIdentifier = &o.EndpointID
	}
	return finish(q, h225.MessageBody{Setup: s}, carry)
}

// setNumber adds the first of the aliases that is a number as a Q.931 number too:
// gateways to the telephone network look there.
func setNumber(q *q931.Message, id q931.ElementID, list []h225.AliasAddress) {
	const longest = 32 // of what Q.931 networks take
	for _, a := range list {
		if a.DialledDigits == nil || len(*a.DialledDigits) > longest {
			continue
		}
		n := q931.Number{Plan: q931.PlanE164, Digits: *a.DialledDigits}
		if id == q931.CallingNumberID {
			n.Presentation = &q931.Presentation{}
		}
		q.Set(n.Element(id))
		return
	}
}

// Dialled is what a SETUP asks for.
type Dialled struct {
	Alias string // without host
	URI   string // as it was dialled
	// Complete is false when more digits may follow (H.225.0 clause 7.3.10).
	Complete bool
}

// Dialled reads the called party of a SETUP: the first of its aliases that is a
// name, else the called party number of Q.931.
func (m *Message) Dialled() (d Dialled) {
	s := m.Body().Setup
	if s == nil {
		return d
	}
	var fallback string
	for _, a := range s.DestinationAddress {
		if a.TransportID != nil { // where to, not whom
			fallback = alias.Text(a)
			continue
		}
		text := alias.Text(a)
		name, host := alias.Split(text)
		if name == "" {
			continue
		}
		if _, err := netip.ParseAddr(name); err == nil && host == "" { // dialled by address
			fallback = text
			continue
		}
		d.Alias, d.URI = name, text
		break
	}
	if digits := m.CalledNumber(); d.Alias == "" && digits != "" {
		d.Alias, d.URI = digits, digits
	}
	if d.Alias == "" {
		d.URI = fallback
	}
	d.Complete = !is(s.CanOverlapSend) || m.SendingComplete()
	return d
}

// CalledNumber are the digits of the called party number, "" without.
func (m *Message) CalledNumber() string {
	if e, ok := m.Q931.Get(q931.CalledNumberID); ok {
		if n, err := q931.ParseNumber(e); err == nil {
			return n.Digits
		}
	}
	return ""
}

// SendingComplete reports whether all digits are there.
func (m *Message) SendingComplete() bool {
	_, ok := m.Q931.Get(q931.SendingCompleteID)
	return ok
}

// Digits are those that an INFORMATION adds, in the called party number or the
// keypad facility.
func (m *Message) Digits() string {
	if d := m.CalledNumber(); d != "" {
		return d
	}
	if e, ok := m.Q931.Get(q931.KeypadID); ok {
		return string(e.Data)
	}
	return ""
}

// Source is who calls.
type Source struct {
	Aliases []string
	Alias   string // the one to be called back by: a number or a name
	Name    string // to show
}

// Source reads the calling party of a SETUP.
func (m *Message) Source() (s Source) {
	setup := m.Body().Setup
	if setup == nil {
		return s
	}
	s.Aliases = alias.Texts(setup.SourceAddress)
	for _, a := range setup.SourceAddress {
		if a.TransportID == nil && alias.Text(a) != "" {
			s.Alias = alias.Text(a)
			break
		}
	}
	if e, ok := m.Q931.Get(q931.CallingNumberID); ok && s.Alias == "" {
		if n, err := q931.ParseNumber(e); err == nil {
			s.Alias = n.Digits
		}
	}
	s.Name = m.Display()
	for _, n := range setup.DisplayName {
		if s.Name == "" {
			s.Name = n.Name
		}
	}
	if s.Name == "" {
		s.Name = alias.Name(setup.SourceAddress)
	}
	return s
}
