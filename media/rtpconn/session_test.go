package rtpconn

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

func TestMediaFlowsBothWays(t *testing.T) {
	for _, local := range []string{"127.0.0.1", "::1"} {
		for _, mux := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s mux %v", local, mux), func(t *testing.T) {
				at := func(c *Config) { c.Local = netip.MustParseAddr(local) }
				a, _ := open(t, at)
				b, _ := open(t, at)
				connect(t, a, b, audioParams, func(p *Params) { p.Mux = mux })
				fa, track, in := flow(t, a, b)
				flow(t, b, a)
				require.Equal(t, media.PCMU, track.Format().Codec)
				for i := range uint16(100) {
					fa.send(2+i, uint32(2+i)*160, fmt.Sprint(i))
				}
				last := uint16(0)
				for i := range 100 {
					p := in.next(t)
					require.Equal(t, fmt.Sprint(i), string(p.Payload))
					require.Equal(t, a.SSRC(), p.SSRC)
					if i > 0 {
						require.Equal(t, last+1, p.SequenceNumber)
					}
					last = p.SequenceNumber
				}
				st := b.Stats()
				require.Equal(t, uint64(102), st[0].Packets)
				require.Zero(t, st[0].Lost)
				require.Equal(t, uint64(102), a.Stats()[1].Packets)
				require.NotZero(t, st[0].Bytes)
			})
		}
	}
}

func TestSDESBothWays(t *testing.T) {
	for _, suite := range secure.Suites() {
		t.Run(string(suite), func(t *testing.T) {
			a, _ := open(t)
			b, _ := open(t)
			ka, kb := newKey(t, suite), newKey(t, suite)
			kb.MKI = []byte{0, 1}
			applyKeys(t, a, b, ka, kb)
			fa, _, in := flow(t, a, b)
			flow(t, b, a)
			for i := range uint16(50) {
				fa.send(2+i, uint32(2+i)*160, "x")
				require.Equal(t, "x", string(in.next(t).Payload))
			}
			require.Zero(t, b.Counters().Dropped())
		})
	}
}

func newKey(t testing.TB, s secure.Suite) secure.Key {
	t.Helper()
	k, err := secure.NewKey(s)
	require.NoError(t, err)
	return k
}

// applyKeys connects two sessions with the keys they send with.
func applyKeys(t testing.TB, a, b *Session, ka, kb secure.Key) {
	t.Helper()
	pa, pb := audioParams(b), audioParams(a)
	pa.Security = Security{Send: &ka, Receive: &kb}
	pb.Security = Security{Send: &kb, Receive: &ka}
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
}

func TestCodecChangeOpensANewTrack(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	connect(t, a, b, audioParams)
	_, old, _ := flow(t, a, b)
	p := audioParams(b)
	p.Send = pcma
	require.NoError(t, a.Apply(p))
	_, track, _ := flow(t, a, b)
	require.Equal(t, media.PCMA, track.Format().Codec)
	require.NotEqual(t, old.ID(), track.ID())
	receiveClosed(t, old.Done())
	select {
	case <-track.Done():
		t.Fatal("the new track has ended")
	default:
	}
	require.NoError(t, b.Close())
	receiveClosed(t, track.Done())
	_, open := <-b.Tracks()
	require.False(t, open)
}

func receiveClosed(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-t.Context().Done():
		t.Fatal("not closed")
	}
}

func TestPublishRefusesWhatWasNotAgreed(t *testing.T) {
	a, _ := open(t)
	_, err := a.Publish(t.Context(), newFeed(pcmu))
	require.ErrorIs(t, err, ErrFormat, "before the first Apply")
	b, _ := open(t)
	connect(t, a, b, audioParams)
	_, err = a.Publish(t.Context(), newFeed(h264))
	require.ErrorIs(t, err, ErrFormat)
	require.NoError(t, a.Close())
	_, err = a.Publish(t.Context(), newFeed(pcmu))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, a.Apply(audioParams(b)), ErrClosed)
}

func TestStreamGoesOnAcrossSources(t *testing.T) {
	clock := newManualClock()
	a, _ := open(t, on(clock))
	b, _ := open(t)
	connect(t, a, b, audioParams)
	first, _, in := flow(t, a, b)
	first.send(2, 320, "end of first")
	before := in.next(t)
	clock.advance(500e6)
	second := newFeed(pcmu)
	_, err := a.Publish(t.Context(), second)
	require.NoError(t, err)
	first.send(3, 480, "not heard")
	second.send(40000, 0xfffffff0, "new")
	after := in.next(t)
	require.Equal(t, "new", string(after.Payload))
	require.Equal(t, before.SequenceNumber+1, after.SequenceNumber)
	require.Equal(t, before.Timestamp+4000, after.Timestamp, "half a second at 8 kHz")
	require.True(t, after.Marker)
	second.send(40001, 0x90, "on")
	on := in.next(t)
	require.Equal(t, after.SequenceNumber+1, on.SequenceNumber)
	require.Equal(t, after.Timestamp+160, on.Timestamp)
	require.False(t, on.Marker)
}

func TestPaddingLeavesNoGap(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	connect(t, a, b, audioParams)
	f, _, in := flow(t, a, b)
	f.send(2, 320, "a")
	f.send(3, 320, "")
	f.send(4, 320, "")
	f.send(5, 480, "b")
	one, two := in.next(t), in.next(t)
	require.Equal(t, "b", string(two.Payload))
	require.Equal(t, one.SequenceNumber+1, two.SequenceNumber)
}

func TestDirectionStopsMedia(t *testing.T) {
	a, _ := open(t)
	b, _ := open(t)
	connect(t, a, b, audioParams)
	f, _, in := flow(t, a, b)
	held := audioParams(b)
	held.Direction = media.RecvOnly
	require.NoError(t, a.Apply(held))
	f.send(2, 320, "held")
	require.NoError(t, a.Apply(audioParams(b)))
	f.send(3, 480, "resumed")
	require.Equal(t, "resumed", string(in.next(t).Payload))
	require.Equal(t, uint64(1), a.Counters().Unsent)
}

func TestApplyRefusesNonsense(t *testing.T) {
	a, _ := open(t)
	k := newKey(t, secure.AES128CM80)
	short := secure.Key{Suite: secure.AES128CM80, Master: []byte{1}}
	for name, p := range map[string]Params{
		"payload type 128":   {Receive: map[uint8]media.Format{128: pcmu}},
		"no clock rate":      {Receive: map[uint8]media.Format{0: {Codec: media.PCMU}}},
		"event at 0 Hz":      {ReceiveEvents: map[uint8]uint32{101: 0}},
		"event type 200":     {ReceiveEvents: map[uint8]uint32{200: 8000}},
		"send without clock": {Send: media.Format{Codec: media.PCMU}},
		"negative limit":     {MaxSend: -1},
		"extension 15":       {AudioLevel: 15},
		"one key":            {Security: Security{Send: &k}},
		"short key":          {Security: Security{Send: &k, Receive: &short}},
		"short send key":     {Security: Security{Send: &short, Receive: &k}},
		"sdes and dtls":      {Security: Security{Send: &k, Receive: &k, DTLS: &DTLS{}}},
		"no fingerprint":     {Security: Security{DTLS: &DTLS{}}},
	} {
		require.Error(t, a.Apply(p), name)
	}
	require.Nil(t, a.agreed.Load())
}
