package sip_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/portpool"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/edge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 15 * time.Second

// agent is an Endpoint under test with what it is told.
type agent struct {
	*sip.Endpoint
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
func start(t testing.TB, tune func(*sip.Config)) *agent {
	t.Helper()
	ports, err := portpool.New(portpool.Config{Low: 31000, High: 38999})
	require.NoError(t, err)
	cfg := sip.Config{
		Listen: []sip.Listener{{Transport: "udp", Address: "127.0.0.1:0"}, {Transport: "tcp", Address: "127.0.0.1:0"}},
		Direct: true, Ports: ports,
		Limits:   sip.Limits{PerSource: 100000},
		Farewell: 200 * time.Millisecond, // peers made by hand answer no BYE
		Log:      logger(t),
	}
	if os.Getenv("SIP_TRACE") != "" {
		cfg.Tap = func(r edge.Record) {
			fmt.Printf("---- %v in=%v %s %s<->%s refused=%d\n%s\n", r.Time.Format("05.000"), r.In, r.Transport, r.Local, r.Remote, r.Refused, r.Message)
		}
	}
	if tune != nil {
		tune(&cfg)
	}
	e, err := sip.New(cfg)
	require.NoError(t, err)
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
	if os.Getenv("SIP_LOG") == "" {
		return zap.NewNop()
	}
	log, err := zap.NewDevelopment()
	require.NoError(t, err)
	return log.Named(t.Name())
}

// address is where an agent listens over a transport.
func (a *agent) address(transport string) netip.AddrPort {
	for _, l := range a.Addresses() {
		if l.Transport == transport {
			return l.AddrPort
		}
	}
	a.t.Fatalf("no %s listener", transport)
	return netip.AddrPort{}
}

func (a *agent) uri(user, transport string) string {
	return fmt.Sprintf("sip:%s@%s;transport=%s", user, a.address(transport), transport)
}

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
func await(t *testing.T, l call.Leg, kind call.EventKind) call.Event {
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

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect sets a call up between two agents.
func connect(t *testing.T, from, to *agent, transport string, can media.Capabilities) (caller, callee call.Leg) {
	t.Helper()
	caller, err := from.Dial(within(t), call.Target{Address: to.uri("88001", transport), From: "phone", FromName: "A Phone", Can: can})
	require.NoError(t, err)
	callee = to.next()
	require.NoError(t, callee.Accept(within(t), can))
	await(t, caller, call.Connected)
	await(t, callee, call.Connected)
	return caller, callee
}

func TestCallOverEveryTransport(t *testing.T) {
	certificate, roots := certificate(t)
	for _, tc := range []struct{ transport, host string }{
		{"udp", "127.0.0.1"}, {"tcp", "127.0.0.1"}, {"tls", "127.0.0.1"},
		{"udp", "[::1]"}, {"tcp", "[::1]"}, {"tls", "[::1]"},
	} {
		t.Run(tc.transport+tc.host, func(t *testing.T) {
			tune := func(c *sip.Config) {
				c.Listen = []sip.Listener{{Transport: tc.transport, Address: tc.host + ":0"}}
				c.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil }
				c.DialTLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			}
			a, b := start(t, tune), start(t, tune)
			caller, callee := connect(t, a, b, tc.transport, phone)

			info := callee.Info()
			require.Equal(t, "88001", info.Called)
			require.Equal(t, call.In, info.Direction)
			require.Equal(t, "phone", info.Remote.Alias)
			require.Equal(t, "A Phone", info.Remote.Name)
			require.Equal(t, tc.transport, info.Remote.Transport)
			require.Equal(t, "roomgate", info.Remote.Product)
			require.False(t, info.Answered.IsZero())
			require.Len(t, info.Streams, 1)
			require.Equal(t, media.PCMU, info.Streams[0].Send.Codec)
			require.True(t, info.Streams[0].Keypad)
			if tc.transport == "tls" {
				require.Equal(t, "srtp", info.Encryption)
				require.Equal(t, "srtp", caller.Info().Encryption)
			} else {
				require.Equal(t, "none", info.Encryption)
			}
			exchangeAudio(t, caller, callee)
			exchangeAudio(t, callee, caller)

			require.NoError(t, caller.Hangup(call.Cause{Code: call.NormalClearing}))
			require.Equal(t, call.NormalClearing, await(t, caller, call.Ended).Cause.Code)
			require.Equal(t, call.NormalClearing, await(t, callee, call.Ended).Cause.Code)
			<-caller.Done()
			<-callee.Done()
		})
	}
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

// exchangeAudio sends packets one way until they arrive as they were sent.
func exchangeAudio(t *testing.T, from, to call.Leg) {
	t.Helper()
	src := newSource(media.Audio, from.Info().Streams[0].Send)
	unpublish, err := from.Publish(within(t), src)
	require.NoError(t, err)
	defer unpublish()
	w := <-src.attach

	var track media.Track
	got := make(chan byte, 64)
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(0); ; n++ {
		select {
		case track = <-to.Tracks():
			require.NotNil(t, track)
			defer track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
				if len(p.Payload) == 0 {
					return nil
				}
				select {
				case got <- p.Payload[0]:
				default:
				}
				return nil
			}))()
		case b := <-got:
			require.Equal(t, byte(0x5a), b)
			return
		case <-tick.C:
			packet := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 160},
				Payload: []byte(strings.Repeat("\x5a", 160)),
			}
			require.NoError(t, w.WriteRTP(packet))
		case <-deadline:
			t.Fatal("no audio came")
		}
	}
}

// certificate is a self-signed one for loopback.
func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
