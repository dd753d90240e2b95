package g729

import "math"

// coefficients are those of A(z) = 1 + a1 z^-1 + ... + a10 z^-10.
type coefficients [order]float64

// widened is A(z/gamma).
func (a *coefficients) widened(gamma float64) (w coefficients) {
	g := 1.0
	for i, v := range a {
		g *= gamma
		w[i] = g * v
	}
	return w
}

// residual filters by A(z). in has the 10 samples before those wanted.
func (a *coefficients) residual(out, in []float64) {
	for n := range out {
		at := n + order
		v := in[at]
		for i, c := range a {
			v += c * in[at-1-i]
		}
		out[n] = v
	}
}

// synthesize filters by 1/A(z). memory holds the last 10 samples out, newest
// last, and is brought up to date.
func (a *coefficients) synthesize(out, in []float64, memory *[order]float64) {
	for n, v := range in {
		for i, c := range a {
			at := n - 1 - i
			if at >= 0 {
				v -= c * out[at]
			} else {
				v -= c * memory[order+at]
			}
		}
		out[n] = min(max(v, -32768), 32767)
	}
	copy(memory[:], out[len(out)-order:])
}

// response is the first samples of 1/A(z).
func (a *coefficients) response(out []float64) {
	for n := range out {
		v := 0.0
		if n == 0 {
			v = 1
		}
		for i := 0; i < order && i < n; i++ {
			v -= a[i] * out[n-1-i]
		}
		out[n] = v
	}
}

// highPass is a filter of second order: (b0 + b1 z^-1 + b0 z^-2) / (1 - a1 z^-1
// - a2 z^-2).
type highPass struct {
	b0, b1, a1, a2 float64
	x1, x2, y1, y2 float64
}

// Those before coding, which halves as well, and after decoding (clauses 3.1
// and 4.2.5).
func highPassBefore() highPass {
	return highPass{b0: 0.46363718, b1: -0.92724705, a1: 1.9059465, a2: -0.9114024}
}

func highPassAfter() highPass {
	return highPass{b0: 0.93980581, b1: -1.8795834, a1: 1.9330735, a2: -0.93589199}
}

func (h *highPass) next(x float64) float64 {
	y := h.b0*(x+h.x2) + h.b1*h.x1 + h.a1*h.y1 + h.a2*h.y2
	if math.Abs(y) < 1e-20 {
		y = 0 // no denormals
	}
	h.x2, h.x1, h.y2, h.y1 = h.x1, x, h.y1, y
	return y
}

func product(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
