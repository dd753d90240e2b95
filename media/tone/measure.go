package tone

import (
	"math"
	"math/bits"
	"math/cmplx"

	"github.com/roomgate/roomgate/media/level"
)

// Measurement is what was heard.
type Measurement struct {
	Frequency float64   // of the strongest component, Hz; 0 in silence
	Level     float64   // of all, dBFS; -124 for silence
	Purity    float64   // share of the power within the strongest component, 0..1
	Tones     []float64 // components of a tenth of the power or more, Hz, the strongest first
}

// A sum of tones is told apart into so many, each with this share of the power.
const (
	maxTones  = 8
	toneShare = 0.1
)

// fullScaleSine is the level of a sine at full scale in dBov.
const fullScaleSine = -3.0103

// Measure analyses samples at rate Hz; a fifth of a second or more gives the
// frequency to 1 Hz.
func Measure(pcm []int16, rate int) Measurement {
	m := Measurement{Level: level.DBov(pcm) - fullScaleSine}
	if len(pcm) < 64 || m.Level < -90 {
		return m
	}
	spectrum := powers(pcm)
	total := 0.0
	for _, p := range spectrum[1:] {
		total += p
	}
	if total == 0 {
		return m
	}
	// The window spreads a component over 4 bins of the samples' own
	// resolution, of which zero padding makes some more.
	padded := 2 * len(spectrum)
	width := 2*padded/len(pcm) + 1
	for len(m.Tones) < maxTones {
		bin, within := strongest(spectrum, width)
		hz := bin * float64(rate) / float64(padded)
		if len(m.Tones) == 0 {
			m.Frequency, m.Purity = hz, within/total
		}
		if within < toneShare*total {
			break
		}
		m.Tones = append(m.Tones, hz)
	}
	return m
}

// strongest takes the strongest component, width bins to either side of its peak,
// out of a spectrum: its place in bins and its power.
func strongest(spectrum []float64, width int) (bin, power float64) {
	peak := 1
	for i := 1; i < len(spectrum); i++ {
		if spectrum[i] > spectrum[peak] {
			peak = i
		}
	}
	bin = float64(peak) + offset(spectrum, peak)
	for i := max(1, peak-width); i <= min(len(spectrum)-1, peak+width); i++ {
		power += spectrum[i]
		spectrum[i] = 0
	}
	return bin, power
}

// offset places the peak between bins by a parabola through the logarithms.
func offset(spectrum []float64, peak int) float64 {
	if peak+1 >= len(spectrum) || spectrum[peak-1] <= 0 || spectrum[peak+1] <= 0 {
		return 0
	}
	a, b, c := math.Log(spectrum[peak-1]), math.Log(spectrum[peak]), math.Log(spectrum[peak+1])
	if d := a - 2*b + c; d != 0 {
		return (a - c) / (2 * d)
	}
	return 0
}

// powers is the power spectrum under a Hann window, padded to a power of two.
func powers(pcm []int16) []float64 {
	size := 1 << bits.Len(uint(2*len(pcm)-1))
	x := make([]complex128, size)
	for i, s := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(pcm)))
		x[i] = complex(float64(s)*w, 0)
	}
	transform(x)
	p := make([]float64, size/2)
	for i := range p {
		p[i] = real(x[i])*real(x[i]) + imag(x[i])*imag(x[i])
	}
	return p
}

// transform is the fast Fourier transform of a power of two of samples, in
// place.
func transform(x []complex128) {
	n := len(x)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		turn := cmplx.Exp(complex(0, -2*math.Pi/float64(size)))
		for start := 0; start < n; start += size {
			w := complex(1, 0)
			for i := start; i < start+size/2; i++ {
				a, b := x[i], x[i+size/2]*w
				x[i], x[i+size/2] = a+b, a-b
				w *= turn
			}
		}
	}
}

// Meter measures the last second of a stream.
type Meter struct {
	rate int
	ring []int16
	next int
	full bool
}

// NewMeter makes a meter for samples at rate Hz.
func NewMeter(rate int) *Meter { return &Meter{rate: rate, ring: make([]int16, rate)} }

// Write takes the next samples.
func (m *Meter) Write(pcm []int16) {
	for len(pcm) > 0 {
		n := copy(m.ring[m.next:], pcm)
		pcm = pcm[n:]
		m.next += n
		if m.next == len(m.ring) {
			m.next, m.full = 0, true
		}
	}
}

// Measure is what the last second held.
func (m *Meter) Measure() Measurement {
	if !m.full {
		return Measure(m.ring[:m.next], m.rate)
	}
	pcm := make([]int16, 0, len(m.ring))
	pcm = append(pcm, m.ring[m.next:]...)
	return Measure(append(pcm, m.ring[:m.next]...), m.rate)
}
