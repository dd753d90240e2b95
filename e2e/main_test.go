// Package e2e proves the product from outside: it starts the built program and
// lets software that is not ours call it, then measures sound and pictures.
//
// Everything runs inside a network namespace of its own, made by TestMain, so
// that peers which bind all addresses stay on this machine and ports never
// clash with anything else.
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

const insideNamespace = "ROOMGATE_E2E_NAMESPACE"

func TestMain(m *testing.M) {
	if os.Getenv(insideNamespace) == "" {
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
	os.Exit(m.Run())
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

func prepareNamespace() error {
	script := []string{
		"ip link set lo up",
		"ip link add lan0 type veth peer name lan1",
		"ip link set lan0 up",
		"ip link set lan1 up",
	}
	for _, a := range []string{gatewayIP, peerIP, strangerIP} {
		script = append(script, "ip addr add "+a+"/24 dev lan0")
	}
	for _, a := range []string{gatewayIP6, peerIP6} {
		script = append(script, "ip -6 addr add "+a+"/64 dev lan0 nodad")
	}
	script = append(script, "ip route add default dev lan0")
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
