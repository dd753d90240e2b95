package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestNTPBothWays(t *testing.T) {
	for _, at := range []time.Time{
		noon, noon.Add(time.Nanosecond), noon.Add(999_999_999), time.Unix(0, 0), noon.Add(500 * time.Millisecond),
	} {
		require.WithinDuration(t, at, Time(NTP(at)), time.Nanosecond)
	}
	require.Equal(t, uint64(2208988800)<<32, NTP(time.Unix(0, 0)))
	require.Equal(t, uint32(0x80000000), uint32(NTP(noon.Add(500*time.Millisecond))))
}

// The example of RFC 3550 §6.4.1, figure 2: 6.125 s round trip.
func TestRoundTripOfTheRFC(t *testing.T) {
	got, ok := RoundTrip(Time(0xb710_8000<<16), 0xb705_2000, 0x0005_4000)
	require.True(t, ok)
	require.Equal(t, 6125*time.Millisecond, got)
	_, ok = RoundTrip(noon, 0, 0)
	require.False(t, ok, "no sender report seen yet")
	_, ok = RoundTrip(noon, Middle(NTP(noon.Add(time.Second))), 0)
	require.False(t, ok, "a report from the future")
}

func TestInterval(t *testing.T) {
	mean := func(i Interval) time.Duration { return i.Next(0.5) }
	const compensation = 2.71828 - 1.5
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) / compensation) }
	for _, tc := range []struct {
		name string
		i    Interval
		want time.Duration
	}{
		{"audio", Interval{Bandwidth: 80_000, PacketSize: 120}, 5 * time.Second},
		{"the first report", Interval{Bandwidth: 80_000, PacketSize: 120, Initial: true}, 2500 * time.Millisecond},
		{"early feedback at 720 kbit/s", Interval{Bandwidth: 720_000, PacketSize: 120, Early: true}, 500 * time.Millisecond},
		{"early feedback at 180 kbit/s", Interval{Bandwidth: 180_000, PacketSize: 120, Early: true}, 2 * time.Second},
		{"early feedback at 4 Mbit/s keeps a floor", Interval{Bandwidth: 4_000_000, PacketSize: 120, Early: true}, floor},
		{"a narrow session", Interval{Bandwidth: 5_000, PacketSize: 120}, 7680 * time.Millisecond},
		{"no bandwidth known", Interval{PacketSize: 120, Early: true}, 5 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.InDelta(t, float64(scaled(tc.want)), float64(mean(tc.i)), float64(2*time.Millisecond))
			require.InDelta(t, float64(tc.i.Next(0)), float64(mean(tc.i))/2, float64(time.Millisecond))
		})
	}
}

func TestReceptionVerdicts(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []uint16
		want []Verdict
		lost uint64
	}{
		{"in order", []uint16{1, 2, 3}, []Verdict{Fresh, Fresh, Fresh}, 0},
		{"wraps", []uint16{65534, 65535, 0, 1}, []Verdict{Fresh, Fresh, Fresh, Fresh}, 0},
		{"a gap", []uint16{1, 4}, []Verdict{Fresh, Fresh}, 2},
		{"a gap filled", []uint16{1, 4, 3, 2}, []Verdict{Fresh, Fresh, Late, Late}, 0},
		{"twice", []uint16{1, 2, 2, 1}, []Verdict{Fresh, Fresh, Duplicate, Duplicate}, 0},
		{"late and twice across the wrap", []uint16{65535, 1, 0, 0}, []Verdict{Fresh, Fresh, Late, Duplicate}, 0},
		{"before the first", []uint16{10, 9}, []Verdict{Fresh, Duplicate}, 0},
		{"one stray", []uint16{1, 30000, 2}, []Verdict{Fresh, Suspect, Fresh}, 0},
		{"began anew", []uint16{1, 3, 30000, 30001, 30002}, []Verdict{Fresh, Fresh, Suspect, Restart, Fresh}, 1},
		{"a gap wider than the window", []uint16{1, 1001, 1000}, []Verdict{Fresh, Fresh, Late}, 998},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r Reception
			for i, seq := range tc.in {
				require.Equal(t, tc.want[i], r.Push(seq, 0, noon), "packet %d", i)
			}
			require.Equal(t, tc.lost, r.Lost())
		})
	}
}

func TestReceptionReport(t *testing.T) {
	r := Reception{ClockRate: 8000}
	for i := range uint16(10) {
		if i != 3 && i != 7 {
			r.Push(100+i, uint32(i)*160, noon.Add(time.Duration(i)*20*time.Millisecond))
		}
	}
	r.SenderReport(NTP(noon), noon.Add(time.Second))
	got := r.Report(77, noon.Add(1500*time.Millisecond))
	require.Equal(t, uint32(77), got.SSRC)
	require.Equal(t, uint8(2*256/10), got.FractionLost)
	require.Equal(t, uint32(2), got.TotalLost)
	require.Equal(t, uint32(109), got.LastSequenceNumber)
	require.Zero(t, got.Jitter)
	require.Equal(t, Middle(NTP(noon)), got.LastSenderReport)
	require.Equal(t, uint32(32768), got.Delay)
	require.Zero(t, r.Report(77, noon).FractionLost, "a new interval without loss")
}

func TestJitter(t *testing.T) {
	r := Reception{ClockRate: 8000}
	at := noon
	for i := range uint16(400) { // every second packet 8 ms late
		shift := time.Duration(i%2) * 8 * time.Millisecond
		r.Push(i, uint32(i)*160, at.Add(time.Duration(i)*20*time.Millisecond+shift))
	}
	require.InDelta(t, 8, r.Jitter().Seconds()*1000, 0.1)
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Push(500, 0, at) }))
}

func TestTimelineFollowsTheEarliestPacket(t *testing.T) {
	tl := Timeline{ClockRate: 90000}
	_, ok := tl.At(noon)
	require.False(t, ok)
	for i := range 100 {
		late := time.Duration(i%7) * 3 * time.Millisecond
		tl.Push(1000+uint32(i)*3000, noon.Add(time.Duration(i)*time.Second/30+late))
	}
	stamp, ok := tl.At(noon.Add(10 * time.Second))
	require.True(t, ok)
	require.InDelta(t, 1000+900_000, float64(stamp), 90*1.5, "within 1.5 ms of the truth")
	require.WithinDuration(t, noon, tl.When(1000), 1500*time.Microsecond)
}

func TestTimelineLeapsWithTheStream(t *testing.T) {
	tl := Timeline{ClockRate: 8000}
	tl.Push(0, noon)
	tl.Push(160, noon.Add(time.Minute)) // silence, then on
	stamp, _ := tl.At(noon.Add(time.Minute + 20*time.Millisecond))
	require.Equal(t, uint32(320), stamp)
}
