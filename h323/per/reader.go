package per

import (
	"fmt"
	"math/bits"
)

// decoder is the one bounds-checked cursor over an encoding. Its position counts bits;
// the start of data is octet-aligned.
type decoder struct {
	data    []byte
	pos     int
	depth   int
	budget  budget
	scratch [2]byte
}

func (d *decoder) left() int { return len(d.data)*8 - d.pos }

func (d *decoder) bit() (bool, error) {
	if d.left() < 1 {
		return false, ErrTruncated
	}
	set := d.bitAt(d.pos)
	d.pos++
	return set, nil
}

// bitAt looks at a bit that is known to be there.
func (d *decoder) bitAt(pos int) bool { return d.data[pos>>3]&(0x80>>(pos&7)) != 0 }

// skip passes n bits and tells where they were.
func (d *decoder) skip(n int) (from int, err error) {
	if n > d.left() {
		return 0, ErrTruncated
	}
	from = d.pos
	d.pos += n
	return from, nil
}

// bits reads n bits, 64 at most, as an unsigned number.
func (d *decoder) bits(n int) (uint64, error) {
	if n > d.left() {
		return 0, ErrTruncated
	}
	var v uint64
	for n > 0 {
		free := 8 - d.pos&7
		take := min(n, free)
		chunk := d.data[d.pos>>3] >> (free - take) & (1<<take - 1)
		v = v<<take | uint64(chunk)
		d.pos += take
		n -= take
	}
	return v, nil
}

func (d *decoder) align() { d.pos = (d.pos + 7) &^ 7 }

// octets takes n octets from the next octet boundary. They share memory with data.
// Nothing is aligned for the sake of no octets (X.691 11.2.1).
func (d *decoder) octets(n int) ([]byte, error) {
	if n == 0 {
		return d.data[:0:0], nil
	}
	d.align()
	if n > d.left()/8 {
		return nil, ErrTruncated
	}
	start := d.pos >> 3
	d.pos += n * 8
	return d.data[start : start+n : start+n], nil
}

// constrained reads a number of 0..span (X.691 11.5).
func (d *decoder) constrained(span uint64) (v uint64, err error) {
	switch {
	case span == 0:
		return 0, nil
	case span < 255:
		v, err = d.bits(bits.Len64(span))
	case span == 255:
		d.align()
		v, err = d.bits(8)
	case span < 1<<16:
		d.align()
		v, err = d.bits(16)
	default:
		var n uint64
		if n, err = d.constrained(uint64(octetsOf(span) - 1)); err != nil {
			return 0, err
		}
		d.align()
		v, err = d.bits(int(n+1) * 8)
	}
	if err == nil && v > span {
		return 0, fmt.Errorf("%w: %d of at most %d", ErrConstraint, v, span)
	}
	return v, err
}

// octetsOf is the number of octets that v takes, at least one.
func octetsOf(v uint64) int { return max(1, (bits.Len64(v)+7)/8) }

// small reads a normally small non-negative number (X.691 11.6).
func (d *decoder) small() (int, error) {
	large, err := d.bit()
	if err != nil {
		return 0, err
	}
	if !large {
		v, err := d.bits(6)
		return int(v), err
	}
	n, _, err := d.length()
	if err != nil {
		return 0, err
	}
	if n > 4 {
		return 0, fmt.Errorf("%w: number of %d octets", ErrLimit, n)
	}
	d.align()
	v, err := d.bits(n * 8)
	if v > largestSmall {
		return 0, fmt.Errorf("%w: number %d", ErrLimit, v)
	}
	return int(v), err
}

// largestSmall bounds the index of an alternative or an enumeration value.
const largestSmall = 1 << 31

// smallLength reads the size of an extension bitmap (X.691 11.9.3.4).
func (d *decoder) smallLength() (int, error) {
	large, err := d.bit()
	if err != nil {
		return 0, err
	}
	if !large {
		v, err := d.bits(6)
		return int(v) + 1, err
	}
	n, more, err := d.length()
	if err == nil && (more || n == 0) {
		return 0, fmt.Errorf("%w: extension bitmap", ErrLimit)
	}
	return n, err
}

// length reads a general length determinant (X.691 11.9.3.5 to 8). With more, n
// units are followed by another determinant.
func (d *decoder) length() (n int, more bool, err error) {
	d.align()
	first, err := d.bits(8)
	switch {
	case err != nil:
		return 0, false, err
	case first < 0x80:
		return int(first), false, nil
	case first < 0xC0:
		second, err := d.bits(8)
		return int(first&0x3F<<8 | second), false, err
	case first > 0xC4 || first == 0xC0:
		return 0, false, fmt.Errorf("%w: fragment of %d times 16K", ErrConstraint, first&0x3F)
	}
	return int(first&0x3F) * fragment, true, nil
}

// fragment is the unit of fragmentation (X.691 11.9.3.8).
const fragment = 16 << 10

// open reads an open type field: the octets of a complete encoding (X.691 11.2).
func (d *decoder) open() ([]byte, error) {
	n, more, err := d.length()
	if err != nil {
		return nil, err
	}
	first, err := d.octets(n)
	if err != nil || !more {
		return first, err
	}
	whole := append([]byte(nil), first...)
	for more {
		if n, more, err = d.length(); err != nil {
			return nil, err
		}
		part, err := d.octets(n)
		if err != nil {
			return nil, err
		}
		if err := d.budget.memory(n); err != nil {
			return nil, err
		}
		whole = append(whole, part...)
	}
	return whole, nil
}
