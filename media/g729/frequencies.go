package g729

import (
	"math"
	"slices"
)

// frequencies are line spectral frequencies in radians, in rising order.
type frequencies [order]float64

// frequencyMemory is what quantized frequencies are predicted from: the code
// words of the last four frames, newest first (clause 3.2.4).
type frequencyMemory [4]frequencies

func newFrequencyMemory() (m frequencyMemory) {
	for k := range m {
		for i := range m[k] {
			m[k][i] = float64(i+1) * math.Pi / 11
		}
	}
	return m
}

// Bounds of frequencies that keep the filters stable.
const (
	wideGap, narrowGap = 0.0012, 0.0006
	lowestFrequency    = 0.005
	highestFrequency   = 3.135
	leastDistance      = 0.0391
)

// word is the code word of rows of the codebooks.
func word(first, lower, upper int) (w frequencies) {
	for i := range w {
		row := lower
		if i >= order/2 {
			row = upper
		}
		w[i] = float64(int(firstStage[first][i])+int(secondStage[row][i])) * q13
	}
	return w
}

// spread moves neighbours apart that are closer than gap.
func (w *frequencies) spread(gap float64) {
	for i := 1; i < order; i++ {
		if over := w[i-1] - w[i] + gap; over > 0 {
			w[i-1] -= over / 2
			w[i] += over / 2
		}
	}
}

// predicted is the part of the frequencies that comes of past frames.
func (m *frequencyMemory) predicted(p *predictor) (f frequencies) {
	for k := range m {
		for i := range f {
			f[i] += float64(p.past[k][i]) * q15 * m[k][i]
		}
	}
	return f
}

// next makes the frequencies of a code word and keeps it.
func (m *frequencyMemory) next(p *predictor, w frequencies) frequencies {
	w.spread(wideGap)
	w.spread(narrowGap)
	f := m.predicted(p)
	for i := range f {
		f[i] += float64(p.rest[i]) * q15 * w[i]
	}
	m.keep(w)
	f.order()
	return f
}

func (m *frequencyMemory) keep(w frequencies) {
	copy(m[1:], m[:3])
	m[0] = w
}

// repeat keeps the code word that would have made f, for a lost frame (clause
// 4.4.1).
func (m *frequencyMemory) repeat(p *predictor, f frequencies) {
	past := m.predicted(p)
	for i := range f {
		f[i] = (f[i] - past[i]) / (float64(p.rest[i]) * q15)
	}
	m.keep(f)
}

// order makes frequencies fit for a filter.
func (f *frequencies) order() {
	slices.Sort(f[:])
	f[0] = max(f[0], lowestFrequency)
	for i := 1; i < order; i++ {
		f[i] = max(f[i], f[i-1]+leastDistance)
	}
	f[order-1] = min(f[order-1], highestFrequency)
}

// pairs are line spectral pairs: the cosines of frequencies. Frames are
// interpolated in them (clause 3.2.5).
type pairs [order]float64

func (f *frequencies) pairs() (p pairs) {
	for i, v := range f {
		p[i] = math.Cos(v)
	}
	return p
}

func firstPairs() pairs {
	return pairs{0.9155, 0.7935, 0.6409, 0.4578, 0.2441, 0, -0.2441, -0.4578, -0.6409, -0.7935}
}

func between(a, b pairs) (p pairs) {
	for i := range p {
		p[i] = (a[i] + b[i]) / 2
	}
	return p
}

// coefficients turns pairs into the coefficients 1..10 of the filter A(z)
// (clause 3.2.6).
func (p *pairs) coefficients() (a coefficients) {
	var sums, differences [order/2 + 1]float64
	expand := func(f *[order/2 + 1]float64, from int) {
		f[0] = 1
		for i := 1; i <= order/2; i++ {
			b := -2 * p[2*(i-1)+from]
			f[i] = b * f[i-1]
			if i > 1 {
				f[i] += 2 * f[i-2]
			}
			for j := i - 1; j > 0; j-- {
				f[j] += b * f[j-1]
				if j > 1 {
					f[j] += f[j-2]
				}
			}
		}
	}
	expand(&sums, 0)
	expand(&differences, 1)
	for i := order / 2; i > 0; i-- {
		sums[i] += sums[i-1]
		differences[i] -= differences[i-1]
	}
	for i := range order / 2 {
		a[i] = (sums[i+1] + differences[i+1]) / 2
		a[order-1-i] = (sums[i+1] - differences[i+1]) / 2
	}
	return a
}
