package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomgate/roomgate/directory/postgrestest"
)

// otherSIP and otherHTTP are the ports of a second gateway on the host.
const (
	otherSIP  = 5070
	otherHTTP = 8180
)

// startOther runs a second gateway beside the first.
func startOther(t *testing.T, shared string) *process {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "roomgate.yaml")
	config := fmt.Sprintf(`
networks: [{cidr: 10.77.0.0/24, address: %s}]
sip: {udp: ":%[2]d", tcp: ":%[2]d", tls: {listen: off}, allow_direct: true}
h323: {ras: off, signalling: off}
http: {listen: ":%[3]d", tls: {listen: off}}
rtp: {ports: 31000-31999}
sfu: {ports: {signalling: 7980, tcp: 7981, udp: 7982}}
admin: {api_key: %[4]s}
data_dir: %[5]s
`, gatewayIP, otherSIP, otherHTTP, apiKey, filepath.Join(dir, "data")) + shared
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "other", exec.Command(program(), "serve", "--config", file))
	eventually(t, 20*time.Second, "the other gateway is ready", func() bool {
		resp, err := http.Get(fmt.Sprintf("http://%s:%d/readyz", gatewayIP, otherHTTP))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

// TestTwoGatewaysOneDatabase: register at one, call through the other; the first is
// killed; register at the other, call again.
func TestTwoGatewaysOneDatabase(t *testing.T) {
	postgres, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	shared := fmt.Sprintf("\ndatabase: {url: %q}\nsecret_key: %q\n", postgres.URL("postgres"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	g := startGateway(t, shared)
	startOther(t, shared)
	code, answer := g.request(http.MethodPost, "/api/v1/endpoints", map[string]any{"name": "Hội trường", "username": "hall", "password": "s3cret"})
	if code != http.StatusCreated {
		t.Fatalf("%d %s", code, answer)
	}
	through := func(registered *room, hz float64) {
		t.Helper()
		caller := startRoom(t, hz, "--call", fmt.Sprintf("hall@%s:%d", gatewayIP, otherSIP), "--video", "none", "--duration", "2s")
		if r := caller.report(); !r.Connected {
			t.Errorf("through the other: %+v", r)
		}
		if r := registered.report(); !r.Connected || r.Audio.Packets == 0 {
			t.Errorf("the terminal was not called: %+v", r)
		}
	}
	// one reports whether the other shows one thing of a kind.
	one := func(kind string) bool {
		var out map[string][]any
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s:%d/api/v1/%s", gatewayIP, otherHTTP, kind), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+apiKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(&out) == nil && len(out[kind]) == 1
	}
	first := startRoom(t, 500, "--listen", "--register", "hall:s3cret@"+gatewayIP, "--video", "none")
	eventually(t, 15*time.Second, "the other knows of the terminal", func() bool { return one("endpoints") && one("registrations") })
	through(first, 600)

	g.kill()
	second := startRoom(t, 700, "--listen", "--register", fmt.Sprintf("hall:s3cret@%s:%d", gatewayIP, otherSIP), "--video", "none")
	eventually(t, 15*time.Second, "the terminal is registered at the other", func() bool { return one("registrations") })
	through(second, 800)
}
