package level_test

import (
	"math"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/level"
)

func sine(amplitude float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*float64(i)/8)))
	}
	return pcm
}

func TestUnits(t *testing.T) {
	square := make([]int16, 100)
	for i := range square {
		square[i] = -32768
	}
	for _, tc := range []struct {
		pcm  []int16
		want float64
		code uint8
	}{
		{square, 0, 0}, {sine(32767, 800), -3.01, 3}, {sine(3276.7, 800), -23.01, 23},
		{make([]int16, 10), -127, 127}, {nil, -127, 127},
	} {
		got := level.DBov(tc.pcm)
		if math.Abs(got-tc.want) > 0.05 || level.Byte(got) != tc.code {
			t.Errorf("%.2f dBov, byte %d; want %.2f, %d", got, level.Byte(got), tc.want, tc.code)
		}
	}
	for b := range uint8(128) {
		if level.Byte(level.FromByte(b)) != b || level.FromByte(b|0x80) != level.FromByte(b) {
			t.Errorf("byte %d does not come back", b)
		}
	}
}

// Speech over a noisy background is told from it; a quiet room is silent.
func TestSpeech(t *testing.T) {
	for _, tc := range []struct {
		name              string
		background, voice float64
		noise, speech     bool // taken for speech, after some seconds
	}{
		{"quiet room", -75, -30, false, true},
		{"soft voice", -75, -48, false, true},
		{"fan", -45, -30, false, true},
		{"car", -41, -25, false, true},
		{"whisper in a fan", -45, -43, false, false},
	} {
		var s level.Speech
		for range 250 {
			s.Write(tc.background)
		}
		if got := s.Write(tc.background); got != tc.noise {
			t.Errorf("%s: background taken for speech: %v", tc.name, got)
		}
		if got := s.Write(tc.voice); got != tc.speech {
			t.Errorf("%s: voice taken for speech: %v", tc.name, got)
		}
	}
	// A loud tone without pauses stays speech: music on hold, a test tone.
	var s level.Speech
	for range 1000 {
		if !s.Write(-18) {
			t.Fatal("a loud tone was taken for background")
		}
	}
}

func TestGain(t *testing.T) {
	run := func(g *level.Gain, amplitude float64, frames int, speech bool) float64 {
		out := 0.0
		for range frames {
			pcm := sine(amplitude, 160)
			g.Apply(pcm, 8000, level.DBov(pcm), speech)
			out = level.DBov(pcm)
		}
		return out
	}
	var g level.Gain
	if got := run(&g, 1000, 400, true); math.Abs(got-level.Target) > 0.5 {
		t.Errorf("a soft talker is at %.1f dBov", got)
	}
	before := g.DB()
	run(&g, 10, 400, false)
	if g.DB() != before {
		t.Error("a pause moved the gain")
	}
	if got := run(&g, 10000, 400, true); math.Abs(got-level.Target) > 0.5 {
		t.Errorf("a loud talker is at %.1f dBov", got)
	}
	var raised level.Gain
	run(&raised, 400, 400, true)
	pcm := sine(30000, 160)
	raised.Apply(pcm, 8000, level.DBov(pcm), true)
	for _, v := range pcm {
		if v > 30500 || v < -30500 {
			t.Fatalf("a peak is raised to %d", v)
		}
	}
	frame := sine(500, 160)
	if n := testing.AllocsPerRun(100, func() { g.Apply(frame, 8000, -30, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// Slow enough not to be heard: 6 dB a second upwards.
	var slow level.Gain
	run(&slow, 300, 50, true)
	if slow.DB() > 6.1 {
		t.Errorf("%.1f dB after %v", slow.DB(), time.Second)
	}
}
