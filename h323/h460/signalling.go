package h460

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
)

// IncomingCallIndication is the type of H.460.18 that announces a call.
type IncomingCallIndication struct {
	CallSignallingAddress h225.TransportAddress `per:"callSignallingAddress"`
	CallID                h225.CallIdentifier   `per:"callID"`
	Extensions            *per.Extensions
}

// IncomingCall announces a call: who is called connects to Address and names CallID.
type IncomingCall struct {
	Address netip.AddrPort
	CallID  [16]byte
}

// incomingIndication is the parameter of feature 18 in an SCI.
const incomingIndication = 1

// ErrIndication is returned for an announcement that cannot be read.
var ErrIndication = errors.New("h460: bad incoming call indication")

// Data is the announcement for the genericData of an SCI (H.460.18).
func (c IncomingCall) Data() ([]h225.GenericData, error) {
	at := alias.Transport(c.Address)
	if at == nil {
		return nil, fmt.Errorf("%w: no address", ErrIndication)
	}
	raw, err := per.Marshal(&IncomingCallIndication{CallSignallingAddress: *at, CallID: h225.CallIdentifier{GUID: c.CallID}})
	if err != nil {
		return nil, err
	}
	return []h225.GenericData{Feature(SignallingTraversal, rawParameter(incomingIndication, raw))}, nil
}

// ReadIncomingCall reads the genericData of an SCI; found is false when it announces no
// call.
func ReadIncomingCall(data []h225.GenericData) (c IncomingCall, found bool, err error) {
	f := Find(data, SignallingTraversal)
	if f == nil {
		return c, false, nil
	}
	p := parameter(f, incomingIndication)
	if p == nil || p.Content == nil || p.Content.Raw == nil {
		return c, false, nil
	}
	var m IncomingCallIndication
	if _, err := per.Decode(p.Content.Raw, &m); err != nil {
		return c, true, fmt.Errorf("%w: %w", ErrIndication, err)
	}
	at, ok := alias.AddrPort(&m.CallSignallingAddress)
	if !ok || at.Port() == 0 || at.Addr().IsUnspecified() || at.Addr().IsMulticast() {
		return c, true, fmt.Errorf("%w: nowhere to connect to", ErrIndication)
	}
	return IncomingCall{Address: at, CallID: m.CallID.GUID}, true, nil
}

// Greeting is the first message on a connection that was opened for an announced call
// (H.460.18): it tells which. The reason is undefinedReason, since an RMX 2000
// drops the call on any other.
func Greeting(callID [16]byte) ([]byte, error) {
	tunnelling := true
	return facility(&h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{
		H323MessageBody: h225.MessageBody{Facility: &h225.Facility{
			ProtocolIdentifier: h225.ProtocolIdentifier, Reason: h225.FacilityReason{UndefinedReason: true},
			CallIdentifier: &h225.CallIdentifier{GUID: callID},
		}},
		H245Tunnelling: &tunnelling,
	}})
}

// facility wraps u in a FACILITY of no call.
func facility(u *h225.H323UserInformation) ([]byte, error) {
	m := &q931.Message{Type: q931.Facility}
	// The element is mandatory in FACILITY, and empty (H.225.0 table 24).
	m.Set(q931.FacilityElement(nil))
	if err := h225.Attach(m, u); err != nil {
		return nil, err
	}
	return m.Marshal()
}

// ReadGreeting finds the identifier in the first message of a connection. The call
// reference is 0, but some number it; the reason does not matter.
func ReadGreeting(u *h225.H323UserInformation) (callID [16]byte, ok bool) {
	f := u.H323UUPDU.H323MessageBody.Facility
	if f == nil || f.CallIdentifier == nil {
		return callID, false
	}
	return f.CallIdentifier.GUID, true
}

// tunnelledRAS is the parameter of feature 17.
const tunnelledRAS = 1

// TunnelRAS wraps a RAS message for a signalling connection (H.460.17): a
// FACILITY of no call, in TPKT's payload.
func TunnelRAS(ras []byte) ([]byte, error) {
	return facility(&h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{
		H323MessageBody: h225.MessageBody{Empty: true},
		GenericData:     []h225.GenericData{Feature(RASOverSignalling, rawParameter(tunnelledRAS, ras))},
	}})
}

// TunnelledRAS gives the RAS messages in a FACILITY; none when it has none.
func TunnelledRAS(u *h225.H323UserInformation) (list [][]byte) {
	for i := range u.H323UUPDU.GenericData {
		f := &u.H323UUPDU.GenericData[i]
		if !is(&f.ID, RASOverSignalling) {
			continue
		}
		for j := range f.Parameters {
			p := &f.Parameters[j]
			if is(&p.ID, tunnelledRAS) && p.Content != nil && len(p.Content.Raw) > 0 {
				list = append(list, p.Content.Raw)
			}
		}
	}
	return list
}
