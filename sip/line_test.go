package sip_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/hunt"
)

// carrier is the far side of a trunk: what it answers to requests is the test's.
type carrier struct {
	t    *testing.T
	conn *net.UDPConn

	mu     sync.Mutex
	answer func(req *sipgo.Request) []string // status lines, with headers and a body after them
	heard  []*sipgo.Request
}

func newCarrier(t *testing.T, answer func(*sipgo.Request) []string) *carrier {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	c := &carrier{t: t, conn: conn, answer: answer}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return c
}

func (c *carrier) at() string { return c.conn.LocalAddr().String() }

func (c *carrier) run() {
	buf := make([]byte, 65535)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m, err := sipgo.ParseMessage(append([]byte(nil), buf[:n]...))
		req, ok := m.(*sipgo.Request)
		if err != nil || !ok {
			continue
		}
		c.mu.Lock()
		repeated := false
		for _, old := range c.heard {
			repeated = repeated || old.Via().Value() == req.Via().Value() && old.Method == req.Method
		}
		if !repeated {
			c.heard = append(c.heard, req)
		}
		answer := c.answer
		c.mu.Unlock()
		if req.IsAck() || answer == nil {
			continue
		}
		for _, text := range answer(req) {
			line, rest, _ := strings.Cut(text, "\r\n")
			head, body, _ := strings.Cut(rest, "\r\n\r\n")
			out := []string{"SIP/2.0 " + line}
			for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
				for _, h := range req.GetHeaders(name) {
					v := h.Name() + ": " + h.Value()
					if name == "To" && !strings.Contains(v, ";tag=") && !strings.HasPrefix(line, "100") {
						v += ";tag=carrier"
					}
					out = append(out, v)
				}
			}
			out = append(out, fmt.Sprintf("Contact: <sip:carrier@%s>", c.at()))
			if head != "" {
				out = append(out, head)
			}
			if body != "" {
				out = append(out, "Content-Type: application/sdp")
			}
			out = append(out, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
			_, _ = c.conn.WriteToUDPAddrPort([]byte(strings.Join(out, "\r\n")), from)
		}
	}
}

// got are the requests of a method so far, repeated ones left out.
func (c *carrier) got(method sipgo.RequestMethod) (list []*sipgo.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.heard {
		if r.Method == method {
			list = append(list, r)
		}
	}
	return list
}

func (c *carrier) change(answer func(*sipgo.Request) []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// says answers INVITE with one status line and everything else with 200.
func says(invite ...string) func(*sipgo.Request) []string {
	return func(req *sipgo.Request) []string {
		if req.IsInvite() {
			return invite
		}
		return []string{"200 OK"}
	}
}

const takesIt = "200 OK\r\n\r\n" + wireSDP

// withTrunk has a trunk whose targets are carriers, the first first.
func withTrunk(change func(*sip.Outbound), carriers ...*carrier) func(*sip.Config) {
	out := &sip.Outbound{Probe: -1, Patience: 300 * time.Millisecond}
	for i, c := range carriers {
		out.Targets = append(out.Targets, hunt.Target{Address: c.at(), Priority: i})
	}
	if change != nil {
		change(out)
	}
	return func(c *sip.Config) { c.Trunks = []sip.Trunk{{Name: "vnpt", Out: out}} }
}

// over calls a number over the trunk once its targets are known.
func over(t *testing.T, a *agent, to call.Target) call.Leg {
	t.Helper()
	require.Eventually(t, func() bool { return len(a.Lines()) > 0 && len(a.Lines()[0].Targets) > 0 }, patience, time.Millisecond)
	to.Trunk, to.Can = "vnpt", phone
	leg, err := a.Dial(within(t), to)
	require.NoError(t, err)
	return leg
}

// TestFailover: a host that cannot, or says nothing, hands the call to the next; what
// the called one says is final.
func TestFailover(t *testing.T) {
	for _, tc := range []struct {
		name   string
		first  []string // nil: nothing
		passed bool
		cause  call.CauseCode
	}{
		{"503", []string{"100 Trying", "503 Service Unavailable"}, true, ""},
		{"500", []string{"500 Server Internal Error"}, true, ""},
		{"408", []string{"408 Request Timeout"}, true, ""},
		{"time-out", nil, true, ""},
		{"100 and no more", []string{"100 Trying"}, true, ""},
		{"486", []string{"180 Ringing", "486 Busy Here"}, false, call.UserBusy},
		{"404", []string{"404 Not Found"}, false, call.UnknownAlias},
		{"603", []string{"603 Decline"}, false, call.Rejected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, second := newCarrier(t, says(tc.first...)), newCarrier(t, says("180 Ringing", takesIt))
			a := start(t, withTrunk(nil, first, second))
			leg := over(t, a, call.Target{Address: "+842438231234", From: "+842471000001"})
			if !tc.passed {
				require.Equal(t, tc.cause, await(t, leg, call.Ended).Cause.Code)
				require.Empty(t, second.got(sipgo.INVITE))
				return
			}
			await(t, leg, call.Connected)
			require.Len(t, second.got(sipgo.INVITE), 1)
			info := leg.Info()
			assert.Equal(t, "vnpt", info.Remote.Trunk)
			assert.Equal(t, second.at(), info.Remote.Address.String())
			invite := second.got(sipgo.INVITE)[0]
			assert.Equal(t, "+842438231234", invite.Recipient.User)
			assert.True(t, invite.Recipient.UriParams.Has("user"))
			assert.Nil(t, invite.GetHeader("Route"))
			require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
			require.Eventually(t, func() bool { return len(second.got(sipgo.BYE)) == 1 }, patience, time.Millisecond)
			if tc.first == nil { // it comes back to life: the call was given up there
				first.change(says("100 Trying"))
			}
		})
	}
}

// Nobody takes the call: the last word counts. A host that wants to rest is left alone.
func TestAllTargetsFail(t *testing.T) {
	first, second := newCarrier(t, says("503 Service Unavailable\r\nRetry-After: 60")), newCarrier(t, says("500 Server Internal Error"))
	a := start(t, withTrunk(nil, first, second))
	leg := over(t, a, call.Target{Address: "0912345678"})
	require.Contains(t, []call.CauseCode{call.Failure, call.Congestion}, await(t, leg, call.Ended).Cause.Code)
	second.change(says(takesIt))
	leg = over(t, a, call.Target{Address: "0912345678"})
	await(t, leg, call.Connected)
	require.Len(t, first.got(sipgo.INVITE), 1, "it rests")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
	_, err := a.Dial(within(t), call.Target{Trunk: "none", Address: "1", Can: phone})
	require.ErrorIs(t, err, sip.ErrTarget)
	_, err = a.Dial(within(t), call.Target{Trunk: "vnpt", Address: "1@evil.example", Can: phone})
	require.ErrorIs(t, err, sip.ErrTarget)
}

// A host that was passed over may still take the call, when nobody else has.
func TestLateAnswerOfAPassedHost(t *testing.T) {
	first, second := newCarrier(t, nil), newCarrier(t, nil)
	a := start(t, withTrunk(nil, first, second))
	leg := over(t, a, call.Target{Address: "0912345678"})
	require.Eventually(t, func() bool { return len(second.got(sipgo.INVITE)) == 1 }, patience, time.Millisecond)
	first.change(says(takesIt)) // to the INVITE that is sent again
	await(t, leg, call.Connected)
	assert.NotEmpty(t, first.got(sipgo.INVITE))
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
	second.change(says("100 Trying", "487 Request Terminated"))
}

// Each host challenges for itself, also when they share a realm.
func TestFailoverAfterAChallenge(t *testing.T) {
	challenge := "407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"vnpt\", nonce=\"n%s\", algorithm=MD5, qop=\"auth\""
	answering := func(n, then string) func(*sipgo.Request) []string {
		return func(req *sipgo.Request) []string {
			if !req.IsInvite() {
				return []string{"200 OK"}
			}
			if h := req.GetHeader("Proxy-Authorization"); h != nil && strings.Contains(h.Value(), `nonce="n`+n) {
				return []string{then}
			}
			return []string{fmt.Sprintf(challenge, n)}
		}
	}
	first, second := newCarrier(t, answering("1", "503 Service Unavailable")), newCarrier(t, answering("2", takesIt))
	a := start(t, withTrunk(nil, first, second))
	leg := over(t, a, call.Target{Address: "0912345678", Username: "acc", Password: "s3cret"})
	await(t, leg, call.Connected)
	require.Len(t, second.got(sipgo.INVITE), 2)
	assert.Equal(t, "127.0.0.1", second.got(sipgo.INVITE)[0].From().Address.Host, "the carrier's own domain")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
}

func TestCallerIdentities(t *testing.T) {
	c := newCarrier(t, says("486 Busy Here"))
	a := start(t, withTrunk(nil, c))
	for _, tc := range []struct {
		to      call.Target
		from    string
		headers map[string]string
	}{
		{call.Target{From: "+842471000001", FromName: "UBND", Domain: "vnpt.vn"}, `"UBND" <sip:+842471000001@vnpt.vn>`, nil},
		{call.Target{From: "02471000001", Domain: "vnpt.vn", Asserted: call.Identity{User: "02471000001", Name: `A "B"`}}, `<sip:02471000001@vnpt.vn>`,
			map[string]string{"P-Asserted-Identity": `"A  B " <sip:02471000001@vnpt.vn>`}},
		{call.Target{From: "+842471000001", Domain: "vnpt.vn", Preferred: call.Identity{User: "+842471000001"}, Anonymous: true}, `"Anonymous" <sip:anonymous@anonymous.invalid>`,
			map[string]string{"P-Preferred-Identity": "<sip:+842471000001@vnpt.vn;user=phone>", "Privacy": "id"}},
	} {
		n := len(c.got(sipgo.INVITE))
		tc.to.Address = "0912345678"
		await(t, over(t, a, tc.to), call.Ended)
		invite := c.got(sipgo.INVITE)[n]
		from, _, _ := strings.Cut(invite.From().Value(), ";tag=")
		assert.Equal(t, tc.from, from)
		for _, name := range []string{"P-Asserted-Identity", "P-Preferred-Identity", "Privacy"} {
			value := ""
			if h := invite.GetHeader(name); h != nil {
				value = h.Value()
			}
			assert.Equal(t, tc.headers[name], value, name)
		}
	}
}

// names is a DNS of the test.
type names struct {
	srv   map[string][]*net.SRV
	hosts map[string]string
}

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if list, ok := n.srv["_"+service+"._"+proto+"."+name]; ok {
		return "", list, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := n.hosts[strings.TrimSuffix(host, ".")]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// TestServiceRecords: a domain without a port is looked up by SRV, and its hosts are
// called in their order (RFC 3263 §4.2).
func TestServiceRecords(t *testing.T) {
	first, second := newCarrier(t, says("503 Service Unavailable")), newCarrier(t, says(takesIt))
	port := func(c *carrier) uint16 { return uint16(c.conn.LocalAddr().(*net.UDPAddr).Port) }
	dns := names{
		srv: map[string][]*net.SRV{"_sip._udp.vnpt.vn": {
			{Target: "b.vnpt.vn.", Port: port(second), Priority: 20}, {Target: "a.vnpt.vn.", Port: port(first), Priority: 10}, {Target: "gone.vnpt.vn.", Port: 5060, Priority: 5},
		}},
		hosts: map[string]string{"a.vnpt.vn": "127.0.0.1", "b.vnpt.vn": "127.0.0.1"},
	}
	a := start(t, func(c *sip.Config) {
		c.Resolver = dns
		c.Trunks = []sip.Trunk{{Name: "vnpt", Out: &sip.Outbound{Probe: -1, Targets: []hunt.Target{{Address: "vnpt.vn"}, {Address: "nowhere.vn:5060", Priority: 1}}}}}
	})
	leg := over(t, a, call.Target{Address: "0912345678"})
	await(t, leg, call.Connected)
	require.Len(t, first.got(sipgo.INVITE), 1)
	assert.Equal(t, "vnpt.vn", second.got(sipgo.INVITE)[0].Recipient.Host, "the domain, not the host")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
	states := a.Lines()[0].Targets
	require.Len(t, states, 3)
	assert.True(t, states[2].Down)
	assert.Contains(t, states[2].Error, "no such host")
}

// TestProbes: OPTIONS find out who is there; one that falls silent is left alone until
// it has come back.
func TestProbes(t *testing.T) {
	first, second := newCarrier(t, says("486 Busy Here")), newCarrier(t, says("486 Busy Here"))
	events := make(chan sip.LineEvent, 64)
	a := start(t, func(c *sip.Config) {
		withTrunk(func(o *sip.Outbound) { o.Probe = 50 * time.Millisecond }, first, second)(c)
		c.OnLine = func(e sip.LineEvent) { events <- e }
	})
	state := func(i int) hunt.State {
		if l := a.Lines(); len(l) == 1 && len(l[0].Targets) == 2 {
			return l[0].Targets[i]
		}
		return hunt.State{}
	}
	require.Eventually(t, func() bool { return state(0).Known && state(1).Known && !state(0).Down }, patience, time.Millisecond)
	options := first.got(sipgo.OPTIONS)[0]
	assert.NotNil(t, options.Contact())
	first.change(func(req *sipgo.Request) []string { return []string{"503 Service Unavailable"} })
	e := <-events
	assert.Equal(t, sip.LineEvent{Trunk: "vnpt", Target: first.at(), Error: e.Error}, e)
	assert.True(t, state(0).Down)
	n := len(first.got(sipgo.INVITE))
	await(t, over(t, a, call.Target{Address: "0912345678"}), call.Ended)
	assert.Len(t, second.got(sipgo.INVITE), 1, "the call goes to the other")
	assert.Len(t, first.got(sipgo.INVITE), n)
	first.change(says("486 Busy Here"))
	e = <-events
	assert.Equal(t, sip.LineEvent{Trunk: "vnpt", Target: first.at(), Up: true}, e)
}

// registrarOf answers REGISTER as one of a carrier does: with a challenge, then with
// the expiry it grants.
func registrarOf(password string, expires int) func(*sipgo.Request) []string {
	server, err := digest.NewServer(digest.ServerConfig{Realm: "vnpt", Credentials: passwords{"acc": password}})
	if err != nil {
		panic(err)
	}
	return func(req *sipgo.Request) []string {
		if req.Method != sipgo.REGISTER {
			return []string{"200 OK"}
		}
		if _, err := server.Verify(req, false); err != nil {
			h := server.Challenge(false, false)[0]
			return []string{"401 Unauthorized\r\n" + h.Name() + ": " + h.Value()}
		}
		return []string{fmt.Sprintf("200 OK\r\nExpires: %d", expires)}
	}
}

type passwords map[string]string

func (p passwords) Lookup(user string) (string, bool) {
	word, ok := p[user]
	return word, ok
}

// TestTrunkRegisters: with digest, again in time, at the next target when the first is
// gone, and removed in the end.
func TestTrunkRegisters(t *testing.T) {
	first, second := newCarrier(t, registrarOf("s3cret", 1)), newCarrier(t, registrarOf("s3cret", 600))
	a := start(t, withTrunk(func(o *sip.Outbound) {
		o.Register, o.Username, o.Password, o.Retry = true, "acc", "s3cret", 10*time.Millisecond
	}, first, second))
	registration := func() sip.Registration {
		if l := a.Lines(); len(l) == 1 {
			return l[0].Registration
		}
		return sip.Registration{}
	}
	require.Eventually(t, func() bool { return registration().State == sip.Registered }, patience, time.Millisecond)
	assert.Equal(t, first.at(), registration().Target)
	list := first.got(sipgo.REGISTER)
	require.Len(t, list, 2, "challenged once")
	assert.Equal(t, *list[0].CallID(), *list[1].CallID())
	assert.Equal(t, list[0].CSeq().SeqNo+1, list[1].CSeq().SeqNo)
	assert.Equal(t, "acc", list[0].Contact().Address.User)
	assert.Equal(t, "600", list[0].GetHeader("Expires").Value())
	a.stop()
	list = first.got(sipgo.REGISTER)
	assert.Equal(t, "0", list[len(list)-1].GetHeader("Expires").Value(), "removed")
	assert.Empty(t, second.got(sipgo.REGISTER))
}

func TestRegistrationFailures(t *testing.T) {
	dead, wrong := newCarrier(t, says()), newCarrier(t, registrarOf("another", 600))
	dead.change(func(*sipgo.Request) []string { return []string{"503 Service Unavailable"} })
	a := start(t, func(c *sip.Config) {
		c.Trunks = []sip.Trunk{
			{Name: "a", Out: &sip.Outbound{Probe: -1, Register: true, Username: "acc", Password: "s3cret", Retry: 20 * time.Millisecond, Targets: []hunt.Target{{Address: dead.at()}}}},
			{Name: "b", Out: &sip.Outbound{Probe: -1, Register: true, Username: "acc", Password: "s3cret", Retry: 20 * time.Millisecond, Targets: []hunt.Target{{Address: wrong.at()}}}},
		}
	})
	state := func(name string) sip.Registration {
		for _, l := range a.Lines() {
			if l.Name == name {
				return l.Registration
			}
		}
		return sip.Registration{}
	}
	require.Eventually(t, func() bool { return state("b").State == sip.Refused && len(dead.got(sipgo.REGISTER)) >= 3 }, patience, time.Millisecond)
	assert.Equal(t, sip.Failing, state("a").State)
	assert.Contains(t, state("a").Error, "503")
	require.Len(t, wrong.got(sipgo.REGISTER), 2, "a wrong password is not tried again")
	assert.True(t, state("b").Next.After(time.Now().Add(10*time.Minute)))
	dead.change(registrarOf("s3cret", 600))
	require.Eventually(t, func() bool { return state("a").State == sip.Registered }, patience, time.Millisecond)
	// A registrar that wants longer lives gets them (RFC 3261 §10.2.8).
	brief := newCarrier(t, func(req *sipgo.Request) []string {
		if req.GetHeader("Expires").Value() == "600" {
			return []string{"423 Interval Too Brief\r\nMin-Expires: 3600"}
		}
		return []string{"200 OK\r\nExpires: " + req.GetHeader("Expires").Value()}
	})
	require.NoError(t, a.Reload(nil, []sip.Trunk{{Name: "c", Out: &sip.Outbound{Probe: -1, Register: true, Username: "acc", Targets: []hunt.Target{{Address: brief.at()}}}}}, sip.Limits{}))
	require.Eventually(t, func() bool { return state("c").State == sip.Registered }, patience, time.Millisecond)
	assert.True(t, state("c").Expires.After(time.Now().Add(50*time.Minute)))
	require.Eventually(t, func() bool {
		list := dead.got(sipgo.REGISTER)
		return list[len(list)-1].GetHeader("Expires").Value() == "0"
	}, patience, time.Millisecond, "the trunk that is gone is not registered any more")
}

// TestCheckTrunk: targets are asked once, and an account is tried without a binding.
func TestCheckTrunk(t *testing.T) {
	right, wrong, silent := newCarrier(t, registrarOf("s3cret", 600)), newCarrier(t, registrarOf("another", 600)), newCarrier(t, nil)
	silent.change(func(*sipgo.Request) []string { return []string{"503 Service Unavailable"} })
	a := start(t, func(c *sip.Config) { c.Resolver = names{} })
	got := a.CheckTrunk(within(t), sip.Outbound{Register: true, Username: "acc", Password: "s3cret", Targets: []hunt.Target{
		{Address: right.at()}, {Address: wrong.at()}, {Address: silent.at()}, {Address: "nowhere.vn"},
	}})
	require.Len(t, got, 4)
	assert.Equal(t, sip.TargetCheck{Target: "udp " + right.at()}, got[0])
	assert.Nil(t, right.got(sipgo.REGISTER)[1].Contact(), "nothing is bound")
	assert.ErrorIs(t, got[1].Account, digest.ErrWrongPassword)
	assert.ErrorContains(t, got[2].Err, "503")
	assert.ErrorContains(t, got[3].Err, "no such host")
}

// TestTrunkOverTLS: a target by TLS is verified by its name, and media is encrypted
// where the trunk says so.
func TestTrunkOverTLS(t *testing.T) {
	cert, roots := certificate(t)
	carrier := start(t, func(c *sip.Config) {
		c.Listen = append(c.Listen, sip.Listener{Transport: "tls", Address: "127.0.0.1:0"})
		c.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
	})
	at := carrier.address("tls")
	a := start(t, func(c *sip.Config) {
		c.DialTLS = &tls.Config{RootCAs: roots}
		c.Trunks = []sip.Trunk{{Name: "vnpt", Out: &sip.Outbound{Probe: 50 * time.Millisecond, Targets: []hunt.Target{{Address: at.String(), Transport: "tls"}}}}}
	})
	require.Eventually(t, func() bool { return len(a.Lines()[0].Targets) == 1 && a.Lines()[0].Targets[0].RTT > 0 }, patience, time.Millisecond)
	leg := over(t, a, call.Target{Address: "0912345678", Encryption: "require"})
	in := carrier.next()
	assert.Equal(t, "tls", in.Info().Remote.Transport)
	require.NoError(t, in.Accept(within(t), phone))
	await(t, leg, call.Connected)
	assert.Equal(t, "srtp", leg.Info().Encryption)
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
	for range in.Events() {
		continue
	}
}
