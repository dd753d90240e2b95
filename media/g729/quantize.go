package g729

import "math"

// weights of frequencies: those near others are heard most (clause 3.2.4, eq.
// 22).
func (f *frequencies) weights() (w [order]float64) {
	for i := range w {
		below, above := 0.04*math.Pi, 0.92*math.Pi
		if i > 0 {
			below = f[i-1]
		}
		if i < order-1 {
			above = f[i+1]
		}
		w[i] = 1
		if d := above - below - 1; d < 0 {
			w[i] = 10*d*d + 1
		}
	}
	w[4] *= 1.2
	w[5] *= 1.2
	return w
}

// quantize finds the indices of frequencies and returns what they decode to.
func (m *frequencyMemory) quantize(fr *frame, f frequencies) frequencies {
	weights := f.weights()
	least := math.Inf(1)
	for p := range predictors {
		target := m.target(&predictors[p], &f)
		first := nearestFirst(&target)
		lower := bestSecond(&predictors[p], &target, &weights, first, 0)
		upper := bestSecond(&predictors[p], &target, &weights, first, order/2)
		trial := *m
		q := trial.next(&predictors[p], word(first, lower, upper))
		distance := 0.0
		for i, w := range weights {
			distance += w * (f[i] - q[i]) * (f[i] - q[i])
		}
		if distance < least {
			least = distance
			fr.predictor, fr.first, fr.lower, fr.upper = p, first, lower, upper
		}
	}
	return m.next(&predictors[fr.predictor], word(fr.first, fr.lower, fr.upper))
}

// target is the code word that would make f exactly.
func (m *frequencyMemory) target(p *predictor, f *frequencies) frequencies {
	past := m.predicted(p)
	for i := range past {
		past[i] = (f[i] - past[i]) / (float64(p.rest[i]) * q15)
	}
	return past
}

func nearestFirst(target *frequencies) int {
	best, least := 0, math.Inf(1)
	for row := range firstStage {
		distance := 0.0
		for i, c := range firstStage[row] {
			d := target[i] - float64(c)*q13
			distance += d * d
		}
		if distance < least {
			best, least = row, distance
		}
	}
	return best
}

// bestSecond finds the row for the five frequencies from one on.
func bestSecond(p *predictor, target *frequencies, weights *[order]float64, first, from int) int {
	best, least := 0, math.Inf(1)
	for row := range secondStage {
		w := word(first, row, row)
		distance := 0.0
		for i := from; i < from+order/2; i++ {
			if i > from {
				if over := w[i-1] - w[i] + wideGap; over > 0 {
					w[i-1] -= over / 2
					w[i] += over / 2
				}
			}
		}
		for i := from; i < from+order/2; i++ {
			d := (target[i] - w[i]) * float64(p.rest[i]) * q15
			distance += weights[i] * d * d
		}
		if distance < least {
			best, least = row, distance
		}
	}
	return best
}
