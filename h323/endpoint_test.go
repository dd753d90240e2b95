package h323_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
)

// patience is how long a test waits for what has to come.
const patience = 15 * time.Second

// agent is an Endpoint under test with what it is told.
type agent struct {
	*h323.Endpoint
	t     testing.TB
	calls chan call.Leg
	stop  func()
	ports *portpool.Pool
}

var phone = media.Capabilities{
	Audio: []media.Format{
		{Codec: media.PCMU, ClockRate: 8000, Channels: 1},
		{Codec: media.PCMA, PayloadType: 8, ClockRate: 8000, Channels: 1},
	},
	Keypad: true,
}

var room = media.Capabilities{
	Audio: []media.Format{{Codec: media.G722, PayloadType: 9, ClockRate: 8000, Channels: 1}, {Codec: media.PCMU, ClockRate: 8000, Channels: 1}},
	Video: []media.Format{{
		Codec: media.H264, PayloadType: 97, ClockRate: 90000,
		H264: media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1},
	}},
	MaxVideo: 2_000_000,
	Keypad:   true,
}

// start runs an endpoint on loopback; tune may change its configuration.
func start(t testing.TB, tune func(*h323.Config)) *agent {
	t.Helper()
	ports, err := portpool.New(portpool.Config{Low: 21000, High: 28999})
	require.NoError(t, err)
	cfg := h323.Config{
		Listen: []string{"127.0.0.1:0"}, Ports: ports, Direct: true,
		Limits: h323.Limits{PerSource: 100000, ConnectionsPerSource: 100000, Connections: 100000},
		Log:    logger(t),
	}
	cfg.Tap = onWire
	if os.Getenv("H323_TRACE") != "" {
		cfg.Tap = func(r h323.Record) {
			onWire(r)
			fmt.Printf("---- %s in=%v %s %s<->%s %d octets\n", time.Now().Format("05.000"), r.In, r.Type, r.Local, r.Remote, len(r.Payload))
		}
	}
	if tune != nil {
		tune(&cfg)
	}
	e, err := h323.New(cfg)
	require.NoError(t, err)
	listening(e.Addresses())
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{Endpoint: e, t: t, calls: make(chan call.Leg, 4096), ports: cfg.Ports}
	done := make(chan error, 1)
	go func() { done <- e.Serve(ctx, func(l call.Leg) { a.calls <- l }) }()
	stopped := false
	a.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(patience):
			t.Error("endpoint did not stop")
		}
		require.Zero(t, a.Calls(), "legs left")
		require.Zero(t, cfg.Ports.Stats().InUse, "ports left")
	}
	t.Cleanup(a.stop)
	return a
}

func logger(t testing.TB) *zap.Logger {
	if os.Getenv("H323_LOG") == "" {
		return zap.NewNop()
	}
	log, err := zap.NewDevelopment()
	require.NoError(t, err)
	return log.Named(t.Name())
}

// at is where an agent listens.
func (a *agent) at() netip.AddrPort { return a.Addresses()[0] }

func (a *agent) uri(alias string) string { return fmt.Sprintf("h323:%s@%s", alias, a.at()) }

// next is the next incoming call.
func (a *agent) next() call.Leg {
	a.t.Helper()
	select {
	case l := <-a.calls:
		return l
	case <-time.After(patience):
		a.t.Fatal("no call came")
		return nil
	}
}

// await reads events until one of a kind.
func await(t testing.TB, l call.Leg, kind call.EventKind) call.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case ev, ok := <-l.Events():
			require.True(t, ok, "events ended before kind %d", kind)
			if ev.Kind == kind {
				return ev
			}
			if ev.Kind == call.Ended {
				t.Fatalf("ended (%s) before kind %d", ev.Cause, kind)
			}
		case <-deadline:
			t.Fatalf("no event of kind %d", kind)
		}
	}
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect sets a call up between two agents.
func connect(t testing.TB, from, to *agent, can media.Capabilities) (caller, callee call.Leg) {
	t.Helper()
	caller, err := from.Dial(within(t), call.Target{Address: to.uri("88001"), From: "phone", FromName: "A Phone", Can: can})
	require.NoError(t, err)
	callee = to.next()
	require.NoError(t, callee.Accept(within(t), can))
	stand(t, can, caller, callee)
	return caller, callee
}

// stand waits until calls are connected and have all channels, which open one after
// another.
func stand(t testing.TB, can media.Capabilities, legs ...call.Leg) {
	t.Helper()
	for _, l := range legs {
		await(t, l, call.Connected)
		require.Eventually(t, func() bool { return stands(l, can) }, patience, time.Millisecond, "channels: %+v", l.Info().Streams)
	}
}

// stands reports whether what can says stands in both directions.
func stands(l call.Leg, can media.Capabilities) bool {
	for role, formats := range [][]media.Format{can.Audio, can.Video} {
		if len(formats) > 0 && stream(l, media.Role(role)).Direction != media.SendRecv {
			return false
		}
	}
	return true
}

// hangUp ends a call from one side and sees the other end too.
func hangUp(t testing.TB, by, other call.Leg) {
	t.Helper()
	require.NoError(t, by.Hangup(call.Cause{Code: call.NormalClearing}))
	require.Equal(t, call.NormalClearing, await(t, by, call.Ended).Cause.Code)
	require.Equal(t, call.NormalClearing, await(t, other, call.Ended).Cause.Code)
	<-by.Done()
	<-other.Done()
}

// ways are the combinations in which a call can be set up.
var ways = []struct {
	name           string
	caller, callee func(*h323.Config)
}{
	{"tunnelled", nil, nil},
	{"separate", separate, separate},
	{"caller does not tunnel", separate, nil},
	{"callee does not tunnel", nil, separate},
	{"fast", fast, nil},
	{"fast without tunnel", both(fast, separate), separate},
	{"fast refused", fast, func(c *h323.Config) { c.FastStart = h323.FastOff }},
	{"early", early, early},
	{"early, callee does not tunnel", early, separate},
	{"early and separate", both(early, separate), both(early, separate)},
	{"early and fast", both(early, fast), early},
	{"early, fast and separate", both(both(early, fast), separate), both(early, separate)},
}

func separate(c *h323.Config) { c.Tunnelling = h323.TunnelOff }
func fast(c *h323.Config)     { c.FastStart = h323.FastOn }
func early(c *h323.Config)    { c.EarlyH245 = true }
func both(a, b func(*h323.Config)) func(*h323.Config) {
	return func(c *h323.Config) { a(c); b(c) }
}

func TestCallInEveryWay(t *testing.T) {
	for _, way := range ways {
		for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(way.name+" "+host, func(t *testing.T) {
				at := func(tune func(*h323.Config)) func(*h323.Config) {
					return func(c *h323.Config) {
						c.Listen = []string{host}
						if tune != nil {
							tune(c)
						}
					}
				}
				a, b := start(t, at(way.caller)), start(t, at(way.callee))
				caller, callee := connect(t, a, b, room)
				info := callee.Info()
				require.Equal(t, "88001", info.Called)
				require.Equal(t, call.In, info.Direction)
				require.Equal(t, call.H323, info.Protocol)
				require.Equal(t, "phone", info.Remote.Alias)
				require.Equal(t, "A Phone", info.Remote.Name)
				require.Equal(t, "roomgate", info.Remote.Product)
				require.False(t, info.Answered.IsZero())
				require.Equal(t, "none", info.Encryption)
				for _, l := range []call.Leg{caller, callee} {
					require.Len(t, l.Info().Streams, 2, "%+v", l.Info().Streams)
					require.Equal(t, media.G722, l.Info().Streams[0].Send.Codec)
					require.Equal(t, media.SendRecv, l.Info().Streams[0].Direction)
					require.Equal(t, media.H264, l.Info().Streams[1].Send.Codec)
				}
				exchangeAudio(t, caller, callee)
				exchangeAudio(t, callee, caller)
				hangUp(t, caller, callee)
			})
		}
	}
}

// from makes an endpoint speak from an address.
func from(addr string) func(netip.Addr) local.Network {
	return func(netip.Addr) local.Network { return local.Network{Local: netip.MustParseAddr(addr)} }
}

// source is a track a test publishes.
type source struct {
	format media.Format
	role   media.Role
	attach chan media.Writer
	keys   chan struct{}
}

func newSource(role media.Role, f media.Format) *source {
	return &source{format: f, role: role, attach: make(chan media.Writer, 4), keys: make(chan struct{}, 16)}
}

func (s *source) ID() string           { return "test" }
func (s *source) Role() media.Role     { return s.role }
func (s *source) Format() media.Format { return s.format }
func (s *source) Attach(w media.Writer) func() {
	s.attach <- w
	return func() {}
}
func (s *source) RequestKeyframe() {
	select {
	case s.keys <- struct{}{}:
	default:
	}
}
func (s *source) Done() <-chan struct{} { return nil }

// sound is what packets of audio hold: no other process on this host sends it.
var sound = func() string {
	var b [8]byte
	rand.Read(b[:])
	return string(b[:])
}()

// exchangeAudio sends packets one way until they arrive as they were sent.
func exchangeAudio(t testing.TB, from, to call.Leg) {
	t.Helper()
	exchange(t, media.Audio, from, to)
}

func exchange(t testing.TB, role media.Role, from, to call.Leg) {
	t.Helper()
	src := newSource(role, stream(from, role).Send)
	unpublish, err := from.Publish(within(t), src)
	require.NoError(t, err)
	defer unpublish()
	w := <-src.attach

	var track media.Track
	got := make(chan string, 64)
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(0); ; n++ {
		select {
		case track = <-to.Tracks():
			require.NotNil(t, track)
			if track.Role() != role {
				continue
			}
			defer track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
				if len(p.Payload) < len(sound) {
					return nil
				}
				select {
				case got <- string(p.Payload[:len(sound)]):
				default:
				}
				return nil
			}))()
		case b := <-got:
			require.Equal(t, sound, b)
			return
		case <-tick.C:
			packet := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 160},
				Payload: []byte(strings.Repeat(sound, 20)),
			}
			require.NoError(t, w.WriteRTP(packet))
		case <-deadline:
			t.Fatalf("no %s came", role)
		}
	}
}
