package feedback

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestTMMBBothWays(t *testing.T) {
	for _, tc := range []struct {
		name string
		msg  TMMB
		wire []byte
	}{
		{"request", TMMB{Sender: 0x01020304, Entries: []MaxBitrate{{SSRC: 0x0a0b0c0d, Bitrate: 1_000_000 &^ 7, Overhead: 40}}},
			[]byte{0x83, 205, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0, 10, 11, 12, 13, 0x0f, 0xd0, 0x90, 0x28}},
		{"empty notification", TMMB{Notify: true, Sender: 5, Entries: nil},
			[]byte{0x84, 205, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got TMMB
			require.NoError(t, got.Unmarshal(tc.msg.Marshal()))
			require.Equal(t, tc.msg, got)
			require.Equal(t, tc.wire, tc.msg.Marshal())
			for n := range tc.wire {
				require.ErrorIs(t, got.Unmarshal(tc.wire[:n]), ErrMalformed, "prefix of %d octets", n)
			}
		})
	}
}

func TestTMMBRoundsDown(t *testing.T) {
	for _, rate := range []uint64{0, 1, 131071, 131072, 131073, 2_500_001, 10_000_000_000} {
		var got TMMB
		require.NoError(t, got.Unmarshal(TMMB{Entries: []MaxBitrate{{Bitrate: rate}}}.Marshal()))
		require.LessOrEqual(t, got.Entries[0].Bitrate, rate)
		require.InEpsilon(t, float64(rate+1), float64(got.Entries[0].Bitrate+1), 0.0001)
	}
}

func FuzzTMMB(f *testing.F) {
	f.Add(TMMB{Sender: 1, Entries: []MaxBitrate{{SSRC: 2, Bitrate: 64000, Overhead: 40}}}.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		var m TMMB
		if m.Unmarshal(data) != nil {
			return
		}
		var back TMMB
		if err := back.Unmarshal(m.Marshal()); err != nil {
			t.Fatal(err)
		}
	})
}

func sequence(pairs []rtcp.NackPair) (all []uint16) {
	for _, p := range pairs {
		all = append(all, p.PacketList()...)
	}
	return all
}

func TestMissing(t *testing.T) {
	var m Missing
	m.Push(65533, noon)
	m.Push(1, noon) // 65534, 65535, 0 are missing
	require.Nil(t, m.Due(noon, 0), "they may be on their way")
	at := noon.Add(reorderTime)
	require.Equal(t, []uint16{65534, 65535, 0}, sequence(m.Due(at, 0)))
	require.Nil(t, m.Due(at.Add(minRetry/2), 0), "asked a moment ago")
	m.Push(65535, at)
	require.Equal(t, []uint16{65534, 0}, sequence(m.Due(at.Add(minRetry), 0)))
	require.Nil(t, m.Due(at.Add(2*minRetry), 150*time.Millisecond), "the way is long")
	for i := range 20 {
		m.Due(at.Add(time.Duration(i+3)*minRetry), 0)
	}
	require.Zero(t, m.Outstanding(), "given up")
}

func TestMissingIsBounded(t *testing.T) {
	var m Missing
	m.Push(0, noon)
	for i := uint16(2); i < 2000; i += 2 {
		m.Push(i, noon)
	}
	require.Equal(t, maxMissing, m.Outstanding())
	m.Push(30000, noon)
	require.Zero(t, m.Outstanding(), "a gap that wide is not mended")
	m.Reset()
	m.Push(5, noon)
	m.Push(7, noon)
	require.Equal(t, 1, m.Outstanding())
}

func TestHistory(t *testing.T) {
	var h History
	buf := make([]byte, 100)
	h.Push(7, []byte("seven"), noon)
	n, ok := h.Find(7, buf, noon.Add(time.Second))
	require.True(t, ok)
	require.Equal(t, "seven", string(buf[:n]))
	_, ok = h.Find(7, buf, noon.Add(time.Second+time.Millisecond))
	require.False(t, ok, "sent again a moment ago")
	_, ok = h.Find(7, buf, noon.Add(resendAge+time.Second))
	require.False(t, ok, "too old")
	_, ok = h.Find(7+historySize, buf, noon)
	require.False(t, ok, "never sent")
	h.Push(7+historySize, []byte("later"), noon)
	_, ok = h.Find(7, buf, noon.Add(time.Second))
	require.False(t, ok, "overwritten")
	h.Forget()
	_, ok = h.Find(7+historySize, buf, noon)
	require.False(t, ok)
}

// What went out after younger packets, because it came to us so, was asked for before: it is
// not lost.
func TestHistoryCountsWhatWasLost(t *testing.T) {
	var h History
	buf := make([]byte, 100)
	for _, seq := range []uint16{65534, 65535, 1, 0, 2} {
		h.Push(seq, []byte("x"), noon)
	}
	for _, seq := range []uint16{0, 1, 1} {
		h.Find(seq, buf, noon.Add(time.Duration(seq)*time.Millisecond))
	}
	require.EqualValues(t, 1, h.Lost())
}

func TestHistoryBoundsWhatAFarSideCanAskFor(t *testing.T) {
	var h History
	buf := make([]byte, 100)
	for seq := range uint16(historySize) {
		h.Push(seq, []byte{1}, noon)
	}
	at, sent := noon, 0
	for range 40 { // asked for everything again and again within a second
		at = at.Add(resendPause)
		for seq := range uint16(historySize) {
			if _, ok := h.Find(seq, buf, at); ok {
				sent++
			}
		}
	}
	require.Equal(t, resendRate, sent)
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Push(9, []byte{1}, noon) }))
}

func TestThrottle(t *testing.T) {
	var th Throttle
	for range KeyframeBurst {
		require.True(t, th.Ask(noon))
	}
	require.False(t, th.Ask(noon))
	require.False(t, th.Due(noon.Add(KeyframePause/2)))
	require.True(t, th.Due(noon.Add(KeyframePause)), "the request that waited")
	require.False(t, th.Due(noon.Add(3*KeyframePause)), "only once")
	require.True(t, th.Ask(noon.Add(3*KeyframePause)))
}
