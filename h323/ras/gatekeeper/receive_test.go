package gatekeeper

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// TestRepeatedRequest: it is answered with the same octets, and its work not done twice.
func TestRepeatedRequest(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	q := &h225.RASMessage{RegistrationRequest: d.rrq()}
	first := z.from(d.ras, q)
	again := z.from(d.ras, q)
	require.Equal(t, first[0].pdu, again[0].pdu)
	require.Equal(t, []string{"registered"}, z.kinds())
	require.EqualValues(t, 1, z.g.Counts().Repeated)
	// The same number with other contents is another request: the terminal started anew.
	d.aliases = nil
	q = &h225.RASMessage{RegistrationRequest: d.rrq()}
	ras.SetNumber(q, ras.Number(first[0].m))
	require.NotEqual(t, first[0].pdu, z.from(d.ras, q)[0].pdu)
	// And answers are not kept for ever.
	z.at = z.at.Add(time.Hour)
	z.from(d.ras, q)
	require.EqualValues(t, 1, z.g.Counts().Repeated)
}

// TestNonsense is counted and not answered.
func TestNonsense(t *testing.T) {
	z := newZone(t, nil)
	for _, pdu := range [][]byte{nil, {}, {0}, []byte("\r\n\r\n"), []byte("INVITE sip:a@b SIP/2.0\r\n"), make([]byte, 64<<10-30)} {
		z.g.Receive(ras.Path{Remote: source}, pdu)
	}
	d := newDevice("198.51.100.7", "room")
	whole := z.encode(&h225.RASMessage{RegistrationRequest: d.rrq()})
	for n := range whole {
		z.g.Receive(ras.Path{Remote: source}, whole[:n])
	}
	for _, m := range []*h225.RASMessage{ // answers that nobody asked for
		{RegistrationConfirm: &h225.RegistrationConfirm{ProtocolIdentifier: h225.ProtocolIdentifier, EndpointIdentifier: "x"}},
		{UnknownMessageResponse: &h225.UnknownMessageResponse{RequestSeqNum: 1}},
		{RequestInProgress: &h225.RequestInProgress{Delay: 1}},
	} {
		z.g.Receive(ras.Path{Remote: source}, z.encode(m))
	}
	require.Empty(t, z.take())
	require.Empty(t, z.g.Registrations())
	require.Greater(t, z.g.Counts().Malformed, uint64(len(whole)/2))
}

// TestGroup: searches that are for others are not answered.
func TestGroup(t *testing.T) {
	z := newZone(t, nil)
	search := func(id *string) []datagram {
		z.take()
		z.g.Receive(ras.Path{Remote: source, Multicast: true}, z.encode(&h225.RASMessage{GatekeeperRequest: &h225.GatekeeperRequest{
			ProtocolIdentifier: h225.ProtocolIdentifier, RASAddress: transport(source), GatekeeperIdentifier: id,
			EndpointType: h225.EndpointType{Terminal: &h225.TerminalInfo{}},
		}}))
		return z.take()
	}
	require.Empty(t, search(ptr("other")))
	list := search(nil)
	require.Equal(t, "GCF", outcome(list[0].m))
	require.Equal(t, ras.Path{Remote: source}, list[0].to)
}

// TestFlood: of a source that floods most is dropped; others register meanwhile.
func TestFlood(t *testing.T) {
	z := newZone(t, func(c *Config) { c.Settings.PerSource = 50 })
	answered := 0
	for i := range 10000 {
		z.at = z.at.Add(100 * time.Microsecond) // 10,000 a second
		d := newDevice("203.0.113.66", "flood")
		answered += len(z.from(d.ras, &h225.RASMessage{RegistrationRequest: d.rrq()}))
		if i%1000 == 0 {
			z.register(newDevice(netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + i/1000)}).String(), "room"+string(rune('a'+i/1000))))
		}
	}
	require.LessOrEqual(t, answered, 160, "its burst, and 50 for the second")
	require.Len(t, z.g.Registrations(), 11)
	require.Greater(t, z.g.Counts().Limited, uint64(9000))
}

// stream is a signalling connection that carries RAS.
type stream struct {
	sent   [][]byte
	closed bool
	onSend func()
}

var errStream = errors.New("closed")

func (s *stream) SendRAS(pdu []byte) error {
	if s.closed {
		return errStream
	}
	s.sent = append(s.sent, pdu)
	if s.onSend != nil {
		s.onSend()
	}
	return nil
}

func (s *stream) last(t *testing.T) *h225.RASMessage {
	t.Helper()
	require.NotEmpty(t, s.sent)
	m, err := h225.ParseRAS(s.sent[len(s.sent)-1])
	require.NoError(t, err)
	return m
}

// TestConnection: a terminal registers over its signalling connection (H.460.17), and is
// gone with it.
func TestConnection(t *testing.T) {
	z := newZone(t, nil)
	s := &stream{}
	over := ras.Path{Remote: netip.MustParseAddrPort("203.0.113.9:50000"), Stream: s}
	d := newDevice("192.168.1.9", "room")
	q := d.rrq()
	q.CallSignalAddress, q.RASAddress = []h225.TransportAddress{}, []h225.TransportAddress{}
	q.FeatureSet = &h225.FeatureSet{NeededFeatures: generic(17)}
	z.g.Receive(over, z.encode(&h225.RASMessage{RegistrationRequest: q}))
	d.id = s.last(t).RegistrationConfirm.EndpointIdentifier
	r, _ := z.g.Lookup("room")
	require.Equal(t, "tcp", r.Path.Transport())
	require.False(t, r.Reach().IsValid())

	// Nobody else keeps it alive, calls in its name, or makes it leave.
	require.Equal(t, "RRJ fullRegistrationRequired", outcome(z.ask(d.ras, d.keepAlive())))
	z.g.Receive(over, z.encode(&h225.RASMessage{AdmissionRequest: d.arq(1, "demo")}))
	require.Equal(t, "ACF", outcome(s.last(t)))
	z.g.Receive(over, z.encode(d.keepAlive()))
	require.Equal(t, "RCF", outcome(s.last(t)))
	require.Empty(t, z.take(), "nothing goes over UDP")

	z.g.Disconnected(s)
	require.Empty(t, z.g.Registrations())
	require.Equal(t, []string{"registered", "expired"}, z.kinds())
	calls, _ := z.g.Usage()
	require.Zero(t, calls)
}

// TestConnectionEnds while the gatekeeper waits for an answer over it.
func TestConnectionEnds(t *testing.T) {
	z := newZone(t, nil)
	s := &stream{}
	d := newDevice("192.168.1.9", "room")
	z.g.Receive(ras.Path{Remote: d.ras, Stream: s}, z.encode(&h225.RASMessage{RegistrationRequest: d.rrq()}))
	d.id = s.last(t).RegistrationConfirm.EndpointIdentifier
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	failed, sent := make(chan error, 1), make(chan struct{})
	asked := len(s.sent)
	s.onSend = func() { close(sent) }
	go func() { failed <- z.g.Indicate(ctx, d.id, generic(18)) }()
	<-sent
	z.g.Disconnected(s)
	require.Error(t, <-failed)
	require.Equal(t, asked+1, len(s.sent))
	require.ErrorIs(t, z.g.Indicate(ctx, d.id, nil), ErrNotRegistered)
}

// TestIndication: H.460.18 tells a terminal of an incoming call by SCI.
func TestIndication(t *testing.T) {
	z := newZone(t, func(c *Config) { c.Traversal = true })
	d := newDevice("198.51.100.7", "room")
	q := d.rrq()
	q.FeatureSet = &h225.FeatureSet{SupportedFeatures: generic(18)}
	c := z.ask(d.ras, &h225.RASMessage{RegistrationRequest: q}).RegistrationConfirm
	require.Equal(t, generic(18), c.FeatureSet.SupportedFeatures)
	require.EqualValues(t, 19, *c.TimeToLive)
	for _, answer := range []struct {
		result *h225.ServiceControlResponseResult
		err    error
	}{
		{nil, nil},
		{&h225.ServiceControlResponseResult{Started: true}, nil},
		{&h225.ServiceControlResponseResult{Failed: true}, ErrRefused},
	} {
		asked, done := make(chan datagram, 1), make(chan error, 1)
		z.onSend = func(s datagram) { asked <- s }
		go func() { done <- z.g.Indicate(context.Background(), c.EndpointIdentifier, generic(18)) }()
		sent := <-asked
		z.onSend = nil
		require.Equal(t, "SCI", outcome(sent.m))
		require.Equal(t, generic(18), sent.m.ServiceControlIndication.GenericData)
		z.from(d.ras, &h225.RASMessage{ServiceControlResponse: &h225.ServiceControlResponse{
			RequestSeqNum: ras.Number(sent.m), Result: answer.result,
		}})
		require.Equal(t, answer.err, <-done)
	}
}
