package g729

import "math"

// Encoder makes the frames of one stream, 5 ms behind the samples and a frame's
// length. It does not allocate after NewEncoder.
type Encoder struct {
	highPass    highPass
	speech      [windowLength]float64 // filtered: before, the frame, and the lookahead
	frequencies frequencyMemory
	unquantized pairs // of the last frame whose pairs were found
	pairs       pairs // quantized, of the last frame
	weighted    [maxLag + FrameSamples]float64
	openMemory  [order + 1]float64 // of the weighting for the open loop
	excitation  excitation
	gains       gainMemory
	sharpness   float64
	memory      [order]float64 // of the weighting: target less what was coded
	taming      taming
	filters     [2]coefficients // scratch
	search      search          // scratch
}

// weight is how far the weighting filter A(z)/A(z/weight) lets noise rise
// under the formants (clause A.3.3).
const weight = 0.75

// NewEncoder makes an encoder whose stream begins in silence.
func NewEncoder() *Encoder {
	return &Encoder{
		highPass: highPassBefore(), frequencies: newFrequencyMemory(),
		unquantized: firstPairs(), pairs: firstPairs(),
		gains: newGainMemory(), sharpness: sharpness(0), taming: newTaming(),
	}
}

// Rate is the sampling rate in Hz.
func (*Encoder) Rate() int { return Rate }

// CopyState makes the encoder go on where another one stands.
func (e *Encoder) CopyState(from *Encoder) { *e = *from }

// Encode codes samples, one or more whole frames, and returns the number of
// bytes that took.
func (e *Encoder) Encode(payload []byte, pcm []int16) (int, error) {
	if len(pcm) == 0 || len(pcm)%FrameSamples != 0 {
		return 0, ErrLength
	}
	frames := len(pcm) / FrameSamples
	if len(payload) < frames*FrameBytes {
		return 0, ErrShort
	}
	for i := range frames {
		var f frame
		e.frame(&f, pcm[i*FrameSamples:(i+1)*FrameSamples])
		f.write(payload[i*FrameBytes:])
	}
	return frames * FrameBytes, nil
}

func (e *Encoder) frame(f *frame, pcm []int16) {
	copy(e.speech[:], e.speech[FrameSamples:])
	for i, s := range pcm {
		e.speech[windowLength-FrameSamples+i] = e.highPass.next(float64(s))
	}
	e.spectrum(f)
	e.residual()
	pitch := openLoop(e.weighted[:], maxLag)
	first := 0
	for i := range f.halves {
		l := e.half(&f.halves[i], i, first, pitch)
		if i == 0 {
			first = l.samples
			f.parity = parityOf(f.halves[0].lag)
		}
	}
	e.excitation.shift()
	copy(e.weighted[:maxLag], e.weighted[FrameSamples:])
}

// spectrum finds and codes the filter, and makes those of the half frames.
func (e *Encoder) spectrum(f *frame) {
	a := analyze(e.speech[:])
	if p, ok := a.pairs(); ok {
		e.unquantized = p
	}
	var wanted frequencies
	for i, v := range e.unquantized {
		wanted[i] = math.Acos(v)
	}
	coded := e.frequencies.quantize(f, wanted)
	pairs := coded.pairs()
	middle := between(e.pairs, pairs)
	e.filters[0], e.filters[1] = middle.coefficients(), pairs.coefficients()
	e.pairs = pairs
}

// residual puts the residual of the frame in place of its excitation, and
// weights the speech for the open loop: without its formants' tops, and low.
func (e *Encoder) residual() {
	for i := range e.filters {
		from := before + i*half
		residual := e.excitation[history+i*half : history+(i+1)*half]
		e.filters[i].residual(residual, e.speech[from-order:])
		w := e.filters[i].widened(weight)
		// 1 / (A(z/weight) (1 - 0.7 z^-1))
		var low [order + 1]float64
		last := 1.0
		for k := range low {
			c := 0.0
			if k < order {
				c = w[k]
			}
			low[k] = c - 0.7*last
			last = c
		}
		out := e.weighted[maxLag+i*half : maxLag+(i+1)*half]
		for n, v := range residual {
			for k, c := range low {
				v -= c * e.openMemory[order-k]
			}
			copy(e.openMemory[:], e.openMemory[1:])
			e.openMemory[order] = v
			out[n] = v
		}
	}
}

// half codes one half frame (clauses A.3.5 to A.3.10).
func (e *Encoder) half(h *halfFrame, i, first, pitch int) lag {
	start := history + i*half
	w := e.filters[i].widened(weight)
	var response, target [half]float64
	w.response(response[:])
	memory := e.memory
	w.synthesize(target[:], e.excitation[start:start+half], &memory)

	l := e.adaptive(h, i, first, pitch, &target, &response)
	var filtered [half]float64
	convolve(&filtered, (*[half]float64)(e.excitation[start:]), &response)
	pitchGain := pitchGainOf(&target, &filtered)
	tame := e.taming.risky(l)
	if tame {
		pitchGain = min(pitchGain, tamedGain)
	}
	left := target
	for n := range left {
		left[n] -= pitchGain * filtered[n]
	}
	sharpened := response
	sharpen(&sharpened, l.samples, e.sharpness)
	h.positions, h.signs = e.search.pulses(&left, &sharpened)
	code := pulses(h.positions, h.signs)
	sharpen(&code, l.samples, e.sharpness)
	var pulsed [half]float64
	convolve(&pulsed, &code, &response)

	predicted := e.gains.predicted(&code)
	rowA, rowB := bestGains(&target, &filtered, &pulsed, predicted, tame)
	h.gainA, h.gainB = indexOf(rowOfA[:], rowA), indexOf(rowOfB[:], rowB)
	pitchGain, factor := gains(rowA, rowB)
	codeGain := factor * predicted
	e.gains.keep(20 * math.Log10(factor))
	e.sharpness = sharpness(pitchGain)
	e.taming.update(pitchGain, l.samples)
	e.excitation.mix(start, pitchGain, &code, codeGain)
	for n := range e.memory {
		at := half - order + n
		e.memory[n] = target[at] - pitchGain*filtered[at] - codeGain*pulsed[at]
	}
	return l
}

// adaptive finds the pitch of a half frame, codes it, and leaves the adaptive
// excitation in place.
func (e *Encoder) adaptive(h *halfFrame, i, first, pitch int, target, response *[half]float64) lag {
	start := history + i*half
	var backward [half]float64
	for n := range backward {
		backward[n] = product(target[n:], response[:half-n])
	}
	var l lag
	if i == 0 {
		from := min(max(pitch-3, minLag), maxLag-6)
		l = e.excitation.closedLoop(start, &backward, from, from+6, 85)
		h.lag = l.index()
	} else {
		from := nearest(first)
		l = e.excitation.closedLoop(start, &backward, from, from+9, maxLag+1)
		h.lag = l.indexAfter(first)
	}
	e.excitation.adaptive(start, l)
	return l
}

// convolve filters v by the response.
func convolve(out, v, response *[half]float64) {
	for n := range out {
		sum := 0.0
		for k := range n + 1 {
			sum += v[k] * response[n-k]
		}
		out[n] = sum
	}
}

func pitchGainOf(target, filtered *[half]float64) float64 {
	energy := product(filtered[:], filtered[:])
	if energy == 0 {
		return 0
	}
	return min(max(product(target[:], filtered[:])/energy, 0), 1.2)
}

// bestGains tries every pair of rows (clause 3.9.2).
func bestGains(target, pitch, code *[half]float64, predicted float64, tame bool) (rowA, rowB int) {
	pp, cc, pc := product(pitch[:], pitch[:]), product(code[:], code[:]), product(pitch[:], code[:])
	tp, tc := product(target[:], pitch[:]), product(target[:], code[:])
	least := math.Inf(1)
	for a := range gainsA {
		for b := range gainsB {
			p, factor := gains(a, b)
			if tame && p >= 1 {
				continue
			}
			c := factor * predicted
			if d := p*p*pp + c*c*cc - 2*p*tp - 2*c*tc + 2*p*c*pc; d < least {
				rowA, rowB, least = a, b, d
			}
		}
	}
	return rowA, rowB
}

func indexOf(rows []int, row int) int {
	for i, r := range rows {
		if r == row {
			return i
		}
	}
	return 0
}
