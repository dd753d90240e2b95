package rtpconn

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/media/udp"
)

// readers read the media of all sessions of the tests.
var readers *udp.Readers

func TestMain(m *testing.M) {
	var err error
	if readers, err = udp.NewReaders(); err != nil {
		panic(err)
	}
	code := m.Run()
	if err = errors.Join(readers.Close(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	pcmu     = media.Format{Codec: media.PCMU, PayloadType: 0, ClockRate: 8000}
	pcma     = media.Format{Codec: media.PCMA, PayloadType: 8, ClockRate: 8000}
	h264     = media.Format{Codec: media.H264, PayloadType: 97, ClockRate: 90000}
)

// patience bounds every wait of these tests; nothing waits that long unless it
// is broken.
const patience = 10 * time.Second

// feed is a track whose packets a test makes.
type feed struct {
	format    media.Format
	out       fanout
	done      chan struct{}
	keyframes atomic.Int32
	bitrate   atomic.Int64
}

func newFeed(f media.Format) *feed { return &feed{format: f, done: make(chan struct{})} }

func (f *feed) ID() string                   { return "feed" }
func (f *feed) Role() media.Role             { return media.Main }
func (f *feed) Format() media.Format         { return f.format }
func (f *feed) Attach(w media.Writer) func() { return f.out.attach(w) }
func (f *feed) RequestKeyframe()             { f.keyframes.Add(1) }
func (f *feed) TakeBitrate(bps int)          { f.bitrate.Store(int64(bps)) }
func (f *feed) Done() <-chan struct{}        { return f.done }

func (f *feed) send(seq uint16, stamp uint32, payload string) {
	f.out.write(&rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: stamp, SSRC: 1, PayloadType: 55},
		Payload: []byte(payload),
	})
}

// inbox keeps copies of the packets written to it, but for those it is told to leave out.
type inbox struct {
	ch   chan *rtp.Packet
	skip []string
}

// newInbox makes one. The packet that opens a track is to be skipped: whether it is
// handed on before or after somebody has heard of the track and attaches is left to chance.
func newInbox(skip ...string) *inbox {
	return &inbox{ch: make(chan *rtp.Packet, 1<<16), skip: skip}
}

func (i *inbox) WriteRTP(p *rtp.Packet) error {
	if slices.Contains(i.skip, string(p.Payload)) {
		return nil
	}
	select {
	case i.ch <- p.Clone():
	default:
	}
	return nil
}

func (i *inbox) next(t testing.TB) *rtp.Packet {
	t.Helper()
	return receive(t, i.ch, "a packet")
}

func receive[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v, ok := <-ch:
		if !ok {
			t.Fatalf("closed while waiting for %s", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	panic("unreachable")
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 2*time.Millisecond, what)
}

// journal keeps the events of a session.
type journal struct {
	mu   sync.Mutex
	list []Event
}

func (j *journal) add(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list = append(j.list, e)
}

func (j *journal) of(k EventKind) (found []Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.list {
		if e.Kind == k {
			found = append(found, e)
		}
	}
	return found
}

func (j *journal) digits() (s string) {
	for _, e := range j.of(Keypad) {
		s += string(e.Digit)
	}
	return s
}

// manualClock moves when a test says so. Its tickers tick at each move.
type manualClock struct {
	mu    sync.Mutex
	now   time.Time
	ticks map[chan time.Time]struct{}
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ticks: make(map[chan time.Time]struct{})}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) Ticker(time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.ticks[ch] = struct{}{}
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.ticks, ch)
	}
}

func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for ch := range c.ticks {
		select {
		case ch <- c.now:
		default:
		}
	}
}

var testPool = sync.OnceValues(func() (*portpool.Pool, error) {
	return portpool.New(portpool.Config{Low: 41000, High: 43999, Readers: readers})
})

// open makes a session on loopback that is closed with the test.
func open(t testing.TB, change ...func(*Config)) (*Session, *journal) {
	t.Helper()
	pool, err := testPool()
	require.NoError(t, err)
	j := new(journal)
	cfg := Config{Pool: pool, Local: loopback, Role: media.Audio, OnEvent: j.add}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, j
}

func video(c *Config)              { c.Role = media.Main }
func on(clock Clock) func(*Config) { return func(c *Config) { c.Clock = clock } }

// audioParams is PCMU, PCMA and telephone events, both ways, towards a peer.
func audioParams(peer *Session) Params {
	return Params{
		Remote: peer.LocalRTP(), Direction: media.SendRecv,
		Receive: map[uint8]media.Format{0: pcmu, 8: pcma,
			13: {Codec: media.ComfortNoise, ClockRate: 8000}},
		Send:          pcmu,
		ReceiveEvents: map[uint8]uint32{101: 8000},
		SendEvents:    EventFormat{PayloadType: 101, ClockRate: 8000},
	}
}

func videoParams(peer *Session) Params {
	return Params{
		Remote: peer.LocalRTP(), Direction: media.SendRecv,
		Receive: map[uint8]media.Format{97: h264}, Send: h264,
	}
}

// connect applies the same parameters to both, changed as asked.
func connect(t testing.TB, a, b *Session, params func(*Session) Params, change ...func(*Params)) {
	t.Helper()
	pa, pb := params(b), params(a)
	for _, c := range change {
		c(&pa)
		c(&pb)
	}
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
}

// flow publishes a feed on from, sends a packet and returns what arrives at to.
func flow(t testing.TB, from, to *Session) (*feed, media.Track, *inbox) {
	t.Helper()
	f := newFeed(from.agreed.Load().Send)
	unpublish, err := from.Publish(t.Context(), f)
	require.NoError(t, err)
	t.Cleanup(unpublish)
	f.send(0, 0, "first")
	track := receive(t, to.Tracks(), "a track")
	in := newInbox("first")
	t.Cleanup(track.Attach(in))
	f.send(1, 160, "second")
	require.Equal(t, "second", string(in.next(t).Payload))
	return f, track, in
}
