package per

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// integer is INTEGER in any of Go's integer types (X.691 clause 13).
type integer struct{ tag.Range }

func (c integer) constrained() bool { return c.HasLower && c.HasUpper }

func (c integer) decode(d *decoder, v reflect.Value) error {
	outside := false
	if c.Extensible {
		var err error
		if outside, err = d.bit(); err != nil {
			return err
		}
	}
	if c.constrained() && !outside {
		offset, err := d.constrained(c.Span)
		if err != nil {
			return err
		}
		return setInteger(v, uint64(c.Lower)+offset, c.Lower < 0)
	}
	octets, err := d.open()
	if err != nil {
		return err
	}
	if c.HasLower && !outside {
		offset, err := unsigned(octets)
		if err != nil {
			return err
		}
		total := uint64(c.Lower) + offset
		if c.Lower >= 0 && total < offset {
			return fmt.Errorf("%w: integer wider than 64 bits", ErrConstraint)
		}
		return setInteger(v, total, c.Lower < 0)
	}
	signed, err := signedValue(octets)
	if err != nil {
		return err
	}
	if !outside && !c.fits(uint64(signed), signed < 0) {
		return fmt.Errorf("%w: %d", ErrConstraint, signed)
	}
	return setInteger(v, uint64(signed), true)
}

func (c integer) encode(e *encoder, v reflect.Value) error {
	value, negative := integerBits(v)
	fits := c.fits(value, negative)
	if c.Extensible {
		e.bit(!fits)
	} else if !fits {
		return fmt.Errorf("%w: %v", ErrConstraint, v)
	}
	switch {
	case fits && c.constrained():
		e.constrained(value-uint64(c.Lower), c.Span)
	case fits && c.HasLower:
		offset := value - uint64(c.Lower)
		n := octetsOf(offset)
		e.length(n)
		e.bits(offset, n*8)
	case !negative && value > 1<<63-1:
		e.length(9)
		e.bits(0, 8)
		e.bits(value, 64)
	default:
		n := 1
		for n < 8 && int64(value)>>(n*8-1) != int64(value)>>63 {
			n++
		}
		e.length(n)
		e.bits(value, n*8)
	}
	return nil
}

// fits tells whether the value satisfies the constraint's root.
func (c integer) fits(value uint64, negative bool) bool {
	if c.HasLower && negative && (c.Lower >= 0 || int64(value) < c.Lower) {
		return false
	}
	if c.HasLower && !negative && c.Lower > 0 && value < uint64(c.Lower) {
		return false
	}
	if !c.HasUpper {
		return true
	}
	if !c.HasLower {
		upper := int64(c.Span)
		return negative && int64(value) <= upper || !negative && upper >= 0 && value <= uint64(upper)
	}
	return value-uint64(c.Lower) <= c.Span
}

// integerBits gives a number in 64 bits of two's complement.
func integerBits(v reflect.Value) (value uint64, negative bool) {
	if v.CanInt() {
		return uint64(v.Int()), v.Int() < 0
	}
	return v.Uint(), false
}

// setInteger stores a number given as integerBits does.
func setInteger(v reflect.Value, value uint64, signed bool) error {
	negative := signed && int64(value) < 0
	switch {
	case v.CanInt() && (negative || value < 1<<63) && !v.OverflowInt(int64(value)):
		v.SetInt(int64(value))
	case v.CanUint() && !negative && !v.OverflowUint(value):
		v.SetUint(value)
	default:
		return fmt.Errorf("%w: integer does not fit %s", ErrConstraint, v.Type())
	}
	return nil
}

// unsigned reads a non-negative binary integer, of 64 bits at most.
func unsigned(octets []byte) (v uint64, err error) {
	if len(octets) == 0 {
		return 0, fmt.Errorf("%w: integer of no octets", ErrConstraint)
	}
	for len(octets) > 8 && octets[0] == 0 {
		octets = octets[1:]
	}
	if len(octets) > 8 {
		return 0, fmt.Errorf("%w: integer wider than 64 bits", ErrConstraint)
	}
	for _, b := range octets {
		v = v<<8 | uint64(b)
	}
	return v, nil
}

// signedValue reads a 2's complement binary integer, of 64 bits at most.
func signedValue(octets []byte) (int64, error) {
	if len(octets) > 0 && octets[0]&0x80 == 0 {
		v, err := unsigned(octets)
		if err == nil && v > 1<<63-1 {
			err = fmt.Errorf("%w: integer wider than 64 bits", ErrConstraint)
		}
		return int64(v), err
	}
	for len(octets) > 8 && octets[0] == 0xFF && octets[1]&0x80 != 0 {
		octets = octets[1:]
	}
	v, err := unsigned(octets)
	if n := len(octets); n < 8 {
		return int64(v) - 1<<(8*n), err
	}
	return int64(v), err
}

// bigInteger is INTEGER without an upper bound, in a big.Int.
type bigInteger struct{ tag.Range }

func (c bigInteger) decode(d *decoder, v reflect.Value) error {
	octets, err := d.open()
	if err != nil {
		return err
	}
	if len(octets) == 0 {
		return fmt.Errorf("%w: integer of no octets", ErrConstraint)
	}
	if err := d.budget.memory(len(octets)); err != nil {
		return err
	}
	number := v.Addr().Interface().(*big.Int).SetBytes(octets)
	if c.HasLower {
		number.Add(number, big.NewInt(c.Lower))
	} else if octets[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(len(octets)*8)))
	}
	return nil
}

func (c bigInteger) encode(e *encoder, v reflect.Value) error {
	number := v.Addr().Interface().(*big.Int)
	if c.HasLower {
		offset := new(big.Int).Sub(number, big.NewInt(c.Lower))
		if offset.Sign() < 0 {
			return fmt.Errorf("%w: %v", ErrConstraint, number)
		}
		e.fragments(offset.FillBytes(make([]byte, max(1, (offset.BitLen()+7)/8))))
		return nil
	}
	width := number.BitLen()/8 + 1
	if number.Sign() < 0 {
		// -128 takes one octet: the width follows from the bits of -n-1.
		width = new(big.Int).Not(number).BitLen()/8 + 1
		number = new(big.Int).Add(number, new(big.Int).Lsh(big.NewInt(1), uint(width*8)))
	}
	e.fragments(number.FillBytes(make([]byte, width)))
	return nil
}

// enumerated is ENUMERATED (X.691 clause 14). Its Go value is the position among
// the values: the root's first, by their number, then the additions.
type enumerated struct{ tag.Enum }

func (c enumerated) decode(d *decoder, v reflect.Value) error {
	if c.Extensible {
		added, err := d.bit()
		if err != nil {
			return err
		}
		if added {
			i, err := d.small()
			if err != nil {
				return err
			}
			return setInteger(v, uint64(c.Root+i), false)
		}
	}
	i, err := d.constrained(uint64(c.Root - 1))
	if err != nil {
		return err
	}
	return setInteger(v, i, false)
}

func (c enumerated) encode(e *encoder, v reflect.Value) error {
	value, negative := integerBits(v)
	added := value >= uint64(c.Root)
	if negative || added && !c.Extensible || value > largestSmall {
		return fmt.Errorf("%w: enumeration value %v", ErrConstraint, v)
	}
	if c.Extensible {
		e.bit(added)
	}
	if added {
		e.small(int(value) - c.Root)
	} else {
		e.constrained(value, uint64(c.Root-1))
	}
	return nil
}

// boolean is BOOLEAN (X.691 clause 12).
type boolean struct{}

func (boolean) decode(d *decoder, v reflect.Value) error {
	set, err := d.bit()
	v.SetBool(set)
	return err
}

func (boolean) encode(e *encoder, v reflect.Value) error {
	e.bit(v.Bool())
	return nil
}

// null is NULL, a bool in Go that tells whether it is there. It takes no bits.
type null struct{}

func (null) decode(_ *decoder, v reflect.Value) error {
	v.SetBool(true)
	return nil
}

func (null) encode(*encoder, reflect.Value) error { return nil }
