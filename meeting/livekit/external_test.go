package livekit_test

import (
	"net"
	"os/exec"
	"syscall"
	"testing"

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

// A server the gateway does not supervise, which shares its rooms through
// Redis, dies and comes back as another node: legs rejoin by themselves.
func TestExternalServerRestarted(t *testing.T) {
	redis := redisServer(t)
	server := startSFU(t, func(c *embedded.Config) { c.Redis = redis })
	a, b := newClient(t, server, nil), newClient(t, server, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	await(t, "speech", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)

	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
	await(t, "reconnecting", seat.Events(), ofKind(livekit.Reconnecting))
	await(t, "reconnected", seat.Events(), ofKind(livekit.Reconnected))
	await(t, "speech again", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)
}
