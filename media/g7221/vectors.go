package g7221

// shape is how a category's vectors are made (clause 3.5): dimension
// coefficients each, quantized to 0..most.
type shape struct {
	dimension, vectors, most int
	inverseStep              float64 // of the quantizer, relative to the region's level
	rounding                 float64 // added before truncation: less than half favours zero
	centroids                []int   // what the decoder takes each value for, 1/4096 of the level
}

var shapes = [noiseCategory]shape{
	{dimension: 2, vectors: 10, most: 13, inverseStep: 2.8284, rounding: 0.30,
		centroids: []int{0, 1606, 3119, 4586, 6049, 7502, 8941, 10406, 11851, 13292, 14736, 16146, 17566, 19351}},
	{dimension: 2, vectors: 10, most: 9, inverseStep: 2, rounding: 0.33,
		centroids: []int{0, 2229, 4341, 6401, 8471, 10531, 12583, 14588, 16673, 18924}},
	{dimension: 2, vectors: 10, most: 6, inverseStep: 1.4142, rounding: 0.36,
		centroids: []int{0, 3055, 5998, 8929, 11806, 14680, 17680}},
	{dimension: 4, vectors: 5, most: 4, inverseStep: 1, rounding: 0.39,
		centroids: []int{0, 4121, 8192, 12259, 16322}},
	{dimension: 4, vectors: 5, most: 3, inverseStep: 0.70711, rounding: 0.42,
		centroids: []int{0, 5413, 11071, 16315}},
	{dimension: 5, vectors: 4, most: 2, inverseStep: 0.5, rounding: 0.45,
		centroids: []int{0, 6785, 14300}},
	{dimension: 5, vectors: 4, most: 1, inverseStep: 0.35355, rounding: 0.50,
		centroids: []int{0, 8044}},
}

var vectorTrees = func() (trees [noiseCategory]tree) {
	for c, codes := range vectorCodes {
		trees[c] = newTree(codes)
	}
	return trees
}()

// quantized is a region as its category codes it.
type quantized struct {
	vectors [10]uint16 // numbers in the table of codes
	signs   [10]uint8  // of those values that are not zero; 1 is positive
	nonzero [10]uint8
	count   int // of vectors
	bits    int // all of them take
}

// quantize makes the vectors of 20 coefficients; inverse is 1 by their level.
func (q *quantized) quantize(category int, coefficients []float64, inverse float64) {
	q.count, q.bits = 0, 0
	if category >= noiseCategory {
		return
	}
	s := &shapes[category]
	q.count = s.vectors
	scale := inverse * s.inverseStep
	for v := range s.vectors {
		number, signs, nonzero := 0, uint8(0), uint8(0)
		for _, x := range coefficients[v*s.dimension : (v+1)*s.dimension] {
			positive := uint8(1)
			if x < 0 {
				x, positive = -x, 0
			}
			k := int(min(x*scale+s.rounding, float64(s.most)))
			number = number*(s.most+1) + k
			if k > 0 {
				signs = signs<<1 | positive
				nonzero++
			}
		}
		q.vectors[v], q.signs[v], q.nonzero[v] = uint16(number), signs, nonzero
		q.bits += vectorCodes[category][number].length() + int(nonzero)
	}
}

func (q *quantized) write(w *bitWriter, category int) {
	for v := range q.count {
		c := vectorCodes[category][q.vectors[v]]
		w.write(c.bits(), c.length())
		w.write(uint32(q.signs[v]), int(q.nonzero[v]))
	}
}

// readVectors decodes a region's coefficients, whose level is deviation. It
// reports whether the bits sufficed.
func readVectors(r *bitReader, category int, coefficients []int, deviation int) bool {
	s := &shapes[category]
	for v := range s.vectors {
		number := vectorTrees[category].read(r)
		if r.left() < 0 {
			return false
		}
		out := coefficients[v*s.dimension : (v+1)*s.dimension]
		nonzero := 0
		for i := s.dimension - 1; i >= 0; i-- {
			out[i] = number % (s.most + 1)
			number /= s.most + 1
			if out[i] > 0 {
				nonzero++
			}
		}
		if r.left() < nonzero {
			return false
		}
		signs := r.bits(nonzero) << (maxDimension - nonzero)
		for i, k := range out {
			out[i] = deviation * s.centroids[k] >> 12
			if out[i] == 0 {
				continue // and its sign is that of the next one, as in the reference
			}
			if signs&(1<<(maxDimension-1)) == 0 {
				out[i] = -out[i]
			}
			signs <<= 1
		}
	}
	return true
}

// maxDimension is that of the longest vectors.
const maxDimension = 5
