package g729

import "math"

// noise is the comfort noise that a stream pauses with (Annex B).
type noise struct {
	on          bool
	gain        float64 // magnitude of the excitation
	target      float64
	frequencies frequencies
	random      uint16
}

// comfort makes 10 ms of comfort noise. data holds what Annex B calls a silence
// insertion descriptor, or nothing: then it goes on as before. The noise is
// like that of Annex B in level and spectrum, not sample by sample.
func (d *Decoder) comfort(pcm []int16, data []byte) {
	n := &d.noise
	if len(data) == NoiseBytes {
		bits := int(data[0])<<8 | int(data[1])
		row := noiseFirst[bits>>10&0x1f]
		second := bits >> 6 & 0xf
		p := &noisePredictors[bits>>15]
		w := word(int(row), int(noiseLower[second]), int(noiseUpper[second]))
		n.frequencies = d.frequencies.next(p, w)
		n.target = float64(noiseGains[bits>>1&0x1f]) / 8
	}
	if !n.on {
		n.on, n.gain, n.random = true, n.target, 11111
	}
	n.gain = (7*n.gain + n.target) / 8
	d.last = n.frequencies
	d.interpolate(n.frequencies)
	for i := range d.filters {
		start := history + i*half
		for at := start; at < start+half; at++ {
			d.excitation[at] = n.gain * n.draw()
		}
		d.finish(pcm[i*half:(i+1)*half], i, d.lag)
	}
	d.sharpness = sharpness(0)
	d.excitation.shift()
}

// draw is a random number of about normal distribution, variance one.
func (n *noise) draw() float64 {
	sum := 0
	for range 12 {
		n.random = n.random*31821 + 13849
		sum += int(int16(n.random))
	}
	return float64(sum) / 32768 / math.Sqrt(4)
}
