package g729

import "math"

// postfilter makes decoded speech sound better: it lifts the pitch and the
// formants (clause A.4.2).
type postfilter struct {
	residual [maxLag + half]float64 // of the speech, the past first
	speech   [order]float64         // the last samples in
	tilt     float64                // the last sample before the tilt filter
	memory   [order]float64         // of the short-term filter
	gain     float64
}

const (
	zeroWidth, poleWidth = 0.55, 0.70 // of the short-term filter
	longTermWeight       = 0.5
	tiltWeight           = 0.8
	gainInertia          = 0.9
)

// filter works on 40 samples in place; a is their filter, delay their pitch.
func (p *postfilter) filter(speech []float64, a *coefficients, delay int) {
	var in [order + half]float64
	copy(in[:], p.speech[:])
	copy(in[order:], speech)
	copy(p.speech[:], in[half:])
	zeros, poles := a.widened(zeroWidth), a.widened(poleWidth)
	zeros.residual(p.residual[maxLag:], in[:])
	energy := product(speech, speech)
	var out [half]float64
	p.longTerm(&out, delay)
	p.flatten(&out, &zeros, &poles)
	poles.synthesize(speech, out[:], &p.memory)
	p.level(speech, energy)
	copy(p.residual[:maxLag], p.residual[half:])
}

// longTerm adds what lies a pitch period before, where it is alike.
func (p *postfilter) longTerm(out *[half]float64, delay int) {
	now := p.residual[maxLag:]
	delay = min(delay, maxLag-3)
	best, most := delay-3, math.Inf(-1)
	for d := delay - 3; d <= delay+3; d++ {
		if c := product(now, p.residual[maxLag-d:]); c > most {
			best, most = d, c
		}
	}
	past := p.residual[maxLag-best : maxLag-best+half]
	energy, own := product(past, past), product(now, now)
	copy(out[:], now)
	if most <= 0 || most*most < energy*own/2 {
		return
	}
	g := longTermWeight * min(most/energy, 1)
	for i := range out {
		out[i] = (out[i] + g*past[i]) / (1 + g)
	}
}

// flatten undoes the tilt of the short-term filter, which would muffle.
func (p *postfilter) flatten(out *[half]float64, zeros, poles *coefficients) {
	const length = 22
	var h [length]float64
	h[0] = 1
	copy(h[1:], zeros[:])
	for n := range h {
		for i := 0; i < order && i < n; i++ {
			h[n] -= poles[i] * h[n-1-i]
		}
	}
	k := 0.0
	if r := product(h[:length-1], h[1:]); r > 0 {
		k = tiltWeight * r / product(h[:], h[:])
	}
	last := p.tilt
	for i, v := range out {
		out[i] = v - k*last
		last = v
	}
	p.tilt = last
}

// level brings the speech back to the energy it had.
func (p *postfilter) level(speech []float64, energy float64) {
	now := product(speech, speech)
	if now == 0 {
		p.gain = 0
		return
	}
	target := (1 - gainInertia) * math.Sqrt(energy/now)
	for i := range speech {
		p.gain = gainInertia*p.gain + target
		speech[i] *= p.gain
	}
}
