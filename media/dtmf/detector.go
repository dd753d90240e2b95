package dtmf

import (
	"math"

	"github.com/roomgate/roomgate/media/resample"
)

// The detector looks at windows of 12.75 ms at 8 kHz, a new one every half of
// that. ITU-T Q.24 asks that 40 ms of tone be heard and less than 23 ms not.
const (
	detectorRate = 8000
	window       = 102
	hop          = window / 2
	// hits and misses are windows in a row: 32 ms of tone, and a pause of
	// more than 10 ms but less than 40.
	hits   = 4
	misses = 5
)

// What a window must show.
const (
	minPower    = 2e-4 // mean square of each tone against full scale: -37 dBov
	minShare    = 0.75 // of the window's energy, within both tones
	maxTwist    = 6.3  // 8 dB: high louder than low
	maxReverse  = 4.0  // 6 dB: low louder than high
	minLead     = 6.3  // 8 dB: a tone over the others of its group
	maxOvertone = 0.06 // energy of the second harmonics against the tones
	maxSwing    = 2.0  // 3 dB: change of a tone between windows in a row
)

// Detector hears keypad tones in mono samples. It does not allocate while it
// listens.
type Detector struct {
	digit     func(rune)
	resampler *resample.Resampler // to 8 kHz; nil when not needed
	resampled []int16

	buf [window]int16
	n   int

	last    rune // of the last window, 0 for none
	run     int  // windows in a row with last
	low     float64
	high    float64
	pressed rune // reported, and not yet ended
	absent  int  // windows without pressed
}

// NewDetector makes a detector for samples at rate Hz (8000, 16000 or 48000);
// digit is called once per key press, from within Write.
func NewDetector(rate int, digit func(rune)) *Detector {
	d := &Detector{digit: digit}
	if rate != detectorRate {
		// A rate without a simple ratio to 8 kHz is not heard at all.
		d.resampler, _ = resample.New(rate, detectorRate)
		d.resampled = make([]int16, detectorRate/50+8)
	}
	return d
}

// Write takes the next samples, any number of them.
func (d *Detector) Write(pcm []int16) {
	if d.resampled == nil {
		d.write(pcm)
		return
	}
	if d.resampler == nil {
		return
	}
	for len(pcm) > 0 {
		n := len(pcm)
		for d.resampler.Len(n) > len(d.resampled) {
			n /= 2
		}
		made := d.resampler.Write(d.resampled, pcm[:n])
		d.write(d.resampled[:made])
		pcm = pcm[n:]
	}
}

func (d *Detector) write(pcm []int16) {
	for len(pcm) > 0 {
		n := copy(d.buf[d.n:], pcm)
		d.n += n
		pcm = pcm[n:]
		if d.n == window {
			d.judge(d.look())
			copy(d.buf[:], d.buf[hop:])
			d.n -= hop
		}
	}
}

// judge follows the digits of the windows to key presses.
func (d *Detector) judge(digit rune, low, high float64) {
	steady := digit == d.last && swing(low, d.low) && swing(high, d.high)
	if digit != 0 && steady {
		d.run++
	} else {
		d.run = 1
	}
	d.last, d.low, d.high = digit, low, high
	if d.pressed != 0 {
		if digit == d.pressed {
			d.absent = 0
		} else if d.absent++; d.absent >= misses {
			d.pressed = 0
		}
	}
	if digit != 0 && d.run >= hits && d.pressed == 0 {
		d.pressed, d.absent = digit, 0
		d.digit(digit)
	}
}

func swing(a, b float64) bool { return a <= b*maxSwing && b <= a*maxSwing }

// look finds the digit of the window, zero for none, and the power of its
// tones.
func (d *Detector) look() (digit rune, low, high float64) {
	energy := 0.0
	for _, s := range d.buf {
		energy += float64(s) * float64(s)
	}
	if energy < 2*minPower*window*32768*32768 {
		return 0, 0, 0
	}
	row, low, nextLow := d.strongest(&lowCoefficients)
	column, high, nextHigh := d.strongest(&highCoefficients)
	// The power of a tone at frequency f is its share of the energy.
	share := 2 / (window * energy)
	tones := low + high
	switch {
	case tones*share < minShare,
		min(low, high)*2/(window*window) < minPower*32768*32768,
		high > low*maxTwist, low > high*maxReverse,
		low < nextLow*minLead, high < nextHigh*minLead,
		d.power(lowOvertones[row])+d.power(highOvertones[column]) > maxOvertone*tones:
		return 0, 0, 0
	}
	return rune(keys[row*4+column]), low, high
}

func (d *Detector) strongest(coefficients *[4]float64) (index int, best, next float64) {
	for i, c := range coefficients {
		switch p := d.power(c); {
		case p > best:
			index, best, next = i, p, best
		case p > next:
			next = p
		}
	}
	return index, best, next
}

var (
	lowCoefficients, highCoefficients = coefficients(lows, 1), coefficients(highs, 1)
	lowOvertones, highOvertones       = coefficients(lows, 2), coefficients(highs, 2)
)

func coefficients(hz [4]float64, harmonic float64) (c [4]float64) {
	for i, f := range hz {
		c[i] = 2 * math.Cos(2*math.Pi*f*harmonic/detectorRate)
	}
	return c
}

// power is the squared magnitude of the window at one frequency, by Goertzel's
// recursion.
func (d *Detector) power(c float64) float64 {
	var a, b float64
	for _, s := range d.buf {
		a, b = float64(s)+c*a-b, a
	}
	return a*a + b*b - c*a*b
}
