package per

import (
	"fmt"
	"reflect"
)

// choice is CHOICE in a struct of which one field is set (X.691 clause 23).
type choice struct {
	root      []component
	additions []component
	other     int // index of the Other field, -1 when not extensible
}

func (c *choice) decode(d *decoder, v reflect.Value) error {
	if err := d.enter(); err != nil {
		return err
	}
	added := false
	if c.other >= 0 {
		var err error
		if added, err = d.bit(); err != nil {
			return err
		}
	}
	if added {
		if err := c.decodeAddition(d, v); err != nil {
			return err
		}
		d.depth--
		return nil
	}
	i, err := d.constrained(uint64(len(c.root) - 1))
	if err != nil {
		return err
	}
	alternative := &c.root[i]
	if err := alternative.codec.decode(d, v.Field(alternative.index)); err != nil {
		return in(alternative.name, err)
	}
	d.depth--
	return nil
}

func (c *choice) decodeAddition(d *decoder, v reflect.Value) error {
	i, err := d.small()
	if err != nil {
		return err
	}
	if i < len(c.additions) {
		alternative := &c.additions[i]
		if err := alternative.decodeOpen(d, v.Field(alternative.index)); err != nil {
			return in(alternative.name, err)
		}
		return nil
	}
	raw, err := d.open()
	if err == nil {
		err = d.budget.memory(additionSize)
	}
	if err != nil {
		return in(extensionsPath, inElement(i, err))
	}
	v.Field(c.other).Set(reflect.ValueOf(&Alternative{i, raw}))
	return nil
}

// chosen finds the one field that is set. place counts the root's alternatives
// first, then the additions.
func (c *choice) chosen(v reflect.Value) (place int, err error) {
	place = -1
	for i := range len(c.root) + len(c.additions) {
		alternative := c.at(i)
		if !alternative.present(v.Field(alternative.index)) {
			continue
		}
		if place >= 0 {
			return 0, fmt.Errorf("%w: both %s and %s are chosen", ErrConstraint, c.at(place).name, alternative.name)
		}
		place = i
	}
	return place, nil
}

func (c *choice) at(i int) *component {
	if i < len(c.root) {
		return &c.root[i]
	}
	return &c.additions[i-len(c.root)]
}

func (c *choice) encode(e *encoder, v reflect.Value) error {
	if err := e.enter(); err != nil {
		return err
	}
	place, err := c.chosen(v)
	if err != nil {
		return err
	}
	var other *Alternative
	if c.other >= 0 {
		other, _ = v.Field(c.other).Interface().(*Alternative)
		e.bit(other != nil || place >= len(c.root))
	}
	switch {
	case other != nil:
		err = c.encodeOther(e, other, place)
	case place < 0:
		return fmt.Errorf("%w: no alternative is chosen", ErrMissing)
	case place < len(c.root):
		e.constrained(uint64(place), uint64(len(c.root)-1))
		alternative := &c.root[place]
		if err = alternative.codec.encode(e, v.Field(alternative.index)); err != nil {
			err = in(alternative.name, err)
		}
	default:
		e.small(place - len(c.root))
		alternative := &c.additions[place-len(c.root)]
		f := v.Field(alternative.index)
		if err = e.open(func() error { return alternative.codec.encode(e, f) }); err != nil {
			err = in(alternative.name, err)
		}
	}
	e.depth--
	return err
}

func (c *choice) encodeOther(e *encoder, other *Alternative, place int) error {
	if place >= 0 || other.Index < len(c.additions) || other.Index > largestSmall || other.Raw == nil {
		return fmt.Errorf("%w: unknown alternative %d", ErrConstraint, other.Index)
	}
	e.small(other.Index)
	e.fragments(other.Raw)
	return nil
}
