package rtpconn

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// A far side that reports the loss of most of what is sent is sent less, without
// having asked for it; one that reports none any more gets all of it back.
func TestReportedLossBoundsWhatIsSent(t *testing.T) {
	clock := newManualClock()
	s, _, h, _ := watch(t, Feedback{}, on(clock))
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	payload := strings.Repeat("x", 1000)
	seq, lost := uint16(0), uint32(0)
	step := func(share float64) {
		for range 100 { // 1.6 Mbit/s
			f.send(seq, uint32(seq)/3*3000, payload)
			seq++
		}
		lost += uint32(100 * share)
		highest := uint32(seq)
		h.rtcp(&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: s.SSRC(), LastSequenceNumber: highest, TotalLost: lost}}})
		eventually(t, "the report", func() bool {
			s.paths.mu.Lock()
			defer s.paths.mu.Unlock()
			return s.paths.told.packets == highest
		})
		clock.advance(500 * time.Millisecond)
	}
	for range 4 {
		step(0)
	}
	require.Zero(t, s.SendLimit())
	step(0.6)
	require.InDelta(t, 576_000, f.bitrate.Load(), 20_000)
	require.Equal(t, int(f.bitrate.Load()), s.SendLimit())
	for range 60 {
		step(0)
	}
	require.Zero(t, s.SendLimit())
	require.Zero(t, f.bitrate.Load())
}

// What never came to us cannot be lost on the far side's path, which reports it all the same.
func TestHolesOfTheSourceAreNotThePaths(t *testing.T) {
	clock := newManualClock()
	s, _, h, _ := watch(t, Feedback{}, on(clock))
	f := newFeed(h264)
	_, err := s.Publish(t.Context(), f)
	require.NoError(t, err)
	payload := strings.Repeat("x", 1000)
	seq, lost := uint16(0), uint32(0)
	step := func(lose bool) {
		late := uint16(0)
		for range 100 {
			if seq++; seq%2 == 0 {
				lost++
				late = seq
				continue
			}
			f.send(seq, uint32(seq)/3*3000, payload)
		}
		if late != 0 { // one of them in disorder
			f.send(late, uint32(late)/3*3000, payload)
			lost--
		}
		if lose {
			lost += 30
		}
		highest := uint32(seq)
		h.rtcp(&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: s.SSRC(), LastSequenceNumber: highest, TotalLost: lost}}})
		eventually(t, "the report", func() bool {
			s.paths.mu.Lock()
			defer s.paths.mu.Unlock()
			return s.paths.told.at.Equal(clock.Now())
		})
		clock.advance(500 * time.Millisecond)
	}
	for range 6 {
		step(false)
	}
	require.Zero(t, s.SendLimit())
	step(true)
	require.NotZero(t, s.SendLimit(), "of fifty, thirty were lost on the path")
}

// What comes with holes in it is asked to be less.
func TestLossOnTheWayInIsToldToTheSender(t *testing.T) {
	clock := newManualClock()
	s, _, h, _ := watch(t, Feedback{REMB: true}, on(clock))
	payload := make([]byte, 1000)
	seq, came := uint16(101), uint64(1)
	step := func(holes bool) {
		for range 100 {
			if seq++; !holes || seq%2 == 0 {
				h.rtp(97, 5, seq, uint32(seq)/3*3000, payload)
				came++
			}
		}
		eventually(t, "the packets", func() bool {
			s.in.mu.Lock()
			defer s.in.mu.Unlock()
			return s.in.packets == came
		})
		clock.advance(500 * time.Millisecond)
		eventually(t, "a look at the path", func() bool {
			s.paths.mu.Lock()
			defer s.paths.mu.Unlock()
			return s.paths.seen.at.Equal(clock.Now())
		})
	}
	for range 4 {
		step(false)
	}
	step(true)
	step(true)
	remb := nextRTCP[*rtcp.ReceiverEstimatedMaximumBitrate](h)
	require.InDelta(t, 720_000, remb.Bitrate, 40_000)
	require.True(t, s.RequestBitrate(300_000), "who takes the track may want less")
	eventually(t, "the less of the two", func() bool {
		s.reach.mu.Lock()
		defer s.reach.mu.Unlock()
		return s.reach.wanted == 300_000
	})
}

// What flow control holds us to tells of a path, as TMMBR does: large pictures spread over
// time. What was agreed on does not.
func TestFlowControlTellsOfAPath(t *testing.T) {
	s, _, h, _ := watch(t, Feedback{})
	p := h.params(videoParams)
	for _, c := range []struct{ negotiated, commanded, limit, narrow int }{
		{2_000_000, 0, 2_000_000, 0}, {384_000, 384_000, 384_000, 384_000}, {2_000_000, 512_000, 512_000, 512_000}, {2_000_000, 0, 2_000_000, 0},
	} {
		p.MaxSend, p.FlowControl = c.negotiated, c.commanded
		require.NoError(t, s.Apply(p))
		require.Equal(t, c.limit, s.SendLimit())
		require.EqualValues(t, c.narrow, s.reach.narrow.Load())
	}
	p.FlowControl = -1
	require.Error(t, s.Apply(p))
}
