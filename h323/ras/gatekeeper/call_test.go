package gatekeeper

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// TestModels: where the SETUP of a call is sent.
func TestModels(t *testing.T) {
	for _, c := range []struct {
		model  Model
		called string
		want   string
	}{
		{Routed, "room", ourSignalling.String()},
		{Routed, "demo", ourSignalling.String()},
		{Routed, "99123", ourSignalling.String()},
		{Direct, "room", "198.51.100.8:1720"},
		{Direct, "h323:room@gk", "198.51.100.8:1720"},
		{Direct, "demo", ourSignalling.String()},
		{Direct, "99123", "198.51.100.9:1720"},
		{Direct, "behind", ourSignalling.String()}, // only we can reach it
	} {
		z := newZone(t, func(config *Config) { config.Settings.Model = c.model })
		caller := newDevice("198.51.100.7", "caller")
		z.register(caller)
		z.register(newDevice("198.51.100.8", "room"))
		z.registerGateway(newDevice("198.51.100.9", "gw"), "99")
		behind := newDevice("192.168.1.5", "behind")
		z.from(netip.MustParseAddrPort("203.0.113.5:4000"), &h225.RASMessage{RegistrationRequest: behind.rrq()})

		m := z.admit(caller, caller.arq(1, c.called))
		require.Equal(t, "ACF", outcome(m), c.called)
		at, _ := alias.AddrPort(&m.AdmissionConfirm.DestCallSignalAddress)
		require.Equal(t, c.want, at.String(), c.called)
		require.Equal(t, c.want == ourSignalling.String(), m.AdmissionConfirm.CallModel.GatekeeperRouted)
	}
}

// TestDialledAddress: a call to an address rather than a name.
func TestDialledAddress(t *testing.T) {
	far := netip.MustParseAddrPort("203.0.113.5:1720")
	for _, c := range []struct {
		model  Model
		serves bool
		want   string
	}{
		{Direct, false, far.String()},
		{Routed, true, ourSignalling.String()},
	} {
		z := newZone(t, func(config *Config) {
			config.Settings.Model = c.model
			config.Serves = func(name string) bool { return c.serves && name == far.Addr().String() }
		})
		caller := newDevice("198.51.100.7", "caller")
		z.register(caller)
		q := caller.arq(1)
		q.DestCallSignalAddress = ptr(transport(far))
		m := z.admit(caller, q)
		require.Equal(t, "ACF", outcome(m))
		at, _ := alias.AddrPort(&m.AdmissionConfirm.DestCallSignalAddress)
		require.Equal(t, c.want, at.String())
	}
}

func TestBandwidth(t *testing.T) {
	z := newZone(t, func(c *Config) { c.Settings.CallBandwidth, c.Settings.TotalBandwidth = 1_500_000, 3_000_000 })
	a, b := newDevice("198.51.100.7", "a"), newDevice("198.51.100.8", "b")
	z.register(a)
	z.register(b)
	admit := func(d *device, call byte, asked uint32, to string) *h225.AdmissionConfirm {
		q := d.arq(call, to)
		q.BandWidth = asked
		return z.admit(d, q).AdmissionConfirm
	}
	change := func(d *device, call byte, asked uint32) *h225.RASMessage {
		return z.ask(d.ras, &h225.RASMessage{BandwidthRequest: &h225.BandwidthRequest{
			EndpointIdentifier: d.id, CallIdentifier: &h225.CallIdentifier{GUID: [16]byte{call}}, BandWidth: asked,
		}})
	}
	require.EqualValues(t, 15000, admit(a, 1, 40000, "demo").BandWidth, "limited by the call")
	require.EqualValues(t, 10000, admit(a, 2, 10000, "b").BandWidth)
	answer := b.arq(2)
	answer.AnswerCall, answer.BandWidth = true, 10000
	require.EqualValues(t, 10000, z.admit(b, answer).AdmissionConfirm.BandWidth, "both ends are one call")
	calls, used := z.g.Usage()
	require.Equal(t, 2, calls)
	require.EqualValues(t, 2_500_000, used)
	require.EqualValues(t, 5000, admit(b, 3, 10000, "demo").BandWidth, "limited by the zone")
	require.Nil(t, admit(b, 4, 10000, "demo"), "nothing is left")

	m := change(b, 3, 20000)
	require.Equal(t, "BCF", outcome(m))
	require.EqualValues(t, 5000, m.BandwidthConfirm.BandWidth, "no more is there")
	require.Equal(t, "BCF", outcome(change(a, 1, 100)))
	require.Equal(t, "BCF", outcome(change(b, 3, 15000)))
	_, used = z.g.Usage()
	require.EqualValues(t, 2_510_000, used)
	z.g.Apply(Settings{TotalBandwidth: 1_000_000})
	m = change(b, 3, 16000)
	require.Equal(t, "BRJ insufficientResources", outcome(m))
	require.EqualValues(t, 15000, m.BandwidthReject.AllowedBandWidth, "it keeps what it has")
	z.g.Release(CallID{3})
	z.g.Release(CallID{1})
	_, used = z.g.Usage()
	require.EqualValues(t, 1_000_000, used)
}

// TestReports: calls of which no report comes are asked for, and forgotten when the
// endpoint does not know them.
func TestReports(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	require.Equal(t, "ACF", outcome(z.admit(d, d.arq(1, "demo"))))
	require.Equal(t, "ACF", outcome(z.admit(d, d.arq(2, "demo"))))
	known := h225.InfoRequestResponsePerCallInfo{
		CallReferenceValue: 1, ConferenceID: [16]byte{1, 1}, CallIdentifier: &h225.CallIdentifier{GUID: [16]byte{1}},
		CallType: h225.CallType{PointToPoint: true}, CallModel: h225.CallModel{Direct: true},
	}
	for range 10 {
		z.pass(50 * time.Second)
		z.ask(d.ras, d.keepAlive())
		report := d.irr(0, known)
		report.InfoRequestResponse.NeedResponse = ptr(true)
		require.Equal(t, "IACK", outcome(z.ask(d.ras, report)))
		if calls, _ := z.g.Usage(); calls == 1 {
			break
		}
	}
	require.NotEmpty(t, z.g.Admissions(CallID{1}))
	require.Empty(t, z.g.Admissions(CallID{2}))
}

// TestOldEndpoint has no callIdentifier (H.225.0 version 1).
func TestOldEndpoint(t *testing.T) {
	z := newZone(t, nil)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	q := d.arq(9, "demo")
	q.CallIdentifier = nil
	require.Equal(t, "ACF", outcome(z.admit(d, q)))
	require.Equal(t, "DCF", outcome(z.ask(d.ras, &h225.RASMessage{DisengageRequest: &h225.DisengageRequest{
		EndpointIdentifier: d.id, ConferenceID: q.ConferenceID, CallReferenceValue: q.CallReferenceValue, DisengageReason: normal,
	}})))
	calls, _ := z.g.Usage()
	require.Zero(t, calls)
}

// TestGone: with the registration go its calls.
func TestGone(t *testing.T) {
	var ended []CallID
	z := newZone(t, func(c *Config) { c.OnDisengage = func(_ string, id [16]byte) { ended = append(ended, id) } })
	d, other := newDevice("198.51.100.7", "room"), newDevice("198.51.100.8", "other")
	z.register(d)
	z.register(other)
	z.admit(d, d.arq(1, "other"))
	answer := other.arq(1)
	answer.AnswerCall = true
	z.admit(other, answer)
	list := z.g.Admissions(CallID{1})
	require.Len(t, list, 2)
	require.Equal(t, d.id, list[0].Registration.ID, "the caller first")
	require.NoError(t, z.g.Unregister(d.id))
	require.ErrorIs(t, z.g.Unregister(d.id), ErrNotRegistered)
	sent := z.take()
	require.Equal(t, "URQ", outcome(sent[0].m))
	require.Len(t, z.g.Admissions(CallID{1}), 1)
	z.ask(other.ras, &h225.RASMessage{DisengageRequest: &h225.DisengageRequest{
		EndpointIdentifier: other.id, DisengageReason: normal, CallIdentifier: &h225.CallIdentifier{GUID: [16]byte{1}},
	}})
	require.Equal(t, []CallID{{1}}, ended)
}

var neighbourAt = netip.MustParseAddrPort("203.0.113.1:1719")

func withNeighbours(c *Config) {
	c.Settings.Neighbours = []Neighbour{
		{Name: "hue", Address: neighbourAt, Prefixes: []string{"84234", "84235"}, Strip: true},
		{Name: "danang", Address: netip.MustParseAddrPort("203.0.113.2:1719"), Prefixes: []string{"84"}},
		{Name: "all", Address: netip.MustParseAddrPort("203.0.113.3:1719"), Prefixes: []string{""}},
	}
}

// TestNeighbourIsAsked: the one with the longest prefix, while the caller waits.
func TestNeighbourIsAsked(t *testing.T) {
	far := netip.MustParseAddrPort("203.0.113.50:1720")
	for _, c := range []struct {
		name, dialled string
		model         Model
		neighbour     string
		asked         string
		answer        *h225.RASMessage
		want, to      string
	}{
		{"found, routed", "842341", Routed, "203.0.113.1:1719", "1", confirm(far), "ACF", ourSignalling.String()},
		{"found, direct", "842341", Direct, "203.0.113.1:1719", "1", confirm(far), "ACF", far.String()},
		{"shorter prefix", "8499", Direct, "203.0.113.2:1719", "8499", confirm(far), "ACF", far.String()},
		{"any name", "somebody", Direct, "203.0.113.3:1719", "somebody", confirm(far), "ACF", far.String()},
		{"not there", "842341", Direct, "203.0.113.1:1719", "1", &h225.RASMessage{LocationReject: &h225.LocationReject{
			RejectReason: h225.LocationRejectReason{NotRegistered: true},
		}}, "ARJ calledPartyNotRegistered", ""},
		{"nonsense", "842341", Direct, "203.0.113.1:1719", "1", confirm(netip.AddrPort{}), "ARJ calledPartyNotRegistered", ""},
		{"silence", "842341", Direct, "203.0.113.1:1719", "1", nil, "ARJ calledPartyNotRegistered", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, func(config *Config) {
				withNeighbours(config)
				config.Settings.Model = c.model
			})
			d := newDevice("198.51.100.7", "room")
			z.register(d)
			list := z.from(d.ras, &h225.RASMessage{AdmissionRequest: d.arq(1, c.dialled)})
			require.Len(t, list, 2)
			var rip, lrq datagram
			for _, s := range list {
				if s.m.RequestInProgress != nil {
					rip = s
				} else {
					lrq = s
				}
			}
			require.Equal(t, d.ras, rip.to.Remote)
			require.Equal(t, c.neighbour, lrq.to.Remote.String())
			require.Equal(t, c.asked, alias.Text(lrq.m.LocationRequest.DestinationInfo[0]))
			if c.answer == nil {
				z.pass(10 * time.Second)
				list = z.take()
				require.Equal(t, "LRQ", outcome(list[0].m), "asked again")
				list = list[1:]
			} else {
				ras.SetNumber(c.answer, ras.Number(lrq.m))
				list = z.from(lrq.to.Remote, c.answer)
			}
			require.Len(t, list, 1)
			require.Equal(t, c.want, outcome(list[0].m))
			require.Equal(t, d.ras, list[0].to.Remote)
			if c.to != "" {
				at, _ := alias.AddrPort(&list[0].m.AdmissionConfirm.DestCallSignalAddress)
				require.Equal(t, c.to, at.String())
			}
		})
	}
}

// TestAskedOnce: the SETUP that follows does not ask the neighbour again.
func TestAskedOnce(t *testing.T) {
	z := newZone(t, withNeighbours)
	d := newDevice("198.51.100.7", "room")
	z.register(d)
	far := netip.MustParseAddrPort("203.0.113.50:1720")
	reply := confirm(far)
	for _, s := range z.from(d.ras, &h225.RASMessage{AdmissionRequest: d.arq(1, "842341")}) {
		if s.m.LocationRequest != nil {
			ras.SetNumber(reply, ras.Number(s.m))
		}
	}
	z.from(neighbourAt, reply)
	at, err := z.g.Locate(context.Background(), "842341")
	require.NoError(t, err)
	require.Equal(t, far, at.Signalling)
	require.Empty(t, z.take())
	z.at = z.at.Add(time.Minute)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = z.g.Locate(ctx, "842341")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "LRQ", outcome(z.take()[0].m), "later it does")
}

func confirm(at netip.AddrPort) *h225.RASMessage {
	return &h225.RASMessage{LocationConfirm: &h225.LocationConfirm{CallSignalAddress: transport(at), RASAddress: transport(at)}}
}

// TestNeighbourAsks: what we answer to LRQ, and pass on.
func TestNeighbourAsks(t *testing.T) {
	for _, c := range []struct {
		name, dialled string
		model         Model
		hops          *uint8
		want, to      string
	}{
		{"terminal", "room", Routed, nil, "LCF", ourSignalling.String()},
		{"terminal, direct", "room", Direct, nil, "LCF", "198.51.100.7:1720"},
		{"meeting", "demo", Direct, nil, "LCF", ourSignalling.String()},
		{"of another neighbour, no hop left", "8499", Routed, ptr(uint8(1)), "LRJ hopCountExceeded", ""},
		{"of another neighbour, no count", "8499", Routed, nil, "LRJ notRegistered", ""},
		{"of another neighbour", "8499", Routed, ptr(uint8(3)), "RIP", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, func(config *Config) {
				withNeighbours(config)
				config.Settings.Model = c.model
			})
			z.register(newDevice("198.51.100.7", "room"))
			q := &h225.LocationRequest{
				DestinationInfo: []h225.AliasAddress{alias.Of(c.dialled)}, ReplyAddress: transport(neighbourAt), HopCount: c.hops,
			}
			var answer, passed datagram
			for _, s := range z.from(neighbourAt, &h225.RASMessage{LocationRequest: q}) {
				if s.m.LocationRequest != nil {
					passed = s
				} else {
					answer = s
				}
			}
			require.Equal(t, c.want, outcome(answer.m))
			switch {
			case c.to != "":
				at, _ := alias.AddrPort(&answer.m.LocationConfirm.CallSignalAddress)
				require.Equal(t, c.to, at.String())
			case c.want == "RIP":
				require.EqualValues(t, 2, *passed.m.LocationRequest.HopCount)
				reply := confirm(netip.MustParseAddrPort("203.0.113.77:1720"))
				ras.SetNumber(reply, ras.Number(passed.m))
				list := z.from(passed.to.Remote, reply)
				require.Equal(t, "LCF", outcome(list[0].m))
				require.Equal(t, neighbourAt, list[0].to.Remote)
				require.Equal(t, ras.Number(&h225.RASMessage{LocationRequest: q}), ras.Number(list[0].m))
			}
		})
	}
}

func TestLocate(t *testing.T) {
	z := newZone(t, withNeighbours)
	far := netip.MustParseAddrPort("203.0.113.50:1720")
	type outcome struct {
		at  Location
		err error
	}
	asked := make(chan struct{})
	z.onSend = func(datagram) { close(asked) }
	done := make(chan outcome, 1)
	go func() {
		at, err := z.g.Locate(context.Background(), "842341")
		done <- outcome{at, err}
	}()
	<-asked
	z.onSend = nil
	reply := confirm(far)
	ras.SetNumber(reply, ras.Number(z.take()[0].m))
	z.from(neighbourAt, reply)
	o := <-done
	require.NoError(t, o.err)
	require.Equal(t, far, o.at.Signalling)

	z.g.Apply(Settings{})
	_, err := z.g.Locate(context.Background(), "842341")
	require.ErrorIs(t, err, ErrNotRegistered)
}
