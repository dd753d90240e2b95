package terminal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPath(t *testing.T) {
	for _, bad := range []string{"in", "in=x", "in=1@y", "up=5", "loss=101", "in=5@9s,in=6@8s", "in=-1"} {
		_, err := Options{Call: "demo@127.0.0.1", Path: bad}.prepare()
		assert.ErrorIs(t, err, ErrOptions, bad)
	}
	p, err := Options{Call: "demo@127.0.0.1", Path: "in=800@1s,loss=50@3s,in=0@3s,loss=0@5s,outloss=100@5s"}.prepare()
	require.NoError(t, err)
	began := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p.path.begin(began)
	// A thousand bytes and their headers every millisecond: 8.2 Mbit/s.
	second := func(n int, sent bool) (through int) {
		for i := range 1000 {
			if p.path.passes(sent, 1000, began.Add(time.Duration(n)*time.Second+time.Duration(i)*time.Millisecond)) {
				through++
			}
		}
		return through
	}
	assert.Equal(t, 1000, second(0, false))
	assert.InDelta(t, 800_000/8224+29, second(1, false), 3, "with what the queue holds at first")
	assert.InDelta(t, 800_000/8224, second(2, false), 2)
	assert.InDelta(t, 500, second(3, false), 100)
	assert.Equal(t, 1000, second(4, true))
	assert.Equal(t, 1000, second(5, false))
	assert.Zero(t, second(6, true))
}

func TestPace(t *testing.T) {
	began := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	var p pace
	for i := range 60 {
		at := began.Add(time.Duration(i) * 100 * time.Millisecond)
		if i >= 20 && i < 30 {
			continue
		}
		p.packet(12_500, at)
		p.picture(i == 0, 640, 360, at)
	}
	var r VideoReport
	p.report(&r)
	assert.Equal(t, 1, r.Freezes)
	assert.Equal(t, int64(1100), r.LongestMS)
	require.Len(t, r.Timeline, 6)
	assert.Equal(t, Second{Kbps: 1000, Frames: 10, Keyframes: 1, Width: 640, Height: 360}, r.Timeline[0])
	assert.Equal(t, Second{Width: 640, Height: 360}, r.Timeline[2])
}
