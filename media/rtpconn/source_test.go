package rtpconn

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

func audioHost(t *testing.T, change ...func(*Config)) (*Session, *journal, *host) {
	t.Helper()
	s, j := open(t, change...)
	h := newHost(t, s, "127.0.0.1")
	require.NoError(t, s.Apply(h.params(audioParams)))
	return s, j, h
}

func TestChangeOfSSRCIsOneStream(t *testing.T) {
	s, _, h := audioHost(t)
	h.rtp(0, 5, 100, 1000, []byte("a"))
	track := receive(t, s.Tracks(), "a track")
	in := newInbox("a")
	defer track.Attach(in)()
	h.rtp(0, 5, 101, 1160, []byte("b"))
	h.rtp(0, 6, 9000, 77000, []byte("c")) // held until the next shows that it stays
	h.rtp(0, 6, 9001, 77160, []byte("d"))
	h.rtp(0, 5, 102, 1320, []byte("stray"))
	h.rtp(0, 6, 9002, 77320, []byte("e"))
	b, c, d, e := in.next(t), in.next(t), in.next(t), in.next(t)
	require.Equal(t, "bcde", string(b.Payload)+string(c.Payload)+string(d.Payload)+string(e.Payload))
	for i, p := range []*rtp.Packet{c, d, e} {
		require.Equal(t, b.SequenceNumber+1+uint16(i), p.SequenceNumber)
	}
	require.Equal(t, c.Timestamp+160, d.Timestamp)
	require.Less(t, c.Timestamp-b.Timestamp, uint32(8000), "by the time that passed")
	require.Equal(t, uint64(1), s.Counters().SourceChanges)
	require.Zero(t, s.Stats()[0].Lost)
}

func TestSourceThatLeftMakesRoomAtOnce(t *testing.T) {
	s, j, h := audioHost(t)
	h.rtp(0, 5, 100, 1000, []byte("a"))
	track := receive(t, s.Tracks(), "a track")
	in := newInbox("a")
	defer track.Attach(in)()
	h.rtcp(&rtcp.ReceiverReport{SSRC: 5}, &rtcp.Goodbye{Sources: []uint32{5}})
	eventually(t, "the goodbye", func() bool { return len(j.of(Goodbye)) == 1 })
	h.rtp(0, 6, 1, 1, []byte("b"))
	require.Equal(t, "b", string(in.next(t).Payload))
}

func TestTwoSourcesDoNotTakeTurns(t *testing.T) {
	var s source
	now := noon
	packet := func(ssrc uint32, seq uint16) *rtp.Packet {
		return &rtp.Packet{Header: rtp.Header{SSRC: ssrc, SequenceNumber: seq}, Payload: []byte("x")}
	}
	s.admit(packet(1, 0), 8000, now)
	changes := 0
	for i := range uint16(200) { // bursts of two, one after the other
		now = now.Add(10 * time.Millisecond)
		for j := range uint16(2) {
			if v, _ := s.admit(packet(1+uint32(i%2), 1+i+j), 8000, now); v == replace {
				changes++
			}
		}
	}
	require.LessOrEqual(t, changes, 2)
}

func TestCollisionOfSSRC(t *testing.T) {
	s, _, h := audioHost(t)
	f := newFeed(pcmu)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	old := s.SSRC()
	f.send(1, 0, "before")
	before := h.nextRTP()
	h.rtp(0, old, 1, 0, []byte("mine too"))
	require.Equal(t, []uint32{old}, nextRTCP[*rtcp.Goodbye](h).Sources)
	require.NotEqual(t, old, s.SSRC())
	f.send(2, 160, "after")
	after := h.nextRTP()
	require.Equal(t, s.SSRC(), after.SSRC)
	require.Equal(t, before.SequenceNumber+1, after.SequenceNumber)
	// An echo of all we send does not make us change again and again.
	now := s.SSRC()
	h.rtp(0, now, 2, 0, []byte("echo"))
	h.rtp(0, now, 3, 0, []byte("echo"))
	eventually(t, "the echo", func() bool { return s.Stats()[0].Packets >= 2 })
	require.Equal(t, now, s.SSRC())
}

func TestCodecsDoNotFlap(t *testing.T) {
	clock := newManualClock()
	s, _, h := audioHost(t, on(clock))
	for i := range uint16(100) {
		h.rtp(uint8(i%2*8), 5, i, uint32(i)*160, []byte("x"))
	}
	eventually(t, "all", func() bool { return s.Stats()[0].Packets == 100 })
	require.LessOrEqual(t, len(s.Tracks()), changeBurst)
}

func TestMediaTimeOut(t *testing.T) {
	clock := newManualClock()
	s, j, h := audioHost(t, on(clock), func(c *Config) { c.Timeout = 30 * time.Second })
	timedOut := func(n int) func() bool { return func() bool { return len(j.of(TimedOut)) == n } }
	clock.advance(29 * time.Second)
	h.rtcp(&rtcp.ReceiverReport{SSRC: 5}) // a muted terminal lives
	eventually(t, "the report", func() bool {
		s.life.mu.Lock()
		defer s.life.mu.Unlock()
		return s.life.since.Equal(clock.Now())
	})
	require.Equal(t, clock.Now(), s.Stats()[0].LastSeen)
	clock.advance(29 * time.Second)
	require.Empty(t, j.of(TimedOut))
	clock.advance(time.Second)
	eventually(t, "the time-out", timedOut(1))
	clock.advance(time.Hour)
	h.rtp(0, 5, 1, 0, []byte("back"))
	eventually(t, "the recovery", func() bool { return len(j.of(Recovered)) == 1 })
	require.Len(t, j.of(TimedOut), 1, "once per silence")

	held := h.params(audioParams)
	held.Held = true
	require.NoError(t, s.Apply(held))
	clock.advance(time.Hour)
	sendonly := h.params(audioParams)
	sendonly.Direction = media.SendOnly
	require.NoError(t, s.Apply(sendonly))
	clock.advance(time.Hour)
	require.NoError(t, s.Apply(h.params(audioParams))) // the time starts anew
	clock.advance(29 * time.Second)
	require.Len(t, j.of(TimedOut), 1)
	clock.advance(time.Second)
	eventually(t, "the time-out", timedOut(2))
}

func TestAudioLevelIsTheOnlyExtension(t *testing.T) {
	s, _ := open(t)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(audioParams)
	p.AudioLevel = 3
	require.NoError(t, s.Apply(p))
	h.rtp(0, 5, 1, 0, []byte("a"))
	track := receive(t, s.Tracks(), "a track")
	in := newInbox("a")
	defer track.Attach(in)()
	out := &rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: 2}, Payload: []byte("b")}
	require.NoError(t, out.SetExtension(3, []byte{0x85}))
	require.NoError(t, out.SetExtension(7, []byte("secret")))
	b, err := out.Marshal()
	require.NoError(t, err)
	h.raw(b)
	got := in.next(t)
	require.Equal(t, []byte{0x85}, got.GetExtension(media.AudioLevelID))
	require.Equal(t, []uint8{media.AudioLevelID}, got.GetExtensionIDs())
}

func TestKeepAliveWhenNothingIsSent(t *testing.T) {
	clock := newManualClock()
	_, _, h := audioHost(t, on(clock))
	clock.advance(keepAlivePause)
	for len(receive(t, h.in, "an empty datagram")) != 0 {
	}
}
