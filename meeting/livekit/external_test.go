package livekit_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/embedded"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// redisServer runs Debian's redis-server, or skips.
func redisServer(t *testing.T) (address string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("REDIS NOT TESTED: redis-server is not installed")
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = socket.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	require.NoError(t, socket.Close())
	cmd := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, patience, tick)
	return address
}

// Two servers that share rooms through Redis: a leg that joins by one and a
// receiver that joins by the other are in the same meeting.
func TestCluster(t *testing.T) {
	redis := redisServer(t)
	share := func(c *embedded.Config) {
		c.Redis, c.APIKey, c.APISecret = redis, "cluster", "0123456789012345678901234567890123456789"
	}
	first, second := startSFU(t, share), startSFU(t, share)
	a, b := newClient(t, first, nil), newClient(t, second, nil)
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	await(t, "speech", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)
	listed, err := b.Participants(t.Context(), t.Name())
	require.NoError(t, err)
	require.Len(t, listed, 1)
}

// LiveKit's own command, built from its module and configured by its own file,
// serves as well as the embedded server does.
func TestExternalServer(t *testing.T) {
	redis := redisServer(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "livekit-server")
	out, err := exec.Command("go", "build", "-o", program, "github.com/livekit/livekit-server/cmd/server").CombinedOutput()
	require.NoError(t, err, string(out))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := socket.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	require.NoError(t, socket.Close())
	media1, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	_, udp, _ := net.SplitHostPort(media1.LocalAddr().String())
	require.NoError(t, media1.Close())
	file := filepath.Join(dir, "livekit.yaml")
	require.NoError(t, os.WriteFile(file, []byte("port: "+port+"\nbind_addresses: [127.0.0.1]\nredis: {address: '"+redis+"'}\n"+
		"rtc: {udp_port: "+udp+", tcp_port: 0, node_ip: 127.0.0.1, enable_loopback_candidate: true, use_external_ip: false}\n"+
		"keys: {external: '0123456789012345678901234567890123456789'}\nlogging: {level: error}\n"), 0o600))
	start := func() *exec.Cmd {
		cmd := exec.Command(program, "--config", file)
		require.NoError(t, cmd.Start())
		return cmd
	}
	server := start()
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	external := func() *livekit.Client {
		c, err := livekit.New(livekit.Config{URL: "ws://" + address, APIKey: "external", APISecret: "0123456789012345678901234567890123456789"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		return c
	}
	a, b := external(), external()
	require.Eventually(t, func() bool { return a.Healthy(t.Context()) == nil }, patience, 20*time.Millisecond)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	await(t, "speech", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)

	require.NoError(t, server.Process.Kill())
	_ = server.Wait()
	await(t, "reconnecting", seat.Events(), ofKind(livekit.Reconnecting))
	server = start()
	await(t, "reconnected", seat.Events(), ofKind(livekit.Reconnected))
	await(t, "speech again", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)
}
