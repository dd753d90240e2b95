package g7221

import (
	"math"

	"github.com/roomgate/roomgate/media/plc"
)

// Decoder turns the frames of one stream into samples. It does not allocate
// after NewDecoder.
type Decoder struct {
	mode    Mode
	overlap []float64 // what the last block adds to the next samples
	noise   noise
	plc     *plc.Concealer
	// The scratch of a frame.
	plan     plan
	coded    [maxRegions * regionSize]int
	block    [maxSamples]float64
	samples  [maxSamples]float64
	imagined [maxSamples]int16
	work     [2][maxSamples / 2]complex128
}

// NewDecoder makes a decoder whose stream begins in silence.
func NewDecoder(m Mode) (*Decoder, error) {
	if !m.Valid() {
		return nil, ErrMode
	}
	return &Decoder{
		mode: m, overlap: make([]float64, m.Samples()/2),
		noise: noise{1, 1, 1, 1}, plc: plc.New(m.Rate),
	}, nil
}

// Rate is the sampling rate in Hz.
func (d *Decoder) Rate() int { return d.mode.Rate }

// Decode fills pcm with the samples of a payload of one or more frames (RFC
// 5577) and returns their number. A frame that bit errors have made
// impossible is concealed like a lost one.
func (d *Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	samples, size := d.mode.Samples(), d.mode.Bytes()
	if len(payload) == 0 || len(payload)%size != 0 {
		return 0, ErrLength
	}
	frames := len(payload) / size
	if len(pcm) < frames*samples {
		return 0, ErrShort
	}
	for i := range frames {
		out := pcm[i*samples : (i+1)*samples]
		shift, ok := d.coefficients(payload[i*size : (i+1)*size])
		if !ok {
			d.Conceal(out)
			continue
		}
		d.synthesize(out, shift)
		d.plc.Good(out)
	}
	return frames * samples, nil
}

// Conceal fills pcm with a guess at what was lost. It goes on in time, not by
// repeating coefficients as clause 4.6 has it, whose phases then do not fit;
// and it leaves behind the overlap that the guessed sound would have left, so
// that the next frame is whole from its first sample.
func (d *Decoder) Conceal(pcm []int16) {
	d.plc.Lost(pcm)
	next := d.imagined[:d.mode.Samples()]
	d.plc.Foresee(next)
	for i, s := range next {
		d.samples[i] = float64(s)
	}
	d.mode.transform().fall(d.overlap, d.samples[:len(next)])
}

// synthesize makes samples of the coefficients, which are 2^shift too large.
func (d *Decoder) synthesize(pcm []int16, shift int) {
	t := d.mode.transform()
	block := d.block[:t.n]
	d.scaled(block, shift)
	t.dct(block, &d.work)
	t.unfold(d.samples[:t.n], d.overlap, block[:t.n/2])
	copy(d.overlap, block[t.n/2:])
	for i, v := range d.samples[:t.n] {
		pcm[i] = int16(math.Round(min(max(v, -32768), 32767)))
	}
}

// scaled fills block with the coefficients; the upper eighth is not coded.
func (d *Decoder) scaled(block []float64, shift int) {
	scale := math.Ldexp(d.mode.coefficientScale(), -shift)
	clear(block)
	for i, v := range d.coded[:d.mode.regions()*regionSize] {
		block[i] = float64(v) * scale
	}
}

// coefficients decodes a frame (clause 4) and reports whether it can be one.
func (d *Decoder) coefficients(data []byte) (shift int, ok bool) {
	var list [maxRegions]int
	levels := list[:d.mode.regions()]
	r := newBitReader(data)
	if !readEnvelope(&r, levels) {
		return 0, false
	}
	control := r.bits(d.mode.controlBits())
	d.plan.make(levels, r.left(), 1<<d.mode.controlBits()-1)
	category := d.plan.finest
	for _, region := range d.plan.steps[:control] {
		category[region] = min(category[region]+1, noiseCategory)
	}
	shift = headroom(levels)
	sufficed := true
	for region, level := range levels {
		out := d.coded[region*regionSize : (region+1)*regionSize]
		deviation := deviations[level+lowestDeviation+2*shift]
		c := category[region]
		if c < noiseCategory && sufficed {
			sufficed = readVectors(&r, c, out, deviation)
		}
		if !sufficed {
			c = noiseCategory // this region, and all that follow
		}
		d.noise.fill(out, c, deviation)
	}
	if !sufficed {
		// Only the coarsest plan may be too long for the frame (clause 4.5).
		return shift, control == d.plan.count
	}
	for r.left() > 0 {
		if r.bit() == 0 {
			return 0, false // the rest is ones
		}
	}
	return shift, true
}

// deviations are the whole parts of 2^(level/2), from lowestDeviation below
// zero.
const lowestDeviation = 24

var deviations = func() (list [54]int) {
	for i := range list {
		list[i] = int(math.Exp2(float64(i-lowestDeviation)/2) + 0.5)
	}
	return list
}()

// headroom is by how many bits the reference's decoder shifts coefficients up
// so that they keep precision and yet fit sixteen bits.
func headroom(levels []int) int {
	sum, highest := 0, 0
	for _, level := range levels {
		sum += deviations[level+lowestDeviation]
		highest = max(highest, level+lowestDeviation)
	}
	shift := 9
	for ; shift >= 0 && (sum >= 8 || highest > 28); shift-- {
		sum /= 2
		highest -= 2
	}
	return shift
}
