package g729

import "math/bits"

// frame is what the bits of one frame say (clause 4, table 8).
type frame struct {
	predictor, first, lower, upper int // L0 to L3
	parity                         int
	halves                         [2]halfFrame
}

type halfFrame struct {
	lag              int // index, 8 bits in the first half and 5 in the second
	positions, signs int
	gainA, gainB     int
}

// fieldBits are the lengths of the fields in order, fields where they are.
var fieldBits = [15]int{1, 7, 5, 5, 8, 1, 13, 4, 3, 4, 5, 13, 4, 3, 4}

func (f *frame) fields() [15]*int {
	a, b := &f.halves[0], &f.halves[1]
	return [15]*int{
		&f.predictor, &f.first, &f.lower, &f.upper,
		&a.lag, &f.parity, &a.positions, &a.signs, &a.gainA, &a.gainB,
		&b.lag, &b.positions, &b.signs, &b.gainA, &b.gainB,
	}
}

// read takes a frame's bytes apart; write puts them together.
func (f *frame) read(data []byte) {
	at := 0
	for i, v := range f.fields() {
		*v = 0
		for range fieldBits[i] {
			*v = *v<<1 | int(data[at>>3]>>(7-at&7))&1
			at++
		}
	}
}

func (f *frame) write(data []byte) {
	clear(data[:FrameBytes])
	at := 0
	for i, v := range f.fields() {
		for bit := fieldBits[i] - 1; bit >= 0; bit-- {
			data[at>>3] |= byte(*v>>bit&1) << (7 - at&7)
			at++
		}
	}
}

// parityOf is the parity bit of the first delay: over its upper six bits, odd
// (clause 3.7.2).
func parityOf(lag int) int { return 1 ^ bits.OnesCount(uint(lag>>2))&1 }

// lag is a pitch delay in samples and thirds of one: -1, 0 or 1.
type lag struct{ samples, thirds int }

// firstLag reads the delay of the first half frame, index writes it (clause
// 3.7.2 and 4.1.3).
func firstLag(index int) lag {
	if index >= 197 {
		return lag{index - 112, 0}
	}
	l := (index+2)/3 + 19
	return lag{l, index - 3*l + 58}
}

func (l lag) index() int {
	if l.samples > 85 || l.samples == 85 && l.thirds > 0 {
		return l.samples + 112
	}
	return 3*l.samples - 58 + l.thirds
}

// nearest is the lowest delay that the second half frame can have after the
// first one's.
func nearest(first int) int { return min(max(first-5, minLag), maxLag-9) }

// secondLag reads the delay of the second half frame, indexAfter writes it.
func secondLag(index, first int) lag {
	l := (index+2)/3 - 1
	return lag{l + nearest(first), index - 2 - 3*l}
}

func (l lag) indexAfter(first int) int { return 3*(l.samples-nearest(first)) + l.thirds + 2 }
