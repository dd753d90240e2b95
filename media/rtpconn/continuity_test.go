package rtpconn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestContinuityOverManyTurns(t *testing.T) {
	var c continuity
	now := noon
	c.begin(65530, 4_294_967_000, now)
	c.splice(10, 1000, 8000, now)
	want := uint16(65531)
	for i := range uint32(300_000) {
		now = now.Add(20 * time.Millisecond)
		seq, stamp, ok := c.number(uint16(10+i), 1000+160*i, now)
		require.True(t, ok, "packet %d", i)
		require.Equal(t, want, seq)
		if i == 0 {
			require.Equal(t, uint32(4_294_967_001), stamp)
		}
		want++
	}
}

func TestContinuityInsertAndSkip(t *testing.T) {
	var c continuity
	c.begin(99, 0, noon)
	c.splice(1, 0, 8000, noon)
	number := func(seq uint16) uint16 {
		t.Helper()
		out, _, ok := c.number(seq, 0, noon)
		require.True(t, ok)
		return out
	}
	require.Equal(t, uint16(100), number(1))
	require.Equal(t, uint16(102), number(3), "a gap stays a gap")
	require.Equal(t, uint16(101), number(2), "a late packet takes its place")
	require.Equal(t, uint16(103), c.insert())
	_, _, ok := c.number(3, 0, noon)
	require.False(t, ok, "its place was given away")
	require.Equal(t, uint16(104), number(4))
	c.skip(5)
	require.Equal(t, uint16(105), number(6))
}

func TestContinuityKeepsTheNumbersOfTheFirstSource(t *testing.T) {
	var c continuity
	c.splice(7, 70, 8000, noon)
	seq, stamp, ok := c.number(7, 70, noon)
	require.True(t, ok)
	require.Equal(t, [2]uint32{7, 70}, [2]uint32{uint32(seq), stamp})
}
