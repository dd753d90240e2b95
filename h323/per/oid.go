package per

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// OID is an OBJECT IDENTIFIER in dotted form: "0.0.8.2250.0.7". It compares and
// serves as a constant.
type OID string

// objectIdentifier is OBJECT IDENTIFIER: BER's contents octets behind a length
// (X.691 clause 24, X.690 8.19).
type objectIdentifier struct{}

const longestOID = 1024 // octets

func (objectIdentifier) decode(d *decoder, v reflect.Value) error {
	octets, err := d.open()
	if err != nil {
		return err
	}
	if len(octets) == 0 || len(octets) > longestOID || octets[len(octets)-1]&0x80 != 0 {
		return fmt.Errorf("%w: object identifier", ErrConstraint)
	}
	var buffer [64]byte
	text := buffer[:0]
	for len(octets) > 0 {
		n := 1
		for octets[n-1]&0x80 != 0 {
			n++
		}
		if octets[0] == 0x80 {
			return fmt.Errorf("%w: padded object identifier", ErrConstraint)
		}
		text = appendArc(text, octets[:n])
		octets = octets[n:]
	}
	if err := d.budget.memory(len(text)); err != nil {
		return err
	}
	v.SetString(string(text))
	return nil
}

// appendArc adds the arc that one subidentifier stands for, two in case of the first.
func appendArc(text, octets []byte) []byte {
	first := len(text) == 0
	if !first {
		text = append(text, '.')
	}
	if len(octets) > 9 {
		return appendLargeArc(text, octets, first)
	}
	var arc uint64
	for _, b := range octets {
		arc = arc<<7 | uint64(b&0x7F)
	}
	if first {
		top := min(arc/40, 2)
		text = append(text, '0'+byte(top), '.')
		arc -= top * 40
	}
	return strconv.AppendUint(text, arc, 10)
}

func appendLargeArc(text, octets []byte, first bool) []byte {
	arc := new(big.Int)
	for _, b := range octets {
		arc.Lsh(arc, 7).Or(arc, big.NewInt(int64(b&0x7F)))
	}
	if first {
		text = append(text, "2."...)
		arc.Sub(arc, big.NewInt(80))
	}
	return arc.Append(text, 10)
}

func (objectIdentifier) encode(e *encoder, v reflect.Value) error {
	octets, err := appendOID(e.scratch[:0], v.String())
	if err != nil {
		return err
	}
	e.scratch = octets
	e.fragments(octets)
	return nil
}

// appendOID gives the contents octets of an identifier in dotted form.
func appendOID(dst []byte, text string) ([]byte, error) {
	bad := fmt.Errorf("%w: object identifier %.80q", ErrConstraint, text)
	start := len(dst)
	top, rest, two := strings.Cut(text, ".")
	root, err := strconv.ParseUint(top, 10, 8)
	if err != nil || root > 2 || !two {
		return dst, bad
	}
	for i := 0; two; i++ {
		var arc string
		arc, rest, two = strings.Cut(rest, ".")
		if len(arc) == 0 || len(arc) > 1 && arc[0] == '0' || strings.Trim(arc, "0123456789") != "" {
			return dst, bad
		}
		value, err := strconv.ParseUint(arc, 10, 63)
		switch {
		case err != nil && (i > 0 || root == 2):
			large, _ := new(big.Int).SetString(arc, 10)
			if i == 0 {
				large.Add(large, big.NewInt(80))
			}
			dst = appendLargeBase128(dst, large)
		case i > 0:
			dst = appendBase128(dst, value)
		case root < 2 && (err != nil || value > 39):
			return dst, bad
		default:
			dst = appendBase128(dst, root*40+value)
		}
		if len(dst)-start > longestOID {
			return dst, bad
		}
	}
	return dst, nil
}

func appendBase128(dst []byte, v uint64) []byte {
	for shift := 63; shift > 0; shift -= 7 {
		if v>>shift != 0 {
			dst = append(dst, byte(v>>shift)|0x80)
		}
	}
	return append(dst, byte(v&0x7F))
}

func appendLargeBase128(dst []byte, v *big.Int) []byte {
	for groups := (v.BitLen() + 6) / 7; groups > 1; groups-- {
		group := new(big.Int).Rsh(v, uint(groups-1)*7)
		dst = append(dst, byte(group.And(group, big.NewInt(0x7F)).Uint64())|0x80)
	}
	return append(dst, byte(new(big.Int).And(v, big.NewInt(0x7F)).Uint64()))
}
