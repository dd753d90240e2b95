package dtmf_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/roomgate/roomgate/media/dtmf"
)

const all = "1234567890*#ABCD"

// hear runs samples through a detector in blocks of 20 ms.
func hear(rate int, pcm []int16) string {
	var digits []rune
	d := dtmf.NewDetector(rate, func(r rune) { digits = append(digits, r) })
	for len(pcm) > 0 {
		n := min(rate/50, len(pcm))
		d.Write(pcm[:n])
		pcm = pcm[n:]
	}
	return string(digits)
}

// keyed is a row of digits, with tones and pauses of so many milliseconds.
func keyed(digits string, rate, on, off int, dbov float64) []int16 {
	pcm := make([]int16, rate/10)
	for _, d := range digits {
		pcm = append(pcm, dtmf.Tone(d, rate, rate*on/1000, dbov)...)
		pcm = append(pcm, make([]int16, rate*off/1000)...)
	}
	return pcm
}

func TestDigits(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, tc := range []struct {
			on, off int
			dbov    float64
		}{{100, 100, -10}, {45, 45, -10}, {60, 50, -30}, {500, 60, -8}, {80, 80, -5}} {
			if got := hear(rate, keyed(all, rate, tc.on, tc.off, tc.dbov)); got != all {
				t.Errorf("%d Hz, %d/%d ms at %v: %q", rate, tc.on, tc.off, tc.dbov, got)
			}
		}
	}
	if got := hear(8000, keyed("5577", 8000, 80, 60, -12)); got != "5577" {
		t.Errorf("repeated digits: %q", got)
	}
}

// tones is a pair of any two frequencies.
func tones(low, high, lowLevel, highLevel float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		a := 2 * math.Pi * float64(i) / 8000
		pcm[i] = int16(32768 * math.Sqrt2 * (math.Pow(10, lowLevel/20)*math.Sin(low*a) + math.Pow(10, highLevel/20)*math.Sin(high*a)))
	}
	return pcm
}

// The limits of ITU-T Q.24: what must be heard, and what must not.
func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name string
		pcm  []int16
		want string
	}{
		{"1.5% high", tones(770*1.015, 1336*1.015, -10, -10, 800), "5"},
		{"1.5% low", tones(770*0.985, 1336*0.985, -10, -10, 800), "5"},
		{"4% off", tones(770*1.04, 1336*1.04, -10, -10, 800), ""},
		{"twist 6 dB", tones(941, 1633, -16, -10, 800), "D"},
		{"reverse twist 4 dB", tones(697, 1209, -10, -14, 800), "1"},
		{"twist 12 dB", tones(697, 1209, -22, -10, 800), ""},
		{"too soft", tones(697, 1209, -45, -45, 800), ""},
		{"one tone", tones(697, 1209, -10, -90, 800), ""},
		{"too short", tones(697, 1209, -10, -10, 180), ""},
		{"dial tone", tones(350, 440, -13, -13, 8000), ""},
		{"busy tone", tones(480, 620, -13, -13, 8000), ""},
		{"a pause too short to count", append(append(tones(770, 1336, -10, -10, 400), make([]int16, 60)...), tones(770, 1336, -10, -10, 400)...), "5"},
	} {
		pcm := append(make([]int16, 333), append(tc.pcm, make([]int16, 800)...)...)
		if got := hear(8000, pcm); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// Digits are heard over the noise of a line, 15 dB below them.
func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pcm := keyed(all, 8000, 70, 70, -12)
	rms := 32768 * math.Pow(10, -24.0/20)
	for i := range pcm {
		pcm[i] = int16(min(max(float64(pcm[i])+rms*r.NormFloat64(), -32768), 32767))
	}
	if got := hear(8000, pcm); got != all {
		t.Errorf("%q", got)
	}
	noise := make([]int16, 8000*60)
	for i := range noise {
		noise[i] = int16(4000 * r.NormFloat64())
	}
	if got := hear(8000, noise); got != "" {
		t.Errorf("digits in noise: %q", got)
	}
}

// Speech is no keypad. The file is half a minute of English and Vietnamese by a
// speech synthesizer (testdata/README.md).
func TestTalkOff(t *testing.T) {
	b, err := os.ReadFile("testdata/speech.s16")
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	if len(pcm) < 20*8000 {
		t.Fatalf("only %d samples of speech", len(pcm))
	}
	// At other speeds it is as many other voices.
	for _, speed := range []float64{0.8, 0.9, 1, 1.1, 1.25, 1.4} {
		voice := make([]int16, int(float64(len(pcm)-1)/speed))
		for i := range voice {
			at := float64(i) * speed
			k, f := int(at), at-math.Floor(at)
			voice[i] = int16(float64(pcm[k])*(1-f) + float64(pcm[k+1])*f)
		}
		if got := hear(8000, voice); got != "" {
			t.Errorf("digits in speech at speed %v: %q", speed, got)
		}
	}
}

func TestToneOfNoDigit(t *testing.T) {
	if pcm := dtmf.Tone('x', 8000, 100, -10); pcm != nil {
		t.Error("x has a tone")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	d := dtmf.NewDetector(16000, func(rune) {})
	pcm := keyed("5", 16000, 100, 100, -10)
	d.Write(pcm)
	if n := testing.AllocsPerRun(20, func() { d.Write(pcm[:320]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDetector(b *testing.B) {
	d := dtmf.NewDetector(8000, func(rune) {})
	pcm := keyed("5", 8000, 100, 100, -10)[800:960]
	for b.Loop() {
		d.Write(pcm)
	}
}
