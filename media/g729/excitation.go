package g729

import "math"

// excitation is what drives the synthesis: what went before, and one frame.
type excitation [history + FrameSamples]float64

// adaptive fills 40 samples from start on with those a delay before them
// (clause 3.7.1). Where the delay is shorter than that, they repeat.
func (e *excitation) adaptive(start int, l lag) { e.read(e[start:start+half], start, l) }

// read is adaptive into another place; out may be that of e itself.
func (e *excitation) read(out []float64, start int, l lag) {
	from, third := start-l.samples, -l.thirds
	if third < 0 {
		from, third = from-1, 2
	}
	for n := range out {
		v, at := 0.0, from+n
		for i := range reach {
			v += e[at-i]*float64(interpolation[third+3*i])*q15 +
				e[at+1+i]*float64(interpolation[3-third+3*i])*q15
		}
		out[n] = v
	}
}

// shift moves the frame into the past.
func (e *excitation) shift() { copy(e[:history], e[FrameSamples:]) }

// mix makes the excitation of 40 samples of the adaptive part that stands there.
func (e *excitation) mix(start int, pitchGain float64, code *[half]float64, codeGain float64) {
	for i, c := range code {
		v := pitchGain*e[start+i] + codeGain*c
		e[start+i] = min(max(v, -32768), 32767)
	}
}

// pulses makes the vector of the fixed codebook: four pulses on five tracks
// (clause 3.8, table 7).
func pulses(positions, signs int) (code [half]float64) {
	for i := range 4 {
		at := 5*(positions&7) + i
		if i == 3 { // of two tracks, by the bit before the position
			at = 5*(positions>>1&7) + 3 + positions&1
		}
		positions >>= 3
		code[at] = -1
		if signs>>i&1 == 1 {
			code[at] = 1
		}
	}
	return code
}

// sharpen repeats a vector after a delay shorter than it (clause 3.8, eq. 48).
func sharpen(v *[half]float64, delay int, gain float64) {
	for i := delay; i < half; i++ {
		v[i] += gain * v[i-delay]
	}
}

// sharpness is the gain for that, of the last pitch gain.
func sharpness(pitchGain float64) float64 { return min(max(pitchGain, 0.2), 0.7945) }

// gainMemory predicts the gain of the code from its last four errors, dB,
// newest first (clause 3.9.1).
type gainMemory [4]float64

func newGainMemory() gainMemory { return gainMemory{-14, -14, -14, -14} }

var gainPrediction = [4]float64{0.68, 0.58, 0.34, 0.19}

// predicted is the gain expected for a code vector.
func (m *gainMemory) predicted(code *[half]float64) float64 {
	db := 30 - 10*math.Log10(product(code[:], code[:])/half)
	for i, b := range gainPrediction {
		db += b * m[i]
	}
	return math.Pow(10, db/20)
}

func (m *gainMemory) keep(db float64) {
	copy(m[1:], m[:3])
	m[0] = db
}

// lost keeps what a lost frame leaves (clause 4.4.3).
func (m *gainMemory) lost() { m.keep(max((m[0]+m[1]+m[2]+m[3])/4-4, -14)) }

// gains are what the two stages of the gain codebook make (clause 3.9.2): the
// pitch gain, and the factor by which the code gain exceeds its prediction.
func gains(rowA, rowB int) (pitch, factor float64) {
	a, b := gainsA[rowA], gainsB[rowB]
	return float64(int(a[0])+int(b[0])) * q14, float64(int(a[1])+int(b[1])) * q12
}
