package bridge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
		r, ok := m.refusals[s]
		return ok && r.holds(s, now)
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
	require.False(t, r.holds(s, now), "of another size it is another picture")
	require.True(t, refused(), "which does not fit either")
	require.Equal(t, now.Add(refusalTime), m.refusals[s].until)

	m.state.Store(&h264.State{Phase: h264.Forwarding})
	require.False(t, refused())
	require.Empty(t, m.refusals)
}
