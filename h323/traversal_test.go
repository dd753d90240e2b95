package h323_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/rtpconn"
)

// zone is a gatekeeper beside an agent, as the directory of its calls.
type zone struct {
	*gatekeeper.Gatekeeper
	endpoint *h323.Endpoint
	ready    chan struct{} // closed when the others are there
}

func (z *zone) Caller(_ netip.AddrPort, id string, _ [16]byte) (string, bool) {
	<-z.ready
	r, ok := z.ByID(id)
	return r.Name(), ok
}

func (z *zone) Find(_ context.Context, name string) ([]h323.Way, call.Cause) {
	<-z.ready
	r, ok := z.Lookup(name)
	switch {
	case !ok:
		return nil, call.Cause{Code: call.UnknownAlias}
	case r.Path.Stream != nil:
		return []h323.Way{{Address: r.Path.Remote, Alias: name, Stream: r.Path.Stream}}, call.Cause{}
	case r.Traversal:
		return []h323.Way{z.endpoint.Behind(name, r.Path.Remote, func(ctx context.Context, data []h225.GenericData) error {
			return z.Indicate(ctx, r.ID, data)
		})}, call.Cause{}
	}
	return []h323.Way{{Alias: name, Address: r.Reach()}}, call.Cause{}
}

func (z *zone) Over(callID [16]byte) {
	<-z.ready
	z.Release(callID)
}

// gate passes RAS on to a gatekeeper that is made later than its endpoint.
type gate struct{ z *zone }

func (g *gate) Receive(from ras.Path, pdu []byte) {
	<-g.z.ready
	g.z.Receive(from, pdu)
}

func (g *gate) Disconnected(s ras.Stream) {
	<-g.z.ready
	g.z.Disconnected(s)
}

// site is an agent that serves terminals behind firewalls.
type site struct {
	*agent
	zone *zone
	mux  *rtpconn.Mux // nil: nothing is multiplexed
	ras  netip.AddrPort
}

func startSite(t testing.TB, host string, multiplex bool, tune func(*h323.Config)) *site {
	t.Helper()
	return startZone(t, host, multiplex, tune, gatekeeper.Config{})
}

func startZone(t testing.TB, host string, multiplex bool, tune func(*h323.Config), keeps gatekeeper.Config) *site {
	t.Helper()
	s := &site{zone: &zone{ready: make(chan struct{})}, ras: netip.MustParseAddrPort(host + ":0")}
	if multiplex {
		pool, err := portpool.New(portpool.Config{Low: 2776, High: 2777})
		require.NoError(t, err)
		pair, err := pool.Pair(s.ras.Addr(), portpool.Options{})
		require.NoError(t, err)
		s.mux, err = rtpconn.NewMux(pair, 100, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.mux.Close()) })
	}
	s.agent = start(t, func(c *h323.Config) {
		c.Listen = []string{host + ":0"}
		c.Directory = s.zone
		c.Traversal = h323.Traversal{Mux: s.mux, RAS: &gate{s.zone}}
		if tune != nil {
			tune(c)
		}
	})
	s.zone.endpoint = s.Endpoint
	keeps.ID, keeps.Traversal, keeps.Signalling, keeps.Log = "gk", true, s.Signalling, logger(t)
	keeps.RAS = func(netip.Addr) netip.AddrPort { return s.ras }
	server, err := gatekeeper.Listen(keeps, []string{rasPort(host)}, false)
	require.NoError(t, err)
	s.zone.Gatekeeper = server.Gatekeeper
	close(s.zone.ready)
	s.ras = netip.MustParseAddrPort(rasPort(host))
	serve(t, server.Serve)
	return s
}

// rasPort is fixed, so that terminals find it.
func rasPort(host string) string { return host + ":41719" }

// serve runs f until the test ends.
func serve(t testing.TB, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(patience):
			t.Error("does not stop")
		}
	})
}

// register makes an agent behind a firewall and registers it, by H.460.17 or .18.
func register(t testing.TB, host, name string, s *site, tunnel bool, tune func(*h323.Config)) *agent {
	t.Helper()
	a := start(t, func(c *h323.Config) {
		c.Listen = []string{host + ":0"}
		c.Terminal, c.Aliases = true, []string{name}
		c.Traversal = h323.Traversal{Client: true, Tunnel: tunnel}
		if tune != nil {
			tune(c)
		}
	})
	at := s.ras
	if tunnel {
		at = s.at()
	}
	unregister, err := a.Register(within(t), "h323:"+at.String(), name, "")
	require.NoError(t, err)
	t.Cleanup(unregister)
	return a
}

// passage is a way through a firewall.
type passage struct {
	name              string
	tunnel, multiplex bool
	tune              func(*h323.Config)
	// shy: the terminal sends no media before it hears some, so that keep-alives alone
	// open the way.
	shy bool
	// bare: the terminal knows nothing of H.460, and can only call.
	bare bool
}

var traversals = []passage{
	{name: "18 and 19"},
	{name: "18 and 19 multiplexed", multiplex: true},
	{name: "17 and 19", tunnel: true},
	{name: "17 and 19 multiplexed", tunnel: true, multiplex: true},
	{name: "18 without tunnelling", tune: separate},
	{name: "18 with fast start", tune: fast},
	{name: "18, encrypted and multiplexed", multiplex: true, tune: encrypts(h323.EncryptPrefer)},
	{name: "18, a silent terminal", shy: true},
	{name: "18, a silent terminal, multiplexed", shy: true, multiplex: true},
	{name: "18, a silent terminal with fast start", shy: true, tune: fast},
}

// A terminal behind a firewall is called, and calls.
func TestTerminalsThatConnectForTheirCalls(t *testing.T) {
	for _, way := range traversals {
		t.Run(way.name, func(t *testing.T) {
			s := startSite(t, "127.0.0.1", way.multiplex, way.tune)
			room9 := register(t, "127.0.0.9", "room9", s, way.tunnel, way.tune)
			r, ok := s.zone.Lookup("room9")
			require.True(t, ok)
			require.False(t, r.Reach().IsValid())

			caller, err := s.Dial(within(t), call.Target{Address: "room9", Can: phone})
			require.NoError(t, err)
			callee := room9.next()
			require.NoError(t, callee.Accept(within(t), phone))
			exchangeBoth(t, s, way.multiplex, caller, callee)
			hangUp(t, caller, callee)

			caller, err = room9.Dial(within(t), call.Target{Address: "88001", Can: phone})
			require.NoError(t, err)
			callee = s.next()
			require.True(t, callee.Info().Remote.Registered)
			require.Equal(t, "room9", callee.Info().Remote.Alias)
			require.NoError(t, callee.Accept(within(t), phone))
			exchangeBoth(t, s, way.multiplex, callee, caller)
			hangUp(t, caller, callee)
		})
	}
}

// exchangeBoth has sound flow both ways, through the shared sockets if there are any.
func exchangeBoth(t *testing.T, s *site, multiplex bool, gateway, terminal call.Leg) {
	t.Helper()
	stand(t, phone, gateway, terminal)
	exchangeAudio(t, gateway, terminal)
	exchangeAudio(t, terminal, gateway)
	if multiplex {
		require.Equal(t, 1, s.mux.Sessions())
		require.Zero(t, s.mux.Counters().Unplaced)
	}
}
