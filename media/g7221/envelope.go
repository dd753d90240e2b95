package g7221

import "math"

// Levels of regions are root mean squares in steps of 3.01 dB (clause 3.2): the
// mean square is 2^level. On the wire the first one has an offset, and the
// others are differences to the region below.
const (
	levelOffset   = 7 // of the first level's five bits
	lowestFirst   = 1 - levelOffset
	lowestLevel   = -8 - levelOffset
	highestLevel  = 31 - levelOffset
	minDifference = -12
	maxDifference = 11
	firstBits     = 5
)

// envelopeCode finds the codes of the differences of a region to the one below.
func envelopeCode(region int) *[24]code { return &envelopeCodes[min(region, len(envelopeCodes))-1] }

// measure finds the levels of coefficients, as they can be coded.
func measure(levels []int, coefficients []float64) {
	for r := range levels {
		sum := 0.0
		for _, v := range coefficients[r*regionSize : (r+1)*regionSize] {
			sum += v * v
		}
		levels[r] = lowestLevel
		if sum > 0 {
			// The nearest power of two, in the sense of the logarithm.
			fraction, exponent := math.Frexp(sum / regionSize)
			if fraction < math.Sqrt2/2 {
				exponent--
			}
			levels[r] = min(max(exponent, lowestLevel), highestLevel)
		}
	}
	// A peak must be reached from the region below it: lift that one.
	for r := len(levels) - 2; r >= 0; r-- {
		levels[r] = max(levels[r], levels[r+1]-maxDifference)
	}
	levels[0] = max(levels[0], lowestFirst)
	for r := 1; r < len(levels); r++ {
		levels[r] = max(levels[r], levels[r-1]+minDifference)
	}
}

// writeEnvelope codes what measure found; readEnvelope gets it back, and
// reports whether such levels exist.
func writeEnvelope(w *bitWriter, levels []int) {
	w.write(uint32(levels[0]+levelOffset), firstBits)
	for r := 1; r < len(levels); r++ {
		c := envelopeCode(r)[levels[r]-levels[r-1]-minDifference]
		w.write(c.bits(), c.length())
	}
}

func readEnvelope(r *bitReader, levels []int) bool {
	levels[0] = r.bits(firstBits) - levelOffset
	valid := true
	for i := 1; i < len(levels); i++ {
		tree := envelopeTrees[min(i, len(envelopeTrees))-1]
		levels[i] = levels[i-1] + tree.read(r) + minDifference
		valid = valid && levels[i] >= lowestLevel && levels[i] <= highestLevel
	}
	return valid
}

var envelopeTrees = func() (trees [len(envelopeCodes)]tree) {
	for i := range trees {
		trees[i] = newTree(envelopeCodes[i][:])
	}
	return trees
}()
