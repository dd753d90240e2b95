package embedded_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/roomgate/roomgate/meeting/embedded"
)

const patience = 20 * time.Second

var sfuBinary string

func TestMain(m *testing.M) {
	if os.Getenv("GATEWAY") != "" {
		gateway()
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "sfu")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sfuBinary = filepath.Join(dir, "sfu")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", sfuBinary, "./testdata/sfu").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the sfu: %w\n%s", err, out)
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		return 1, err
	}
	return code, nil
}

func config(command ...string) embedded.Config {
	return embedded.Config{
		Command: command, Bind: []string{"127.0.0.1"}, Port: -1, TCPPort: -1, UDPPort: -1,
		NodeIP: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
	}
}

// gateway is a process that runs a server and prints its process id; the test
// kills it without warning.
func gateway() {
	s, err := embedded.Start(context.Background(), config(os.Getenv("GATEWAY")))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.PID())
	select {}
}

func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

func serves(url string) bool {
	resp, err := http.Get("http" + url[len("ws"):])
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func TestStartAndClose(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	s, err := embedded.Start(t.Context(), config(sfuBinary))
	require.NoError(t, err)
	require.True(t, serves(s.URL()))
	key, secret := s.Credentials()
	require.NotEmpty(t, key)
	require.GreaterOrEqual(t, len(secret), 32)
	pid := s.PID()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	require.NoError(t, err)
	require.NotContains(t, string(line), secret)
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	require.NoError(t, err)
	require.NotContains(t, string(environment), secret)
	require.Len(t, s.Media(), 1)
	<-s.Ready()

	require.NoError(t, s.Close())
	require.False(t, alive(pid))
	require.False(t, serves(s.URL()))
	require.NoError(t, s.Close())
}

// A child that dies is started again on the same ports with the same keys; one
// that hangs is killed first.
func TestRestart(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	core, logs := observer.New(zap.InfoLevel)
	c := config(sfuBinary)
	c.Logger = zap.New(core)
	s, err := embedded.Start(t.Context(), c)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for i := 1; i <= 2; i++ {
		pid, url := s.PID(), s.URL()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		require.Eventually(t, func() bool { return s.Restarts() == i && s.PID() != 0 && serves(url) }, patience, 5*time.Millisecond)
		require.NotEqual(t, pid, s.PID())
		require.Equal(t, url, s.URL())
	}
	require.Equal(t, 2, logs.FilterMessage("sfu ended, starting it again").Len())
}

// A gateway that is killed leaves no server behind.
func TestDiesWithTheGateway(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "GATEWAY="+sfuBinary)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pid int
	_, err = fmt.Fscan(out, &pid)
	require.NoError(t, err)
	require.True(t, alive(pid))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return !alive(pid) }, patience, 5*time.Millisecond)
}

func TestFailures(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	for name, change := range map[string]func(*embedded.Config){
		"no such program":   func(c *embedded.Config) { c.Command = []string{"/nonexistent"} },
		"program that ends": func(c *embedded.Config) { c.Command = []string{"/bin/true"} },
		"program that is mute": func(c *embedded.Config) {
			c.Command, c.StartTimeout = []string{"/bin/sleep", "60"}, 200*time.Millisecond
		},
		"port taken":         func(c *embedded.Config) { c.Port = taken.Addr().(*net.TCPAddr).Port; c.StartTimeout = 2 * time.Second },
		"two IPv4 addresses": func(c *embedded.Config) { c.NodeIP = append(c.NodeIP, netip.MustParseAddr("127.0.0.2")) },
		"unadvertisable":     func(c *embedded.Config) { c.NodeIP = []netip.Addr{netip.IPv4Unspecified()} },
	} {
		t.Run(name, func(t *testing.T) {
			c := config(sfuBinary)
			change(&c)
			_, err := embedded.Start(t.Context(), c)
			require.Error(t, err)
		})
	}
}

// What the child writes reaches the log: its own entries with their fields, a
// panic's text as it is, and nothing without bound.
func TestLogs(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	c := config("/bin/sh", "-c", `echo '{"level":"WARN","msg":"pool full","room":"88001","ts":1}' >&2; echo 'panic: boom' >&2;
		head -c 100000 /dev/zero | tr '\0' x >&2; echo >&2; exit 2`)
	c.Logger = zap.New(core)
	_, err := embedded.Start(t.Context(), c)
	require.Error(t, err)
	entry := logs.FilterMessage("pool full").All()
	require.Len(t, entry, 1)
	require.Equal(t, zap.WarnLevel, entry[0].Level)
	require.Equal(t, "88001", entry[0].ContextMap()["room"])
	require.Equal(t, 1, logs.FilterMessage("panic: boom").Len())
	for _, e := range logs.All() {
		require.LessOrEqual(t, len(e.Message), 16<<10)
	}
}
