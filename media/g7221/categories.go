package g7221

// A category says how a region is quantized: 0 most finely, noiseCategory not
// at all (clause 3.4).
const (
	categories    = 8
	noiseCategory = categories - 1
)

// expectedBits is what a region takes on average, by category.
var expectedBits = [categories]int{52, 47, 43, 37, 29, 22, 16, 0}

// plan is how the bits of a frame are dealt out to its regions, as far as the
// levels and the number of bits decide it. Step k of steps[:count] makes one
// region coarser by a category; finest is before the first step.
type plan struct {
	finest [maxRegions]int
	steps  [maxSteps]int
	count  int
}

// make computes the plan for regions with the given levels that share bits
// (clause 3.4). count is the number of steps that the control can ask for.
func (p *plan) make(levels []int, bits, count int) {
	// Above one bit a coefficient regions take more than is expected of them:
	// such a part of the bits is counted as five eighths.
	if size := len(levels) / 14 * 320; bits > size {
		bits = size + (bits-size)*5/8
	}
	p.count = count
	offset := offsetFor(levels, bits)
	var coarsest [maxRegions]int
	total := 0
	for r, level := range levels {
		c := categoryAt(offset, level)
		p.finest[r], coarsest[r] = c, c
		total += expectedBits[c]
	}
	// From there, walk towards finer and coarser in turn, so that the bits lie
	// in the middle of what the two ends expect. Where no region is left to go
	// on with, which takes levels that no sound has, the step changes nothing.
	var walk [2*maxSteps + 1]int
	first, last := maxSteps, maxSteps
	most, least := total, total
	for range count {
		if most+least <= 2*bits {
			r := nextFiner(levels, p.finest[:], offset)
			finer := max(p.finest[r]-1, 0)
			most += expectedBits[finer] - expectedBits[p.finest[r]]
			p.finest[r] = finer
			first--
			walk[first] = r
		} else {
			r := nextCoarser(levels, coarsest[:], offset)
			coarser := min(coarsest[r]+1, noiseCategory)
			least += expectedBits[coarser] - expectedBits[coarsest[r]]
			coarsest[r] = coarser
			walk[last] = r
			last++
		}
	}
	copy(p.steps[:count], walk[first:last])
}

// categoryAt is the category of a level when all regions share an offset: each
// step is two levels, 6 dB.
func categoryAt(offset, level int) int {
	return min(max((offset-level)>>1, 0), noiseCategory)
}

// offsetFor is the largest offset for which the regions are expected to take
// at least the bits there are, less 32.
func offsetFor(levels []int, bits int) int {
	offset := -32
	for step := 32; step > 0; step /= 2 {
		total := 0
		for _, level := range levels {
			total += expectedBits[categoryAt(offset+step, level)]
		}
		if total >= bits-32 {
			offset += step
		}
	}
	return offset
}

// unfit is further than any level is from the offset.
const unfit = 1 << 10

// nextFiner is the region that most deserves a finer category: of equals the
// lowest. nextCoarser is its counterpart: of equals the highest.
func nextFiner(levels, category []int, offset int) int {
	best, least := 0, unfit
	for r, level := range levels {
		if d := offset - level - 2*category[r]; category[r] > 0 && d < least {
			best, least = r, d
		}
	}
	return best
}

func nextCoarser(levels, category []int, offset int) int {
	best, most := 0, -unfit
	for r := len(levels) - 1; r >= 0; r-- {
		if d := offset - levels[r] - 2*category[r]; category[r] < noiseCategory && d > most {
			best, most = r, d
		}
	}
	return best
}
