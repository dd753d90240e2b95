package livekit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// narrows runs a way that carries so much, over which pictures come that have 1.6 Mbit/s, or
// 150 kbit/s in small, and 30 kbit/s of sound; each second tells whether the way was taken
// for narrow.
type narrows struct {
	down downlink
	now  time.Time
}

func (n *narrows) seconds(count, carries int) (narrow []bool) {
	for range count {
		n.now = n.now.Add(time.Second)
		video := 1_600_000
		if n.down.narrow {
			video = 150_000
		}
		loss := max(0, 1-float64(carries)/float64(video+30_000))
		of := func(bps, packets int) share {
			return share{packets: uint32(packets), lost: uint32(loss * float64(packets)), octets: int(float64(bps) / 8 * (1 - loss))}
		}
		s, ok := sightOf(map[string]share{"picture": of(video, video/8000), "sound": of(30_000, 50)}, time.Second)
		if ok {
			n.down.see(s, n.now)
		}
		narrow = append(narrow, n.down.narrow)
	}
	return narrow
}

func times(is []bool) (n int) {
	for _, v := range is {
		if v {
			n++
		}
	}
	return n
}

// A way that does not carry the large pictures is left to small ones within seconds, and gets
// the large ones back when it is wide; on one that stays narrow they are tried ever less often.
func TestNarrowDownlink(t *testing.T) {
	n := &narrows{now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	require.Zero(t, times(n.seconds(60, 10_000_000)))
	require.GreaterOrEqual(t, times(n.seconds(10, 512_000)), 8, "within two seconds")
	back := n.seconds(40, 10_000_000)
	require.Zero(t, times(back[35:]))
	stays := n.seconds(1800, 512_000)
	tries := 0
	for i := 1; i < len(stays); i++ {
		if stays[i-1] && !stays[i] {
			tries++
		}
	}
	t.Logf("wide after %d s, %d tries and %d large seconds in half an hour", times(back), tries, len(stays)-times(stays))
	require.LessOrEqual(t, tries, 12)
	require.LessOrEqual(t, len(stays)-times(stays), 40)
	require.LessOrEqual(t, tries, 12)
}

// Where one publisher's streams are whole the way is, whatever others lose before the SFU.
func TestLossOfOnePublisher(t *testing.T) {
	var d downlink
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for range 60 {
		now = now.Add(time.Second)
		s, ok := sightOf(map[string]share{
			"far":  {packets: 200, lost: 60, octets: 140_000, queue: time.Second},
			"near": {packets: 50, octets: 4_000, queue: time.Millisecond},
			"mute": {packets: 1, lost: 1},
		}, time.Second)
		require.True(t, ok)
		require.False(t, d.see(s, now))
	}
	_, ok := sightOf(map[string]share{"mute": {packets: 3}}, time.Second)
	require.False(t, ok)
}
