package registrar

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only moves when told.
type clock struct {
	sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.Lock()
	defer c.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.Lock()
	c.now = c.now.Add(d)
	c.Unlock()
}

// bench is a registrar with a clock and a record of its events.
type bench struct {
	*Registrar
	clock  *clock
	events []string
	cseq   uint32
}

func newBench(t testing.TB, edit func(*Config)) *bench {
	t.Helper()
	b := &bench{clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	accounts, err := NewList([]Account{
		{Username: "room1", Password: "secret", Aliases: []string{"88001", "hanoi"}, Name: "Hanoi"},
		{Username: "room2", Password: "other"},
	})
	require.NoError(t, err)
	auth, err := digest.NewServer(digest.ServerConfig{Realm: "example.com", Credentials: accounts, Now: b.clock.Now})
	require.NoError(t, err)
	c := Config{
		Accounts: accounts, Auth: auth, Domains: []string{"example.com"}, Now: b.clock.Now,
		OnEvent: func(e Event) {
			b.events = append(b.events, fmt.Sprintf("%d %s", e.Kind, e.Binding.Contact))
		},
	}
	if edit != nil {
		edit(&c)
	}
	b.Registrar, err = New(c)
	require.NoError(t, err)
	return b
}

// wire parses a request as the stack does.
func wire(t testing.TB, lines ...string) *sip.Request {
	t.Helper()
	msg, err := sip.ParseMessage([]byte(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"))
	require.NoError(t, err)
	req, ok := msg.(*sip.Request)
	require.True(t, ok)
	req.SetTransport("UDP")
	return req
}

// request is a REGISTER of an address of record with more header lines.
func (b *bench) request(t testing.TB, aor string, lines ...string) *sip.Request {
	t.Helper()
	b.cseq++
	head := []string{
		"REGISTER sip:example.com SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bK%d", b.cseq),
		"From: <" + aor + ">;tag=1", "To: <" + aor + ">",
		"Call-ID: reg-1", fmt.Sprintf("CSeq: %d REGISTER", b.cseq),
	}
	return wire(t, append(head, lines...)...)
}

var flow = Flow{
	Transport: "UDP",
	Remote:    netip.MustParseAddrPort("198.51.100.7:31000"),
	Local:     netip.MustParseAddrPort("192.0.2.1:5060"),
}

// send registers with credentials: challenge and answer.
func (b *bench) send(t testing.TB, user, password string, from Flow, lines ...string) *sip.Response {
	t.Helper()
	aor := "sip:" + user + "@example.com"
	session := digest.NewSession(user, password)
	res := b.Handle(b.request(t, aor, lines...), from)
	if res.StatusCode != 401 {
		return res
	}
	require.NoError(t, session.Challenge(res))
	again := b.request(t, aor, lines...)
	require.NoError(t, session.Authorize(again))
	return b.Handle(again, from)
}

func values(res *sip.Response, name string) (list []string) {
	for _, h := range res.GetHeaders(name) {
		list = append(list, h.Value())
	}
	return list
}

const contact = "Contact: <sip:room1@10.0.0.5:5060>"

func TestRegisterRefreshQueryRemove(t *testing.T) {
	b := newBench(t, nil)
	res := b.send(t, "room1", "secret", flow, contact, "Expires: 600", "User-Agent: TE40")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, []string{"<sip:room1@10.0.0.5:5060>;expires=600"}, values(res, "Contact"))
	require.Equal(t, []string{"Sun, 01 Mar 2026 12:00:00 GMT"}, values(res, "Date"))

	b.clock.pass(100 * time.Second)
	res = b.send(t, "room1", "secret", flow)
	require.Equal(t, []string{"<sip:room1@10.0.0.5:5060>;expires=500"}, values(res, "Contact"), "a query changes nothing")

	// The address behind the translator has changed.
	moved := flow
	moved.Remote = netip.MustParseAddrPort("198.51.100.7:32000")
	res = b.send(t, "room1", "secret", moved, contact+";expires=300")
	require.Equal(t, []string{"<sip:room1@10.0.0.5:5060>;expires=300"}, values(res, "Contact"))
	found := b.Lookup("88001")
	require.Len(t, found, 1)
	require.Equal(t, moved.Remote, found[0].Reach().Address)
	require.Equal(t, "sip:room1@10.0.0.5:5060", found[0].Reach().RequestURI)
	_, ok := b.Sender(flow)
	require.False(t, ok, "the old flow is forgotten")
	sender, ok := b.Sender(moved)
	require.True(t, ok)
	require.Equal(t, "room1", sender.Account)
	require.Equal(t, []Registration{{
		AOR: "sip:room1@example.com", Alias: "room1", Contact: "sip:room1@10.0.0.5:5060", Address: "198.51.100.7:32000",
		Transport: "UDP", Expires: b.clock.Now().Add(300 * time.Second),
		Since: b.clock.Now().Add(-100 * time.Second),
	}}, b.Registrations())

	res = b.send(t, "room1", "secret", moved, "Contact: *", "Expires: 0")
	require.Equal(t, 200, res.StatusCode)
	require.Empty(t, values(res, "Contact"))
	require.Empty(t, b.Lookup("room1"))
	require.Equal(t, []string{
		"1 sip:room1@10.0.0.5:5060", "2 sip:room1@10.0.0.5:5060", "3 sip:room1@10.0.0.5:5060",
	}, b.events)
	require.Empty(t, b.flows)
	require.Zero(t, b.total)
}

func TestRefusals(t *testing.T) {
	cases := []struct {
		name           string
		user, password string
		lines          []string
		status         int
		header, value  string
	}{
		{"wrong password", "room1", "wrong", []string{contact}, 401, "", ""},
		{"unknown user", "nobody", "secret", []string{contact}, 401, "", ""},
		{"too brief", "room1", "secret", []string{contact + ";expires=10"}, 423, "Min-Expires", "60"},
		{"star without expires", "room1", "secret", []string{"Contact: *"}, 400, "", ""},
		{"star and another", "room1", "secret", []string{"Contact: *", contact, "Expires: 0"}, 400, "", ""},
		{"foreign contact", "room1", "secret", []string{"Contact: <name:John_Smith>"}, 400, "", ""},
		{"bad q", "room1", "secret", []string{contact + ";q=7"}, 400, "", ""},
		{"extension", "room1", "secret", []string{contact, "Require: path, gruu"}, 420, "Unsupported", "gruu"},
		{"long contact", "room1", "secret", []string{"Contact: <sip:" + strings.Repeat("x", 600) + "@h>"}, 400, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil)
			res := b.send(t, c.user, c.password, flow, c.lines...)
			require.Equal(t, c.status, res.StatusCode, res.Reason)
			if c.header != "" {
				require.Equal(t, []string{c.value}, values(res, c.header))
			}
			require.Empty(t, b.Registrations())
			require.Empty(t, b.events)
		})
	}
}

// TestUnknownUserLooksLikeWrongPassword: nothing tells which users exist.
func TestUnknownUserLooksLikeWrongPassword(t *testing.T) {
	b := newBench(t, nil)
	shape := func(res *sip.Response) string {
		names := fmt.Sprint(res.StatusCode, res.Reason)
		for _, h := range res.Headers() {
			names += " " + h.Name()
		}
		return names
	}
	require.Equal(t, shape(b.send(t, "room1", "wrong", flow, contact)), shape(b.send(t, "nobody", "wrong", flow, contact)))
	require.Equal(t,
		shape(b.Handle(b.request(t, "sip:room1@example.com", contact), flow)),
		shape(b.Handle(b.request(t, "sip:nobody@example.com", contact), flow)))
}

func TestAddressOfAnother(t *testing.T) {
	b := newBench(t, nil)
	session := digest.NewSession("room2", "other")
	require.NoError(t, session.Challenge(b.Handle(b.request(t, "sip:room1@example.com", contact), flow)))
	for aor, status := range map[string]int{
		"sip:room1@example.com": 403, "sip:nobody@example.com": 403, "sip:room2@example.com": 200,
		"sip:room2@elsewhere.com": 404, "isbn:2983792873": 400,
	} {
		req := b.request(t, aor, contact)
		require.NoError(t, session.Authorize(req))
		require.Equal(t, status, b.Handle(req, flow).StatusCode, aor)
	}
}

func TestAliasAndAddressAsDomain(t *testing.T) {
	b := newBench(t, nil)
	session := digest.NewSession("room1", "secret")
	aor := "sip:88001@192.0.2.1"
	require.NoError(t, session.Challenge(b.Handle(b.request(t, aor, contact), flow)))
	req := b.request(t, aor, contact)
	require.NoError(t, session.Authorize(req))
	require.Equal(t, 200, b.Handle(req, flow).StatusCode)
	require.Equal(t, "88001", b.Lookup("hanoi")[0].Alias)

	for local, want := range map[string]bool{"[::]:5060": true, "0.0.0.0:5060": true, "192.0.2.1:5060": true, "192.0.2.9:5060": false} {
		from := Flow{Local: netip.MustParseAddrPort(local)}
		require.Equal(t, want, b.ours("192.0.2.1", from), local)
		require.False(t, b.ours("elsewhere.com", from))
	}
}

func TestClampAndExpiry(t *testing.T) {
	b := newBench(t, nil)
	for wish, want := range map[string]string{"99999999999999999999": "3600", "7200": "3600", "nonsense": "3600", "61": "61"} {
		res := b.send(t, "room1", "secret", flow, contact, "Expires: "+wish)
		require.Equal(t, []string{"<sip:room1@10.0.0.5:5060>;expires=" + want}, values(res, "Contact"), wish)
	}
	res := b.send(t, "room1", "secret", flow, contact, "Expires: 60")
	require.Equal(t, 200, res.StatusCode)
	b.clock.pass(time.Minute)
	require.Empty(t, b.Lookup("room1"), "before the sweep too")
	b.events = nil
	b.expire(context.Background())
	require.Equal(t, []string{"4 sip:room1@10.0.0.5:5060"}, b.events)
	require.Empty(t, b.Registrations())
	require.Zero(t, b.total)
}

// TestOrder: a request older than what it would change changes nothing (RFC
// 3261 §10.3, step 7).
func TestOrder(t *testing.T) {
	b := newBench(t, nil)
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, contact).StatusCode)
	b.cseq = 0
	res := b.send(t, "room1", "secret", flow, contact+";expires=0")
	require.Equal(t, 500, res.StatusCode)
	require.Len(t, b.Lookup("room1"), 1)
}

func TestSeveralBindings(t *testing.T) {
	b := newBench(t, func(c *Config) { c.MaxBindings = 3 })
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, "Contact: <sip:a@10.0.0.1>;q=0.5, <sip:b@10.0.0.2>").StatusCode)
	b.clock.pass(time.Second)
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, "Contact: <sip:c@10.0.0.3>").StatusCode)
	var order []string
	for _, found := range b.Lookup("room1") {
		order = append(order, found.Contact)
	}
	require.Equal(t, []string{"sip:c@10.0.0.3", "sip:b@10.0.0.2", "sip:a@10.0.0.1"}, order)
	require.Equal(t, 403, b.send(t, "room1", "secret", flow, "Contact: <sip:d@10.0.0.4>").StatusCode)
	require.Len(t, b.Lookup("room1"), 3)
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, "Contact: <sip:B@10.0.0.2>;expires=0, <SIP:c@10.0.0.3>;expires=0").StatusCode)
	require.Len(t, b.Lookup("room1"), 2, "users are case-sensitive, schemes are not")
}

func TestTotalIsBounded(t *testing.T) {
	b := newBench(t, func(c *Config) { c.MaxTotal = 1 })
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, contact).StatusCode)
	res := b.send(t, "room2", "other", flow, "Contact: <sip:x@10.0.0.9>")
	require.Equal(t, 503, res.StatusCode)
	require.NotEmpty(t, values(res, "Retry-After"))
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, contact).StatusCode, "a refresh is no growth")
}

const instance = `;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`

func TestOutboundFlows(t *testing.T) {
	b := newBench(t, nil)
	tcp := func(remote string) Flow {
		return Flow{Transport: "TCP", Remote: netip.MustParseAddrPort(remote), Local: flow.Local}
	}
	first, second := tcp("198.51.100.7:1000"), tcp("198.51.100.7:2000")
	res := b.send(t, "room1", "secret", first, contact+instance+";reg-id=1", "Supported: path, outbound")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, []string{"outbound"}, values(res, "Require"))
	require.Equal(t, []string{"90"}, values(res, "Flow-Timer"))
	require.Contains(t, values(res, "Contact")[0], instance+";reg-id=1")
	require.Equal(t, 200, b.send(t, "room1", "secret", second, contact+instance+";reg-id=2", "Supported: outbound").StatusCode)
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, "Contact: <sip:other@10.0.0.9>").StatusCode)

	var regs []int
	for _, found := range b.Lookup("room1") {
		regs = append(regs, found.RegID)
	}
	require.Len(t, regs, 3)
	require.NotEqual(t, []int{1, 2}, regs[:2], "one flow of each terminal comes first")

	b.Disconnected("TCP", "198.51.100.7:1000")
	for _, found := range b.Lookup("room1") {
		require.NotEqual(t, 1, found.RegID)
	}
	require.Contains(t, b.events, "5 sip:room1@10.0.0.5:5060")

	// The terminal comes back by another connection: the same binding.
	third := tcp("198.51.100.7:3000")
	require.Equal(t, 200, b.send(t, "room1", "secret", third, contact+instance+";reg-id=2", "Supported: outbound").StatusCode)
	require.Len(t, b.Lookup("room1"), 2)
	_, ok := b.Sender(second)
	require.False(t, ok)
}

func TestConnectionWithoutOutbound(t *testing.T) {
	b := newBench(t, nil)
	tcp := Flow{Transport: "TCP", Remote: netip.MustParseAddrPort("198.51.100.7:1000"), Local: flow.Local}
	require.Equal(t, 200, b.send(t, "room1", "secret", tcp, contact).StatusCode)
	require.Equal(t, tcp.Remote, b.Lookup("room1")[0].Reach().Address)
	b.Disconnected("TCP", "198.51.100.7:1000")
	found := b.Lookup("room1")
	require.Len(t, found, 1)
	require.Equal(t, "10.0.0.5:5060", found[0].Reach().Address.String(), "it listens on its contact")
}

func TestPath(t *testing.T) {
	b := newBench(t, nil)
	res := b.send(t, "room1", "secret", flow, contact, "Supported: path", "Path: <sip:p1.example.com;lr>,<sip:p2.example.com;lr>")
	want := []string{"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"}
	require.Equal(t, want, values(res, "Path"))
	require.Equal(t, want, b.Lookup("room1")[0].Reach().Headers)
}

func TestLockoutAdmitsTheNeighbour(t *testing.T) {
	b := newBench(t, nil)
	b.c.Lockout = limit.NewLockout(limit.LockoutConfig{UserFailures: 3, SourceFailures: 6, First: time.Minute, Now: b.clock.Now})
	require.Equal(t, 200, b.send(t, "room2", "other", flow, contact).StatusCode)
	for range 10 {
		b.send(t, "room1", "guess", flow, contact)
	}
	res := b.send(t, "room1", "secret", flow, contact)
	require.Equal(t, 503, res.StatusCode, "the right password is not told from a wrong one")
	require.NotEmpty(t, values(res, "Retry-After"))
	for i := range 6 {
		b.send(t, fmt.Sprint("guess", i), "guess", flow, contact)
	}
	require.Equal(t, 503, b.send(t, "hanoi", "guess", flow, contact).StatusCode, "nor may the source try others")
	require.Equal(t, 200, b.send(t, "room2", "other", flow, contact).StatusCode, "its neighbour goes on")
	b.clock.pass(time.Hour)
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, contact).StatusCode)
}

func TestPingLosesDeadTerminals(t *testing.T) {
	dead := errors.New("no answer")
	var answer error
	b := newBench(t, func(c *Config) {
		c.Ping = func(context.Context, Binding) error { return answer }
		c.PingEvery = time.Minute
	})
	require.Equal(t, 200, b.send(t, "room1", "secret", flow, contact).StatusCode)
	for _, a := range []error{dead, dead, nil, dead, dead} {
		answer = a
		b.pingAll(context.Background())
		require.Len(t, b.Lookup("room1"), 1)
	}
	answer = dead
	b.pingAll(context.Background())
	require.Empty(t, b.Lookup("room1"))
	require.Equal(t, "5 sip:room1@10.0.0.5:5060", b.events[len(b.events)-1])
	require.Empty(t, b.fails)
}

func TestRunEnds(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Ping, c.PingEvery = func(context.Context, Binding) error { return nil }, time.Millisecond
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	cancel()
	require.NoError(t, <-done)
}

// failing is a store that is out of order.
type failing struct{ *Memory }

func (failing) Update(context.Context, string, func([]Binding) ([]Binding, error)) error {
	return errors.New("disk full")
}

func TestStoreFails(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Store = failing{NewMemory()} })
	res := b.send(t, "room1", "secret", flow, contact)
	require.Equal(t, 500, res.StatusCode)
	require.Empty(t, b.events)
}

// TestTortureRegisters: what the edge lets through of RFC 4475 and 5118.
func TestTortureRegisters(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Domains = nil })
	for file, status := range map[string]int{
		"rfc4475/unksm2": 400, "rfc4475/regaut01": 401, "rfc4475/regescrt": 401, "rfc4475/escnull": 401,
		"rfc4475/cparam01": 401, "rfc4475/cparam02": 401, "rfc5118/ipv6-good": 401, "rfc5118/port-ambiguous": 401,
	} {
		data, err := os.ReadFile("../../testdata/torture/" + file + ".dat")
		require.NoError(t, err)
		msg, err := sip.ParseMessage(data)
		require.NoError(t, err)
		req, ok := msg.(*sip.Request)
		require.True(t, ok)
		require.Equal(t, status, b.Handle(req, flow).StatusCode, file)
	}
}

func TestListNames(t *testing.T) {
	_, err := NewList([]Account{{Username: "a", Aliases: []string{"1"}}, {Username: "b", Aliases: []string{"1"}}})
	require.ErrorContains(t, err, `"1" belongs to account "a" and to "b"`)
	_, err = NewList([]Account{{Username: "a"}, {Username: "a"}})
	require.Error(t, err)
	l, err := NewList([]Account{{Username: "a", Password: "p", Aliases: []string{"1"}}})
	require.NoError(t, err)
	require.Error(t, l.Replace([]Account{{}}))
	a, ok := l.ByAlias("1")
	require.True(t, ok)
	require.Equal(t, "a", a.Username, "a bad list changes nothing")
}

// BenchmarkRegister is one registration as a terminal does it: REGISTER, 401,
// REGISTER with credentials, 200; without a network.
func BenchmarkRegister(b *testing.B) {
	r := newBench(b, nil)
	session := digest.NewSession("room1", "secret")
	for b.Loop() {
		res := r.Handle(r.request(b, "sip:room1@example.com", contact), flow)
		if err := session.Challenge(res); err != nil {
			b.Fatal(err)
		}
		req := r.request(b, "sip:room1@example.com", contact)
		if err := session.Authorize(req); err != nil {
			b.Fatal(err)
		}
		session.Accepted(r.Handle(req, flow))
	}
	if len(r.Lookup("room1")) != 1 {
		b.Fatal("not registered")
	}
}
