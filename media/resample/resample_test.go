package resample_test

import (
	"math"
	"testing"

	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/resample"
	"github.com/roomgate/roomgate/media/tone"
)

func convert(t testing.TB, from, to int, in []int16, block int) []int16 {
	t.Helper()
	r, err := resample.New(from, to)
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	for len(in) > 0 {
		n := min(block, len(in))
		buf := make([]int16, r.Len(n))
		if got := r.Write(buf, in[:n]); got != len(buf) {
			t.Fatalf("%d samples made, %d announced", got, len(buf))
		}
		out, in = append(out, buf...), in[n:]
	}
	return out
}

// A tone within the band comes out with its level and more than 60 dB over all
// that is not the tone.
func TestPassband(t *testing.T) {
	for _, from := range []int{8000, 16000, 32000, 44100, 48000} {
		for _, to := range []int{8000, 16000, 48000} {
			for _, share := range []float64{0.05, 0.25, 0.6, 0.85} {
				hz := math.Round(share * float64(min(from, to)) / 2)
				in := make([]int16, 2*from)
				tone.NewGenerator(from, hz, -3).Read(in)
				out := convert(t, from, to, in, from/50)
				if len(out) != 2*to {
					t.Fatalf("%d to %d: %d samples of two seconds", from, to, len(out))
				}
				got := out[to/2 : to/2+to]
				m := tone.Measure(got, to)
				if math.Abs(m.Frequency-hz) > 0.5 || math.Abs(m.Level+3) > 0.7 {
					t.Errorf("%d to %d: %v Hz is %+v", from, to, hz, m)
				}
				if db := noise(got, to, hz); db < 60 {
					t.Errorf("%d to %d: %v Hz stands %.1f dB over the rest", from, to, hz, db)
				}
			}
		}
	}
}

// noise fits a sine of hz to the samples and compares it with what is left, in
// dB.
func noise(pcm []int16, rate int, hz float64) float64 {
	var c, s float64
	n := float64(len(pcm)) // whole periods in a second
	for i, v := range pcm {
		a := 2 * math.Pi * hz * float64(i) / float64(rate)
		c += float64(v) * math.Cos(a) * 2 / n
		s += float64(v) * math.Sin(a) * 2 / n
	}
	left := 0.0
	for i, v := range pcm {
		a := 2 * math.Pi * hz * float64(i) / float64(rate)
		left += math.Pow(float64(v)-c*math.Cos(a)-s*math.Sin(a), 2)
	}
	return 10 * math.Log10((c*c+s*s)/2*n/left)
}

// What does not fit the new band does not fold into it.
func TestAliases(t *testing.T) {
	for _, tc := range []struct{ from, to, hz int }{
		{48000, 8000, 4500}, {48000, 8000, 7000}, {48000, 8000, 15000},
		{16000, 8000, 4500}, {16000, 8000, 7000}, {48000, 16000, 9000}, {48000, 16000, 15000},
	} {
		in := make([]int16, 2*tc.from)
		tone.NewGenerator(tc.from, float64(tc.hz), -3).Read(in)
		out := convert(t, tc.from, tc.to, in, 960)
		if l := level.DBov(out[tc.to/2 : tc.to]); l > -66 {
			t.Errorf("%d Hz from %d to %d is heard at %.1f dBov", tc.hz, tc.from, tc.to, l)
		}
	}
}

// Blocks of any size give the same samples.
func TestBlocks(t *testing.T) {
	in := make([]int16, 4000)
	tone.NewGenerator(8000, 440, -6).Read(in)
	whole := convert(t, 8000, 48000, in, len(in))
	for _, block := range []int{1, 7, 160, 333} {
		got := convert(t, 8000, 48000, in, block)
		for i := range whole {
			if got[i] != whole[i] {
				t.Fatalf("blocks of %d: sample %d differs", block, i)
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, r := range [][2]int{{0, 8000}, {8000, -1}, {8000, 47999}, {1 << 30, 8000}} {
		if _, err := resample.New(r[0], r[1]); err == nil {
			t.Errorf("%v is taken", r)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r, err := resample.New(8000, 48000)
	if err != nil {
		t.Fatal(err)
	}
	in, out := make([]int16, 160), make([]int16, 960)
	r.Write(out, in)
	if n := testing.AllocsPerRun(100, func() { r.Write(out, in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkResample(b *testing.B) {
	for _, tc := range []struct {
		name     string
		from, to int
	}{{"8k-48k", 8000, 48000}, {"48k-8k", 48000, 8000}, {"16k-48k", 16000, 48000}} {
		b.Run(tc.name, func(b *testing.B) {
			r, err := resample.New(tc.from, tc.to)
			if err != nil {
				b.Fatal(err)
			}
			in, out := make([]int16, tc.from/50), make([]int16, tc.to/50)
			for b.Loop() {
				r.Write(out, in)
			}
		})
	}
}
