package g7221

// noise is what coefficients get that were quantized to zero (clause 4.4): a
// fixed magnitude with a sign that is drawn by chance. Its words are the sum of
// two earlier ones.
type noise [4]int16

// next draws a word.
func (n *noise) next() int16 {
	v := n[0] + n[3]
	if v < 0 {
		v++
	}
	n[0], n[1], n[2], n[3] = v, n[0], n[1], n[2]
	return v
}

// noiseFactor is the magnitude relative to the level in 1/32768, of the last
// three categories: 2^-2.5, 2^-2 and 2^-0.5.
var noiseFactor = [3]int{5793, 8192, 23170}

// fill puts noise into a region: in noiseCategory everywhere, in the two
// before it where there are zeros. Each word serves ten coefficients.
func (n *noise) fill(coefficients []int, category, deviation int) {
	if category < noiseCategory-2 {
		return
	}
	magnitude := deviation * noiseFactor[category-noiseCategory+2] >> 15
	for from := 0; from < regionSize; from += 10 {
		word := n.next()
		for i, v := range coefficients[from : from+10] {
			if v != 0 && category != noiseCategory {
				continue
			}
			v = magnitude
			if word&1 == 0 {
				v = -magnitude
			}
			coefficients[from+i] = v
			word >>= 1
		}
	}
}
