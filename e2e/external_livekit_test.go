package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where the LiveKit servers and Redis of a test listen.
const (
	redisPort       = 6390
	livekitPort     = 7980 // signalling of the first node; media follows
	livekitKey      = "e2e-livekit"
	livekitSecret   = "0123456789abcdef0123456789abcdef"
	livekitStepping = 10 // between the ports of two nodes
)

// livekit is an SFU of its own, not embedded.
type livekit struct {
	*process
	t    *testing.T
	n    int
	file string
}

// startRedis runs a Redis that keeps nothing.
func startRedis(t *testing.T) {
	t.Helper()
	start(t, "redis", exec.Command("redis-server", "--port", fmt.Sprint(redisPort), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()))
	eventually(t, 10*time.Second, "Redis answers", func() bool {
		out, err := exec.Command("redis-cli", "-p", fmt.Sprint(redisPort), "ping").Output()
		return err == nil && strings.TrimSpace(string(out)) == "PONG"
	})
}

// startLiveKit runs the n-th LiveKit server of a cluster.
func startLiveKit(t *testing.T, n int) *livekit { return startLiveKitOf(t, n, "h264") }

// startLiveKitOf runs one whose rooms take one codec of pictures.
func startLiveKitOf(t *testing.T, n int, codec string) *livekit {
	t.Helper()
	dir := t.TempDir()
	l := &livekit{t: t, n: n, file: filepath.Join(dir, "livekit.yaml")}
	writeFiles(t, dir, map[string]string{"livekit.yaml": fmt.Sprintf(`
port: %d
bind_addresses: [%s]
rtc: {tcp_port: %d, udp_port: %d, use_external_ip: false, node_ip: %s, enable_loopback_candidate: false, stun_servers: []}
redis: {address: 127.0.0.1:%d}
keys: {%s: %s}
room:
  enabled_codecs: [{mime: audio/opus}, {mime: audio/PCMU}, {mime: audio/PCMA}, {mime: video/%s}]
logging: {level: info}
`, l.port(), gatewayIP, l.port()+1, l.port()+2, gatewayIP, redisPort, livekitKey, livekitSecret, codec)})
	l.launch()
	return l
}

func (l *livekit) port() int { return livekitPort + livekitStepping*l.n }

func (l *livekit) url() string { return fmt.Sprintf("ws://%s:%d", gatewayIP, l.port()) }

// launch starts the server, also again after its end.
func (l *livekit) launch() {
	l.t.Helper()
	path, err := filepath.Abs("../bin/livekit-server")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		l.t.Fatal("build LiveKit first (make e2e): ", err)
	}
	l.process = start(l.t, fmt.Sprintf("livekit%d", l.n), exec.Command(path, "--config", l.file))
	l.t.Cleanup(l.process.kill) // it would wait for its participants
	eventually(l.t, 20*time.Second, "LiveKit answers", func() bool {
		resp, err := http.Get(strings.Replace(l.url(), "ws:", "http:", 1))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// external is the configuration of a gateway that uses the server.
func (l *livekit) external() string {
	return fmt.Sprintf("sfu: {embedded: false, url: %q, api_key: %s, api_secret: %s}\n", l.url(), livekitKey, livekitSecret)
}

// A LiveKit server with Redis, elsewhere, takes the place of the embedded one:
// it crashes, and so does the gateway.
func TestExternalLiveKit(t *testing.T) {
	startRedis(t)
	server := startLiveKit(t, 0)
	g := startGateway(t, server.external())
	if children := g.sfuChildren(); len(children) != 0 {
		t.Errorf("the gateway has children %v, and needs no SFU of its own", children)
	}
	o := beginOutage(t, g)
	o.survives(server.kill, server.launch)

	g.kill()
	o.web.click("leave")
	o.terminal.stop()
	o.phone.stop()
	g.launch()
	terminal := startBaresip(t, peerOptions{hz: 500, codecs: "opus"})
	terminal.dial("sip:demo@" + gatewayIP)
	terminal.established()
	eventually(t, 60*time.Second, "nobody of before the crash is left in the meeting", func() bool {
		ids := g.identities("demo")
		return len(ids) == 1 && strings.HasPrefix(ids[0], "leg-")
	})
	terminal.hangup()
	g.noCalls()
}

// Two LiveKit nodes share a meeting through Redis: the gateway is at one, the
// browser at the other.
func TestTwoLiveKitNodes(t *testing.T) {
	startRedis(t)
	here, there := startLiveKit(t, 0), startLiveKit(t, 1)
	g := startGateway(t, here.external())
	web := openBrowser(t, browserOptions{wav: toneFile(t, 1200), flags: []string{"allow-running-insecure-content"}})
	web.visit("demo")
	eval[bool](web, fmt.Sprintf(`(() => {
		const real = window.fetch;
		window.fetch = async (...args) => {
			const answer = await real(...args);
			if (!String(args[0]?.url ?? args[0]).includes("/tokens")) return answer;
			const body = await answer.json();
			body.url = %q;
			return new Response(JSON.stringify(body), {status: answer.status, headers: answer.headers});
		};
		return true;
	})()`, there.url()))
	web.fillIn("Lan")
	web.click("join")
	web.joined()
	terminal := startBaresip(t, peerOptions{hz: 600, video: true, size: "640x360"})
	terminal.dial("sip:demo@" + gatewayIP)
	terminal.established()
	terminal.hears(1200, 600)
	web.hears("terminal", 600)
	web.decodes("terminal")
	terminal.seesMore()
	if !strings.Contains(there.text(), "Lan") && !strings.Contains(there.text(), "demo") {
		t.Error("the second node knows nothing of the browser")
	}
	terminal.hangup()
	g.noCalls()
}
