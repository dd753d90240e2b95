package g729

import "math"

// Linear prediction looks at 240 samples: 120 before the frame, the frame, and
// 40 after it (clause 3.2.1).
const (
	windowLength = 240
	lookahead    = 40
	before       = windowLength - FrameSamples - lookahead
)

var window = func() (w [windowLength]float64) {
	for n := range w {
		if n < 200 {
			w[n] = 0.54 - 0.46*math.Cos(2*math.Pi*float64(n)/399)
		} else {
			w[n] = math.Cos(2 * math.Pi * float64(n-200) / 159)
		}
	}
	return w
}()

// lagWindow widens the formants by 60 Hz and, by a little less of all but the
// energy, floors the spectrum 40 dB below it.
var lagWindow = func() (w [order + 1]float64) {
	w[0] = 1
	for k := 1; k <= order; k++ {
		x := 2 * math.Pi * 60 / Rate * float64(k)
		w[k] = math.Exp(-x*x/2) / 1.0001
	}
	return w
}()

// analyze finds the filter of 240 samples.
func analyze(samples []float64) (a coefficients) {
	var windowed [windowLength]float64
	for n, w := range window {
		windowed[n] = w * samples[n]
	}
	var r [order + 1]float64
	for k := range r {
		r[k] = product(windowed[k:], windowed[:windowLength-k]) * lagWindow[k]
	}
	return levinson(&r)
}

// levinson solves for the filter of an autocorrelation (clause 3.2.2). Silence
// has the filter that does nothing.
func levinson(r *[order + 1]float64) (a coefficients) {
	energy := max(r[0], 1)
	for i := range order {
		k := r[i+1]
		for j := range i {
			k += a[j] * r[i-j]
		}
		k /= -energy
		old := a
		for j := range i {
			a[j] += k * old[i-1-j]
		}
		a[i] = k
		energy *= 1 - k*k
		if energy <= 0 {
			return old
		}
	}
	return a
}

// pairs finds the line spectral pairs of a filter (clause 3.2.3): the zeros of
// a sum and a difference polynomial, which alternate. It reports whether all
// were found.
func (a *coefficients) pairs() (p pairs, ok bool) {
	var f [2][order/2 + 1]float64
	f[0][0], f[1][0] = 1, 1
	for i := range order / 2 {
		f[0][i+1] = a[i] + a[order-1-i] - f[0][i]
		f[1][i+1] = a[i] - a[order-1-i] + f[1][i]
	}
	const grid = 50
	found := 0
	right, value := 1.0, chebyshev(&f[0], 1)
	for j := 1; j <= grid && found < order; j++ {
		left := math.Cos(math.Pi * float64(j) / grid)
		v := chebyshev(&f[found%2], left)
		if v*value > 0 {
			right, value = left, v
			continue
		}
		low, high, atLow, atHigh := left, right, v, value
		for range 6 {
			middle := (low + high) / 2
			m := chebyshev(&f[found%2], middle)
			if m*atLow <= 0 {
				high, atHigh = middle, m
			} else {
				low, atLow = middle, m
			}
		}
		root := low
		if atHigh != atLow {
			root -= atLow * (high - low) / (atHigh - atLow)
		}
		p[found] = root
		found++
		right, value = root, chebyshev(&f[found%2], root)
		j-- // the next zero may lie in the same interval
	}
	return p, found == order
}

// chebyshev evaluates a polynomial in cosines at x = cos w.
func chebyshev(f *[order/2 + 1]float64, x float64) float64 {
	b1, b2 := 0.0, 0.0
	for _, c := range f[:order/2] {
		b1, b2 = 2*x*b1-b2+c, b1
	}
	return x*b1 - b2 + f[order/2]/2
}
