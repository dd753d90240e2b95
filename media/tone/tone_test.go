package tone_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/roomgate/roomgate/media/tone"
)

func TestMeasure(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, hz := range []float64{100, 440, 1000.4, 3333} {
			for _, dbfs := range []float64{0, -12, -40} {
				for _, n := range []int{rate / 5, rate/2 + 13, rate} {
					pcm := make([]int16, n)
					tone.NewGenerator(rate, hz, dbfs).Read(pcm)
					m := tone.Measure(pcm, rate)
					if math.Abs(m.Frequency-hz) > 1 || math.Abs(m.Level-dbfs) > 0.1 || m.Purity < 0.99 {
						t.Errorf("%v Hz at %v dBFS, %d of %d: %+v", hz, dbfs, n, rate, m)
					}
				}
			}
		}
	}
	if m := tone.Measure(make([]int16, 8000), 8000); m.Frequency != 0 || m.Level > -120 {
		t.Errorf("silence: %+v", m)
	}
	if m := tone.Measure(nil, 8000); m.Frequency != 0 {
		t.Errorf("nothing: %+v", m)
	}
}

// What several say at once is told apart, the louder first.
func TestTonesAreToldApart(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		pcm, one := make([]int16, rate), make([]int16, rate)
		for _, part := range []struct{ hz, dbfs float64 }{{440, -20}, {1200, -17}, {805, -23}, {1500, -60}} {
			tone.NewGenerator(rate, part.hz, part.dbfs).Read(one)
			for i := range pcm {
				pcm[i] += one[i]
			}
		}
		m := tone.Measure(pcm, rate)
		want := []float64{1200, 440, 805}
		if len(m.Tones) != len(want) {
			t.Fatalf("%d Hz: %v, want %v", rate, m.Tones, want)
		}
		for i := range want {
			if math.Abs(m.Tones[i]-want[i]) > 1 {
				t.Errorf("%d Hz: %v, want %v", rate, m.Tones, want)
			}
		}
	}
}

func TestNoiseIsNotPure(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	pcm := make([]int16, 8000)
	for i := range pcm {
		pcm[i] = int16(3000 * r.NormFloat64())
	}
	if m := tone.Measure(pcm, 8000); m.Purity > 0.05 || len(m.Tones) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestMeterKeepsTheLastSecond(t *testing.T) {
	m := tone.NewMeter(8000)
	first, second := tone.NewGenerator(8000, 500, -6), tone.NewGenerator(8000, 1200, -20)
	pcm := make([]int16, 160)
	for range 30 {
		first.Read(pcm)
		m.Write(pcm)
	}
	if got := m.Measure(); math.Abs(got.Frequency-500) > 1 || math.Abs(got.Level+6) > 0.1 {
		t.Errorf("%+v", got)
	}
	for range 55 {
		second.Read(pcm)
		m.Write(pcm)
	}
	if got := m.Measure(); math.Abs(got.Frequency-1200) > 1 || math.Abs(got.Level+20) > 0.1 || got.Purity < 0.99 {
		t.Errorf("%+v", got)
	}
}

func TestBeep(t *testing.T) {
	b := tone.Beep(16000, 880, 3200)
	if len(b) != 3200 || b[0] != 0 || b[3199] != 0 {
		t.Errorf("%d samples from %d to %d", len(b), b[0], b[3199])
	}
	if m := tone.Measure(b, 16000); math.Abs(m.Frequency-880) > 1 || math.Abs(m.Level+15) > 0.5 {
		t.Errorf("%+v", m)
	}
	if n := len(tone.Beep(8000, 440, 3)); n != 3 {
		t.Errorf("%d samples", n)
	}
}
