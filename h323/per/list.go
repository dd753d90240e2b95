package per

import (
	"fmt"
	"reflect"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// list is SEQUENCE OF or SET OF in a slice (X.691 clauses 20 and 22).
type list struct {
	tag.Size
	elem codec
	size int // bytes of an element in memory
}

func (c list) decode(d *decoder, v reflect.Value) error {
	if err := d.enter(); err != nil {
		return err
	}
	size := c.Size
	if size.Extensible {
		outside, err := d.bit()
		if err != nil {
			return err
		}
		if outside {
			size = unboundedSize
		}
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if err := c.elements(d, v, size); err != nil {
		return err
	}
	if !size.Contains(v.Len()) {
		return fmt.Errorf("%w: size %d", ErrConstraint, v.Len())
	}
	d.depth--
	return nil
}

func (c list) elements(d *decoder, v reflect.Value, size tag.Size) error {
	switch {
	case size.Fixed():
		return c.some(d, v, size.Lower)
	case size.Bounded():
		n, err := d.constrained(uint64(size.Upper - size.Lower))
		if err != nil {
			return err
		}
		return c.some(d, v, size.Lower+int(n))
	}
	for more := true; more; {
		var n int
		var err error
		if n, more, err = d.length(); err != nil {
			return err
		}
		if err := c.some(d, v, n); err != nil {
			return err
		}
	}
	return nil
}

// eager is the number of elements for which memory is taken before they are seen.
const eager = 16

// some appends n elements. Memory grows with what was decoded, not with what was
// announced.
func (c list) some(d *decoder, v reflect.Value, n int) error {
	have := v.Len()
	for i := have; i < have+n; i++ {
		if err := d.budget.element(c.size); err != nil {
			return inElement(i, err)
		}
		if i == v.Cap() {
			v.Grow(min(have+n-i, max(i, eager)))
		}
		v.SetLen(i + 1)
		elem := v.Index(i)
		elem.SetZero()
		if err := c.elem.decode(d, elem); err != nil {
			return inElement(i, err)
		}
	}
	return nil
}

func (c list) encode(e *encoder, v reflect.Value) error {
	if err := e.enter(); err != nil {
		return err
	}
	size, n := c.Size, v.Len()
	if size.Extensible {
		e.bit(!size.Contains(n))
		if !size.Contains(n) {
			size = unboundedSize
		}
	}
	if !size.Contains(n) {
		return fmt.Errorf("%w: size %d", ErrConstraint, n)
	}
	next, more := 0, !size.Bounded()
	if size.Bounded() {
		e.constrained(uint64(n-size.Lower), uint64(size.Upper-size.Lower))
		if err := c.put(e, v, 0, n); err != nil {
			return err
		}
	}
	for more {
		var now int
		now, more = e.length(n - next)
		if err := c.put(e, v, next, next+now); err != nil {
			return err
		}
		next += now
	}
	e.depth--
	return nil
}

func (c list) put(e *encoder, v reflect.Value, from, to int) error {
	for i := from; i < to; i++ {
		if err := c.elem.encode(e, v.Index(i)); err != nil {
			return inElement(i, err)
		}
	}
	return nil
}
