package g7221

import "math"

// Encoder makes the frames of one stream. It does not allocate after
// NewEncoder.
type Encoder struct {
	mode Mode
	fold []float64 // what the last frame's samples add to the next block
	// The scratch of a frame.
	samples   [maxSamples]float64
	block     [maxSamples]float64
	work      [2][maxSamples / 2]complex128
	levels    [maxRegions]int
	category  [maxRegions]int
	plan      plan
	quantized [maxRegions]quantized
}

// NewEncoder makes an encoder whose stream begins in silence.
func NewEncoder(m Mode) (*Encoder, error) {
	if !m.Valid() {
		return nil, ErrMode
	}
	return &Encoder{mode: m, fold: make([]float64, m.Samples()/2)}, nil
}

// Rate is the sampling rate in Hz.
func (e *Encoder) Rate() int { return e.mode.Rate }

// CopyState makes the encoder go on where another one of the same mode stands.
func (e *Encoder) CopyState(from *Encoder) error {
	if from.mode != e.mode {
		return ErrMode
	}
	copy(e.fold, from.fold)
	return nil
}

// Encode codes samples, one or more whole frames, and returns the number of
// bytes that took.
func (e *Encoder) Encode(payload []byte, pcm []int16) (int, error) {
	samples, size := e.mode.Samples(), e.mode.Bytes()
	if len(pcm) == 0 || len(pcm)%samples != 0 {
		return 0, ErrLength
	}
	frames := len(pcm) / samples
	if len(payload) < frames*size {
		return 0, ErrShort
	}
	for i := range frames {
		e.transform(pcm[i*samples : (i+1)*samples])
		e.frame(payload[i*size : (i+1)*size])
	}
	return frames * size, nil
}

// transform makes the coefficients of the block that ends with these samples.
func (e *Encoder) transform(pcm []int16) {
	t := e.mode.transform()
	scale := 1 / e.mode.coefficientScale()
	for i, s := range pcm {
		e.samples[i] = float64(s) * scale
	}
	block := e.block[:t.n]
	copy(block, e.fold)
	t.fall(block[t.n/2:], e.samples[:t.n])
	t.rise(e.fold, e.samples[:t.n])
	t.dct(block, &e.work)
}

// frame codes the coefficients.
func (e *Encoder) frame(data []byte) {
	clear(data)
	levels := e.levels[:e.mode.regions()]
	w := &bitWriter{data: data}
	measure(levels, e.block[:])
	writeEnvelope(w, levels)
	bits := 8*len(data) - w.at - e.mode.controlBits()
	e.plan.make(levels, bits, 1<<e.mode.controlBits()-1)
	w.write(uint32(e.fit(levels, bits)), e.mode.controlBits())
	for r := range levels {
		e.quantized[r].write(w, e.category[r])
	}
	w.ones()
}

// fit quantizes the regions and returns the control with which they fit
// (clause 3.6): the least one, or the greatest when none does; then the last
// vectors are cut off.
func (e *Encoder) fit(levels []int, bits int) int {
	control := 1<<(e.mode.controlBits()-1) - 1 // the middle
	e.category = e.plan.finest
	for _, r := range e.plan.steps[:control] {
		e.category[r] = min(e.category[r]+1, noiseCategory)
	}
	total := 0
	for r := range levels {
		total += e.quantize(r)
	}
	change := func(r, by int) {
		total -= e.quantized[r].bits
		e.category[r] = min(e.category[r]+by, noiseCategory)
		total += e.quantize(r)
	}
	for total < bits && control > 0 {
		control--
		change(e.plan.steps[control], -1)
	}
	for total > bits && control < e.plan.count {
		change(e.plan.steps[control], 1)
		control++
	}
	return control
}

// quantize codes a region by its category and returns its bits.
func (e *Encoder) quantize(r int) int {
	inverse := math.Exp2(-float64(e.levels[r]) / 2)
	e.quantized[r].quantize(e.category[r], e.block[r*regionSize:(r+1)*regionSize], inverse)
	return e.quantized[r].bits
}
