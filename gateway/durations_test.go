package gateway

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	var d durations
	for _, took := range []time.Duration{0, 50 * time.Microsecond, 51 * time.Microsecond, time.Millisecond, time.Hour} {
		d.add(took)
	}
	got := d.read()
	want := map[int]uint64{0: 2, 1: 1, 4: 1, 9: 1}
	for i, n := range got.Counts {
		if n != want[i] {
			t.Errorf("%d: %d", i, n)
		}
	}
	if len(got.Counts) != len(got.Bounds)+1 || got.Sum != time.Hour+time.Millisecond+101*time.Microsecond {
		t.Errorf("%+v", got)
	}
}
