package gatekeeper

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// zone is a gatekeeper under a clock of its own, whose messages are recorded.
type zone struct {
	t      testing.TB
	g      *Gatekeeper
	at     time.Time
	sent   []datagram
	events []Event
	number uint16
	signer *auth.Signer
	onSend func(datagram)
}

type datagram struct {
	to  ras.Path
	pdu []byte
	m   *h225.RASMessage
}

var (
	ourSignalling = netip.MustParseAddrPort("192.0.2.1:1720")
	ourRAS        = netip.MustParseAddrPort("192.0.2.1:1719")
)

func newZone(t testing.TB, change func(*Config)) *zone {
	t.Helper()
	z := &zone{t: t, at: time.Unix(1700000000, 0), number: 100}
	z.signer = auth.NewSigner(func() time.Time { return z.at })
	c := Config{
		ID:         "gk",
		Signalling: func(netip.Addr) netip.AddrPort { return ourSignalling },
		RAS:        func(netip.Addr) netip.AddrPort { return ourRAS },
		Serves:     func(alias string) bool { return alias == "demo" },
		Send:       z.record,
		OnEvent:    func(e Event) { z.events = append(z.events, e) },
		Now:        func() time.Time { return z.at },
	}
	if change != nil {
		change(&c)
	}
	g, err := New(c)
	require.NoError(t, err)
	z.g = g
	return z
}

func (z *zone) record(to ras.Path, pdu []byte) {
	m, err := h225.ParseRAS(pdu)
	require.NoError(z.t, err)
	onWire(to.Remote, pdu)
	z.sent = append(z.sent, datagram{to, pdu, m})
	if z.onSend != nil {
		z.onSend(z.sent[len(z.sent)-1])
	}
}

// pass lets time go by, with ticks on its way.
func (z *zone) pass(d time.Duration) {
	for end := z.at.Add(d); z.at.Before(end); {
		z.at = z.at.Add(250 * time.Millisecond)
		z.g.Tick()
	}
}

// take gives what was sent since the last time.
func (z *zone) take() []datagram {
	list := z.sent
	z.sent = nil
	return list
}

// from sends a message, and gives what the gatekeeper sent then.
func (z *zone) from(p netip.AddrPort, m *h225.RASMessage) []datagram {
	z.t.Helper()
	z.take()
	z.g.Receive(ras.Path{Remote: p, Local: ourRAS}, z.encode(m))
	return z.take()
}

func (z *zone) encode(m *h225.RASMessage) []byte {
	z.t.Helper()
	if ras.Number(m) == 0 {
		z.number++
		ras.SetNumber(m, z.number)
	}
	pdu, err := m.Marshal()
	require.NoError(z.t, err)
	return pdu
}

// ask is from for a request with one answer.
func (z *zone) ask(p netip.AddrPort, m *h225.RASMessage) *h225.RASMessage {
	z.t.Helper()
	list := z.from(p, m)
	require.Len(z.t, list, 1)
	require.Equal(z.t, ras.Number(m), ras.Number(list[0].m))
	return list[0].m
}

// outcome tells the kind of a message and its reason.
func outcome(m *h225.RASMessage) string {
	text := ras.KindOf(m).String()
	if r := ras.Reason(m); r != "" {
		text += " " + r
	}
	return text
}

// device is an endpoint as the tests play it.
type device struct {
	ras, signalling netip.AddrPort
	aliases         []h225.AliasAddress
	id              string
}

func newDevice(host string, names ...string) *device {
	a := netip.MustParseAddr(host)
	d := &device{ras: netip.AddrPortFrom(a, 1719), signalling: netip.AddrPortFrom(a, 1720)}
	for _, n := range names {
		d.aliases = append(d.aliases, alias.Of(n))
	}
	return d
}

func (d *device) rrq() *h225.RegistrationRequest {
	return &h225.RegistrationRequest{
		ProtocolIdentifier: h225.ProtocolIdentifier,
		CallSignalAddress:  []h225.TransportAddress{transport(d.signalling)},
		RASAddress:         []h225.TransportAddress{transport(d.ras)},
		TerminalType:       h225.EndpointType{Terminal: &h225.TerminalInfo{}},
		TerminalAlias:      d.aliases,
		EndpointVendor:     h225.VendorIdentifier{ProductID: []byte("Test\x00"), VersionID: []byte("1.0")},
		KeepAlive:          ptr(false),
	}
}

func (d *device) keepAlive() *h225.RASMessage {
	q := d.rrq()
	q.TerminalAlias, q.KeepAlive, q.EndpointIdentifier = nil, ptr(true), &d.id
	return &h225.RASMessage{RegistrationRequest: q}
}

// register registers a device, which has to succeed.
func (z *zone) register(d *device) *h225.RegistrationConfirm {
	z.t.Helper()
	m := z.ask(d.ras, &h225.RASMessage{RegistrationRequest: d.rrq()})
	require.Equal(z.t, "RCF", outcome(m))
	d.id = m.RegistrationConfirm.EndpointIdentifier
	return m.RegistrationConfirm
}

// arq asks for a call to somebody.
func (d *device) arq(call byte, to ...string) *h225.AdmissionRequest {
	q := &h225.AdmissionRequest{
		CallType: h225.CallType{PointToPoint: true}, EndpointIdentifier: d.id, SrcInfo: d.aliases, BandWidth: 20000,
		CallReferenceValue: uint16(call), ConferenceID: [16]byte{call, 1}, CallIdentifier: &h225.CallIdentifier{GUID: [16]byte{call}},
	}
	for _, n := range to {
		q.DestinationInfo = append(q.DestinationInfo, alias.Of(n))
	}
	return q
}

func (z *zone) admit(d *device, q *h225.AdmissionRequest) *h225.RASMessage {
	z.t.Helper()
	return z.ask(d.ras, &h225.RASMessage{AdmissionRequest: q})
}

var (
	normal   = h225.DisengageReason{NormalDrop: true}
	certSign = h235.AuthenticationMechanism{CertSign: true}
)

func (z *zone) registerGateway(d *device, prefixes ...string) {
	z.t.Helper()
	q := d.rrq()
	caps := &h225.H323Caps{}
	for _, p := range prefixes {
		caps.SupportedPrefixes = append(caps.SupportedPrefixes, h225.SupportedPrefix{Prefix: alias.Of(p)})
	}
	q.TerminalType = h225.EndpointType{Gateway: &h225.GatewayInfo{Protocol: []h225.SupportedProtocols{{H323: caps}}}}
	m := z.ask(d.ras, &h225.RASMessage{RegistrationRequest: q})
	require.Equal(z.t, "RCF", outcome(m))
	d.id = m.RegistrationConfirm.EndpointIdentifier
}
