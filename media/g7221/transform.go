package g7221

import "math"

// transform is the modulated lapped transform of clause 3.1 and 4.7: blocks of
// 2n samples that overlap by half, under a sine window, folded to n values
// that a DCT of type IV turns into n coefficients. It is its own inverse.
type transform struct {
	n      int
	window []float64    // sine, n values: the rise of the window
	turn   []complex128 // before and after the Fourier transform
	steps  []fourierStep
}

// The two transforms there are.
var (
	transform320 = newTransform(320)
	transform640 = newTransform(640)
)

func (m Mode) transform() *transform {
	if m.Rate == 16000 {
		return transform320
	}
	return transform640
}

// coefficientScale is how much smaller coefficients are, by the scale of the
// levels, than those of an orthonormal transform: 2^4.5, and for Annex C what
// its reference decoder, of 16-bit arithmetic, was measured to have.
func (m Mode) coefficientScale() float64 {
	if m.Rate == 16000 {
		return 16 * math.Sqrt2
	}
	return 35.955
}

// newTransform prepares for n = 10 * 2^k.
func newTransform(n int) *transform {
	t := &transform{n: n, window: make([]float64, n), turn: make([]complex128, n/2)}
	for i := range t.window {
		t.window[i] = math.Sin(math.Pi / 2 * (float64(i) + 0.5) / float64(n))
	}
	scale := math.Pow(2/float64(n), 0.25) // twice applied, it makes the DCT orthonormal
	for i := range t.turn {
		s, c := math.Sincos(-math.Pi * (8*float64(i) + 1) / (8 * float64(n)))
		t.turn[i] = complex(scale*c, scale*s)
	}
	t.steps = fourierSteps(n / 2)
	return t
}

// rise folds the half block that begins a block into n/2 values, fall the one
// that ends it. Samples are both: they end one block and begin the next.
func (t *transform) rise(out, samples []float64) {
	n, h, w := t.n, t.n/2, t.window
	for i := range h {
		out[i] = w[h-1-i]*samples[h-1-i] + w[n-h+i]*samples[h+i]
	}
}

func (t *transform) fall(out, samples []float64) {
	n, w := t.n, t.window
	for i := range n / 2 {
		out[i] = w[n-1-i]*samples[i] - w[i]*samples[n-1-i]
	}
}

// unfold adds the overlapping halves of two blocks back to n samples: fallen
// is what fall made of them for the earlier block, risen what rise made for
// the later one.
func (t *transform) unfold(samples, fallen, risen []float64) {
	n, h, w := t.n, t.n/2, t.window
	for i := range h {
		samples[i] = w[i]*risen[h-1-i] + w[n-1-i]*fallen[i]
		samples[h+i] = w[h+i]*risen[i] - w[h-1-i]*fallen[h-1-i]
	}
}

// dct is the orthonormal DCT of type IV in place, by a Fourier transform of
// half the size over pairs from both ends.
func (t *transform) dct(x []float64, work *[2][maxSamples / 2]complex128) {
	h := t.n / 2
	a, b := work[0][:h], work[1][:h]
	for i := range h {
		a[i] = complex(x[2*i], x[t.n-1-2*i]) * t.turn[i]
	}
	for i := range t.steps {
		t.steps[i].run(b, a)
		a, b = b, a
	}
	for i := range h {
		v := a[i] * t.turn[i]
		x[2*i], x[t.n-1-2*i] = real(v), -imag(v)
	}
}

// fourierStep is one step of a Fourier transform of mixed radix that sorts as
// it goes (Stockham): r values that lie a stride apart are combined at once.
type fourierStep struct {
	radix, groups, stride int
	twiddles              []complex128 // (radix-1) for each group
}

func fourierSteps(size int) []fourierStep {
	var steps []fourierStep
	for n, stride := size, 1; n > 1; {
		r := 5
		switch {
		case n%5 == 0:
		case n%4 == 0:
			r = 4
		default:
			r = 2
		}
		s := fourierStep{radix: r, groups: n / r, stride: stride}
		for g := range s.groups {
			for k := 1; k < r; k++ {
				sin, cos := math.Sincos(-2 * math.Pi * float64(g*k) / float64(n))
				s.twiddles = append(s.twiddles, complex(cos, sin))
			}
		}
		steps = append(steps, s)
		n, stride = n/r, stride*r
	}
	return steps
}

func (s *fourierStep) run(out, in []complex128) {
	switch s.radix {
	case 2:
		s.two(out, in)
	case 4:
		s.four(out, in)
	default:
		s.five(out, in)
	}
}

func (s *fourierStep) two(out, in []complex128) {
	for g := range s.groups {
		w := s.twiddles[g]
		for i := range s.stride {
			a, b := in[g*s.stride+i], in[(g+s.groups)*s.stride+i]
			out[2*g*s.stride+i] = a + b
			out[(2*g+1)*s.stride+i] = (a - b) * w
		}
	}
}

func (s *fourierStep) four(out, in []complex128) {
	part := s.groups * s.stride
	for g := range s.groups {
		w := s.twiddles[3*g : 3*g+3 : 3*g+3]
		for i := range s.stride {
			from, to := g*s.stride+i, 4*g*s.stride+i
			a, b, c, d := in[from], in[from+part], in[from+2*part], in[from+3*part]
			even, odd := a+c, a-c
			sum, difference := b+d, b-d
			turned := complex(imag(difference), -real(difference))
			out[to] = even + sum
			out[to+s.stride] = (odd + turned) * w[0]
			out[to+2*s.stride] = (even - sum) * w[1]
			out[to+3*s.stride] = (odd - turned) * w[2]
		}
	}
}

// Cosines and sines of a fifth and two fifths of a turn.
var (
	cos1, sin1 = math.Cos(2 * math.Pi / 5), math.Sin(2 * math.Pi / 5)
	cos2, sin2 = math.Cos(4 * math.Pi / 5), math.Sin(4 * math.Pi / 5)
)

func (s *fourierStep) five(out, in []complex128) {
	part := s.groups * s.stride
	scale := func(v complex128, f float64) complex128 { return complex(real(v)*f, imag(v)*f) }
	for g := range s.groups {
		w := s.twiddles[4*g : 4*g+4 : 4*g+4]
		for i := range s.stride {
			from, to := g*s.stride+i, 5*g*s.stride+i
			a := in[from]
			near, far := in[from+part]+in[from+4*part], in[from+2*part]+in[from+3*part]
			nearD, farD := in[from+part]-in[from+4*part], in[from+2*part]-in[from+3*part]
			even1 := a + scale(near, cos1) + scale(far, cos2)
			even2 := a + scale(near, cos2) + scale(far, cos1)
			odd1 := scale(nearD, sin1) + scale(farD, sin2)
			odd2 := scale(nearD, sin2) - scale(farD, sin1)
			odd1 = complex(imag(odd1), -real(odd1))
			odd2 = complex(imag(odd2), -real(odd2))
			out[to] = a + near + far
			out[to+s.stride] = (even1 + odd1) * w[0]
			out[to+2*s.stride] = (even2 + odd2) * w[1]
			out[to+3*s.stride] = (even2 - odd2) * w[2]
			out[to+4*s.stride] = (even1 - odd1) * w[3]
		}
	}
}
