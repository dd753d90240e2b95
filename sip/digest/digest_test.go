package digest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// TestResponseVectors: the examples of RFC 7616 §3.9.1 and RFC 2617 §3.5.
func TestResponseVectors(t *testing.T) {
	const nonce, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	http := answer{
		username: "Mufasa", realm: "http-auth@example.org", nonce: nonce, nc: "00000001", cnonce: cnonce,
		qop: "auth", method: "GET", uri: "/dir/index.html",
	}
	md5, sha := http, http
	md5.algorithm, sha.algorithm = MD5, SHA256
	require.Equal(t, "8ca523f5e9506fed4657c9700eebdbec", md5.response("Circle of Life"))
	require.Equal(t, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", sha.response("Circle of Life"))
	old := answer{
		algorithm: MD5, username: "Mufasa", realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
		nc: "00000001", cnonce: "0a4f113b", qop: "auth", method: "GET", uri: "/dir/index.html",
	}
	require.Equal(t, "6629fae49393a05397450978507c4ef1", old.response("Circle Of Life"))
	old.qop = ""
	require.Equal(t, "670fd8c2df070c60b045671b8b24ff02", old.response("Circle Of Life"))
}

type users map[string]string

func (u users) Lookup(name string) (string, bool) { p, ok := u[name]; return p, ok }

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newServer(t testing.TB, c ServerConfig) (*Server, *clock) {
	t.Helper()
	clk := &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	c.Realm, c.Credentials, c.Now = "example.com", users{"bob": "zanzibar", "odd\"name": ""}, clk.Now
	s, err := NewServer(c)
	require.NoError(t, err)
	return s, clk
}

func request(method sip.RequestMethod) *sip.Request {
	req := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: "demo", Host: "example.com"})
	req.SetBody([]byte("v=0\r\n"))
	return req
}

// challenge is the server's answer to a request.
func challengeOf(s *Server, proxy, stale bool) *sip.Response {
	status := 401
	if proxy {
		status = 407
	}
	res := sip.NewResponse(status, "Unauthorized")
	for _, h := range s.ChallengeFor(request(sip.INVITE), proxy, stale) {
		res.AppendHeader(h)
	}
	return res
}

func TestServerAndClient(t *testing.T) {
	for _, proxy := range []bool{false, true} {
		for _, algorithms := range [][]Algorithm{{SHA256, MD5}, {MD5}, {MD5, SHA512256}} {
			t.Run(fmt.Sprint(proxy, algorithms), func(t *testing.T) {
				s, _ := newServer(t, ServerConfig{Algorithms: algorithms})
				session := NewSession("bob", "zanzibar")
				req := request(sip.INVITE)
				require.NoError(t, session.Authorize(req))
				_, err := s.Verify(req, proxy)
				require.ErrorIs(t, err, ErrMissing)
				require.NoError(t, session.Challenge(challengeOf(s, proxy, false)))
				for range 5 { // the same nonce with a rising count
					req := request(sip.INVITE)
					require.NoError(t, session.Authorize(req))
					user, err := s.Verify(req, proxy)
					require.NoError(t, err)
					require.Equal(t, "bob", user)
					_, err = s.Verify(req, proxy)
					require.ErrorIs(t, err, ErrStale, "a replay")
				}
			})
		}
	}
}

func TestStrongestIsTaken(t *testing.T) {
	s, _ := newServer(t, ServerConfig{Algorithms: []Algorithm{MD5, SHA512256, SHA256}})
	session := NewSession("bob", "zanzibar")
	require.NoError(t, session.Challenge(challengeOf(s, false, false)))
	req := request(sip.REGISTER)
	require.NoError(t, session.Authorize(req))
	require.Contains(t, req.GetHeader("Authorization").Value(), "algorithm=SHA-512-256")
}

func TestServerRefuses(t *testing.T) {
	s, clk := newServer(t, ServerConfig{Lifetime: time.Minute})
	authorized := func(user, password string) *sip.Request {
		session := NewSession(user, password)
		require.NoError(t, session.Challenge(challengeOf(s, false, false)))
		req := request(sip.REGISTER)
		require.NoError(t, session.Authorize(req))
		return req
	}
	with := func(req *sip.Request, edit func(string) string) *sip.Request {
		value := req.GetHeader("Authorization").Value()
		req.RemoveHeader("Authorization")
		req.AppendHeader(sip.NewHeader("Authorization", edit(value)))
		return req
	}
	other := authorized("bob", "zanzibar")
	other.Recipient.User = "elsewhere"
	foreign, _ := newServer(t, ServerConfig{})
	old := authorized("bob", "zanzibar")
	cases := []struct {
		name string
		req  *sip.Request
		want error
	}{
		{"wrong password", authorized("bob", "x"), ErrRefused},
		{"unknown user", authorized("eve", "zanzibar"), ErrRefused},
		{"unknown user, no password", authorized("eve", ""), ErrRefused},
		{"other target", other, ErrMismatch},
		{"other realm", with(authorized("bob", "zanzibar"), func(v string) string {
			return strings.Replace(v, `realm="example.com"`, `realm="else"`, 1)
		}), ErrMissing},
		{"basic", with(old.Clone(), func(string) string { return "Basic Ym9iOnphbnppYmFy" }), ErrMissing},
		{"cut", with(old.Clone(), func(v string) string { return v[:40] }), ErrMalformed},
		{"no count", with(old.Clone(), func(v string) string { return strings.Replace(v, "nc=00000001", "nc=0", 1) }), ErrMalformed},
		{"auth-int was not offered", with(old.Clone(), func(v string) string { return strings.Replace(v, "qop=auth", "qop=auth-int", 1) }), ErrMalformed},
		{"sess", with(old.Clone(), func(v string) string { return strings.Replace(v, "SHA-256", "SHA-256-sess", 1) }), ErrMissing},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Verify(c.req, false)
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err := foreign.Verify(authorized("bob", "zanzibar"), false)
	require.ErrorIs(t, err, ErrStale, "a nonce of another server, with the right password")
	clk.now = clk.now.Add(2 * time.Minute)
	user, err := s.Verify(old, false)
	require.ErrorIs(t, err, ErrStale)
	require.Equal(t, "bob", user)
}

// TestWithoutQop: clients of RFC 2617 may not know qop; their nonce is good
// for one request.
func TestWithoutQop(t *testing.T) {
	s, _ := newServer(t, ServerConfig{Algorithms: []Algorithm{MD5}})
	res := sip.NewResponse(401, "Unauthorized")
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", strings.Replace(s.Challenge(false, false)[0].Value(), `, qop="auth"`, "", 1)))
	session := NewSession("bob", "zanzibar")
	require.NoError(t, session.Challenge(res))
	first, second := request(sip.REGISTER), request(sip.REGISTER)
	require.NoError(t, session.Authorize(first))
	require.NotContains(t, first.GetHeader("Authorization").Value(), "qop")
	_, err := s.Verify(first, false)
	require.NoError(t, err)
	require.NoError(t, session.Authorize(second))
	_, err = s.Verify(second, false)
	require.ErrorIs(t, err, ErrStale)
	require.NoError(t, session.Challenge(challengeOf(s, false, true)), "stale is no wrong password")
}

// TestOffers: who breaks at SHA-256 is offered MD5 alone, everyone else both.
func TestOffers(t *testing.T) {
	s, _ := newServer(t, ServerConfig{})
	for ua, want := range map[string]int{"baresip v1.0.0 (x86_64/linux)": 1, "baresip v3.1.0 (x86_64/linux)": 2, "": 2, "TANDBERG/4": 2} {
		req := request(sip.REGISTER)
		if ua != "" {
			req.AppendHeader(sip.NewHeader("User-Agent", ua))
		}
		offers := s.ChallengeFor(req, false, true)
		require.Len(t, offers, want, ua)
		require.Contains(t, offers[0].Value(), "algorithm=MD5")
		require.Contains(t, offers[0].Value(), "stale=true")
	}
	require.Len(t, s.Challenge(true, false), 1)
	strict, _ := newServer(t, ServerConfig{Algorithms: []Algorithm{SHA256}})
	require.Contains(t, strict.Challenge(false, false)[0].Value(), "algorithm=SHA-256", "nothing is offered that was not configured")
}

func TestClientGivesUp(t *testing.T) {
	s, _ := newServer(t, ServerConfig{})
	session := NewSession("bob", "wrong")
	require.NoError(t, session.Challenge(challengeOf(s, false, false)))
	require.NoError(t, session.Authorize(request(sip.REGISTER)))
	require.ErrorIs(t, session.Challenge(challengeOf(s, false, false)), ErrWrongPassword)

	for _, unusable := range []string{
		`Basic realm="x"`, `Digest realm="x"`, `Digest realm="x", nonce="n", algorithm=WHIRLPOOL`,
		`Digest realm="x", nonce="n", qop="token"`, `Digest realm="x`, "",
	} {
		res := sip.NewResponse(401, "Unauthorized")
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", unusable))
		require.ErrorIs(t, NewSession("a", "b").Challenge(res), ErrUnsupported, unusable)
	}
}

func TestClientAnswers(t *testing.T) {
	res := sip.NewResponse(401, "Unauthorized")
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", `Digest realm="a \"b\"", nonce="n1", opaque="o", qop="auth-int", algorithm=md5`))
	session := NewSession(`x"y`, "p")
	require.NoError(t, session.Challenge(res))
	req := request(sip.INVITE)
	require.NoError(t, session.Authorize(req))
	p, ok, err := parse(req.GetHeader("Authorization").Value())
	require.True(t, ok)
	require.NoError(t, err)
	want := answer{
		algorithm: MD5, username: `x"y`, realm: `a "b"`, nonce: "n1", nc: "00000001", cnonce: p["cnonce"],
		qop: "auth-int", method: "INVITE", uri: "sip:demo@example.com", bodyHash: MD5.hash("v=0\r\n"),
	}.response("p")
	require.Equal(t, want, p["response"])
	require.Equal(t, "o", p["opaque"])
	require.Equal(t, `x"y`, p["username"])

	info := sip.NewResponse(200, "OK")
	info.AppendHeader(sip.NewHeader("Authentication-Info", `nextnonce="n2"`))
	session.Accepted(info)
	require.NoError(t, session.Authorize(req))
	require.Len(t, req.GetHeaders("Authorization"), 1, "the old answer is replaced")
	p, _, _ = parse(req.GetHeader("Authorization").Value())
	require.Equal(t, "n2", p["nonce"])
	require.Equal(t, "00000001", p["nc"])
}

func TestCountsOutOfOrder(t *testing.T) {
	l := newLedger(2)
	now := time.Now()
	m := newMint()
	n := func(at time.Time) id { i, ok := m.recognise(m.issue(at)); require.True(t, ok); return i }
	a := n(now)
	for _, step := range []struct {
		nc   uint32
		want bool
	}{{1, true}, {3, true}, {2, true}, {2, false}, {3, false}, {100, true}, {36, false}, {37, true}, {37, false}, {200, true}, {100, false}} {
		require.Equal(t, step.want, l.spend(a, step.nc), step.nc)
	}
	// More nonces than the ledger holds: none of the forgotten is good again.
	b, c := n(now.Add(time.Second)), n(now.Add(2*time.Second))
	require.True(t, l.spend(b, 1))
	require.True(t, l.spend(c, 1))
	require.Len(t, l.used, 2)
	require.False(t, l.spend(a, 201))
	require.False(t, l.spend(n(now.Add(-time.Second)), 1), "nor any that is older")
	require.True(t, l.spend(n(now.Add(3*time.Second)), 1))
}

func TestForgedNonce(t *testing.T) {
	m := newMint()
	nonce := []byte(m.issue(time.Now()))
	for i := range nonce[:len(nonce)-1] {
		forged := append([]byte(nil), nonce...)
		forged[i] ^= 1
		_, ok := m.recognise(string(forged))
		require.False(t, ok, i)
	}
}

// TestEveryPrefixIsRefused: cut credentials prove nothing.
func TestEveryPrefixIsRefused(t *testing.T) {
	s, _ := newServer(t, ServerConfig{})
	session := NewSession("bob", "zanzibar")
	require.NoError(t, session.Challenge(challengeOf(s, false, false)))
	req := request(sip.REGISTER)
	require.NoError(t, session.Authorize(req))
	whole := req.GetHeader("Authorization").Value()
	for i := range strings.Index(whole, "cnonce=") {
		req := request(sip.REGISTER)
		req.AppendHeader(sip.NewHeader("Authorization", whole[:i]))
		_, err := s.Verify(req, false)
		require.Error(t, err, whole[:i])
		require.NotErrorIs(t, err, ErrStale)
	}
}

func TestNewServerChecks(t *testing.T) {
	_, err := NewServer(ServerConfig{})
	require.Error(t, err)
	_, err = NewServer(ServerConfig{Realm: "r", Credentials: users{}, Algorithms: []Algorithm{"SHA-1"}})
	require.ErrorContains(t, err, "SHA-1")
}

func FuzzParse(f *testing.F) {
	s, _ := newServer(f, ServerConfig{})
	for _, seed := range []string{
		`Digest username="bob", realm="example.com", nonce="n", uri="sip:demo@example.com", response="0"`,
		`Digest realm="a \"b\"",nonce=n , qop="auth,auth-int",stale=TRUE`, `Digest ,,a=b`, `Basic x`, `Digest a="`, `Digest a="\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, ok, err := parse(value)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
		if ok && err == nil {
			for name, v := range p { // what was read can be written and read again
				again, _, err := parse("Digest " + name + "=" + quote(v))
				if err == nil && again[name] != v {
					t.Fatalf("%q became %q", v, again[name])
				}
			}
		}
		readChallenge(value)
		req := request(sip.REGISTER)
		req.AppendHeader(sip.NewHeader("Authorization", value))
		if user, err := s.Verify(req, false); err == nil {
			t.Fatalf("%q was let in as %q", value, user)
		}
	})
}
