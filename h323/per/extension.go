package per

import (
	"fmt"
	"reflect"
)

// Extensions holds what a SEQUENCE of a newer, or older, version of the module
// than ours tells beyond its known fields. A type with such a field,
//
//	Extensions *per.Extensions
//
// is extensible. nil is the usual case: all additions are known, and as many were
// announced as we know.
type Extensions struct {
	// Announced is the number of additions the sender's version has, the length
	// of the bitmap on the wire; 0 means that of our own version.
	Announced int
	// Unknown holds the additions that we have no field for, in their order.
	Unknown []Addition
}

// Addition is an extension addition as it came.
type Addition struct {
	Index int    // place among the extension additions, from 0
	Raw   []byte // complete encoding of its value; careless senders leave it empty, never nil
}

// Alternative is the alternative of a CHOICE that we have no field for. A type with a field
//
//	Other *per.Alternative
//
// is an extensible choice.
type Alternative struct {
	Index int    // place among the additional alternatives, from 0
	Raw   []byte // complete encoding of its value
}

// Choice marks a struct as a CHOICE, of which one field is set, when its blank first
// field is of this type: `_ per.Choice`.
type Choice struct{}

// Set marks a struct as a SET: components are coded in the order of their tag
// numbers (X.691 clause 21).
type Set struct{}

var (
	extensionsType  = reflect.TypeFor[*Extensions]()
	alternativeType = reflect.TypeFor[*Alternative]()
	choiceType      = reflect.TypeFor[Choice]()
	setType         = reflect.TypeFor[Set]()
)

// maxAdditions bounds the extension bitmap.
const maxAdditions = 4096

// decodeAdditions reads the bitmap and the extension additions (X.691 19.7 to 9).
func (s *sequence) decodeAdditions(d *decoder, v reflect.Value) error {
	announced, err := d.smallLength()
	if err != nil {
		return in(extensionsPath, err)
	}
	if announced > maxAdditions {
		return in(extensionsPath, fmt.Errorf("%w: %d additions", ErrLimit, announced))
	}
	bitmap, err := d.skip(announced)
	if err != nil {
		return in(extensionsPath, err)
	}
	present := d.data
	var unknown []Addition
	for i := range announced {
		if at := bitmap + i; present[at>>3]&(0x80>>(at&7)) == 0 {
			continue
		}
		if i >= len(s.additions) {
			raw, err := d.open()
			if err != nil {
				return in(extensionsPath, inElement(i, err))
			}
			if err := d.budget.memory(additionSize); err != nil {
				return in(extensionsPath, inElement(i, err))
			}
			unknown = append(unknown, Addition{i, raw})
			continue
		}
		c := &s.additions[i]
		if err := c.decodeOpen(d, v.Field(c.index)); err != nil {
			return in(c.name, err)
		}
	}
	if announced != len(s.additions) || unknown != nil {
		v.Field(s.extensions).Set(reflect.ValueOf(&Extensions{announced, unknown}))
	}
	return nil
}

const (
	extensionsPath = "(extensions)"
	additionSize   = 64
)

func (c *component) decodeOpen(d *decoder, v reflect.Value) error {
	raw, err := d.open()
	if err != nil {
		return err
	}
	return d.inside(raw, c.codec, v)
}

// added works out the length of the extension bitmap, 0 when there is nothing to add.
func (s *sequence) added(v reflect.Value) (announce int, ext *Extensions, err error) {
	ext, _ = v.Field(s.extensions).Interface().(*Extensions)
	needed := 0
	for i := range s.additions {
		if s.additions[i].present(v.Field(s.additions[i].index)) {
			needed = i + 1
		}
	}
	if ext == nil {
		if needed == 0 {
			return 0, nil, nil
		}
		return len(s.additions), nil, nil
	}
	last := len(s.additions) - 1
	for _, u := range ext.Unknown {
		if u.Index <= last || u.Index >= maxAdditions || u.Raw == nil {
			return 0, nil, fmt.Errorf("%w: unknown addition %d", ErrConstraint, u.Index)
		}
		last = u.Index
	}
	if len(ext.Unknown) > 0 {
		needed = last + 1
	}
	switch {
	case ext.Announced > maxAdditions || ext.Announced < 0:
		return 0, nil, fmt.Errorf("%w: %d additions", ErrConstraint, ext.Announced)
	case ext.Announced > 0:
		return max(ext.Announced, needed), ext, nil
	case needed == 0:
		return 0, nil, nil
	}
	return max(len(s.additions), needed), ext, nil
}

// encodeAdditions writes the bitmap and the additions.
func (s *sequence) encodeAdditions(e *encoder, v reflect.Value, announce int, ext *Extensions) error {
	e.smallLength(announce)
	known := min(announce, len(s.additions))
	for i := range known {
		e.bit(s.additions[i].present(v.Field(s.additions[i].index)))
	}
	var unknown []Addition
	if ext != nil {
		unknown = ext.Unknown
	}
	next := unknown
	for i := known; i < announce; i++ {
		set := len(next) > 0 && next[0].Index == i
		if e.bit(set); set {
			next = next[1:]
		}
	}
	for i := range known {
		c := &s.additions[i]
		f := v.Field(c.index)
		if !c.present(f) {
			continue
		}
		if err := e.open(func() error { return c.codec.encode(e, f) }); err != nil {
			return in(c.name, err)
		}
	}
	for _, u := range unknown {
		e.fragments(u.Raw)
	}
	return nil
}
