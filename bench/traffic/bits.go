package traffic

import "math/bits"

// bitString is written from the most significant bit on.
type bitString struct {
	bytes []byte
	free  int // bits of the last byte
}

func (w *bitString) put(n int, v uint32) {
	for n--; n >= 0; n-- {
		if w.free == 0 {
			w.bytes = append(w.bytes, 0)
			w.free = 8
		}
		w.free--
		w.bytes[len(w.bytes)-1] |= byte(v>>n&1) << w.free
	}
}

// ue writes an Exp-Golomb code (clause 9.1 of H.264).
func (w *bitString) ue(v uint32) {
	n := bits.Len32(v + 1)
	w.put(n-1, 0)
	w.put(n, v+1)
}

// end adds the stop bit.
func (w *bitString) end() []byte {
	w.put(1, 1)
	return w.bytes
}
