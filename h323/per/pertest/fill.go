// Package pertest fills values with random contents that satisfy their ASN.1
// constraints, to test that what is encoded comes back.
package pertest

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// Filler makes random values.
type Filler struct {
	Rand *rand.Rand
	// Depth is the nesting below which optional components stay away; default 8.
	Depth int
	// Unknown adds extensions that no type of ours knows.
	Unknown bool
}

// Fill sets everything in what v points to.
func (f *Filler) Fill(v any) error {
	return f.value(reflect.ValueOf(v).Elem(), &tag.Tag{Size: tag.Size{Upper: tag.Unbounded}}, 0)
}

func (f *Filler) deep(depth int) bool {
	most := f.Depth
	if most == 0 {
		most = 8
	}
	return depth > most
}

// chance is true once in n times.
func (f *Filler) chance(n int) bool { return f.Rand.IntN(n) == 0 }

func (f *Filler) value(v reflect.Value, t *tag.Tag, depth int) error {
	if t.Open && v.Kind() == reflect.Slice {
		v.SetBytes(f.octets(1, 12))
		return nil
	}
	switch p := v.Addr().Interface().(type) {
	case *per.OID:
		*p = f.oid()
		return nil
	case *per.BitString:
		*p = f.bits(t.Size)
		return nil
	case *big.Int:
		p.SetBytes(f.octets(0, 20))
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(t.Null || f.chance(2))
	case reflect.String:
		v.SetString(f.text(t))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.value(v.Elem(), t, depth)
	case reflect.Slice:
		return f.slice(v, t, depth)
	case reflect.Array:
		reflect.Copy(v, reflect.ValueOf(f.octets(v.Len(), v.Len())))
	case reflect.Struct:
		return f.structure(v, depth)
	default:
		f.number(v, t)
	}
	return nil
}

func (f *Filler) number(v reflect.Value, t *tag.Tag) {
	offset := f.Rand.Uint64() >> f.Rand.IntN(64)
	switch {
	case t.Enum.Root > 0:
		offset %= uint64(t.Enum.Root)
	case t.Range.HasUpper && t.Range.Span < 1<<64-1:
		offset %= t.Range.Span + 1
		if f.chance(8) {
			offset = t.Range.Span
		}
	default:
		offset >>= 33
	}
	value := uint64(t.Range.Lower) + offset
	if v.CanInt() {
		v.SetInt(int64(value))
	} else {
		v.SetUint(value)
	}
}

// length draws from a size constraint, small numbers mostly.
func (f *Filler) length(s tag.Size, usual int) int {
	most := min(s.Upper-s.Lower, usual)
	return s.Lower + f.Rand.IntN(most+1)
}

func (f *Filler) octets(least, most int) []byte {
	b := make([]byte, least+f.Rand.IntN(most-least+1))
	for i := range b {
		b[i] = byte(f.Rand.Uint32())
	}
	return b
}

func (f *Filler) bits(s tag.Size) per.BitString {
	n := f.length(s, 40)
	b := f.octets((n+7)/8, (n+7)/8)
	if n&7 != 0 {
		b[len(b)-1] &= 0xFF << (-n & 7)
	}
	return per.BitString{Bytes: b, Length: n}
}

func (f *Filler) oid() per.OID {
	id := []byte("0.0.8.")
	for range 1 + f.Rand.IntN(4) {
		id = append(strconv.AppendUint(id, uint64(f.Rand.Uint32()>>f.Rand.IntN(32)), 10), '.')
	}
	return per.OID(id[:len(id)-1])
}

func (f *Filler) slice(v reflect.Value, t *tag.Tag, depth int) error {
	if v.Type().Elem().Kind() == reflect.Uint8 && t.Elem == nil {
		n := f.length(t.Size, 20)
		v.SetBytes(f.octets(n, n))
		return nil
	}
	usual := 2
	if f.deep(depth) {
		usual = 0
	}
	n := f.length(t.Size, usual)
	elem := t.Elem
	if elem == nil {
		elem = &tag.Tag{Size: tag.Size{Upper: tag.Unbounded}}
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if err := f.value(v.Index(i), elem, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var alphabets = map[string]string{
	"numeric": " 0123456789", "printable": "AZaz09 '()+,-./:=?", "visible": " !~Aa0",
	"ia5": "\x00\x1f AZaz09~\x7f", "general": "0123-,ABC", "utf8": "aé漢", "bmp": "aé漢\uFFFD𝄞", "universal": "aé漢𝄞",
}

func (f *Filler) text(t *tag.Tag) string {
	alphabet := []rune(t.Alphabet)
	if len(alphabet) == 0 {
		alphabet = []rune(alphabets[t.Kind])
	}
	n := f.length(t.Size, 12)
	var text []rune
	for units := 0; units < n; units++ {
		r := alphabet[f.Rand.IntN(len(alphabet))]
		if r > 0xFFFF && t.Kind == "bmp" {
			if units+1 == n {
				r = 'x'
			} else {
				units++
			}
		}
		text = append(text, r)
	}
	return string(text)
}
