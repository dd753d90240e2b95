// Package dtmf knows the keypad: the tones of ITU-T Q.23, heard in sound and
// made, and the digits in SIP INFO bodies.
package dtmf

import (
	"math"
	"strings"
)

// The keypad of Q.23: rows are the low frequencies, columns the high ones.
const keys = "123A456B789C*0#D"

var (
	lows  = [4]float64{697, 770, 852, 941}
	highs = [4]float64{1209, 1336, 1477, 1633}
)

// frequencies of a digit; ok is false when it is none.
func frequencies(digit rune) (low, high float64, ok bool) {
	i := strings.IndexRune(keys, digit)
	if i < 0 {
		return 0, 0, false
	}
	return lows[i/4], highs[i%4], true
}

// Tone is the sound of one digit: so many samples at rate Hz, each of the two
// frequencies at dbov (-10 is usual), with ramps of 2 ms. Nil when it is no
// digit.
func Tone(digit rune, rate, samples int, dbov float64) []int16 {
	low, high, ok := frequencies(digit)
	if !ok || rate <= 0 {
		return nil
	}
	pcm := make([]int16, samples)
	// A sine of amplitude 32768 is at -3.01 dBov.
	amplitude := 32768 * math.Sqrt2 * math.Pow(10, dbov/20)
	ramp := min(rate/500, samples/2)
	for i := range pcm {
		t := 2 * math.Pi * float64(i) / float64(rate)
		v := amplitude * (math.Sin(low*t) + math.Sin(high*t))
		if edge := min(i, samples-1-i); edge < ramp {
			v *= float64(edge) / float64(ramp)
		}
		pcm[i] = int16(min(max(v, -32768), 32767))
	}
	return pcm
}
