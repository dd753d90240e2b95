package noise_test

import (
	"math"
	"testing"

	"github.com/roomgate/roomgate/media/level"
	"github.com/roomgate/roomgate/media/noise"
)

// The noise has the level that the payload states, whatever its colour.
func TestLevel(t *testing.T) {
	for _, payload := range [][]byte{
		{30}, {60}, {40, 200}, {40, 60, 150}, {50, 220, 90, 140, 127, 120, 130, 127, 127, 120, 133},
	} {
		p, err := noise.Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		var g noise.Generator
		g.Set(p)
		pcm := make([]int16, 32000)
		g.Read(pcm)
		if l := level.DBov(pcm[8000:]); math.Abs(l+float64(payload[0])) > 1 {
			t.Errorf("%v: %.1f dBov", payload, l)
		}
	}
}

func TestParseAndAppend(t *testing.T) {
	for _, payload := range [][]byte{{0}, {127}, {78, 200, 55}, {40, 127, 127, 128}, {9, 0, 254}} {
		p, err := noise.Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Append(nil); string(got) != string(payload) {
			t.Errorf("%v comes back as %v", payload, got)
		}
	}
	if _, err := noise.Parse(nil); err == nil {
		t.Error("an empty payload was parsed")
	}
	long, err := noise.Parse(make([]byte, 200))
	if err != nil || len(long.Append(nil)) != 1+noise.Order {
		t.Errorf("%d bytes, %v", len(long.Append(nil)), err)
	}
}

func TestColour(t *testing.T) {
	// A negative first coefficient makes neighbours alike: low noise.
	like := func(k byte) float64 {
		p, err := noise.Parse([]byte{40, k})
		if err != nil {
			t.Fatal(err)
		}
		var g noise.Generator
		g.Set(p)
		pcm := make([]int16, 16000)
		g.Read(pcm)
		var cross, power float64
		for i := 8001; i < len(pcm); i++ {
			cross += float64(pcm[i]) * float64(pcm[i-1])
			power += float64(pcm[i]) * float64(pcm[i])
		}
		return cross / power
	}
	if a, b, c := like(27), like(127), like(227); a < 0.6 || math.Abs(b) > 0.1 || c > -0.6 {
		t.Errorf("likeness of neighbours: %.2f, %.2f, %.2f", a, b, c)
	}
}

// No coefficients make the filter run away.
func FuzzNoise(f *testing.F) {
	f.Add([]byte{20, 0, 254, 0, 254})
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := noise.Parse(payload)
		if err != nil {
			return
		}
		var g noise.Generator
		g.Set(p)
		pcm := make([]int16, 8000)
		g.Read(pcm)
		if l := level.DBov(pcm[4000:]); l > p.Level+12 {
			t.Errorf("%v: %.1f dBov, not %.1f", payload, l, p.Level)
		}
	})
}
