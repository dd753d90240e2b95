package plc_test

import (
	"math"
	"testing"

	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/plc"
	"github.com/roomgate/roomgate/media/tone"
)

// A lost frame in a tone: the tone goes on, without a step at either end.
func TestShortHole(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, hz := range []float64{110, 230, 400, 700} {
			pcm := make([]int16, rate)
			tone.NewGenerator(rate, hz, -6).Read(pcm)
			c, frame := plc.New(rate), rate/50
			for i := 0; i+frame <= rate; i += frame {
				if i/frame%10 == 5 {
					c.Lost(pcm[i : i+frame])
				} else {
					c.Good(pcm[i : i+frame])
				}
			}
			if m := tone.Measure(pcm, rate); m.Purity < 0.97 {
				t.Errorf("%d Hz at %d: %+v", int(hz), rate, m)
			}
			// The steepest slope of the tone, and a third more.
			limit := 1.35*16422*2*math.Pi*hz/float64(rate) + 40
			for i := 1; i < rate; i++ {
				if d := math.Abs(float64(pcm[i]) - float64(pcm[i-1])); d > limit {
					t.Errorf("%d Hz at %d: a step of %.0f at sample %d (%.0f is the tone's)", int(hz), rate, d, i, limit)
					break
				}
			}
		}
	}
}

// A long hole fades: full at first, gone after 60 ms.
func TestLongHoleFades(t *testing.T) {
	c := plc.New(8000)
	pcm := make([]int16, 800)
	tone.NewGenerator(8000, 200, -6).Read(pcm)
	c.Good(pcm)
	hole := make([]int16, 800)
	c.Lost(hole)
	if l := level.DBov(hole[:80]); math.Abs(l+9) > 1 {
		t.Errorf("begins at %.1f dBov", l)
	}
	if l := level.DBov(hole[480:]); l > level.Silence {
		t.Errorf("after 60 ms still at %.1f dBov", l)
	}
	c.Good(pcm)
	if pcm[0] > 1000 || pcm[0] < -1000 {
		t.Errorf("comes back with a step to %d", pcm[0])
	}
}

// What is foreseen is what comes, at the level that was reached, and foreseeing
// changes nothing.
func TestForesee(t *testing.T) {
	c, other := plc.New(16000), plc.New(16000)
	pcm := make([]int16, 1600)
	tone.NewGenerator(16000, 400, -6).Read(pcm)
	c.Good(pcm)
	other.Good(pcm)
	for hole := range 3 {
		lost, expected, ahead := make([]int16, 320), make([]int16, 320), make([]int16, 320)
		c.Foresee(ahead)
		c.Lost(lost)
		other.Lost(expected)
		for i := range lost {
			if lost[i] != expected[i] {
				t.Fatalf("foreseeing changes sample %d of hole %d", i, hole)
			}
			if i < 80 && hole == 0 && ahead[i] != lost[i] {
				t.Fatalf("sample %d is foreseen as %d and is %d", i, ahead[i], lost[i])
			}
		}
		if fade := level.DBov(ahead) - level.DBov(ahead[:40]); math.Abs(fade) > 0.5 {
			t.Errorf("hole %d: what is foreseen fades by %.1f dB", hole, fade)
		}
	}
}

func TestBeforeAnySound(t *testing.T) {
	c := plc.New(16000)
	pcm := []int16{1, 2, 3}
	c.Lost(pcm)
	if pcm[0] != 0 || pcm[2] != 0 {
		t.Errorf("%v out of nothing", pcm)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	c, pcm := plc.New(48000), make([]int16, 960)
	if n := testing.AllocsPerRun(50, func() { c.Good(pcm); c.Lost(pcm); c.Foresee(pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
