package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
)

func TestHealth(t *testing.T) {
	f := &fake{}
	a := newAPI(t, f)
	assert.Equal(t, http.StatusOK, ask(a, "GET", "/readyz", "").Code)
	f.draining = true
	assert.Equal(t, http.StatusServiceUnavailable, ask(a, "GET", "/readyz", "").Code)
	assert.Equal(t, http.StatusOK, ask(a, "GET", "/healthz", "").Code)
}

func TestWhoServesWhat(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	a := newAPI(t, &fake{}, func(c *api.Config) { c.Web = pages; c.Metrics = api.NewMetrics() })
	for path, want := range map[string]string{
		"/": "page /", "/m/demo": "page /m/demo", "/assets/x.js": "page /assets/x.js",
		"/healthz": "ok", "/metrics": "go_goroutines", "/openapi.json": `"openapi":"3.1.0"`,
		"/api/v1/none": "nothing at this address", "/twirp/livekit.RoomService/ListRooms": "nothing at this address",
		"/rtc": "page /rtc", // no meeting server of ours
	} {
		assert.Contains(t, ask(a, "GET", path, "").Body.String(), want, path)
	}
	assert.Equal(t, http.StatusNotFound, ask(newAPI(t, &fake{}), "GET", "/", "").Code, "without pages")
}

func TestHeaders(t *testing.T) {
	w := ask(newAPI(t, &fake{}), "GET", "/healthz", "")
	csp := w.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "connect-src 'self' ws: wss:", "worker-src 'self' blob:", "media-src 'self' blob: mediastream:", "object-src 'none'"} {
		assert.Contains(t, csp, part)
	}
	assert.NotContains(t, csp, "script-src")
	assert.NotContains(t, csp, "unsafe-eval")
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	assert.Contains(t, w.Header().Get("Permissions-Policy"), "camera=(self)")
	assert.Equal(t, "no-store", ask(newAPI(t, &fake{}), "GET", "/api/v1/status", "", withKey).Header().Get("Cache-Control"))
}

func TestPanicIsOneRequests(t *testing.T) {
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken page") })
	a := newAPI(t, &fake{}, func(c *api.Config) { c.Web = broken })
	w := ask(a, "GET", "/", "")
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.NotContains(t, w.Body.String(), "broken page")
}

// sfuServer is a meeting server that echoes over its WebSocket.
func sfuServer(t *testing.T, seen chan<- *http.Request) *httptest.Server {
	t.Helper()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Clone(t.Context())
		if r.URL.Path != "/rtc" && r.URL.Path != "/rtc/v1" {
			_, _ = w.Write([]byte("success"))
			return
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestSFUUnderOurOrigin(t *testing.T) {
	seen := make(chan *http.Request, 10)
	behind := sfuServer(t, seen)
	target := parseURL(t, behind.URL)
	a := newAPI(t, &fake{}, func(c *api.Config) { c.SFU = func() *url.URL { return target } })
	server := httptest.NewServer(a)
	defer server.Close()

	for _, path := range []string{"/rtc?access_token=jwt", "/rtc/v1?access_token=jwt"} {
		conn, resp, err := websocket.DefaultDialer.Dial(strings.Replace(server.URL, "http", "ws", 1)+path, nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		for _, message := range []string{"one", strings.Repeat("x", 100<<10)} {
			require.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte(message)))
			_, got, err := conn.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, message, string(got))
		}
		r := <-seen
		assert.Equal(t, "jwt", r.URL.Query().Get("access_token"))
		assert.Equal(t, "127.0.0.1", r.Header.Get("X-Forwarded-For"))
		require.NoError(t, conn.Close())
	}
	assert.Equal(t, "success", ask(a, "GET", "/rtc/validate?access_token=jwt", "").Body.String())
	<-seen
	for _, path := range []string{"/twirp/livekit.RoomService/ListRooms", "/debug/pprof", "/agent"} {
		assert.Equal(t, http.StatusNotFound, ask(a, "POST", path, "{}").Code, path)
	}
	assert.Empty(t, seen, "nothing else reaches the meeting server")

	target = parseURL(t, "http://127.0.0.1:1")
	assert.Equal(t, http.StatusBadGateway, ask(a, "GET", "/rtc/validate", "").Code)
	target = nil
	assert.Equal(t, http.StatusBadGateway, ask(a, "GET", "/rtc/validate", "").Code)
	behind.CloseClientConnections()
	http.DefaultClient.CloseIdleConnections()
}
