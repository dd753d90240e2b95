package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const apiKey = "e2e-key-0123456789abcdef"

// gatewayPort numbers; the namespace is ours alone.
const (
	sipPort    = 5060
	sipTLSPort = 5061
	httpPort   = 8080
	httpsPort  = 8443
)

// gateway is a running bin/roomgate.
type gateway struct {
	*process
	t    *testing.T
	dir  string
	port int // of HTTP; 0: httpPort
}

// baseConfig is a whole configuration; tests append to it.
const baseConfig = `
listen: {address: "::"}
networks:
  - {cidr: 10.77.0.0/24, address: 10.77.0.1}
  - {cidr: "fd00:77::/64", address: "fd00:77::1"}
sip:
  domain: roomgate.test
  allow_direct: true
meetings: {auto_create: true}
admin: {api_key: ` + apiKey + `}
drain_timeout: 3s
log: {level: debug, format: json}
accounts:
  - {username: room-a, password: secret-a, aliases: ["1001"], name: "Phòng họp A"}
  - {username: room-b, password: secret-b, aliases: ["1002"], name: "Phòng họp B"}
`

// startGateway runs the program with baseConfig and more YAML after it.
func startGateway(t *testing.T, more string) *gateway {
	t.Helper()
	return startGatewayOn(t, baseConfig+more)
}

// startGatewayOn runs the program with a configuration; where its data go is
// added.
func startGatewayOn(t *testing.T, config string) *gateway {
	t.Helper()
	dir := t.TempDir()
	g := &gateway{t: t, dir: dir}
	g.write(config + "\ndata_dir: " + filepath.Join(dir, "data") + "\n")
	g.launch()
	return g
}

func (g *gateway) configFile() string { return filepath.Join(g.dir, "roomgate.yaml") }

func (g *gateway) write(config string) {
	g.t.Helper()
	if err := os.WriteFile(g.configFile(), []byte(config), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) launch() {
	g.t.Helper()
	cmd := exec.Command(program(), "serve", "--config", g.configFile())
	cmd.Dir = g.dir
	g.process = start(g.t, "roomgate", cmd)
	eventually(g.t, 20*time.Second, "the gateway is ready", func() bool {
		select {
		case <-g.done:
			g.t.Fatalf("the gateway ended at the start:\n%s", g.text())
		default:
		}
		code, _ := g.get("/readyz")
		return code == http.StatusOK
	})
}

func (g *gateway) url(path string) string {
	return fmt.Sprintf("http://%s:%d%s", gatewayIP, cmp.Or(g.port, httpPort), path)
}

func (g *gateway) get(path string) (int, []byte) { return g.request(http.MethodGet, path, nil) }

// request calls the API with the key.
func (g *gateway) request(method, path string, body any) (int, []byte) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			g.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, g.url(path), in)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	out, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, out
}

// apiCall is a call as the API shows it.
type apiCall struct {
	ID         string `json:"id"`
	Meeting    string `json:"meeting"`
	Called     string `json:"called"`
	Protocol   string `json:"protocol"`
	Direction  string `json:"direction"`
	State      string `json:"state"`
	Muted      bool   `json:"muted"`
	Identity   string `json:"identity"`
	Encryption string `json:"encryption"`
	Remote     struct {
		Address   string `json:"address"`
		Transport string `json:"transport"`
		Name      string `json:"name"`
		Product   string `json:"product"`
		UserAgent string `json:"user_agent"`
	} `json:"remote"`
	Media []struct {
		Kind      string `json:"kind"`
		Direction string `json:"direction"`
		Codec     string `json:"codec"`
		Width     int    `json:"width"`
		Height    int    `json:"height"`
		Mode      string `json:"mode"`
		Packets   int    `json:"packets"`
		Lost      int    `json:"lost"`
		Pipeline  string `json:"pipeline"`
	} `json:"media"`
}

// packets counts what a call has of a kind in a direction.
func (c apiCall) packets(kind, direction string) (n int) {
	for _, m := range c.Media {
		if m.Kind == kind && m.Direction == direction {
			n += m.Packets
		}
	}
	return n
}

// into reads what a path of the API shows, if it is there.
func (g *gateway) into(path string, to any) {
	g.t.Helper()
	if code, body := g.get(path); code == http.StatusOK {
		if err := json.Unmarshal(body, to); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g *gateway) calls() []apiCall {
	g.t.Helper()
	code, body := g.get("/api/v1/calls")
	if code != http.StatusOK {
		g.t.Fatalf("GET calls: %d %s", code, body)
	}
	var out struct {
		Calls []apiCall `json:"calls"`
	}
	if err := json.Unmarshal(body, &out); err != nil {
		g.t.Fatal(err)
	}
	return out.Calls
}

// noCalls waits until every call has ended.
func (g *gateway) noCalls() {
	g.t.Helper()
	eventually(g.t, 15*time.Second, "all calls have ended", func() bool { return len(g.calls()) == 0 })
}
