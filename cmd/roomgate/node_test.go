package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/terminal"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

const testKey = "cmd-test-key-0123456789"

// running is a whole gateway inside the test, on free ports of loopback. Its
// meeting server only says that it lives: calls must do without.
type running struct {
	t       *testing.T
	n       *node
	file    string
	base    string // of the configuration
	signals chan os.Signal
	done    chan error
	client  *http.Client
}

func serve(t *testing.T, more string) *running {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "ROOMGATE_") {
			t.Setenv(name, "")
		}
	}
	sfu := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Error(w, "not now", http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(sfu.Close)
	dir := t.TempDir()
	r := &running{t: t, file: filepath.Join(dir, "roomgate.yaml"), signals: make(chan os.Signal, 4), done: make(chan error, 1)}
	r.base = fmt.Sprintf(`
sip: {udp: "127.0.0.1:0", tcp: "127.0.0.1:0", tls: {listen: "127.0.0.1:0"}}
http: {listen: "127.0.0.1:0", tls: {listen: "127.0.0.1:0"}}
rtp: {ports: 41000-41999}
sfu: {embedded: false, url: %q, api_key: key, api_secret: a-secret-that-is-long-enough-to-sign}
meetings: {auto_create: true}
admin: {api_key: %s}
log: {level: debug}
data_dir: %s
`, sfu.URL, testKey, filepath.Join(dir, "data"))
	if !strings.Contains(more, "h323:") {
		r.base += "h323: {ras: off, signalling: off}\n"
	}
	r.write(more)
	r.start()
	return r
}

// again starts the gateway anew that has ended, on the same data.
func (r *running) again() *running {
	next := &running{t: r.t, file: r.file, base: r.base, signals: make(chan os.Signal, 4), done: make(chan error, 1)}
	next.start()
	return next
}

func (r *running) start() {
	t := r.t
	c, err := config.Load(r.file)
	require.NoError(t, err)
	r.n, err = newNode(t.Context(), c, r.file, zaptest.NewTestingWriter(t))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(r.n.webTLS.Current().Leaf)
	r.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.done <- r.n.run(ctx, r.signals) }()
	t.Cleanup(func() {
		cancel()
		<-r.done
		r.client.CloseIdleConnections()
	})
}

func (r *running) write(more string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(r.file, []byte(r.base+more), 0o600))
}

// ended waits for run to return.
func (r *running) ended(within time.Duration) {
	r.t.Helper()
	select {
	case err := <-r.done:
		assert.NoError(r.t, err)
		r.done <- err
	case <-time.After(within):
		r.t.Fatalf("still running after %s", within)
	}
}

func (r *running) get(https bool, path string) (int, string) {
	r.t.Helper()
	scheme, listener := "http", r.n.web.listeners[0]
	if https {
		scheme, listener = "https", r.n.web.listeners[1]
	}
	req, err := http.NewRequest(http.MethodGet, scheme+"://"+listener.Addr().String()+path, nil)
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := r.client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

func (r *running) status() api.Status {
	r.t.Helper()
	code, body := r.get(false, "/api/v1/status")
	require.Equal(r.t, http.StatusOK, code, body)
	var s api.Status
	require.NoError(r.t, json.Unmarshal([]byte(body), &s))
	return s
}

// reloads waits for a number of reloads, good and bad.
func (r *running) reloads(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		o := r.n.live.Outcome()
		return o.Reloads+o.Failures >= n
	}, 20*time.Second, 10*time.Millisecond)
}

// call places a call that lasts until its context ends, and waits for the
// answer.
func (r *running) call(ctx context.Context, alias string) (ended <-chan terminal.Report) {
	r.t.Helper()
	connected, out := make(chan struct{}), make(chan terminal.Report, 1)
	go func() {
		report, err := terminal.Run(ctx, terminal.Options{
			Protocol: "sip", Call: alias + "@" + r.n.sip.Addresses()[0].String(), Address: "127.0.0.1",
			AudioOnly: true, Connected: func() { close(connected) },
		})
		assert.NoError(r.t, err)
		out <- report
	}()
	select {
	case <-connected:
	case report := <-out:
		r.t.Fatalf("not connected: %+v", report)
	case <-time.After(20 * time.Second):
		r.t.Fatal("not connected")
	}
	return out
}

func TestServe(t *testing.T) {
	r := serve(t, "")
	code, body := r.get(false, "/readyz")
	assert.Equal(t, http.StatusOK, code, body)
	code, _ = r.get(true, "/healthz")
	assert.Equal(t, http.StatusOK, code, "the self-signed certificate is good for 127.0.0.1")
	assert.Equal(t, "up", r.status().SFU)
	code, body = r.get(false, "/metrics")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, "roomgate_sfu_up 1")
	r.signals <- syscall.SIGTERM
	r.ended(20 * time.Second)
}

func TestReloadWhileServing(t *testing.T) {
	r := serve(t, "limits: {max_calls: 5}\n")
	assert.Equal(t, 5, r.status().MaxCalls)

	r.write("limits: {max_calls: 6}\ndial_rules: [{prefix: '0', reject: busy}]\ndrain_timeout: 3s\n")
	r.signals <- syscall.SIGHUP
	r.reloads(1)
	assert.Equal(t, 6, r.status().MaxCalls)
	assert.NotNil(t, r.status().Config.ReloadedAt)

	r.write("limits: {max_calls: many}\n")
	r.reloads(2) // the file is followed
	s := r.status()
	assert.Equal(t, 6, s.MaxCalls, "the former configuration stays")
	assert.Contains(t, s.Config.Error, `limits.max_calls: "many" is not a whole number`)

	r.write("limits: {max_calls: 7}\nnetworks: [{cidr: 0.0.0.0/0, address: 127.0.0.1}]\n")
	r.reloads(3)
	s = r.status()
	assert.Equal(t, 7, s.MaxCalls)
	assert.Empty(t, s.Config.Error)
	assert.Equal(t, []string{"networks"}, s.Config.NeedRestart)
	r.signals <- syscall.SIGTERM
	r.ended(20 * time.Second)
}

// TestReloadCertificates changes the certificate under a running gateway.
func TestReloadCertificates(t *testing.T) {
	r := serve(t, "")
	before := r.n.webTLS.Current().Leaf.SerialNumber
	other := serve(t, "") // has a certificate of its own
	file := filepath.Join(filepath.Dir(other.file), "data", "self-signed.pem")
	r.base = strings.Replace(r.base, `tls: {listen: "127.0.0.1:0"}}
rtp`, fmt.Sprintf(`tls: {listen: "127.0.0.1:0", cert: %s, key: %s}}
rtp`, file, file), 1)
	r.write("")
	r.reloads(1)
	assert.NoError(t, r.n.live.Outcome().Err)
	assert.Equal(t, other.n.webTLS.Current().Leaf.SerialNumber, r.n.webTLS.Current().Leaf.SerialNumber)
	assert.Equal(t, before, r.n.sipTLS.Current().Leaf.SerialNumber, "SIP keeps its own")

	r.write("log: {level: info}\n") // given twice
	r.reloads(2)
	assert.Error(t, r.n.live.Outcome().Err)
}

func TestDrainWaitsForCalls(t *testing.T) {
	r := serve(t, "drain_timeout: 1m\n")
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	ended := r.call(ctx, "demo")
	assert.Equal(t, 1, r.status().Calls)

	r.signals <- syscall.SIGTERM
	require.Eventually(t, func() bool { code, _ := r.get(false, "/readyz"); return code == http.StatusServiceUnavailable }, 10*time.Second, 10*time.Millisecond)
	report, err := terminal.Run(t.Context(), terminal.Options{
		Protocol: "sip", Call: "demo@" + r.n.sip.Addresses()[0].String(), Address: "127.0.0.1", AudioOnly: true, Duration: time.Second,
	})
	assert.False(t, report.Connected, "no new calls: %v", err)
	assert.Equal(t, 1, r.status().Calls, "the call goes on")

	hangUp()
	assert.True(t, (<-ended).Connected)
	r.ended(20 * time.Second)
}

func TestDrainEndsCallsAfterTheTimeout(t *testing.T) {
	r := serve(t, "drain_timeout: 200ms\n")
	ended := r.call(t.Context(), "demo")
	r.signals <- syscall.SIGTERM
	assert.True(t, (<-ended).Connected, "ended by a BYE")
	r.ended(20 * time.Second)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := serve(t, "drain_timeout: 10m\n")
	ended := r.call(t.Context(), "demo")
	r.signals <- syscall.SIGTERM
	require.Eventually(t, r.n.gateway.Draining, 10*time.Second, 10*time.Millisecond)
	r.signals <- syscall.SIGINT
	<-ended
	r.ended(20 * time.Second)
}
