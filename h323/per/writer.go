package per

import "math/bits"

// encoder appends bits. base is where the encoding starts in buf; used counts
// the bits taken of the last octet, 0 when it is full.
type encoder struct {
	buf     []byte
	base    int
	used    int
	depth   int
	scratch []byte
}

func (e *encoder) bit(set bool) {
	if e.used == 0 {
		e.buf = append(e.buf, 0)
	}
	if set {
		e.buf[len(e.buf)-1] |= 0x80 >> e.used
	}
	e.used = (e.used + 1) & 7
}

// bits writes the low n bits of v, 64 at most.
func (e *encoder) bits(v uint64, n int) {
	for n > 0 {
		if e.used == 0 {
			e.buf = append(e.buf, 0)
		}
		free := 8 - e.used
		take := min(n, free)
		chunk := byte(v>>(n-take)) & byte(1<<take-1)
		e.buf[len(e.buf)-1] |= chunk << (free - take)
		e.used = (e.used + take) & 7
		n -= take
	}
}

func (e *encoder) align() { e.used = 0 }

func (e *encoder) octets(b []byte) {
	if len(b) > 0 {
		e.align()
		e.buf = append(e.buf, b...)
	}
}

// constrained writes v of 0..span (X.691 11.5).
func (e *encoder) constrained(v, span uint64) {
	switch {
	case span == 0:
	case span < 255:
		e.bits(v, bits.Len64(span))
	case span == 255:
		e.align()
		e.bits(v, 8)
	case span < 1<<16:
		e.align()
		e.bits(v, 16)
	default:
		n := octetsOf(v)
		e.constrained(uint64(n-1), uint64(octetsOf(span)-1))
		e.align()
		e.bits(v, n*8)
	}
}

// small writes a normally small non-negative number (X.691 11.6).
func (e *encoder) small(v int) {
	e.bit(v >= 64)
	if v < 64 {
		e.bits(uint64(v), 6)
		return
	}
	n := octetsOf(uint64(v))
	e.length(n)
	e.bits(uint64(v), n*8)
}

// smallLength writes the size of an extension bitmap (X.691 11.9.3.4).
func (e *encoder) smallLength(n int) {
	e.bit(n > 64)
	if n <= 64 {
		e.bits(uint64(n-1), 6)
		return
	}
	e.length(n)
}

// length writes a general length determinant for as many of n units as one can
// announce (X.691 11.9.3.5 to 8). When the result is less than n, or n is a whole
// number of fragments, another determinant must follow.
func (e *encoder) length(n int) (now int, more bool) {
	e.align()
	switch {
	case n < 1<<7:
		e.buf = append(e.buf, byte(n))
		return n, false
	case n < fragment:
		e.buf = append(e.buf, 0x80|byte(n>>8), byte(n))
		return n, false
	}
	parts := min(4, n/fragment)
	e.buf = append(e.buf, 0xC0|byte(parts))
	return parts * fragment, true
}

// open writes an open type field (X.691 11.2) whose contents are written by
// content. The contents start on an octet boundary, so they can be written in
// place; the length before them is put right afterwards.
func (e *encoder) open(content func() error) error {
	e.align()
	start := len(e.buf)
	e.buf = append(e.buf, 0)
	if err := content(); err != nil {
		return err
	}
	e.align()
	n := len(e.buf) - start - 1
	switch {
	case n == 0:
		e.buf[start] = 1
		e.buf = append(e.buf, 0)
	case n < 1<<7:
		e.buf[start] = byte(n)
	case n < fragment:
		e.buf = append(e.buf, 0)
		copy(e.buf[start+2:], e.buf[start+1:])
		e.buf[start], e.buf[start+1] = 0x80|byte(n>>8), byte(n)
	default:
		whole := append([]byte(nil), e.buf[start+1:]...)
		e.buf = e.buf[:start]
		e.fragments(whole)
	}
	return nil
}

// fragments writes octets behind general length determinants.
func (e *encoder) fragments(b []byte) {
	for {
		n, more := e.length(len(b))
		e.octets(b[:n])
		if b = b[n:]; !more {
			return
		}
	}
}
