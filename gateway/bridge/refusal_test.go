package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// A refusal counts for its time, for the size that was announced: a state that is seen again
// does not lengthen it, a source that changed its size is tried, and refused anew.
func TestRefusalIsOfASize(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	s := &source{width: 1920, height: 1080}
	m := &Member{shown: s, refusals: map[*source]refusal{}}
	refused := func() bool {
		m.noteRefusal(now)
		return m.refuses(s, now)
	}
	require.False(t, refused(), "nothing is known")
	m.state.Store(&h264.State{Phase: h264.Refused, Reason: "level 4.0 is more than 3.1"})
	require.True(t, refused())
	until := m.refusals[s].until
	now = now.Add(refusalTime / 2)
	require.True(t, refused())
	require.Equal(t, until, m.refusals[s].until)

	s.width, s.height = 1280, 720
	r := m.refusals[s]
	require.False(t, r.holds(s, 0, now), "of another size it is another picture")
	require.True(t, refused(), "which does not fit either")
	require.Equal(t, now.Add(refusalTime), m.refusals[s].until)

	m.state.Store(&h264.State{Phase: h264.Forwarding})
	require.False(t, refused())
	require.Empty(t, m.refusals)
}

// sender is a leg that sends pictures of a bit rate.
type sender struct {
	call.Leg
	kbps int
}

func (s *sender) Stats() []media.StreamStats {
	return []media.StreamStats{{Role: media.Audio, Kbps: 64}, {Role: media.Main, Sent: true, Kbps: 7}, {Role: media.Main, Kbps: s.kbps}}
}

// What is too much for a path is passed on again when the path carries it, or when less of it
// comes, and not tried before; of participants whose pictures are not measured it is, in the end.
func TestRefusalOfAPath(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	from := &sender{kbps: 1500}
	leg, remote := &source{member: &Member{leg: from}, role: media.Main}, &source{role: media.Main}
	m := &Member{refusals: map[*source]refusal{}}
	m.allowed.take(400_000, now)
	m.state.Store(&h264.State{Phase: h264.Refused, Reason: "1500 kbit/s where 350 are taken", Above: 1_500_000})
	for _, s := range []*source{leg, remote} {
		m.shown = s
		m.noteRefusal(now)
		require.True(t, m.refuses(s, now))
	}
	m.shown = nil // what is shown is made
	pass := func(d time.Duration) {
		now = now.Add(d)
		m.allowance(now) // which has been higher for a while
		m.noteRefusal(now)
	}

	pass(aboveTime / 2)
	require.True(t, m.refuses(leg, now))
	m.allowed.take(1_400_000, now)
	pass(steady + time.Second)
	require.False(t, m.refuses(leg, now), "the path carries it")
	require.False(t, m.refuses(remote, now))
	m.allowed.take(400_000, now)
	require.True(t, m.refuses(leg, now), "which is over at once")
	require.True(t, m.refuses(remote, now))

	pass(aboveTime / 2)
	require.True(t, m.refuses(leg, now), "as much still comes")
	require.False(t, m.refuses(remote, now), "which may have changed")
	from.kbps = 300
	pass(time.Second)
	require.False(t, m.refuses(leg, now), "less comes")
}

// Content that is too much for a path is refused as pictures are, for as long as it is.
func TestRefusalOfContent(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	s := &source{role: media.Content, width: 1920, height: 1080}
	narrow := refusalOf(s, &h264.State{Phase: h264.Refused, Above: 1_000_000}, now)
	size := refusalOf(s, &h264.State{Phase: h264.Refused, Reason: "level 4.0 is more than 3.1"}, now)
	for _, tc := range []struct {
		after        time.Duration
		bound        int
		narrow, size bool
	}{
		{0, 500_000, true, true},
		{refusalTime, 500_000, true, false},
		{refusalTime, 1_000_000, false, false},
		{0, 0, false, true},
		{aboveTime, 500_000, false, false},
	} {
		at := now.Add(tc.after)
		require.Equal(t, tc.narrow, narrow.holds(s, tc.bound, at), "%+v", tc)
		require.Equal(t, tc.size, size.holds(s, tc.bound, at), "%+v", tc)
	}
	s.width = 1280
	require.False(t, narrow.holds(s, 500_000, now), "of another size it is another picture")
}
