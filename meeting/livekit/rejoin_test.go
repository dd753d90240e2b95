package livekit_test

import (
	"context"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/embedded"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// When the SFU's process dies, seats and receivers come back by themselves:
// same identities, what was published is published again, what was subscribed
// to again too, and media flows.
func TestSFUKilled(t *testing.T) {
	server := startSFU(t, nil)
	a, b := newClient(t, server, nil), newClient(t, server, nil)
	var prepared atomic.Int32
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{BeforeRejoin: func(context.Context) error { prepared.Add(1); return nil }})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	camera := newSource(t, media.Main, h264, picture)
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	publish(t, seat, camera)
	awaitTrack(t, receiver.Tracks(), "leg", media.Audio) // not to be taken for the one that comes again
	receiver.Subscribe(published(t, receiver, "leg", media.Main), livekit.Subscription{})
	before := awaitTrack(t, receiver.Tracks(), "leg", media.Main)
	await(t, "picture", attach(t, before), any1)

	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
	await(t, "reconnecting", seat.Events(), ofKind(livekit.Reconnecting))
	await(t, "reconnecting", receiver.Events(), ofKind(livekit.Reconnecting))
	<-before.Done()
	await(t, "reconnected", seat.Events(), ofKind(livekit.Reconnected))

	sound := awaitTrack(t, receiver.Tracks(), "leg", media.Audio)
	await(t, "sound again", attach(t, sound), func(p rtp.Packet) bool { return len(p.Payload) == 10 })
	receiver.Subscribe(published(t, receiver, "leg", media.Main), livekit.Subscription{})
	seen := awaitTrack(t, receiver.Tracks(), "leg", media.Main)
	await(t, "picture again", attach(t, seen), any1)
	require.Equal(t, 1, server.Restarts())
	require.Positive(t, prepared.Load())
	require.NoError(t, seat.Err())
	select {
	case <-seat.Done():
		t.Fatal("the seat was given up")
	default:
	}
}

// relay is a network between a client and the server that can fall silent
// without a connection being closed, as a pulled cable does.
type relay struct {
	listener net.Listener
	cut      atomic.Bool
	mu       sync.Mutex
	conns    []net.Conn
	wait     sync.WaitGroup
}

func newRelay(t *testing.T, to string) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{listener: listener}
	r.wait.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, in, out)
			r.mu.Unlock()
			r.wait.Go(func() { r.copy(in, out) })
			r.wait.Go(func() { r.copy(out, in) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.wait.Wait()
	})
	return r
}

func (r *relay) copy(from, to net.Conn) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if !r.cut.Load() {
			_, _ = to.Write(buf[:n])
		}
	}
}

// A link that falls silent is noticed and renewed, although nothing was closed.
func TestSilentLink(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, shared.URL()[len("ws://"):])
	a := newClient(t, shared, func(c *livekit.Config) { c.URL = "ws://" + relay.listener.Addr().String() })
	b := newClient(t, shared, nil)
	receiver := receive(t, b, t.Name(), livekit.ReceiveOptions{})
	seat := join(t, a, t.Name(), "leg", livekit.JoinOptions{})
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	awaitTrack(t, receiver.Tracks(), "leg", media.Audio)

	relay.cut.Store(true)
	await(t, "reconnecting", seat.Events(), ofKind(livekit.Reconnecting))
	relay.cut.Store(false)
	await(t, "reconnected", seat.Events(), ofKind(livekit.Reconnected))
	await(t, "sound", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)
}

// Publishing while the link is down waits for it, and closing a seat that is
// rejoining ends at once.
func TestDuringTheGap(t *testing.T) {
	server := startSFU(t, nil)
	c := newClient(t, server, nil)
	seat := join(t, c, t.Name(), "leg", livekit.JoinOptions{})
	other := join(t, c, t.Name(), "other", livekit.JoinOptions{})
	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
	await(t, "reconnecting", seat.Events(), ofKind(livekit.Reconnecting))
	require.NoError(t, other.Close())
	publish(t, seat, newSource(t, media.Audio, opus, speech))
	require.Len(t, seat.Stats(), 1)
}

// The server's advertised address may be beyond a NAT that does not loop back:
// the local one that the supervisor knows is tried too.
func TestUnreachableNodeAddress(t *testing.T) {
	server := startSFU(t, func(c *embedded.Config) { c.NodeIP[0] = c.NodeIP[0].Next().Next() })
	server2 := startSFU(t, func(c *embedded.Config) { c.NodeIP = slices.Clone(c.NodeIP[:0]) })
	for _, s := range []*embedded.Server{server, server2} {
		c := newClient(t, s, func(c *livekit.Config) { c.Media = s.Media })
		receiver := receive(t, c, t.Name(), livekit.ReceiveOptions{})
		seat := join(t, c, t.Name(), "leg", livekit.JoinOptions{})
		publish(t, seat, newSource(t, media.Audio, opus, speech))
		await(t, "sound", attach(t, awaitTrack(t, receiver.Tracks(), "leg", media.Audio)), any1)
	}
}

// Fifty legs join and publish at once; then everything they used is given back.
func TestManyLegs(t *testing.T) {
	c := newClient(t, shared, nil)
	microphone := newSource(t, media.Audio, opus, speech)
	const legs = 50
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	for round := range 2 {
		seats := make([]*livekit.Seat, legs)
		took := make([]time.Duration, legs)
		var wait sync.WaitGroup
		for i := range legs {
			wait.Go(func() {
				began := time.Now()
				seats[i] = join(t, c, t.Name(), "leg"+string(rune('A'+i)), livekit.JoinOptions{})
				publish(t, seats[i], microphone)
				took[i] = time.Since(began)
			})
		}
		wait.Wait()
		slices.Sort(took)
		t.Logf("round %d: join and publish p50 %v p95 %v max %v", round, took[legs/2], took[legs*95/100], took[legs-1])
		require.Eventually(t, func() bool {
			for _, s := range seats {
				if stats := s.Stats(); len(stats) == 0 || stats[0].Packets == 0 {
					return false
				}
			}
			return true
		}, patience, tick)
		for _, s := range seats {
			wait.Go(func() { require.NoError(t, s.Close()) })
		}
		wait.Wait()
	}
	require.Zero(t, microphone.attached.Load())
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines+1 // this runs in one of its own
	}, patience, tick, "descriptors %d before, goroutines %d before", files, goroutines)
}

// openFiles counts this process's descriptors.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
