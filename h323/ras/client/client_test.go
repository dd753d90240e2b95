package client_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/internal/dissect"
	"github.com/roomgate/roomgate/h323/internal/golden"
	"github.com/roomgate/roomgate/h323/internal/pcap"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/client"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
)

// wire holds what clients and gatekeepers of all tests sent, for tshark.
var wire struct {
	pcap.Writer
	count int
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Println("FAIL:", err)
		code = 1
	}
	os.Exit(max(code, dissect.Verdict(wire.Bytes(), "h225.RasMessage", wire.count)))
}

// network connects clients and gatekeepers without sockets: what one sends is queued,
// and delivered by settle.
type network struct {
	t     testing.TB
	at    time.Time
	nodes map[netip.AddrPort]node
	mu    sync.Mutex
	queue []packet
	came  chan struct{} // something was queued
	down  map[netip.AddrPort]bool
	quiet bool // not for tshark
}

type node interface {
	Receive(from ras.Path, pdu []byte)
	Tick()
}

type packet struct {
	from, to netip.AddrPort
	pdu      []byte
}

func newNetwork(t testing.TB) *network {
	return &network{t: t, at: time.Unix(1700000000, 0), nodes: map[netip.AddrPort]node{}, down: map[netip.AddrPort]bool{}, came: make(chan struct{}, 1)}
}

func (n *network) now() time.Time { return n.at }

func (n *network) sender(from netip.AddrPort) func(ras.Path, []byte) {
	return func(to ras.Path, pdu []byte) {
		n.mu.Lock()
		n.queue = append(n.queue, packet{from, to.Remote, pdu})
		n.mu.Unlock()
		select {
		case n.came <- struct{}{}:
		default:
		}
	}
}

// settle delivers until nothing is under way.
func (n *network) settle() {
	for {
		p, ok := n.first()
		if !ok {
			return
		}
		if !n.quiet {
			wire.UDP(p.from, p.to, p.pdu)
			wire.count++
		}
		if p.to == netip.MustParseAddrPort("224.0.1.41:1718") {
			for at, node := range n.nodes {
				if _, ok := node.(*gatekeeper.Gatekeeper); ok && !n.down[at] {
					node.Receive(ras.Path{Remote: p.from, Multicast: true}, p.pdu)
				}
			}
			continue
		}
		if node := n.nodes[p.to]; node != nil && !n.down[p.to] && !n.down[p.from] {
			node.Receive(ras.Path{Remote: p.from, Local: p.to}, p.pdu)
		}
	}
}

func (n *network) first() (p packet, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == 0 {
		return p, false
	}
	p = n.queue[0]
	n.queue = n.queue[1:]
	return p, true
}

func (n *network) pass(d time.Duration) {
	for end := n.at.Add(d); n.at.Before(end); {
		n.at = n.at.Add(250 * time.Millisecond)
		for _, node := range n.nodes {
			node.Tick()
		}
		n.settle()
	}
}

func (n *network) gatekeeper(at string, change func(*gatekeeper.Config)) *gatekeeper.Gatekeeper {
	n.t.Helper()
	address := netip.MustParseAddrPort(at)
	signalling := netip.AddrPortFrom(address.Addr(), 1720)
	c := gatekeeper.Config{
		ID: "gk-" + at, Send: n.sender(address), Now: n.now,
		Signalling: func(netip.Addr) netip.AddrPort { return signalling },
		RAS:        func(netip.Addr) netip.AddrPort { return address },
		Serves:     func(name string) bool { return name == "demo" },
	}
	if change != nil {
		change(&c)
	}
	g, err := gatekeeper.New(c)
	require.NoError(n.t, err)
	n.nodes[address] = g
	return g
}

type endpoint struct {
	*client.Client
	states      []client.State
	disengaged  []client.CallID
	indications int
}

func (n *network) client(at, gk string, change func(*client.Config)) *endpoint {
	n.t.Helper()
	address := netip.MustParseAddrPort(at)
	e := &endpoint{}
	c := client.Config{
		Send: n.sender(address), Now: n.now, Aliases: []h225.AliasAddress{alias.Of("room"), alias.Of("2001")},
		Signalling:   func(netip.Addr) netip.AddrPort { return netip.AddrPortFrom(address.Addr(), 1720) },
		RAS:          func(netip.Addr) netip.AddrPort { return address },
		OnState:      func(s client.State) { e.states = append(e.states, s) },
		OnDisengage:  func(id client.CallID) { e.disengaged = append(e.disengaged, id) },
		OnIndication: func([]h225.GenericData) { e.indications++ },
	}
	if gk != "" {
		c.Gatekeeper = netip.MustParseAddrPort(gk)
	}
	if change != nil {
		change(&c)
	}
	var err error
	e.Client, err = client.New(c)
	require.NoError(n.t, err)
	n.nodes[address] = e.Client
	return e
}

// during runs a call that waits for an answer, while messages are delivered.
func during[T any](n *network, call func(context.Context) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() {
		v, err := call(ctx)
		done <- outcome{v, err}
	}()
	for {
		select {
		case o := <-done:
			return o.value, o.err
		case <-n.came:
			n.settle()
		}
	}
}

func TestRegisterAndCall(t *testing.T) {
	for _, search := range []string{"192.0.2.1:1719", ""} {
		t.Run("gatekeeper "+search, func(t *testing.T) {
			n := newNetwork(t)
			g := n.gatekeeper("192.0.2.1:1719", nil)
			e := n.client("192.0.2.9:40000", search, nil)
			n.pass(time.Second)
			s := e.State()
			require.Equal(t, client.Registered, s.Phase, "%v", s.Err)
			require.Equal(t, "gk-192.0.2.1:1719", s.GatekeeperID)
			require.Equal(t, time.Minute, s.TimeToLive)
			r, ok := g.Lookup("2001")
			require.True(t, ok)
			require.Equal(t, s.ID, r.ID)

			call := client.Call{ID: client.CallID{1}, Conference: [16]byte{2}, Reference: 7, To: []h225.AliasAddress{alias.Of("demo")}, Bandwidth: 1_000_000}
			grant, err := during(n, func(ctx context.Context) (client.Grant, error) { return e.Admit(ctx, call) })
			require.NoError(t, err)
			require.Equal(t, netip.MustParseAddrPort("192.0.2.1:1720"), grant.Signalling)
			require.True(t, grant.Routed)
			require.EqualValues(t, 1_000_000, grant.Bandwidth)
			_, used := g.Usage()
			require.EqualValues(t, 1_000_000, used)

			more, err := during(n, func(ctx context.Context) (uint64, error) { return e.Bandwidth(ctx, call.ID, 2_000_000) })
			require.NoError(t, err)
			require.EqualValues(t, 2_000_000, more)

			// The gatekeeper hears of the call as often as it wants, for hours.
			n.pass(time.Hour)
			calls, _ := g.Usage()
			require.Equal(t, 1, calls)
			require.Equal(t, client.Registered, e.State().Phase)

			_, err = during(n, func(ctx context.Context) (struct{}, error) { return struct{}{}, e.Disengage(ctx, call.ID) })
			require.NoError(t, err)
			calls, _ = g.Usage()
			require.Zero(t, calls)
			_, err = during(n, func(ctx context.Context) (struct{}, error) { return struct{}{}, e.Unregister(ctx) })
			require.NoError(t, err)
			require.Empty(t, g.Registrations())
		})
	}
}

func TestRefusals(t *testing.T) {
	n := newNetwork(t)
	n.gatekeeper("192.0.2.1:1719", nil)
	e := n.client("192.0.2.9:40000", "192.0.2.1:1719", nil)
	_, err := during(n, func(ctx context.Context) (client.Grant, error) { return e.Admit(ctx, client.Call{}) })
	require.ErrorIs(t, err, client.ErrNotRegistered)
	n.pass(time.Second)
	_, err = during(n, func(ctx context.Context) (client.Grant, error) {
		return e.Admit(ctx, client.Call{ID: client.CallID{1}, To: []h225.AliasAddress{alias.Of("nobody")}})
	})
	require.Equal(t, &client.Refused{Kind: ras.ARJ, Reason: "calledPartyNotRegistered"}, err)
	_, err = during(n, func(ctx context.Context) (uint64, error) { return e.Bandwidth(ctx, client.CallID{1}, 1) })
	require.ErrorIs(t, err, client.ErrNotRegistered)
	at, err := during(n, func(ctx context.Context) (netip.AddrPort, error) {
		return e.Locate(ctx, []h225.AliasAddress{alias.Of("demo")})
	})
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddrPort("192.0.2.1:1720"), at)

	twin := n.client("192.0.2.10:40000", "192.0.2.1:1719", nil)
	n.pass(time.Second)
	require.Equal(t, client.Waiting, twin.State().Phase)
	require.Equal(t, &client.Refused{Kind: ras.RRJ, Reason: "duplicateAlias"}, twin.State().Err)
}

// TestPasswords: each method, told by the gatekeeper in GCF, or set.
func TestPasswords(t *testing.T) {
	accounts := gatekeeper.NewList([]gatekeeper.Account{{Username: "room", Password: "s3cret", Aliases: []string{"2001"}}})
	for _, method := range auth.Methods() {
		for _, set := range []auth.Method{0, method} {
			t.Run(method.String(), func(t *testing.T) {
				n := newNetwork(t)
				g := n.gatekeeper("192.0.2.1:1719", func(c *gatekeeper.Config) {
					c.Methods = []auth.Method{method}
					c.Settings.Mode, c.Settings.Accounts = gatekeeper.OnlyAccounts, accounts
				})
				e := n.client("192.0.2.9:40000", "192.0.2.1:1719", func(c *client.Config) { c.User, c.Password, c.Method = "room", "s3cret", set })
				n.pass(5 * time.Minute)
				require.Equal(t, client.Registered, e.State().Phase, "%v", e.State().Err)
				require.Len(t, e.states, 3, "searching, registering, registered, and never again")
				require.Equal(t, "room", g.Registrations()[0].Account)
				_, err := during(n, func(ctx context.Context) (client.Grant, error) {
					return e.Admit(ctx, client.Call{ID: client.CallID{1}, To: []h225.AliasAddress{alias.Of("demo")}})
				})
				require.NoError(t, err)

				wrong := n.client("192.0.2.10:40000", "192.0.2.1:1719", func(c *client.Config) { c.User, c.Password, c.Method = "room", "guess", set })
				n.pass(time.Second)
				require.Equal(t, &client.Refused{Kind: ras.RRJ, Reason: "securityDenial"}, wrong.State().Err)
			})
		}
	}
}

func TestGatewayWithPrefixes(t *testing.T) {
	n := newNetwork(t)
	g := n.gatekeeper("192.0.2.1:1719", nil)
	n.client("192.0.2.9:40000", "192.0.2.1:1719", func(c *client.Config) { c.Prefixes = []string{"88", "9"} })
	n.pass(time.Second)
	r, ok := g.Lookup("88123")
	require.True(t, ok)
	require.Equal(t, gatekeeper.Gateway, r.Type)
	_, ok = g.Lookup("77123")
	require.False(t, ok)
}

// TestGatekeeperForgets: after a restart without its store the gatekeeper asks for a
// full registration, and gets it.
func TestGatekeeperForgets(t *testing.T) {
	n := newNetwork(t)
	n.gatekeeper("192.0.2.1:1719", nil)
	e := n.client("192.0.2.9:40000", "192.0.2.1:1719", nil)
	n.pass(time.Second)
	first := e.State().ID
	g := n.gatekeeper("192.0.2.1:1719", nil)
	n.pass(40 * time.Second)
	require.Equal(t, client.Registered, e.State().Phase)
	require.NotEqual(t, first, e.State().ID)
	require.Len(t, g.Registrations(), 1)
}

func TestAlternateGatekeeper(t *testing.T) {
	n := newNetwork(t)
	first, second := netip.MustParseAddrPort("192.0.2.1:1719"), netip.MustParseAddrPort("192.0.2.2:1719")
	n.gatekeeper(first.String(), func(c *gatekeeper.Config) {
		c.Settings.Alternates = []gatekeeper.Alternate{{Address: second, Register: true, Priority: 1}}
	})
	other := n.gatekeeper(second.String(), nil)
	e := n.client("192.0.2.9:40000", first.String(), nil)
	n.pass(time.Second)
	require.Equal(t, first, e.State().Gatekeeper)
	n.down[first] = true
	n.pass(45 * time.Second) // until a keep-alive is not answered
	require.Equal(t, client.Registered, e.State().Phase)
	require.Equal(t, second, e.State().Gatekeeper)
	require.Len(t, other.Registrations(), 1)
}

// TestUnanswered: nobody is asked for ever, nor too often.
func TestUnanswered(t *testing.T) {
	n := newNetwork(t)
	e := n.client("192.0.2.9:40000", "192.0.2.1:1719", nil)
	n.pass(time.Hour)
	require.NotEqual(t, client.Registered, e.State().Phase)
	attempts := 0
	for _, s := range e.states {
		if s.Phase == client.Searching {
			attempts++
		}
	}
	require.Greater(t, attempts, 20)
	require.Less(t, attempts, 60)
	n.gatekeeper("192.0.2.1:1719", nil)
	n.pass(3 * time.Minute)
	require.Equal(t, client.Registered, e.State().Phase)
}

// TestGatekeeperDecides: what the gatekeeper asks of an endpoint.
func TestGatekeeperDecides(t *testing.T) {
	n := newNetwork(t)
	g := n.gatekeeper("192.0.2.1:1719", func(c *gatekeeper.Config) { c.Traversal = true })
	e := n.client("192.0.2.9:40000", "192.0.2.1:1719", func(c *client.Config) { c.Traversal = true })
	n.pass(time.Second)
	id := e.State().ID
	_, err := during(n, func(ctx context.Context) (client.Grant, error) {
		return e.Admit(ctx, client.Call{ID: client.CallID{1}, To: []h225.AliasAddress{alias.Of("demo")}})
	})
	require.NoError(t, err)

	call := func(f func(context.Context) error) error {
		_, err := during(n, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
		return err
	}
	require.NoError(t, call(func(ctx context.Context) error { return g.Indicate(ctx, id, nil) }))
	require.Equal(t, 1, e.indications)
	require.NoError(t, call(func(ctx context.Context) error { return g.Disengage(ctx, id, gatekeeper.CallID{1}) }))
	require.Equal(t, []client.CallID{{1}}, e.disengaged)
	require.ErrorIs(t, call(func(ctx context.Context) error { return g.Disengage(ctx, id, gatekeeper.CallID{1}) }), gatekeeper.ErrRefused)

	require.NoError(t, g.Unregister(id))
	n.settle()
	require.Equal(t, client.Waiting, e.State().Phase)
	n.pass(15 * time.Second)
	require.Equal(t, client.Registered, e.State().Phase)
	require.NotEqual(t, id, e.State().ID)
}

// TestSearchAmongMany: in the group the one that is wanted is found, whoever else
// answers, and whoever refuses.
func TestSearchAmongMany(t *testing.T) {
	n := newNetwork(t)
	for _, at := range []string{"192.0.2.1:1719", "192.0.2.2:1719", "192.0.2.3:1719"} {
		n.gatekeeper(at, func(c *gatekeeper.Config) {
			if at == "192.0.2.1:1719" {
				c.Settings.Mode = gatekeeper.Closed
			}
		})
	}
	any := n.client("192.0.2.9:40000", "", nil)
	one := n.client("192.0.2.10:40000", "", func(c *client.Config) {
		c.GatekeeperID, c.Aliases = "gk-192.0.2.3:1719", nil
	})
	n.pass(time.Second)
	require.Equal(t, client.Registered, any.State().Phase, "%v", any.State().Err)
	require.Equal(t, "gk-192.0.2.3:1719", one.State().GatekeeperID)
	require.Equal(t, client.Registered, one.State().Phase)
}

// FuzzReceive gives a registered client two datagrams of its gatekeeper. Whatever they
// make of it, it is registered again in the end.
func FuzzReceive(f *testing.F) {
	calls, err := golden.Load("../../../testdata/h323/captures")
	require.NoError(f, err)
	var before []byte
	for _, name := range []string{"gk-routed", "gk-proxy-19", "gk-unknown"} {
		for _, m := range calls[name] {
			if m.Protocol == "ras" {
				f.Add(before, m.Data)
				before = m.Data
			}
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		n := newNetwork(t)
		n.quiet = true
		n.gatekeeper("192.0.2.1:1719", nil)
		e := n.client("192.0.2.9:40000", "192.0.2.1:1719", nil)
		n.pass(time.Second)
		require.Equal(t, client.Registered, e.State().Phase)
		for _, pdu := range [][]byte{first, second} {
			e.Receive(ras.Path{Remote: netip.MustParseAddrPort("192.0.2.1:1719")}, pdu)
			n.settle()
		}
		n.pass(time.Minute)
		require.Equal(t, client.Registered, e.State().Phase, "%v", e.State().Err)
	})
}
