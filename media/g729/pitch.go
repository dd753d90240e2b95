package g729

import "math"

// openLoop finds about where the pitch is, in weighted speech (clause A.3.4):
// now is the frame within all that went before. Only every other sample is
// looked at. Short delays are favoured where a long one is a multiple of them.
func openLoop(speech []float64, now int) int {
	long, longCross := likeliest(speech, now, 80, maxLag, 2)
	for _, l := range [2]int{long - 1, long + 1} {
		if c := correlation(speech, now, l); l >= 80 && l <= maxLag && c > longCross {
			long, longCross = l, c
		}
	}
	middle, middleCross := likeliest(speech, now, 40, 79, 1)
	short, shortCross := likeliest(speech, now, 20, 39, 1)
	a := longCross / strength(speech, now, long)
	b := middleCross / strength(speech, now, middle)
	c := shortCross / strength(speech, now, short)
	near := func(x, y, by int) bool { return x-y < by && y-x < by }
	for multiple := 2; multiple <= 3; multiple++ {
		if near(multiple*middle, long, 2*multiple+1) {
			b += a / 4
		}
	}
	for multiple := 2; multiple <= 3; multiple++ {
		if near(multiple*short, middle, 2*multiple+1) {
			c += b / 5
		}
	}
	best, most := long, a
	if b > most {
		best, most = middle, b
	}
	if c > most {
		best = short
	}
	return best
}

// correlation is how alike the frame is to what lies a delay before it,
// strength how strong that is.
func correlation(speech []float64, now, delay int) float64 {
	sum := 0.0
	for n := 0; n < FrameSamples; n += 2 {
		sum += speech[now+n] * speech[now+n-delay]
	}
	return sum
}

func strength(speech []float64, now, delay int) float64 {
	energy := 0.01
	for n := 0; n < FrameSamples; n += 2 {
		energy += speech[now+n-delay] * speech[now+n-delay]
	}
	return math.Sqrt(energy)
}

// likeliest is the delay between two of the greatest correlation.
func likeliest(speech []float64, now, from, to, step int) (best int, cross float64) {
	best, cross = from, math.Inf(-1)
	for d := from; d <= to; d += step {
		if c := correlation(speech, now, d); c > cross {
			best, cross = d, c
		}
	}
	return best, cross
}

// closedLoop finds the delay between two whose excitation, filtered, is most
// like the target (clause A.3.7): backward is the target filtered backward. The
// excitation of the half frame from start on must hold the residual, which
// delays shorter than it reach. Thirds are tried where they can be coded.
func (e *excitation) closedLoop(start int, backward *[half]float64, from, to, thirdsBelow int) lag {
	best, most := from, math.Inf(-1)
	for d := from; d <= to; d++ {
		if c := product(backward[:], e[start-d:start-d+half]); c > most {
			best, most = d, c
		}
	}
	if best >= thirdsBelow {
		return lag{best, 0}
	}
	third := 0
	most = math.Inf(-1)
	for _, t := range []int{0, -1, 1} {
		var v [half]float64
		e.preview(&v, start, lag{best, t})
		if c := product(backward[:], v[:]); c > most {
			third, most = t, c
		}
	}
	return lag{best, third}
}

// preview is what adaptive would make, without making it.
func (e *excitation) preview(v *[half]float64, start int, l lag) {
	residual := [half]float64(e[start : start+half])
	e.adaptive(start, l)
	copy(v[:], e[start:start+half])
	copy(e[start:], residual[:])
}

// taming keeps the pitch gain from building up errors of a decoder that lost
// something (clause 3.7.3): how large an error of one would have
// grown, by zones of 40 samples back.
type taming [4]float64

func newTaming() taming { return taming{1, 1, 1, 1} }

const (
	tamedGain  = 0.95
	worstError = 60000
)

func zone(samples int) int { return min(max(samples, 0)/half, 3) }

// risky reports whether a delay would make errors grow too far.
func (t *taming) risky(l lag) bool {
	d := l.samples
	if l.thirds > 0 {
		d++
	}
	for z := zone(d - half - reach); z <= zone(d+reach-2); z++ {
		if t[z] > worstError {
			return true
		}
	}
	return false
}

func (t *taming) update(gain float64, delay int) {
	worst := -1.0
	if delay < half {
		once := 1 + gain*t[0]
		worst = max(once, 1+gain*once)
	} else {
		for z := zone(delay - half); z <= zone(delay-1); z++ {
			worst = max(worst, 1+gain*t[z])
		}
	}
	copy(t[1:], t[:3])
	t[0] = worst
}
