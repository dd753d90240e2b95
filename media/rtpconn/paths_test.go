package rtpconn

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// reporting is a far side that reports what came of the packets it is sent.
type reporting struct {
	t     *testing.T
	s     *Session
	h     *host
	feed  *feed
	clock *manualClock
	seq   uint16
	lost  uint32
}

func newReporting(t *testing.T, fb Feedback) *reporting {
	clock := newManualClock()
	s, _, h, _ := watch(t, fb, on(clock))
	r := &reporting{t: t, s: s, h: h, feed: newFeed(h264), clock: clock}
	_, err := s.Publish(t.Context(), r.feed)
	require.NoError(t, err)
	return r
}

// send sends a packet every ten milliseconds, 800 kbit/s.
func (r *reporting) send(seq uint16) {
	r.feed.send(seq, uint32(seq)*900, strings.Repeat("x", 1000))
	r.clock.advance(10 * time.Millisecond)
}

// report says that so many more were lost, and waits until that was looked at.
func (r *reporting) report(lost int) {
	r.lost += uint32(lost)
	r.h.rtcp(&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: r.s.SSRC(), LastSequenceNumber: uint32(r.seq), TotalLost: r.lost}}})
	eventually(r.t, "the report", func() bool {
		r.s.paths.mu.Lock()
		defer r.s.paths.mu.Unlock()
		limit := r.s.paths.out.Limit()
		return r.s.paths.told.at.Equal(r.clock.Now()) && r.s.SendLimit() == limit && int(r.feed.bitrate.Load()) == limit
	})
}

func (r *reporting) step(lost int) {
	for range 100 {
		r.send(r.seq)
		r.seq++
	}
	r.report(lost)
}

// What arrived is what was not lost in the end: a copy that came tells of what the path
// carries, not only of a loss.
func TestWhatArrived(t *testing.T) {
	begin := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name        string
		lost, again uint32
		loss        float64
		bps         int
	}{
		{"all", 0, 0, 0, 800_000},
		{"half of it", 50, 0, 0.5, 400_000},
		{"all, of half of it a copy", 0, 50, 0.5, 800_000},
		{"all, and copies of what was lost before", ^uint32(24), 10, 0.1, 1_000_000},
		{"nothing that can be", ^uint32(1 << 20), 0, 0, 1_600_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := account{at: begin, packets: 1000, lost: 30, again: 7, bytes: 5_000_000, sent: true}
			s, ok := a.since(account{
				at: begin.Add(time.Second), packets: 1100, lost: 30 + tc.lost, again: 7 + tc.again, bytes: 5_100_000, sent: true,
			})
			require.True(t, ok)
			require.InDelta(t, tc.loss, s.Loss, 1e-9)
			require.Equal(t, tc.bps, s.Bps)
		})
	}
}

// A far side that reports the loss of most of what is sent is sent less, without
// having asked for it; one that reports none any more gets all of it back.
func TestReportedLossBoundsWhatIsSent(t *testing.T) {
	r := newReporting(t, Feedback{})
	for range 4 {
		r.step(0)
	}
	require.Zero(t, r.s.SendLimit())
	r.step(60)
	require.InDelta(t, 288_000, r.feed.bitrate.Load(), 10_000)
	require.Equal(t, int(r.feed.bitrate.Load()), r.s.SendLimit())
	for range 60 {
		r.step(0)
	}
	require.Zero(t, r.s.SendLimit())
	require.Zero(t, r.feed.bitrate.Load())
}

// A little loss after a cut lowers the bound further where nothing is sent again.
func TestLittleLossWithoutRetransmission(t *testing.T) {
	bound := func(fb Feedback) int {
		r := newReporting(t, fb)
		for range 4 {
			r.step(0)
		}
		r.step(60)
		r.step(2)
		return r.s.SendLimit()
	}
	require.InDelta(t, 288_000, bound(Feedback{NACK: true}), 10_000)
	require.InDelta(t, 245_000, bound(Feedback{}), 10_000)
}

// What never came to us cannot be lost on the far side's path, which reports it all the same.
func TestHolesOfTheSourceAreNotThePaths(t *testing.T) {
	r := newReporting(t, Feedback{})
	step := func(lost int) {
		for range 50 {
			r.send(r.seq + 1)
			r.seq += 2
		}
		r.send(r.seq) // one of them in disorder
		r.report(49 + lost)
	}
	for range 6 {
		step(0)
	}
	require.Zero(t, r.s.SendLimit())
	step(30)
	require.NotZero(t, r.s.SendLimit(), "of fifty, thirty were lost on the path")
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
