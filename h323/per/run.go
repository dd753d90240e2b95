package per

import (
	"fmt"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// run is a row of units of 1, 2, 4, 8, 16 or 32 bits: what bit strings, octet
// strings and character strings have in common (X.691 clauses 16, 17 and 30).
type run struct {
	tag.Size
	unit    int  // bits
	aligned bool // contents start on an octet boundary
}

// binaryRun is the run of a bit string or an octet string: only those of a
// fixed size of 16 bits at most stay unaligned.
func binaryRun(s tag.Size, unit int) run {
	return run{Size: s, unit: unit, aligned: !s.Fixed() || s.Lower*unit > 16}
}

// characterRun is the run of a known-multiplier character string, of which short
// ones stay unaligned even when their length varies (X.691 30.5.6 and 7).
func characterRun(s tag.Size, unit int) run {
	short := s.Fixed() && s.Upper*unit <= 16 || s.Bounded() && !s.Fixed() && s.Upper*unit < 16
	return run{Size: s, unit: unit, aligned: !short}
}

// free is the run beyond an extensible size: any length, aligned.
func (r run) free() run {
	return run{Size: tag.Size{Upper: tag.Unbounded}, unit: r.unit, aligned: true}
}

// decode reads the units as bits that start at the first bit of raw. It tells with
// shared that raw belongs to the input.
func (r run) decode(d *decoder) (raw []byte, units int, shared bool, err error) {
	if r.Extensible {
		outside, err := d.bit()
		if err != nil {
			return nil, 0, false, err
		}
		if outside {
			r = r.free()
		}
	}
	more := false
	switch {
	case r.Fixed():
		units = r.Lower
	case r.Bounded():
		var n uint64
		n, err = d.constrained(uint64(r.Upper - r.Lower))
		units = r.Lower + int(n)
	default:
		units, more, err = d.length()
	}
	if err != nil {
		return nil, 0, false, err
	}
	if raw, err = r.take(d, units); err != nil {
		return nil, 0, false, err
	}
	if more {
		if raw, units, err = r.rest(d, raw, units); err != nil {
			return nil, 0, false, err
		}
	}
	if !r.Contains(units) {
		return nil, 0, false, fmt.Errorf("%w: size %d", ErrConstraint, units)
	}
	return raw, units, r.aligned && !more, nil
}

// take reads the bits of n units.
func (r run) take(d *decoder, n int) ([]byte, error) {
	width := n * r.unit
	if r.aligned || n == 0 {
		raw, err := d.octets((width + 7) / 8)
		if err == nil && n > 0 {
			d.pos -= -width & 7
		}
		return raw, err
	}
	v, err := d.bits(width)
	v <<= 16 - width
	d.scratch[0], d.scratch[1] = byte(v>>8), byte(v)
	return d.scratch[:(width+7)/8], err
}

// rest reads the fragments behind the first one. Each but the last is a whole
// number of octets.
func (r run) rest(d *decoder, first []byte, units int) ([]byte, int, error) {
	whole := append([]byte(nil), first...)
	for more := true; more; {
		var n int
		var err error
		if n, more, err = d.length(); err != nil {
			return nil, 0, err
		}
		part, err := r.take(d, n)
		if err != nil {
			return nil, 0, err
		}
		if err := d.budget.memory(len(part)); err != nil {
			return nil, 0, err
		}
		whole = append(whole, part...)
		units += n
	}
	return whole, units, nil
}

// encode writes units, packed from the first bit of raw.
func (r run) encode(e *encoder, raw []byte, units int) error {
	if r.Extensible {
		outside := !r.Contains(units)
		e.bit(outside)
		if outside {
			r = r.free()
		}
	}
	if !r.Contains(units) {
		return fmt.Errorf("%w: size %d", ErrConstraint, units)
	}
	switch {
	case r.Fixed():
		r.put(e, raw, units)
	case r.Bounded():
		e.constrained(uint64(units-r.Lower), uint64(r.Upper-r.Lower))
		r.put(e, raw, units)
	default:
		for more := true; more; {
			var n int
			n, more = e.length(units)
			r.put(e, raw, n)
			raw, units = raw[n*r.unit/8:], units-n
		}
	}
	return nil
}

func (r run) put(e *encoder, raw []byte, units int) {
	width := units * r.unit
	if width == 0 {
		return
	}
	if r.aligned {
		e.align()
	}
	whole := width / 8
	if e.used == 0 {
		e.buf = append(e.buf, raw[:whole]...)
	} else {
		for _, b := range raw[:whole] {
			e.bits(uint64(b), 8)
		}
	}
	if left := width & 7; left > 0 {
		e.bits(uint64(raw[whole]>>(8-left)), left)
	}
}
