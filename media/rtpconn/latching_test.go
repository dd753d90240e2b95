package rtpconn

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// step is a packet at a time, and whether it is taken.
type step struct {
	after time.Duration
	from  string
	taken bool
}

// TestRouteOfWhoOnlySends: a one-way channel names where RTCP goes, and nothing else.
func TestRouteOfWhoOnlySends(t *testing.T) {
	r := newRoute(LatchOff, false)
	r.apply(Params{RemoteRTCP: ap("203.0.113.5:4001")}, noon)
	require.True(t, r.admits(ap("203.0.113.5:4000"), noon))
	require.False(t, r.admits(ap("203.0.113.6:4000"), noon.Add(time.Hour)))
	r.confirm(ap("203.0.113.5:4000"), noon)
	require.False(t, r.to.Load().rtp.IsValid())
	require.Equal(t, ap("203.0.113.5:4001"), r.to.Load().rtcp)
}

func TestRoute(t *testing.T) {
	public := Params{Remote: ap("203.0.113.5:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}
	private := Params{Remote: ap("192.168.1.9:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}
	relay := Params{Remote: ap("198.51.100.7:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}
	oneWay := Params{RemoteRTCP: ap("203.0.113.5:4001")}
	k := secure.Key{}
	secured := private
	secured.Security = Security{Send: &k, Receive: &k}
	for _, tc := range []struct {
		name   string
		mode   Latching
		params Params
		steps  []step
		rtp    string
		rtcp   string
	}{
		{"off takes the signalled host only", LatchOff, public,
			[]step{{0, "203.0.113.5:4000", true}, {0, "203.0.113.6:4000", false}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"off does not follow another port", LatchOff, public,
			[]step{{0, "203.0.113.5:7777", true}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"off with a private address stays there", LatchOff, private,
			[]step{{0, "203.0.113.5:4000", false}}, "192.168.1.9:4000", "192.168.1.9:4001"},
		{"auto finds the host behind a NAT", LatchAuto, private,
			[]step{{0, "203.0.113.5:62001", true}}, "203.0.113.5:62001", "203.0.113.5:62002"},
		{"auto keeps to a good address", LatchAuto, public,
			[]step{{0, "198.51.100.99:4000", false}, {0, "203.0.113.5:4000", true}, {time.Hour, "198.51.100.99:4000", false}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"auto hears another host when the signalled one is silent, but sends it nothing", LatchAuto, public,
			[]step{{strangerGrace, "203.0.113.6:9000", false}, {hearingGrace - strangerGrace, "203.0.113.6:9000", true},
				{relatchAfter - 1, "198.51.100.99:4000", false}, {0, "203.0.113.6:9000", true}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"auto returns to the signalled host for good", LatchAuto, public,
			[]step{{hearingGrace, "203.0.113.6:9000", true}, {0, "203.0.113.5:4000", true}, {0, "203.0.113.6:9000", false},
				{time.Hour, "203.0.113.6:9000", false}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"off hears nobody else", LatchOff, public,
			[]step{{time.Hour, "203.0.113.6:9000", false}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"auto takes a media relay as signalled", LatchAuto, relay,
			[]step{{0, "198.51.100.7:4000", true}}, "198.51.100.7:4000", "198.51.100.7:4001"},
		{"auto lets strangers wait", LatchAuto, private,
			[]step{{0, "198.51.100.99:5000", false}, {strangerGrace, "198.51.100.99:5000", true}}, "198.51.100.99:5000", "198.51.100.99:5001"},
		{"auto takes an authenticated stranger at once", LatchAuto, secured,
			[]step{{0, "198.51.100.99:5000", true}}, "198.51.100.99:5000", "198.51.100.99:5001"},
		{"auto does not leave media that flows", LatchAuto, private,
			[]step{{0, "203.0.113.5:62001", true}, {2 * time.Second, "203.0.113.5:62009", false}}, "203.0.113.5:62001", "203.0.113.5:62002"},
		{"auto follows again after silence", LatchAuto, private,
			[]step{{0, "203.0.113.5:62001", true}, {relatchAfter, "203.0.113.5:62009", true}, {0, "203.0.113.5:62001", false}},
			"203.0.113.5:62009", "203.0.113.5:62010"},
		{"auto knows who only sends by its RTCP", LatchAuto, oneWay,
			[]step{{strangerGrace, "203.0.113.6:4000", false}, {0, "203.0.113.5:4000", true}}, "203.0.113.5:4000", "203.0.113.5:4001"},
		{"on follows whoever comes first", LatchOn, public,
			[]step{{0, "198.51.100.99:5000", true}, {0, "203.0.113.5:4000", false}}, "198.51.100.99:5000", "198.51.100.99:5001"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRoute(tc.mode, false)
			now := noon
			r.apply(tc.params, now)
			for i, st := range tc.steps {
				now = now.Add(st.after)
				require.Equal(t, st.taken, r.admits(ap(st.from), now), "packet %d", i)
				if st.taken {
					r.confirm(ap(st.from), now)
				}
			}
			require.Equal(t, ap(tc.rtp), r.to.Load().rtp)
			require.Equal(t, ap(tc.rtcp), r.to.Load().rtcp)
		})
	}
}

func TestRouteOfRTCP(t *testing.T) {
	for _, tc := range []struct {
		name  string
		p     Params
		latch string
		rtcp  string
	}{
		{"the next port", Params{Remote: ap("203.0.113.5:4000")}, "", "203.0.113.5:4001"},
		{"the next of an odd port", Params{Remote: ap("203.0.113.5:4001")}, "", "203.0.113.5:4002"},
		{"a=rtcp", Params{Remote: ap("203.0.113.5:4000"), RemoteRTCP: ap("203.0.113.9:77")}, "", "203.0.113.9:77"},
		{"a=rtcp with the port of rtp", Params{Remote: ap("203.0.113.5:4000"), RemoteRTCP: ap("203.0.113.5:4000")}, "", "203.0.113.5:4000"},
		{"the same, behind a NAT", Params{Remote: ap("10.0.0.5:4000"), RemoteRTCP: ap("10.0.0.5:4000")}, "203.0.113.5:61000", "203.0.113.5:61000"},
		{"a=rtcp, behind a NAT that keeps ports", Params{Remote: ap("10.0.0.5:4000"), RemoteRTCP: ap("10.0.0.5:4007")}, "203.0.113.5:4000", "203.0.113.5:4007"},
		{"mux", Params{Remote: ap("203.0.113.5:4000"), Mux: true}, "203.0.113.5:61000", "203.0.113.5:61000"},
		{"an IPv4-mapped address", Params{Remote: ap("[::ffff:203.0.113.5]:4000")}, "", "203.0.113.5:4001"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRoute(LatchOn, false)
			r.apply(tc.p, noon)
			if tc.latch != "" {
				r.confirm(ap(tc.latch), noon)
			}
			require.Equal(t, ap(tc.rtcp), r.to.Load().rtcp)
		})
	}
}

func TestRouteLearnsTheSourceOfRTCP(t *testing.T) {
	r := newRoute(LatchAuto, false)
	r.apply(Params{Remote: ap("10.0.0.5:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}, noon)
	r.confirm(ap("203.0.113.5:61000"), noon)
	require.True(t, r.admitsRTCP(ap("203.0.113.5:61999"), noon))
	r.confirmRTCP(ap("203.0.113.5:61999"))
	require.Equal(t, ap("203.0.113.5:61999"), r.to.Load().rtcp)
	require.False(t, r.admitsRTCP(ap("198.51.100.99:1"), noon))
}

// A source that is heard only reports, but moves no RTCP of ours.
func TestHeardSourceReports(t *testing.T) {
	r := newRoute(LatchAuto, false)
	r.apply(Params{Remote: ap("203.0.113.5:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}, noon)
	now := noon.Add(hearingGrace)
	require.False(t, r.admitsRTCP(ap("203.0.113.6:9001"), now))
	require.False(t, r.greeted(ap("203.0.113.6:9000"), now))
	require.False(t, r.confirm(ap("203.0.113.6:9000"), now).IsValid())
	require.True(t, r.admitsRTCP(ap("203.0.113.6:9001"), now))
	r.confirmRTCP(ap("203.0.113.6:9001"))
	require.Equal(t, ap("203.0.113.5:4001"), r.to.Load().rtcp)
}

func TestRouteNeverSendsToNowhere(t *testing.T) {
	r := newRoute(LatchAuto, false)
	for _, remote := range []netip.AddrPort{{}, ap("0.0.0.0:4000"), ap("203.0.113.5:0"), ap("[::]:4000")} {
		r.apply(Params{Remote: remote}, noon)
		require.False(t, r.to.Load().rtp.IsValid(), remote)
	}
}

func TestNewAddressEndsFollowing(t *testing.T) {
	r := newRoute(LatchAuto, false)
	p := Params{Remote: ap("192.168.1.9:4000"), Signalling: netip.MustParseAddr("203.0.113.5")}
	r.apply(p, noon)
	r.confirm(ap("203.0.113.5:61000"), noon)
	r.apply(p, noon)
	require.Equal(t, ap("203.0.113.5:61000"), r.to.Load().rtp, "nothing has changed")
	p.Remote = ap("203.0.113.5:4002")
	r.apply(p, noon)
	require.Equal(t, ap("203.0.113.5:4002"), r.to.Load().rtp)
}

// A terminal that signals an address it does not have is heard, and hears us.
func TestSessionFollowsTheSource(t *testing.T) {
	s, j := open(t, func(c *Config) { c.Latching = LatchAuto })
	h := newHost(t, s, "127.0.0.2")
	p := h.params(audioParams)
	p.Remote = ap("192.0.2.1:4001") // an odd port, nobody there
	p.Signalling = h.addr().Addr()
	require.NoError(t, s.Apply(p))
	h.rtp(0, 5, 1, 0, []byte("hello"))
	receive(t, s.Tracks(), "a track")
	require.Equal(t, h.addr(), j.of(Latched)[0].Source)
	f := newFeed(pcmu)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(1, 0, "answer")
	require.Equal(t, "answer", string(h.nextRTP().Payload))

	stranger := newHost(t, s, "127.0.0.3")
	stranger.rtp(0, 5, 2, 160, []byte("intruder"))
	eventually(t, "the stranger is refused", func() bool { return s.Counters().Stranger == 1 })
	require.Equal(t, uint64(1), s.Stats()[0].Packets)
}

func TestParseLatching(t *testing.T) {
	for _, l := range []Latching{LatchOff, LatchAuto, LatchOn} {
		got, ok := ParseLatching(l.String())
		require.True(t, ok)
		require.Equal(t, l, got)
	}
	_, ok := ParseLatching("maybe")
	require.False(t, ok)
}
