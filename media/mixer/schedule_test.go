package mixer

import (
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	start := time.Unix(100, 0)
	s := schedule{next: start}
	for _, tc := range []struct {
		after          time.Duration // since start
		ticks, skipped int
	}{
		{-time.Millisecond, 0, 0},
		{0, 1, 0},
		{time.Millisecond, 0, 0},
		{20 * time.Millisecond, 1, 0},
		{45 * time.Millisecond, 1, 0}, // a little late
		{60 * time.Millisecond, 1, 0}, // and on time again
		{145 * time.Millisecond, 4, 0},
		{10 * time.Second, maxCatchUp, 493 - maxCatchUp},
		{10*time.Second + 19*time.Millisecond, 0, 0},
		{10*time.Second + 20*time.Millisecond, 1, 0},
	} {
		ticks, skipped := s.due(start.Add(tc.after))
		if ticks != tc.ticks || skipped != tc.skipped {
			t.Errorf("after %v: %d ticks, %d skipped; want %d, %d", tc.after, ticks, skipped, tc.ticks, tc.skipped)
		}
	}
}
