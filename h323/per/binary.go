package per

import (
	"fmt"
	"reflect"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// BitString is a BIT STRING: Length bits, the first in the highest bit of Bytes[0].
type BitString struct {
	Bytes  []byte
	Length int
}

// At gives the i-th bit, false beyond the end.
func (b BitString) At(i int) bool {
	return i >= 0 && i < b.Length && i/8 < len(b.Bytes) && b.Bytes[i/8]&(0x80>>(i&7)) != 0
}

// octetString is OCTET STRING in a []byte (X.691 clause 17).
type octetString struct{ run }

func (c octetString) decode(d *decoder, v reflect.Value) error {
	raw, _, shared, err := c.run.decode(d)
	if err != nil {
		return err
	}
	if !shared {
		raw = append(make([]byte, 0, len(raw)), raw...)
	}
	v.SetBytes(raw)
	return nil
}

func (c octetString) encode(e *encoder, v reflect.Value) error {
	return c.run.encode(e, v.Bytes(), v.Len())
}

// octetArray is OCTET STRING of a fixed size in an array of bytes.
type octetArray struct{ run }

func (c octetArray) decode(d *decoder, v reflect.Value) error {
	raw, _, _, err := c.run.decode(d)
	if err == nil {
		reflect.Copy(v, reflect.ValueOf(raw))
	}
	return err
}

func (c octetArray) encode(e *encoder, v reflect.Value) error {
	if v.CanAddr() {
		return c.run.encode(e, v.Bytes(), v.Len())
	}
	octets := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(octets), v)
	return c.run.encode(e, octets, len(octets))
}

// bitString is BIT STRING (X.691 clause 16).
type bitString struct{ run }

func (c bitString) decode(d *decoder, v reflect.Value) error {
	raw, n, shared, err := c.run.decode(d)
	if err != nil {
		return err
	}
	if !shared || n&7 != 0 {
		raw = append(make([]byte, 0, len(raw)), raw...)
	}
	if n&7 != 0 {
		raw[len(raw)-1] &= 0xFF << (-n & 7)
	}
	*v.Addr().Interface().(*BitString) = BitString{raw, n}
	return nil
}

func (c bitString) encode(e *encoder, v reflect.Value) error {
	b := v.Addr().Interface().(*BitString)
	if b.Length < 0 || len(b.Bytes)*8 < b.Length {
		return fmt.Errorf("%w: bit string of %d bits in %d octets", ErrConstraint, b.Length, len(b.Bytes))
	}
	return c.run.encode(e, b.Bytes, b.Length)
}

// rawOpen is an open type whose contents stay as they are, in a []byte. None at all
// break X.691 11.1.3 but come from careless senders, and are sent on as they came.
type rawOpen struct{}

func (rawOpen) decode(d *decoder, v reflect.Value) error {
	raw, err := d.open()
	if err == nil {
		v.SetBytes(raw)
	}
	return err
}

func (rawOpen) encode(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		return fmt.Errorf("%w: an open type has contents", ErrMissing)
	}
	e.fragments(v.Bytes())
	return nil
}

// typedOpen is an open type with contents of a known type.
type typedOpen struct{ contents codec }

func (c typedOpen) decode(d *decoder, v reflect.Value) error {
	raw, err := d.open()
	if err != nil {
		return err
	}
	return d.inside(raw, c.contents, v)
}

func (c typedOpen) encode(e *encoder, v reflect.Value) error {
	return e.open(func() error { return c.contents.encode(e, v) })
}

// inside decodes the contents of an open type. Octets behind the value are
// tolerated: some peers pad.
func (d *decoder) inside(raw []byte, c codec, v reflect.Value) error {
	data, pos := d.data, d.pos
	d.data, d.pos = raw, 0
	err := c.decode(d, v)
	d.data, d.pos = data, pos
	return err
}

var unboundedSize = tag.Size{Upper: tag.Unbounded}
