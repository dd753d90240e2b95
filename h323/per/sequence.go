package per

import (
	"reflect"
)

// sequence is SEQUENCE, or SET, in a struct (X.691 clauses 19 and 21).
type sequence struct {
	root       []component
	optional   int // components of the root that may be absent
	additions  []component
	extensions int // index of the Extensions field, -1 when not extensible
}

// component is one component of a sequence or alternative of a choice.
type component struct {
	name     string
	index    int // of the struct field
	optional bool
	nilable  bool // absence is a nil pointer or slice
	null     bool // absence is false
	fallback reflect.Value
	number   int
	codec    codec
}

// present tells whether an optional component, or an alternative, is set.
func (c *component) present(f reflect.Value) bool {
	switch {
	case c.nilable:
		return !f.IsNil()
	case c.null:
		return f.Bool()
	case c.fallback.IsValid():
		return !f.Equal(c.fallback)
	}
	return true
}

func (s *sequence) decode(d *decoder, v reflect.Value) error {
	if err := d.enter(); err != nil {
		return err
	}
	extended := false
	if s.extensions >= 0 {
		var err error
		if extended, err = d.bit(); err != nil {
			return err
		}
	}
	bitmap, err := d.skip(s.optional)
	if err != nil {
		return err
	}
	for i := range s.root {
		c := &s.root[i]
		f := v.Field(c.index)
		if c.optional {
			there := d.bitAt(bitmap)
			if bitmap++; !there {
				if c.fallback.IsValid() {
					f.Set(c.fallback)
				}
				continue
			}
		}
		if err := c.codec.decode(d, f); err != nil {
			return in(c.name, err)
		}
	}
	if extended {
		if err := s.decodeAdditions(d, v); err != nil {
			return err
		}
	}
	d.depth--
	return nil
}

func (s *sequence) encode(e *encoder, v reflect.Value) error {
	if err := e.enter(); err != nil {
		return err
	}
	announce, ext := 0, (*Extensions)(nil)
	if s.extensions >= 0 {
		var err error
		if announce, ext, err = s.added(v); err != nil {
			return in(extensionsPath, err)
		}
		e.bit(announce > 0)
	}
	for i := range s.root {
		if c := &s.root[i]; c.optional {
			e.bit(c.present(v.Field(c.index)))
		}
	}
	for i := range s.root {
		c := &s.root[i]
		f := v.Field(c.index)
		if c.optional && !c.present(f) {
			continue
		}
		if err := c.codec.encode(e, f); err != nil {
			return in(c.name, err)
		}
	}
	if announce > 0 {
		if err := s.encodeAdditions(e, v, announce, ext); err != nil {
			return err
		}
	}
	e.depth--
	return nil
}
