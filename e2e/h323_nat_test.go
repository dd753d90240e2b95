package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// wanIP is the gateway's address towards the router of hidden terminals, who have no
// address that it could reach.
const wanIP = "203.0.113.1"

// hide makes a namespace behind a router that translates addresses to random ports and
// lets nothing in that was not asked for.
func hide(t *testing.T) (namespace string) {
	t.Helper()
	name := func(role string) string { return fmt.Sprintf("roomgate-%s-%d", role, os.Getpid()) }
	router, hidden := name("router"), name("hidden")
	rules := `
table ip translate {
	chain out { type nat hook postrouting priority srcnat; oifname "outside" masquerade random; }
	chain through {
		type filter hook forward priority filter; policy drop;
		iifname "inside" accept
		ct state established,related accept
	}
}`
	for _, line := range []string{
		"ip netns add " + router,
		"ip netns add " + hidden,
		"ip link add wan0 type veth peer name outside netns " + router,
		"ip link set wan0 up",
		"ip addr add " + wanIP + "/24 dev wan0",
		"ip -n " + router + " link set outside up",
		"ip -n " + router + " addr add 203.0.113.254/24 dev outside",
		"ip link add eth0 netns " + hidden + " type veth peer name inside netns " + router,
		"ip -n " + router + " link set inside up",
		"ip -n " + router + " addr add 10.88.0.1/24 dev inside",
		"ip -n " + hidden + " link set lo up",
		"ip -n " + hidden + " link set eth0 up",
		"ip -n " + hidden + " addr add 10.88.0.2/24 dev eth0",
		"ip -n " + hidden + " route add default via 10.88.0.1",
		"ip netns exec " + router + " sysctl -q -w net.ipv4.ip_forward=1",
		"ip netns exec " + router + " nft '" + rules + "'",
	} {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	t.Cleanup(func() {
		for _, ns := range []string{router, hidden} {
			_ = exec.Command("ip", "netns", "del", ns).Run()
		}
		_ = exec.Command("ip", "link", "del", "wan0").Run() // gone with its other end
	})
	return hidden
}

// startHidden runs an H.323 terminal in a namespace.
func startHidden(t *testing.T, namespace string, hz float64, args ...string) *room {
	t.Helper()
	args = append([]string{
		"netns", "exec", namespace, program(), "terminal", "--json", "--verbose", "--protocol", "h323", "--encryption", "prefer",
		"--audio", fmt.Sprintf("tone:%.0f", hz),
	}, args...)
	return &room{process: start(t, fmt.Sprintf("hidden%.0f", hz), exec.Command("ip", args...)), hz: hz, protocol: "h323"}
}

// H.323 terminals behind a translator call meetings, and are called: by H.460.18 and .17,
// with multiplexed and encrypted media.
func TestH323TerminalsBehindTranslator(t *testing.T) {
	hidden := hide(t)
	g := startGateway(t, "h323: {media_port: 2776}\nrtp: {encryption: prefer}\n")
	for i, traversal := range []string{"h460.18", "h460.17"} {
		t.Run(traversal, func(t *testing.T) {
			during(t, g.process)
			meeting := fmt.Sprintf("hidden-%d", i)
			caller := startHidden(t, hidden, float64(500+100*i), "--traversal", traversal,
				"--register", "room-a:secret-a@"+wanIP, "--call", meeting)
			listener := startHidden(t, hidden, float64(1500+100*i), "--traversal", traversal, "--audio-only",
				"--register", "room-b:secret-b@"+wanIP, "--listen")
			eventually(t, 20*time.Second, "both are registered", func() bool {
				all, err := g.api().Registrations(t.Context())
				return err == nil && len(all) == 2
			})
			code, body := g.request(http.MethodPost, "/api/v1/calls", map[string]string{"target": "h323:room-b", "meeting": meeting})
			if code != http.StatusCreated {
				t.Fatalf("call: %d %s", code, body)
			}
			g.flows(t, meeting, 2, false)
			for _, c := range g.calls() {
				if !strings.HasPrefix(c.Remote.Address, "203.0.113.254:") || c.Encryption != "h235" {
					t.Errorf("call of %s, encryption %q", c.Remote.Address, c.Encryption)
				}
			}
			caller.heard(listener.hz, "G722", "h235", 0, 0)
			listener.heard(caller.hz, "G722", "h235", 0, 0)
			g.noCalls()
		})
	}
}
