// Package resample changes the sampling rate by a polyphase FIR filter: a
// windowed sinc, within 0.6 dB up to 85% of the lower of the two bands, and more
// than 60 dB down from 12% beyond it. Delay is half the filter, 2 ms against
// 8 kHz.
package resample

import (
	"fmt"
	"math"
)

// taps is the filter's length in periods of the lower rate.
const taps = 32

// Resampler turns one stream of mono samples from one rate into another. It is
// linear: resampled streams may be added and subtracted. It allocates only
// when a longer block than ever before is given.
type Resampler struct {
	up, down int
	width    int         // taps per phase
	phases   [][]float32 // by output position modulo up; in order of input, oldest first
	input    []float32   // width-1 old samples and the new ones
	position int         // of the next output, in 1/up input samples after input[width-1]
}

// New makes a resampler between two rates in Hz.
func New(from, to int) (*Resampler, error) {
	if from <= 0 || to <= 0 || from > 384000 || to > 384000 {
		return nil, fmt.Errorf("resample: cannot go from %d to %d Hz", from, to)
	}
	g := gcd(from, to)
	r := &Resampler{up: to / g, down: from / g}
	if r.up > 640 || r.down > 640 {
		return nil, fmt.Errorf("resample: %d to %d Hz have no simple ratio", from, to)
	}
	r.width = taps
	if from > to {
		r.width = (taps*from + to - 1) / to
	}
	r.phases = design(r.up, r.width, min(1, float64(to)/float64(from)))
	r.input = make([]float32, r.width-1, r.width-1+from/20)
	return r, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// design cuts a Kaiser-windowed sinc into phases. cutoff is relative to half
// the input rate.
func design(up, width int, cutoff float64) [][]float32 {
	const beta = 7.3 // 75 dB
	cutoff *= 0.93   // the middle of the transition
	half := float64(width) / 2
	phases := make([][]float32, up)
	for p := range phases {
		h := make([]float32, width)
		sum := 0.0
		for k := range h {
			// Distance of input sample k from the output, in input samples.
			x := float64(k) - half + 1 - float64(p)/float64(up)
			w := 0.0
			if rel := x / half; math.Abs(rel) < 1 {
				w = bessel(beta*math.Sqrt(1-rel*rel)) / bessel(beta)
			}
			v := w * sinc(cutoff*x)
			h[k] = float32(v)
			sum += v
		}
		for k := range h {
			h[k] /= float32(sum)
		}
		phases[p] = h
	}
	return phases
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of the first kind, order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// Len is how many samples the next Write of n samples will make.
func (r *Resampler) Len(n int) int {
	total := n*r.up - r.position
	if total <= 0 {
		return 0
	}
	return (total + r.down - 1) / r.down
}

// Write takes in and fills out, which must hold Len(len(in)); it returns the
// number made.
func (r *Resampler) Write(out, in []int16) int {
	for _, s := range in {
		r.input = append(r.input, float32(s))
	}
	n := 0
	end := len(in) * r.up
	for ; r.position < end; r.position += r.down {
		at := r.position / r.up
		v := dot(r.phases[r.position%r.up], r.input[at:at+r.width])
		switch {
		case v >= 32767:
			out[n] = 32767
		case v <= -32768:
			out[n] = -32768
		case v >= 0:
			out[n] = int16(v + 0.5)
		default:
			out[n] = int16(v - 0.5)
		}
		n++
	}
	r.position -= end
	keep := copy(r.input, r.input[len(in):])
	r.input = r.input[:keep]
	return n
}

func dot(h, x []float32) float32 {
	x = x[:len(h)]
	var a, b, c, d float32
	for len(h) >= 4 && len(x) >= 4 {
		a += h[0] * x[0]
		b += h[1] * x[1]
		c += h[2] * x[2]
		d += h[3] * x[3]
		h, x = h[4:], x[4:]
	}
	for i := range h {
		a += h[i] * x[i]
	}
	return a + b + c + d
}

// Reset forgets the stream.
func (r *Resampler) Reset() {
	clear(r.input)
	r.position = 0
}
