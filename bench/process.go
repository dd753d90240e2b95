package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/roomgate/roomgate/bench/uac"
)

// loopback is where everything listens.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Credentials of the run; nothing outside this machine sees them.
const (
	sfuKey    = "roomgate-bench"
	sfuSecret = "a-secret-of-the-benchmark-of-32-characters"
	apiKey    = "bench-key-0123456789abcdef"
)

// accounts is how many users the gateway knows.
const accounts = 1000

func account(i int) uac.Account {
	return uac.Account{User: fmt.Sprintf("bench%04d", i%accounts), Password: "secret"}
}

// gateway is a running `roomgate serve` and the SFU below it.
type gateway struct {
	cmd     *exec.Cmd
	dir     string
	sip     netip.AddrPort
	ras     netip.AddrPort // of setups with h323
	h323    netip.AddrPort // where calls go; invalid where they go by SIP
	sfuURL  string
	metrics string
	sfu     process // the embedded SFU, a child of the gateway
	self    process
	log     bytes.Buffer // read after the end only
	done    chan struct{}
}

// setup is what scenarios change about the gateway.
type setup struct {
	phoneAudio string
	env        []string
	maxCalls   int
	h323       bool // with a gatekeeper
	callH323   bool // calls go by H.323
}

// answer names what the set-up of a call is measured by.
func (g *gateway) answer() string {
	if g.h323.IsValid() {
		return "SETUP -> CONNECT"
	}
	return "INVITE with digest -> 200"
}

// startGateway runs the program on free ports of the loopback.
func (r *run) startGateway(ctx context.Context, s setup) (*gateway, error) {
	dir, err := os.MkdirTemp("", "roomgate-bench-")
	if err != nil {
		return nil, err
	}
	g := &gateway{dir: dir}
	web, err := g.configure(s)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	g.cmd = exec.Command(r.in.Binary, "serve", "--config", filepath.Join(dir, "roomgate.yaml"))
	g.cmd.Dir, g.cmd.Stdout, g.cmd.Stderr = dir, &g.log, &g.log
	g.cmd.Env = append(os.Environ(), s.env...)
	if g.done, err = spawn(g.cmd); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	g.self, g.metrics = process(g.cmd.Process.Pid), "http://"+web.String()+"/metrics"
	if err := g.ready(ctx, "http://"+web.String()+"/readyz"); err != nil {
		g.stop()
		return nil, fmt.Errorf("%w\n%s", err, g.log.String())
	}
	return g, nil
}

// configure writes the configuration file.
func (g *gateway) configure(s setup) (web netip.AddrPort, err error) {
	var ports [6]netip.AddrPort
	for i, network := range []string{"udp", "tcp", "tcp", "udp", "tcp", "udp"} {
		if ports[i], err = freePort(network); err != nil {
			return web, err
		}
	}
	g.sip, web, g.sfuURL = ports[0], ports[1], "ws://"+ports[2].String()
	h323 := "{ras: off, signalling: off}"
	if s.h323 {
		g.ras = ports[5]
		h323 = fmt.Sprintf(`{ras: ["%s"], signalling: ["%s"], gatekeeper: {discovery: false}}`, g.ras, ports[4])
	}
	if s.callH323 {
		g.h323 = ports[4]
		h323 = fmt.Sprintf(`{ras: off, signalling: ["%s"]}`, g.h323)
	}
	if s.phoneAudio == "" {
		s.phoneAudio = "opus"
	}
	if s.maxCalls == 0 {
		s.maxCalls = 1000
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `listen: {address: 127.0.0.1}
networks: [{cidr: 127.0.0.0/8, address: 127.0.0.1}]
sip: {udp: ["%s"], tcp: off, tls: {listen: off}, allow_direct: false}
h323: %s
rtp: {ports: 20000-29999, encryption: off}
sfu: {embedded: true, api_key: %s, api_secret: %s, phone_audio: %s, ports: {signalling: %d, udp: %d, tcp: 0}}
http: {listen: ["%s"], tls: {listen: off}}
meetings: {auto_create: true}
limits: {max_calls: %d}
admin: {api_key: %s}
data_dir: %s
drain_timeout: 1s
log: {level: warn, format: json}
accounts:
`, g.sip, h323, sfuKey, sfuSecret, s.phoneAudio, ports[2].Port(), ports[3].Port(), web, s.maxCalls, apiKey, filepath.Join(g.dir, "data"))
	for i := range accounts {
		a := account(i)
		fmt.Fprintf(&b, "  - {username: %s, password: %s}\n", a.User, a.Password)
	}
	return web, os.WriteFile(filepath.Join(g.dir, "roomgate.yaml"), b.Bytes(), 0o600)
}

func freePort(network string) (netip.AddrPort, error) {
	at := netip.AddrPortFrom(loopback, 0)
	if network == "udp" {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return at, err
		}
		defer func() { _ = c.Close() }()
		return c.LocalAddr().(*net.UDPAddr).AddrPort(), nil
	}
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return at, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).AddrPort(), nil
}

// ready waits until the gateway serves and its SFU is known.
func (g *gateway) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := http.Get(url); err == nil {
			_ = resp.Body.Close()
			if g.sfu = g.self.child(); resp.StatusCode == http.StatusOK && g.sfu != 0 {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-g.done:
			return errors.New("the gateway ended at its start")
		case <-ctx.Done():
			return errors.New("the gateway is not ready")
		}
	}
}

// stop ends the gateway, at once when it takes long, and waits.
func (g *gateway) stop() {
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.done:
	case <-time.After(15 * time.Second):
		_ = g.cmd.Process.Kill()
		<-g.done
	}
	_ = os.RemoveAll(g.dir)
}

// complaints are the different messages the gateway logged, once it has ended.
func (g *gateway) complaints() []string {
	seen := map[string]bool{}
	var list []string
	for line := range strings.Lines(g.log.String()) {
		_, rest, _ := strings.Cut(line, `"msg":"`)
		text, _, _ := strings.Cut(rest, `"`)
		if text != "" && !seen[text] && len(list) < 5 {
			seen[text] = true
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list
}

// allocations is how many objects the gateway has allocated so far, by its
// metrics; 0 when they do not say.
func (g *gateway) allocations(ctx context.Context) float64 {
	return metric(g.scrape(ctx), "go_memstats_mallocs_total")
}

// metric is the value of one without labels; 0 when it is not there.
func metric(text, name string) float64 {
	_, rest, _ := strings.Cut(text, "\n"+name+" ")
	number, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseFloat(number, 64)
	return n
}

// scrape is what the metrics of the gateway say, "" when they cannot be had.
func (g *gateway) scrape(ctx context.Context) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.metrics, nil)
	if err != nil {
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}
