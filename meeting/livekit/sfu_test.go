package livekit_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/udp"
	"github.com/roomgate/roomgate/meeting/embedded"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// patience bounds every wait for the server; a test that works waits a
// fraction of it.
const patience = 30 * time.Second

// sfuBinary is the embedded server's process, built once.
var sfuBinary string

// shared is the server most tests use, each in a room of its own.
var shared *embedded.Server

// readers read the media of all clients of the tests.
var readers *udp.Readers

func TestMain(m *testing.M) {
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
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", sfuBinary, "../embedded/testdata/sfu").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the sfu: %w\n%s", err, out)
	}
	shared, err = embedded.Start(context.Background(), sfuConfig(zap.NewNop()))
	if err != nil {
		return 1, err
	}
	if readers, err = udp.NewReaders(); err != nil {
		return 1, err
	}
	code := m.Run()
	if err := readers.Close(); err != nil {
		return 1, err
	}
	if err := shared.Close(); err != nil {
		return 1, err
	}
	if err := goleak.Find(); err != nil {
		return 1, err
	}
	return code, nil
}

func sfuConfig(log *zap.Logger) embedded.Config {
	return embedded.Config{
		Command: []string{sfuBinary}, Bind: []string{"127.0.0.1"}, Port: -1, TCPPort: -1, UDPPort: -1,
		NodeIP: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, RemoteUnmute: true,
		DepartureTimeout: time.Second, Logger: log, LogLevel: "error",
	}
}

// startSFU runs a server of the test's own.
func startSFU(t *testing.T, change func(*embedded.Config)) *embedded.Server {
	t.Helper()
	c := sfuConfig(zaptest.NewLogger(t))
	if change != nil {
		change(&c)
	}
	s, err := embedded.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newClient connects to a server; closing it checks that nothing is left.
func newClient(t testing.TB, s *embedded.Server, change func(*livekit.Config)) *livekit.Client {
	t.Helper()
	key, secret := s.Credentials()
	config := livekit.Config{URL: s.URL(), APIKey: key, APISecret: secret, Readers: readers, Logger: zaptest.NewLogger(t)}
	if change != nil {
		change(&config)
	}
	c, err := livekit.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func join(t testing.TB, c *livekit.Client, room, identity string, o livekit.JoinOptions) *livekit.Seat {
	t.Helper()
	seat, err := c.Join(t.Context(), room, call.Participant{
		Identity: identity, Name: "Room " + identity, Kind: call.Terminal,
		Attributes: map[string]string{call.AttrLeg: identity},
	}, o)
	require.NoError(t, err)
	return seat
}

func receive(t testing.TB, c *livekit.Client, room string, o livekit.ReceiveOptions) *livekit.Receiver {
	t.Helper()
	r, err := c.Receive(t.Context(), room, o)
	require.NoError(t, err)
	return r
}

func publish(t testing.TB, s *livekit.Seat, track media.Track) func() {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	unpublish, err := s.Publish(ctx, track)
	require.NoError(t, err)
	return unpublish
}

// source is a terminal's stream: a packet every interval to whoever is attached.
type source struct {
	role     media.Role
	format   media.Format
	interval time.Duration
	next     func(i int, p *rtp.Packet)

	mu        sync.Mutex
	writers   map[*media.Writer]media.Writer
	attached  atomic.Int32
	keyframes atomic.Int32
	done      chan struct{}
	stop      func()
}

func newSource(t testing.TB, role media.Role, format media.Format, next func(i int, p *rtp.Packet)) *source {
	s := &source{role: role, format: format, interval: 20 * time.Millisecond, next: next, writers: map[*media.Writer]media.Writer{}, done: make(chan struct{})}
	ended := make(chan struct{})
	s.stop = sync.OnceFunc(func() { close(s.done); <-ended })
	go s.run(ended)
	t.Cleanup(s.stop)
	return s
}

func (s *source) run(ended chan struct{}) {
	defer close(ended)
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-s.done:
			return
		case <-ticker.C:
		}
		p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(65500 + i), Timestamp: uint32(i) * s.format.ClockRate / 50}}
		s.next(i, p)
		s.mu.Lock()
		for _, w := range s.writers {
			_ = w.WriteRTP(p)
		}
		s.mu.Unlock()
	}
}

func (s *source) ID() string            { return "source" }
func (s *source) Role() media.Role      { return s.role }
func (s *source) Format() media.Format  { return s.format }
func (s *source) Done() <-chan struct{} { return s.done }
func (s *source) RequestKeyframe()      { s.keyframes.Add(1) }
func (s *source) Attach(w media.Writer) func() {
	key := &w
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers[key] = w
	s.attached.Add(1)
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.writers, key)
		s.attached.Add(-1)
	})
}

var (
	opus = media.Format{Codec: media.Opus, ClockRate: 48000, Channels: 2}
	pcma = media.Format{Codec: media.PCMA, ClockRate: 8000}
	h264 = media.Format{Codec: media.H264, ClockRate: 90000, H264: media.H264Format{ProfileLevelID: 0x640028, PacketizationMode: 0}}
)

// speech numbers its packets in the payload and carries a level of -20 dBov.
func speech(i int, p *rtp.Packet) {
	p.Payload = []byte{0x78, byte(i >> 8), byte(i), 1, 2, 3, 4, 5, 6, 7}
	_ = p.SetExtension(media.AudioLevelID, []byte{0x80 | 20})
}

// picture is one packet a frame: an IDR with its parameter sets every tenth,
// numbered at the end of the payload.
func picture(i int, p *rtp.Packet) {
	sps := []byte{0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0x90, 0x0f, 0x08, 0x84, 0x6a}
	pps := []byte{0x68, 0xce, 0x3c, 0x80}
	p.Marker = true
	if i%10 != 0 {
		p.Payload = []byte{0x41, 0x9a, 0, 0, byte(i >> 8), byte(i)}
		return
	}
	idr := []byte{0x65, 0x88, 0x84, 0, byte(i >> 8), byte(i)}
	p.Payload = []byte{24}
	for _, nal := range [][]byte{sps, pps, idr} {
		p.Payload = append(p.Payload, byte(len(nal)>>8), byte(len(nal)))
		p.Payload = append(p.Payload, nal...)
	}
}

// sink collects what a track delivers.
type sink chan rtp.Packet

func attach(t testing.TB, track media.Track) sink {
	s := make(sink, 500)
	t.Cleanup(track.Attach(s))
	return s
}

func (s sink) WriteRTP(p *rtp.Packet) error {
	c := *p.Clone()
	select {
	case s <- c:
	default:
	}
	return nil
}

// await takes from a channel until a value fits.
func await[T any](t testing.TB, what string, ch <-chan T, fits func(T) bool) T {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case v, ok := <-ch:
			require.True(t, ok, "%s: channel closed", what)
			if fits(v) {
				return v
			}
		case <-timeout.C:
			require.FailNow(t, "timed out waiting for "+what)
		}
	}
}

func any1[T any](T) bool { return true }

func ofKind(kind livekit.EventKind) func(livekit.Event) bool {
	return func(e livekit.Event) bool { return e.Kind == kind }
}

// awaitTrack is the participant's track of a role among those that open.
func awaitTrack(t testing.TB, tracks <-chan media.Track, identity string, role media.Role) livekit.ParticipantTrack {
	t.Helper()
	track := await(t, fmt.Sprintf("%s of %s", role, identity), tracks, func(track media.Track) bool {
		return track.Role() == role && track.(livekit.ParticipantTrack).Participant().Identity == identity
	})
	return track.(livekit.ParticipantTrack)
}

// published waits until the roster shows a track and returns its ID.
func published(t testing.TB, r interface {
	Events() <-chan livekit.Event
	Participants() []call.Participant
}, identity string, role media.Role) string {
	t.Helper()
	find := func(p call.Participant) string {
		for _, track := range p.Tracks {
			if p.Identity == identity && track.Role == role.String() {
				return track.ID
			}
		}
		return ""
	}
	for _, p := range r.Participants() {
		if id := find(p); id != "" {
			return id
		}
	}
	e := await(t, "publication of "+role.String(), r.Events(), func(e livekit.Event) bool { return find(e.Participant) != "" })
	return find(e.Participant)
}
