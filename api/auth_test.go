package api_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/gateway"
)

func TestKeys(t *testing.T) {
	made := api.NewKey()
	assert.NotEqual(t, made, api.NewKey())
	text, err := api.HashKey(made).MarshalText()
	require.NoError(t, err)
	assert.NotContains(t, string(text), made)
	var hash api.KeyHash
	require.NoError(t, hash.UnmarshalText(append(text, '\n')))

	var keys api.Keys
	assert.False(t, keys.Good(""), "no key is good before the first")
	assert.False(t, keys.Good(made))
	keys.Set(hash)
	assert.True(t, keys.Good(made))
	assert.False(t, keys.Good(made+"x"))
	assert.False(t, keys.Good(""))
	for _, bad := range []string{"", "sha256:", "sha256:zz", string(text[7:]), string(text[:20])} {
		assert.Error(t, hash.UnmarshalText([]byte(bad)), bad)
	}
}

// TestEveryOperationNeedsAKey walks the whole description.
func TestEveryOperationNeedsAKey(t *testing.T) {
	a := newAPI(t, &fake{})
	doc := decode[struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}](t, ask(a, "GET", "/openapi.json", ""))
	require.Greater(t, len(doc.Paths), 10)
	source := 0
	for path, operations := range doc.Paths {
		for method, operation := range operations {
			if path == "/api/v1/meetings/{alias}/tokens" {
				assert.Len(t, operation.Security, 2, "a key, or none")
				continue
			}
			source++ // each of its own, lest wrong tickets are slowed down
			w := ask(a, upper(method), path, "{}", from(fmt.Sprintf("198.51.%d.1", source)))
			assert.Equal(t, http.StatusUnauthorized, w.Code, "%s %s", method, path)
			assert.Contains(t, w.Header().Get("WWW-Authenticate"), "Bearer")
		}
	}
}

func upper(method string) string {
	return map[string]string{"get": "GET", "post": "POST", "delete": "DELETE", "put": "PUT", "patch": "PATCH"}[method]
}

func TestWrongKeysAreSlowedDown(t *testing.T) {
	c := &clock{now}
	a := newAPI(t, &fake{}, func(cfg *api.Config) { cfg.Now = c.now })
	try := func(key, source string) int {
		return ask(a, "GET", "/api/v1/meetings", "", from(source), func(r *http.Request) { r.Header.Set("Authorization", key) }).Code
	}
	for range 10 {
		assert.Equal(t, http.StatusUnauthorized, try("Bearer wrong", "198.51.100.1"))
	}
	assert.Equal(t, http.StatusTooManyRequests, try("Bearer wrong", "198.51.100.1"))
	assert.Equal(t, http.StatusTooManyRequests, try("Bearer "+key, "198.51.100.1"), "guessing right later does not help")
	assert.Equal(t, http.StatusOK, try("Bearer "+key, "198.51.100.2"), "others are not slowed down")
	assert.Equal(t, http.StatusUnauthorized, try("Basic "+key, "198.51.100.2"))
	assert.Equal(t, http.StatusOK, try("bearer "+key, "198.51.100.2"))
	c.Time = c.Add(time.Minute)
	assert.Equal(t, http.StatusOK, try("Bearer "+key, "198.51.100.1"))

	// One IPv6 host has a whole /64 to call from.
	for i := range 11 {
		want := http.StatusUnauthorized
		if i == 10 {
			want = http.StatusTooManyRequests
		}
		source := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		assert.Equal(t, want, try("Bearer wrong", "["+source.String()+"]"))
	}
}

func TestTokens(t *testing.T) {
	type ticket struct {
		alias, name, role, pin string
		trusted                bool
	}
	var got ticket
	f := &fake{token: func(alias, name, role, pin string, trusted bool) (gateway.Token, error) {
		got = ticket{alias, name, role, pin, trusted}
		if !trusted && pin != "1234" && alias == "88001" {
			return gateway.Token{}, gateway.ErrPIN
		}
		return gateway.Token{URL: "ws://127.0.0.1:7880", Token: "jwt"}, nil
	}}
	sfu := func(c *api.Config) {
		c.SFU = func() *url.URL { return &url.URL{Scheme: "http", Host: "127.0.0.1:7880"} }
	}
	a := newAPI(t, f, sfu)
	const path = "/api/v1/meetings/88001/tokens"

	w := ask(a, "POST", "/api/v1/meetings/demo/tokens", `{"name":"An"}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.Equal(t, ticket{"demo", "An", "guest", "", false}, got)
	assert.JSONEq(t, `{"url":"ws://gw.example.org:8080","token":"jwt"}`, w.Body.String())

	w = ask(a, "POST", path, `{"name":"An"}`)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Contains(t, w.Body.String(), api.ProblemPIN)
	assert.Equal(t, http.StatusOK, ask(a, "POST", path, `{"name":"An","pin":"1234"}`).Code)
	w = ask(a, "POST", path, `{"name":"An","role":"host"}`, withKey)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, ticket{"88001", "An", "host", "", true}, got)
	assert.Equal(t, http.StatusUnauthorized, ask(a, "POST", path, `{"name":"An","pin":"1234"}`, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }).Code)

	for range 10 {
		ask(a, "POST", path, `{"name":"Eve","pin":"0000"}`, from("198.51.100.9"))
	}
	assert.Equal(t, http.StatusTooManyRequests, ask(a, "POST", path, `{"name":"Eve","pin":"1234"}`, from("198.51.100.9")).Code)

	flood := 0
	for range 100 {
		if w := ask(a, "POST", "/api/v1/meetings/demo/tokens", `{"name":"x"}`, from("198.51.100.10")); w.Code == http.StatusTooManyRequests {
			flood++
			assert.NotEmpty(t, w.Header().Get("Retry-After"))
		}
	}
	assert.Equal(t, 40, flood)

	elsewhere := newAPI(t, f)
	assert.Contains(t, ask(elsewhere, "POST", "/api/v1/meetings/demo/tokens", `{"name":"An"}`).Body.String(), "ws://127.0.0.1:7880")
}

// TestOrigin asks for a token through proxies and sees what we take for our own
// address, and for the client's.
func TestOrigin(t *testing.T) {
	f := &fake{token: func(string, string, string, string, bool) (gateway.Token, error) { return gateway.Token{}, nil }}
	trusted := func(c *api.Config) {
		c.SFU = func() *url.URL { return &url.URL{Host: "x"} }
		c.TrustedProxy = func(a netip.Addr) bool { return netip.MustParsePrefix("10.0.0.0/8").Contains(a) }
	}
	public := func(c *api.Config) { c.PublicURL = func() *url.URL { return parseURL(t, "https://meet.example.org/") } }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, tc := range []struct {
		name    string
		a       *api.API
		changes []func(*http.Request)
		want    string
	}{
		{"direct", newAPI(t, f, trusted), nil, "ws://gw.example.org:8080"},
		{"a stranger's claim", newAPI(t, f, trusted), []func(*http.Request){header("X-Forwarded-Proto", "https")}, "ws://gw.example.org:8080"},
		{"a proxy's word", newAPI(t, f, trusted), []func(*http.Request){from("10.0.0.1"), header("X-Forwarded-Proto", "https"), header("X-Forwarded-Host", "m.example.org")}, "wss://m.example.org"},
		{"configured", newAPI(t, f, trusted, public), nil, "wss://meet.example.org"},
	} {
		w := ask(tc.a, "POST", "/api/v1/meetings/demo/tokens", `{"name":"An"}`, tc.changes...)
		assert.Equal(t, tc.want, decode[api.Token](t, w).URL, tc.name)
	}

	// Behind a proxy, each client has an allowance of its own, whatever it
	// claims itself.
	a := newAPI(t, f, trusted)
	codes := map[int]int{}
	for range 70 {
		w := ask(a, "POST", "/api/v1/meetings/demo/tokens", `{"name":"An"}`, from("10.0.0.1"), header("X-Forwarded-For", "203.0.113.200, 192.0.2.50, 10.0.0.2"))
		codes[w.Code]++
	}
	assert.Equal(t, map[int]int{200: 60, 429: 10}, codes)
	w := ask(a, "POST", "/api/v1/meetings/demo/tokens", `{"name":"An"}`, from("10.0.0.1"), header("X-Forwarded-For", "203.0.113.200, 192.0.2.51"))
	assert.Equal(t, http.StatusOK, w.Code)
}
