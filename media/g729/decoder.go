package g729

import "math"

// Decoder turns the frames of one stream into samples. It does not allocate
// after NewDecoder.
type Decoder struct {
	frequencies frequencyMemory
	predictor   *predictor  // of the last frame
	last        frequencies // of it
	pairs       pairs
	excitation  excitation
	gains       gainMemory
	lag         int // of the last half frame that was received
	pitchGain   float64
	codeGain    float64
	sharpness   float64
	memory      [order]float64 // of the synthesis
	postfilter  postfilter
	highPass    highPass
	random      uint16 // of lost frames
	noise       noise
	filters     [2]coefficients // of the half frames; scratch
}

// NewDecoder makes a decoder whose stream begins in silence.
func NewDecoder() *Decoder {
	d := &Decoder{
		frequencies: newFrequencyMemory(), predictor: &predictors[0], pairs: firstPairs(),
		gains: newGainMemory(), lag: 60, sharpness: sharpness(0), highPass: highPassAfter(),
		random: 21845,
	}
	d.last = d.frequencies[0]
	d.postfilter.gain = 1
	return d
}

// Rate is the sampling rate in Hz.
func (*Decoder) Rate() int { return Rate }

// Decode fills pcm with the samples of a payload: frames, and at the end one
// of comfort noise or not (RFC 3551 §4.5.6). It returns their number.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	rest := len(payload) % FrameBytes
	if len(payload) == 0 || rest != 0 && rest != NoiseBytes {
		return 0, ErrLength
	}
	frames := (len(payload) + FrameBytes - 1) / FrameBytes
	if len(pcm) < frames*FrameSamples {
		return 0, ErrShort
	}
	for out := pcm; len(payload) > 0; out = out[FrameSamples:] {
		if len(payload) < FrameBytes {
			d.comfort(out[:FrameSamples], payload)
			break
		}
		var f frame
		f.read(payload)
		d.speech(out[:FrameSamples], &f)
		payload = payload[FrameBytes:]
	}
	return frames * FrameSamples, nil
}

// Conceal fills pcm with a guess at what was lost (clause 4.4), or goes on
// with comfort noise.
func (d *Decoder) Conceal(pcm []int16) {
	var whole [FrameSamples]int16
	for len(pcm) > 0 {
		if d.noise.on {
			d.comfort(whole[:], nil)
		} else {
			d.speech(whole[:], nil)
		}
		pcm = pcm[copy(pcm, whole[:]):]
	}
}

// speech makes one frame; f is nil when it was lost.
func (d *Decoder) speech(pcm []int16, f *frame) {
	d.noise.on = false
	if f != nil {
		d.predictor = &predictors[f.predictor]
		d.last = d.frequencies.next(d.predictor, word(f.first, f.lower, f.upper))
	} else {
		d.frequencies.repeat(d.predictor, d.last)
	}
	d.interpolate(d.last)
	first := 0
	for i := range d.filters {
		start := history + i*half
		l := d.delay(f, i, first)
		first = l.samples
		d.excitation.adaptive(start, l)
		code := d.code(f, i, l.samples)
		if f != nil {
			d.receive(&f.halves[i], &code)
		} else {
			d.fade()
		}
		d.sharpness = sharpness(d.pitchGain)
		d.excitation.mix(start, d.pitchGain, &code, d.codeGain)
		d.finish(pcm[i*half:(i+1)*half], i, l.samples)
	}
	d.excitation.shift()
}

// interpolate makes the filters of the two half frames.
func (d *Decoder) interpolate(f frequencies) {
	pairs := f.pairs()
	middle := between(d.pairs, pairs)
	d.filters[0], d.filters[1] = middle.coefficients(), pairs.coefficients()
	d.pairs = pairs
}

// delay is the pitch of a half frame. A lost one, and a first half whose parity
// is wrong, repeat the last and lengthen it (clauses 4.1.2 and 4.4.4).
func (d *Decoder) delay(f *frame, half, first int) lag {
	if f == nil || half == 0 && parityOf(f.halves[0].lag) != f.parity {
		l := lag{d.lag, 0}
		d.lag = min(d.lag+1, maxLag)
		return l
	}
	l := firstLag(f.halves[0].lag)
	if half == 1 {
		l = secondLag(f.halves[1].lag, first)
	}
	d.lag = l.samples
	return l
}

func (d *Decoder) code(f *frame, i, delay int) [half]float64 {
	var positions, signs int
	if f != nil {
		positions, signs = f.halves[i].positions, f.halves[i].signs
	} else {
		positions, signs = int(d.draw())&0x1fff, int(d.draw())&0xf
	}
	code := pulses(positions, signs)
	sharpen(&code, delay, d.sharpness)
	return code
}

// draw is the generator of clause 4.4.4, eq. 96.
func (d *Decoder) draw() uint16 {
	d.random = d.random*31821 + 13849
	return d.random
}

func (d *Decoder) receive(h *halfFrame, code *[half]float64) {
	pitch, factor := gains(rowOfA[h.gainA], rowOfB[h.gainB])
	d.pitchGain, d.codeGain = pitch, factor*d.gains.predicted(code)
	d.gains.keep(20 * math.Log10(factor))
}

// fade lowers the gains over a lost half frame (clauses 4.4.2 and 4.4.3).
func (d *Decoder) fade() {
	d.pitchGain = min(0.9*d.pitchGain, 0.9)
	d.codeGain *= 0.98
	d.gains.lost()
}

// finish turns the excitation of a half frame into samples.
func (d *Decoder) finish(pcm []int16, i, delay int) {
	var speech [half]float64
	start := history + i*half
	d.filters[i].synthesize(speech[:], d.excitation[start:start+half], &d.memory)
	d.postfilter.filter(speech[:], &d.filters[i], delay)
	for n, v := range speech {
		pcm[n] = int16(math.Round(min(max(2*d.highPass.next(v), -32768), 32767)))
	}
}
