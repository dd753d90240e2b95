package dialog_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/sip/dialog"
)

func request(t *testing.T, lines ...string) *sip.Request {
	t.Helper()
	m, err := sip.ParseMessage([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	require.NoError(t, err)
	return m.(*sip.Request)
}

func invite(t *testing.T, more ...string) *sip.Request {
	return request(t, append([]string{
		"INVITE sip:88001@gateway.example SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1",
		"From: \"Room\" <sip:room@example.com>;tag=them", "To: <sip:88001@gateway.example>",
		"Call-ID: 77", "CSeq: 9 INVITE", "Contact: <sip:room@10.0.0.9:5062>", "Content-Length: 0",
	}, more...)...)
}

// Requests of a dialog we were invited into: tags, numbers, target and routes
// in their places (RFC 3261 §12.1.1, §12.2.1.1).
func TestRequestsFollowTheRouteSet(t *testing.T) {
	for _, tc := range []struct {
		name, routes    string
		uri, next       string
		routeHeaders    []string
		transportOfNext string
	}{
		{"direct", "", "sip:room@10.0.0.9:5062", "10.0.0.9:5062", nil, "udp"},
		{"loose", "<sip:p1.example;lr>, <sip:p2.example;lr>", "sip:room@10.0.0.9:5062", "p1.example:0",
			[]string{"<sip:p1.example;lr>", "<sip:p2.example;lr>"}, "udp"},
		{"loose over tcp", "<sip:p1.example:5070;transport=tcp;lr>", "sip:room@10.0.0.9:5062", "p1.example:5070",
			[]string{"<sip:p1.example:5070;transport=tcp;lr>"}, "tcp"},
		{"strict", "<sip:p1.example>, <sip:p2.example;lr>", "sip:p1.example", "p1.example:0",
			[]string{"<sip:p2.example;lr>", "<sip:room@10.0.0.9:5062>"}, "udp"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var more []string
			if tc.routes != "" {
				more = append(more, "Record-Route: "+tc.routes)
			}
			d, err := dialog.FromInvite(invite(t, more...), "us", sip.ContactHeader{Address: sip.Uri{Scheme: "sip", Host: "gw"}})
			require.NoError(t, err)
			req := d.Request(sip.BYE)
			require.Equal(t, tc.uri, req.Recipient.String())
			require.Equal(t, tc.next, req.Destination())
			require.Equal(t, strings.ToUpper(tc.transportOfNext), req.Transport())
			var routes []string
			for _, h := range req.GetHeaders("Route") {
				routes = append(routes, h.Value())
			}
			require.Equal(t, tc.routeHeaders, routes)
			require.Equal(t, "<sip:88001@gateway.example>;tag=us", req.From().Value())
			require.Equal(t, "\"Room\" <sip:room@example.com>;tag=them", req.To().Value())
			require.Greater(t, d.Request(sip.INFO).CSeq().SeqNo, req.CSeq().SeqNo)
			require.Equal(t, uint32(9), d.Ack(9).CSeq().SeqNo)
			id, ok := dialog.IDOf(answerable(t))
			require.True(t, ok)
			require.Equal(t, d.ID, id)
		})
	}
}

// answerable is a request of the far side in the dialog of invite.
func answerable(t *testing.T) *sip.Request {
	return request(t, "BYE sip:x SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK2", "From: <sip:room@example.com>;tag=them",
		"To: <sip:88001@gateway.example>;tag=us", "Call-ID: 77", "CSeq: 10 BYE", "Content-Length: 0")
}

func TestRefreshMovesTheTarget(t *testing.T) {
	d, err := dialog.FromInvite(invite(t), "us", sip.ContactHeader{})
	require.NoError(t, err)
	d.Flow = "192.0.2.7:40000"
	require.Equal(t, "192.0.2.7:40000", d.Request(sip.INFO).Destination())
	same := sip.ContactHeader{Address: sip.Uri{Host: "10.0.0.9", Port: 5062}}
	d.Refresh(&same)
	require.Equal(t, "192.0.2.7:40000", d.Request(sip.INFO).Destination(), "the way stays while the contact does")
	moved := sip.ContactHeader{Address: sip.Uri{Host: "10.0.0.10", Port: 5064}}
	d.Refresh(&moved)
	require.Equal(t, "10.0.0.10:5064", d.Request(sip.INFO).Destination())
	d.Refresh(nil)
	require.Equal(t, "10.0.0.10:5064", d.Request(sip.INFO).Destination())
}

func TestIncompleteInvite(t *testing.T) {
	req := invite(t)
	req.RemoveHeader("Contact")
	_, err := dialog.FromInvite(req, "us", sip.ContactHeader{})
	require.ErrorIs(t, err, dialog.ErrIncomplete)
}

func TestArrivals(t *testing.T) {
	var a dialog.Arrivals
	for _, n := range []uint32{100, 100, 105} {
		require.NoError(t, a.Receive(n))
	}
	require.ErrorIs(t, a.Receive(104), dialog.ErrStale)
}

func TestBehindNAT(t *testing.T) {
	for _, tc := range []struct {
		contact, via, source string
		want                 bool
	}{
		{"10.0.0.9", "10.0.0.9", "203.0.113.5", true},
		{"10.0.0.9", "10.0.0.9", "10.0.0.9", false},
		{"203.0.113.9", "203.0.113.5", "203.0.113.5", false}, // somebody else answers
		{"172.17.0.2", "172.17.0.2", "10.1.1.1", true},
		{"phone.example", "10.0.0.9", "203.0.113.5", false},
		{"0.0.0.0", "10.0.0.9", "10.0.0.9", true},
	} {
		got := dialog.BehindNAT(sip.Uri{Host: tc.contact}, &sip.ViaHeader{Host: tc.via}, netip.MustParseAddr(tc.source))
		require.Equal(t, tc.want, got, "%+v", tc)
	}
}

// Every pair of state and event of the offer/answer model.
func TestNegotiation(t *testing.T) {
	reach := map[dialog.OfferState]func(*dialog.Negotiation){
		dialog.Idle:        func(*dialog.Negotiation) {},
		dialog.Stable:      func(n *dialog.Negotiation) { _ = n.OfferSent(); _ = n.AnswerReceived() },
		dialog.LocalOffer:  func(n *dialog.Negotiation) { _ = n.OfferSent() },
		dialog.RemoteOffer: func(n *dialog.Negotiation) { _ = n.OfferReceived() },
	}
	type outcome struct {
		state dialog.OfferState
		err   error
	}
	for from, table := range map[dialog.OfferState][4]outcome{ // offer sent, received, answer sent, received
		dialog.Idle:        {{dialog.LocalOffer, nil}, {dialog.RemoteOffer, nil}, {dialog.Idle, dialog.ErrOrder}, {dialog.Idle, dialog.ErrOrder}},
		dialog.Stable:      {{dialog.LocalOffer, nil}, {dialog.RemoteOffer, nil}, {dialog.Stable, dialog.ErrOrder}, {dialog.Stable, dialog.ErrOrder}},
		dialog.LocalOffer:  {{dialog.LocalOffer, dialog.ErrOrder}, {dialog.LocalOffer, dialog.ErrGlare}, {dialog.LocalOffer, dialog.ErrOrder}, {dialog.Stable, nil}},
		dialog.RemoteOffer: {{dialog.RemoteOffer, dialog.ErrOrder}, {dialog.RemoteOffer, dialog.ErrBusy}, {dialog.Stable, nil}, {dialog.RemoteOffer, dialog.ErrOrder}},
	} {
		for i, want := range table {
			var n dialog.Negotiation
			reach[from](&n)
			err := []func() error{n.OfferSent, n.OfferReceived, n.AnswerSent, n.AnswerReceived}[i]()
			require.ErrorIs(t, err, want.err, "state %d event %d", from, i)
			require.Equal(t, want.state, n.State(), "state %d event %d", from, i)
		}
	}
	var n dialog.Negotiation
	_ = n.OfferSent()
	n.Rejected()
	require.Equal(t, dialog.Idle, n.State())
}

func TestReliable(t *testing.T) {
	var s dialog.ReliableSender
	first, ok := s.Next(5)
	require.True(t, ok)
	_, ok = s.Next(5)
	require.False(t, ok, "one at a time")
	for _, wrong := range []dialog.RAck{
		{RSeq: first + 1, CSeq: 5, Method: sip.INVITE}, {RSeq: first, CSeq: 6, Method: sip.INVITE}, {RSeq: first, CSeq: 5, Method: sip.BYE},
	} {
		require.ErrorIs(t, s.Acknowledge(wrong), dialog.ErrRAck)
	}
	require.NoError(t, s.Acknowledge(dialog.RAck{RSeq: first, CSeq: 5, Method: sip.INVITE}))
	require.ErrorIs(t, s.Acknowledge(dialog.RAck{RSeq: first, CSeq: 5, Method: sip.INVITE}), dialog.ErrRAck)
	second, ok := s.Next(5)
	require.True(t, ok)
	require.Equal(t, first+1, second)

	var r dialog.ReliableReceiver
	require.True(t, r.Receive(40))
	require.False(t, r.Receive(40), "repeated")
	require.False(t, r.Receive(42), "one is missing")
	require.True(t, r.Receive(41))
}

func TestRAckRoundTrip(t *testing.T) {
	want := dialog.RAck{RSeq: 4294967295, CSeq: 7, Method: sip.INVITE}
	got, err := dialog.ParseRAck(want.String())
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, bad := range []string{"", "1", "1 2", "x 2 INVITE", "1 y INVITE", "1 2 INVITE z", "4294967296 1 INVITE"} {
		_, err := dialog.ParseRAck(bad)
		require.Error(t, err, bad)
	}
}

// The table of RFC 4028 §9 and what our own policy adds.
func TestAnswerTimer(t *testing.T) {
	s := time.Second
	policy := dialog.SessionPolicy{Interval: 1800 * s, MinSE: 90 * s}
	asked := func(d time.Duration, r dialog.Refresher) *dialog.SessionExpires {
		return &dialog.SessionExpires{Interval: d, Refresher: r}
	}
	for name, tc := range map[string]struct {
		asked    *dialog.SessionExpires
		minSE    time.Duration
		supports bool
		policy   dialog.SessionPolicy
		interval time.Duration
		ours     bool
		header   string
		require  bool
		brief    bool
	}{
		"they ask":             {asked(600*s, dialog.Unstated), 0, true, policy, 600 * s, false, "600;refresher=uac", true, false},
		"they want us":         {asked(600*s, dialog.Callee), 0, true, policy, 600 * s, true, "600;refresher=uas", false, false},
		"too long is cut":      {asked(7200*s, dialog.Caller), 0, true, policy, 1800 * s, false, "1800;refresher=uac", true, false},
		"not below their min":  {asked(7200*s, dialog.Caller), 3600 * s, true, policy, 3600 * s, false, "3600;refresher=uac", true, false},
		"too short":            {asked(30*s, dialog.Caller), 0, true, policy, 0, false, "", false, true},
		"short, knows nothing": {asked(30*s, dialog.Unstated), 0, false, policy, 90 * s, true, "90;refresher=uas", false, false},
		"we ask":               {nil, 0, true, policy, 1800 * s, false, "1800;refresher=uac", true, false},
		"we ask, they cannot":  {nil, 0, false, policy, 1800 * s, true, "1800;refresher=uas", false, false},
		"nobody asks":          {nil, 0, true, dialog.SessionPolicy{}, 0, false, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			timer, h, require4028, err := dialog.AnswerTimer(tc.asked, tc.minSE, tc.supports, tc.policy)
			if tc.brief {
				require.ErrorAs(t, err, &dialog.TooBrief{})
				return
			}
			require.NoError(t, err)
			require.Equal(t, dialog.SessionTimer{Interval: tc.interval, Ours: tc.ours}, timer)
			require.Equal(t, tc.require, require4028)
			if tc.header == "" {
				require.Nil(t, h)
				return
			}
			require.Equal(t, tc.header, h.String())
			back, err := dialog.ParseSessionExpires(h.String())
			require.NoError(t, err)
			require.Equal(t, *h, back)
		})
	}
	require.Equal(t, dialog.SessionTimer{Interval: 600 * s, Ours: true}, dialog.AcceptTimer(nil, 600*s))
	require.Equal(t, dialog.SessionTimer{Interval: 300 * s}, dialog.AcceptTimer(asked(300*s, dialog.Callee), 600*s))
	timer := dialog.SessionTimer{Interval: 90 * s}
	require.Equal(t, 45*s, timer.RefreshAfter())
	require.Equal(t, 60*s, timer.ExpireAfter())
}

func FuzzParseSessionExpires(f *testing.F) {
	for _, s := range []string{"1800", "90;refresher=uac", " 90 ; refresher = uas", "x", "90;refresher=me", "99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := dialog.ParseSessionExpires(s)
		if err != nil {
			return
		}
		back, err := dialog.ParseSessionExpires(got.String())
		if err != nil || back != got {
			t.Fatalf("%q: %v reads back as %v, %v", s, got, back, err)
		}
	})
}

func FuzzParseRAck(f *testing.F) {
	for _, s := range []string{"1 2 INVITE", "", "4294967295 0 X", "1  2\tINVITE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := dialog.ParseRAck(s)
		if err != nil {
			return
		}
		back, err := dialog.ParseRAck(got.String())
		if err != nil || back != got {
			t.Fatalf("%q: %v reads back as %v, %v", s, got, back, err)
		}
	})
}
