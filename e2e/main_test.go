// Package e2e proves the product from outside: it starts the built program and
// lets software that is not ours call it, then measures sound and pictures.
//
// Everything runs inside two network namespaces joined by a cable: the test
// and the gateway in one, the peers in the other, as on hosts of their own. So
// peers that bind all addresses stay on this machine, and ports never clash
// with anything else.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Addresses of the namespace. The gateway is reached at gatewayIP (and IPv6
// gatewayIP6), other hosts send from the other ones.
const (
	gatewayIP  = "10.77.0.1"
	peerIP     = "10.77.0.2"
	strangerIP = "10.77.0.3"
	gatewayIP6 = "fd00:77::1"
	peerIP6    = "fd00:77::2"
)

const insideNamespace = "E2E_INSIDE_NAMESPACE"

func TestMain(m *testing.M) {
	if os.Getenv(insideNamespace) == "" {
		_ = os.Setenv("GOGC", "400") // what is started is small; tests of memory have it as usual
		os.Exit(reexec())
	}
	if err := prepareNamespace(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: network namespace:", err)
		os.Exit(1)
	}
	if _, err := os.Stat(program()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: build first (make build):", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = exec.Command("ip", "netns", "del", peers).Run()
	os.Exit(code)
}

// reexec runs this test program again inside a new network namespace.
func reexec() int {
	args := append([]string{"--net", "--", os.Args[0]}, os.Args[1:]...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), insideNamespace+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "e2e: unshare (needs root):", err)
	return 1
}

// peers is the namespace of everybody who is not the gateway.
var peers = fmt.Sprintf("roomgate-e2e-%d", os.Getpid())

// inPeers makes a command run in the peers' namespace.
func inPeers(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", peers, name}, args...)...)
}

func prepareNamespace() error {
	// Addresses count at once: an interface whose own address is looked for elsewhere first
	// (RFC 4862 5.4) changes a second or two later, and Chromium gives up what it fetches then.
	const atOnce = "echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad"
	script := []string{
		"ip link set lo up",
		atOnce,
		"ip netns add " + peers,
		"ip netns exec " + peers + " sh -c '" + atOnce + "'",
		"ip link add lan0 type veth peer name lan1 netns " + peers,
		"ip link set lan0 up",
		"ip addr add " + gatewayIP + "/24 dev lan0",
		"ip -6 addr add " + gatewayIP6 + "/64 dev lan0",
		"ip -n " + peers + " link set lo up",
		"ip -n " + peers + " link set lan1 up",
		"ip -n " + peers + " addr add " + peerIP + "/24 dev lan1",
		"ip -n " + peers + " addr add " + strangerIP + "/24 dev lan1",
		"ip -n " + peers + " -6 addr add " + peerIP6 + "/64 dev lan1",
		"ip -n " + peers + " route add default dev lan1",
	}
	for _, line := range script {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// program is the built gateway.
func program() string {
	path, err := filepath.Abs("../bin/roomgate")
	if err != nil {
		panic(err)
	}
	return path
}
