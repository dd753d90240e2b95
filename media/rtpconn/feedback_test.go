package rtpconn

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/feedback"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// watch opens a video session towards a host, with the feedback agreed on, that
// has sent its first packet; SSRC 5 is the host's.
func watch(t *testing.T, fb Feedback, change ...func(*Config)) (*Session, *journal, *host, media.Track) {
	t.Helper()
	s, j := open(t, append(change, video)...)
	h := newHost(t, s, "127.0.0.1")
	p := h.params(videoParams)
	p.Feedback = fb
	require.NoError(t, s.Apply(p))
	h.rtp(97, 5, 100, 0, []byte("picture"))
	return s, j, h, receive(t, s.Tracks(), "a track")
}

func TestKeyframeRequests(t *testing.T) {
	t.Run("pli before fir", func(t *testing.T) {
		s, _, h, track := watch(t, Feedback{PLI: true, FIR: true})
		track.RequestKeyframe()
		pli := nextRTCP[*rtcp.PictureLossIndication](h)
		require.Equal(t, rtcp.PictureLossIndication{SenderSSRC: s.SSRC(), MediaSSRC: 5}, *pli)
	})
	t.Run("fir counts", func(t *testing.T) {
		s, _, h, track := watch(t, Feedback{FIR: true})
		for want := range uint8(2) {
			track.RequestKeyframe()
			fir := nextRTCP[*rtcp.FullIntraRequest](h)
			require.Equal(t, rtcp.FullIntraRequest{
				SenderSSRC: s.SSRC(), FIR: []rtcp.FIREntry{{SSRC: 5, SequenceNumber: want + 1}},
			}, *fir)
		}
	})
	t.Run("signalling where neither", func(t *testing.T) {
		var asked atomic.Int32
		_, _, _, track := watch(t, Feedback{}, func(c *Config) { c.KeyframeFallback = func() { asked.Add(1) } })
		track.RequestKeyframe()
		eventually(t, "the request", func() bool { return asked.Load() == 1 })
	})
}

func TestKeyframeRequestsAreMerged(t *testing.T) {
	clock := newManualClock()
	var asked atomic.Int32
	s, _, _, track := watch(t, Feedback{}, on(clock), func(c *Config) { c.KeyframeFallback = func() { asked.Add(1) } })
	for range 100 {
		track.RequestKeyframe()
	}
	eventually(t, "the burst", func() bool { return asked.Load() == feedback.KeyframeBurst || s.keyframe.empty() })
	for range 100 {
		track.RequestKeyframe()
	}
	eventually(t, "all are merged", s.keyframe.empty)
	require.LessOrEqual(t, asked.Load(), int32(feedback.KeyframeBurst))
	require.Positive(t, asked.Load())
	before := asked.Load()
	clock.advance(feedback.KeyframePause)
	eventually(t, "the one that waited", func() bool { return asked.Load() > before })
}

func TestKeyframeRequestOfTheFarSideReachesTheTrack(t *testing.T) {
	s, _, h, _ := watch(t, Feedback{})
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	require.Equal(t, int32(1), f.keyframes.Load(), "a new source begins with a key frame")
	h.rtcp(&rtcp.PictureLossIndication{SenderSSRC: 5, MediaSSRC: s.SSRC()})
	eventually(t, "pli", func() bool { return f.keyframes.Load() == 2 })
	fir := &rtcp.FullIntraRequest{SenderSSRC: 5, FIR: []rtcp.FIREntry{{SSRC: s.SSRC(), SequenceNumber: 9}}}
	h.rtcp(fir)
	eventually(t, "fir", func() bool { return f.keyframes.Load() == 3 })
	h.rtcp(fir) // a repetition
	h.raw([]byte{0x80, 192, 0, 1, 0, 0, 0, 5})
	eventually(t, "the intra request of H.261", func() bool { return f.keyframes.Load() == 4 })
	h.rtcp(&rtcp.FullIntraRequest{SenderSSRC: 5, FIR: []rtcp.FIREntry{{SSRC: s.SSRC(), SequenceNumber: 10}}})
	eventually(t, "the next fir", func() bool { return f.keyframes.Load() == 5 })
}

func TestBitrateRequestsOfTheFarSide(t *testing.T) {
	s, j, h, _ := watch(t, Feedback{TMMBR: true})
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	h.raw(feedback.TMMB{Sender: 5, Entries: []feedback.MaxBitrate{{SSRC: s.SSRC(), Bitrate: 512_000, Overhead: 40}}}.Marshal())
	answer := nextTMMB(h)
	require.Equal(t, feedback.TMMB{Notify: true, Sender: s.SSRC(),
		Entries: []feedback.MaxBitrate{{SSRC: 5, Bitrate: 512_000, Overhead: 40}}}, answer)
	eventually(t, "the bound", func() bool { return f.bitrate.Load() == 512_000 })
	h.rtcp(&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 5, Bitrate: 256_000, SSRCs: []uint32{s.SSRC()}})
	eventually(t, "the lower bound", func() bool { return f.bitrate.Load() == 256_000 && s.SendLimit() == 256_000 })
	h.rtcp(&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 5, Bitrate: math.MaxFloat32, SSRCs: []uint32{s.SSRC()}})
	eventually(t, "the other bound again", func() bool { return s.SendLimit() == 512_000 })
	eventually(t, "all were told", func() bool { return len(j.of(SendLimited)) == 3 })
	p := h.params(videoParams)
	p.MaxSend = 100_000
	require.NoError(t, s.Apply(p))
	require.Equal(t, 100_000, s.SendLimit())
	late := newFeed(h264)
	_, err = s.Publish(t.Context(), late)
	require.NoError(t, err)
	require.Equal(t, int64(100_000), late.bitrate.Load(), "told at once")
}

// nextTMMB waits for a TMMBR or TMMBN at the end of a compound packet.
func nextTMMB(h *host) feedback.TMMB {
	h.t.Helper()
	for {
		raw := nextRTCP[*rtcp.RawPacket](h)
		var m feedback.TMMB
		if m.Unmarshal(*raw) == nil {
			return m
		}
	}
}

func TestRequestBitrate(t *testing.T) {
	t.Run("tmmbr until it is answered", func(t *testing.T) {
		clock := newManualClock()
		s, _, h, track := watch(t, Feedback{TMMBR: true, REMB: true}, on(clock))
		track.(media.BitrateTaker).TakeBitrate(768_000)
		want := feedback.TMMB{Sender: s.SSRC(), Entries: []feedback.MaxBitrate{{SSRC: 5, Bitrate: 768_000, Overhead: 40}}}
		require.Equal(t, want, nextTMMB(h))
		clock.advance(tmmbrRetry)
		require.Equal(t, want, nextTMMB(h), "no answer yet")
		h.raw(feedback.TMMB{Notify: true, Sender: 5, Entries: want.Entries}.Marshal())
		eventually(t, "the answer", func() bool {
			s.reach.mu.Lock()
			defer s.reach.mu.Unlock()
			return s.reach.told
		})
		require.True(t, s.RequestBitrate(0))
		require.InEpsilon(t, unbounded, nextTMMB(h).Entries[0].Bitrate, 1e-4)
	})
	t.Run("remb", func(t *testing.T) {
		s, _, h, _ := watch(t, Feedback{REMB: true})
		require.True(t, s.RequestBitrate(300_000))
		remb := nextRTCP[*rtcp.ReceiverEstimatedMaximumBitrate](h)
		require.Equal(t, []uint32{5}, remb.SSRCs)
		require.InDelta(t, 300_000, remb.Bitrate, 10)
	})
	t.Run("cannot be told", func(t *testing.T) {
		s, _, _, _ := watch(t, Feedback{})
		require.False(t, s.RequestBitrate(300_000))
	})
}

func TestNACKRecoversLoss(t *testing.T) {
	s, _, h, track := watch(t, Feedback{NACK: true})
	in := newInbox("picture")
	defer track.Attach(in)()
	h.rtp(97, 5, 101, 0, []byte("101"))
	h.rtp(97, 5, 104, 0, []byte("104"))
	nack := nextRTCP[*rtcp.TransportLayerNack](h)
	require.Equal(t, uint32(5), nack.MediaSSRC)
	require.Equal(t, []uint16{102, 103}, nack.Nacks[0].PacketList())
	h.rtp(97, 5, 102, 0, []byte("102"))
	h.rtp(97, 5, 103, 0, []byte("103"))
	for _, want := range []string{"101", "104", "102", "103"} {
		require.Equal(t, want, string(in.next(t).Payload))
	}
	require.Zero(t, s.Stats()[0].Lost)
}

func TestNACKIsAnswered(t *testing.T) {
	s, _, h, _ := watch(t, Feedback{NACK: true})
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(1, 0, "one")
	f.send(2, 0, "two")
	one, two := h.nextRTP(), h.nextRTP()
	h.rtcp(&rtcp.TransportLayerNack{SenderSSRC: 5, MediaSSRC: s.SSRC(), Nacks: []rtcp.NackPair{
		{PacketID: one.SequenceNumber}, {PacketID: two.SequenceNumber + 9},
	}})
	require.Equal(t, one, h.nextRTP(), "the same packet again")
	require.NotEqual(t, one.SequenceNumber, two.SequenceNumber)
}

// Every fourth packet is lost on its way; all arrive in the end.
func TestLossBetweenTwoSessions(t *testing.T) {
	a, _ := open(t, video)
	b, _ := open(t, video)
	h := newHost(t, b, "127.0.0.1") // between them: it loses packets of a
	pa, pb := h.params(videoParams), h.params(videoParams)
	pa.Feedback, pb.Feedback = Feedback{NACK: true}, Feedback{NACK: true}
	require.NoError(t, a.Apply(pa))
	require.NoError(t, b.Apply(pb))
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case d := <-h.in:
				if len(d) < headerSize {
					continue
				}
				media := d[1] < 192 || d[1] > 223
				fromA := ssrcOf(d) == a.SSRC()
				switch {
				case fromA && (!media || n%4 != 3):
					h.conn.WriteToUDPAddrPort(d, b.LocalRTP())
				case !fromA:
					h.conn.WriteToUDPAddrPort(d, a.LocalRTP())
				}
			}
		}
	}()
	defer func() {
		close(done)
		<-stopped
	}()
	f := newFeed(h264)
	_, err := a.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(0, 0, "first")
	receive(t, b.Tracks(), "a track")
	const n = 100
	for i := range uint16(n) {
		f.send(1+i, uint32(i)*3000, "x")
	}
	eventually(t, "everything", func() bool { st := b.Stats()[0]; return st.Packets >= n && st.Lost == 0 })
}

func ssrcOf(b []byte) uint32 {
	at := 8
	if b[1] >= 192 && b[1] < 224 {
		at = 4
	}
	return uint32(b[at])<<24 | uint32(b[at+1])<<16 | uint32(b[at+2])<<8 | uint32(b[at+3])
}

func TestReports(t *testing.T) {
	clock := newManualClock()
	s, _, h, track := watch(t, Feedback{}, on(clock), func(c *Config) { c.CNAME = "leg-7" })
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	f.send(1, 0, "picture")
	sent := h.nextRTP()
	_, _, ok := track.(media.SenderReporter).NTP()
	require.False(t, ok, "no sender report yet")
	h.rtcp(&rtcp.SenderReport{SSRC: 5, NTPTime: report.NTP(noon), RTPTime: 4500})
	eventually(t, "the sender report", func() bool {
		ntp, stamp, ok := track.(media.SenderReporter).NTP()
		return ok && ntp == report.NTP(noon) && stamp == 4500
	})
	clock.advance(10 * time.Second)
	sr := nextRTCP[*rtcp.SenderReport](h)
	require.Equal(t, s.SSRC(), sr.SSRC)
	require.Equal(t, report.NTP(clock.Now()), sr.NTPTime)
	require.Equal(t, sent.Timestamp+900_000, sr.RTPTime, "ten seconds on")
	require.Equal(t, uint32(1), sr.PacketCount)
	require.Equal(t, uint32(7), sr.OctetCount)
	require.Len(t, sr.Reports, 1)
	require.Equal(t, uint32(5), sr.Reports[0].SSRC)
	require.Equal(t, uint32(10<<16), sr.Reports[0].Delay)

	// Their answer 300 ms later, held for 200 ms: a round trip of 100 ms.
	clock.advance(300 * time.Millisecond)
	h.rtcp(&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{
		SSRC: s.SSRC(), LastSenderReport: report.Middle(sr.NTPTime), Delay: 65536 / 5, TotalLost: 3,
	}}})
	eventually(t, "the round trip", func() bool { return s.Stats()[1].RTT > 0 })
	require.InDelta(t, 100, s.Stats()[1].RTT.Milliseconds(), 1)
	require.Equal(t, uint64(3), s.Stats()[1].Lost)
	clock.advance(10 * time.Second)
	sdes := nextRTCP[*rtcp.SourceDescription](h)
	require.Equal(t, "leg-7", sdes.Chunks[0].Items[0].Text)
	require.NoError(t, s.Close())
	require.Equal(t, []uint32{s.SSRC()}, nextRTCP[*rtcp.Goodbye](h).Sources)
}

// Two sessions of a leg tell the same time for what they sent at the same time.
func TestAudioAndVideoShareAClock(t *testing.T) {
	clock := newManualClock()
	v, _, hv, _ := watch(t, Feedback{}, on(clock))
	a, _ := open(t, on(clock))
	ha := newHost(t, a, "127.0.0.1")
	require.NoError(t, a.Apply(ha.params(audioParams)))
	fv, fa := newFeed(h264), newFeed(pcmu)
	_, err := v.Publish(t.Context(), fv)
	require.NoError(t, err)
	_, err = a.Publish(t.Context(), fa)
	require.NoError(t, err)
	fv.send(1, 0, "v")
	fa.send(1, 0, "a")
	pv, pa := hv.nextRTP(), ha.nextRTP()
	clock.advance(10 * time.Second)
	srv, sra := nextRTCP[*rtcp.SenderReport](hv), nextRTCP[*rtcp.SenderReport](ha)
	require.Equal(t, srv.NTPTime, sra.NTPTime)
	require.Equal(t, uint32(900_000), srv.RTPTime-pv.Timestamp)
	require.Equal(t, uint32(80_000), sra.RTPTime-pa.Timestamp)
}
