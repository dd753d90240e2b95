package per

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// kindRange is the alphabet that comes with a string type, as the lowest and
// highest character, and its number of characters.
var kindRange = map[string]struct {
	highest rune
	count   int64
}{
	"ia5":       {127, 128},
	"visible":   {126, 95},
	"printable": {'z', 74},
	"bmp":       {0xFFFF, 1 << 16},
	"universal": {0x7FFFFFFF, 1 << 32},
}

const numericAlphabet = " 0123456789"

// characters is a known-multiplier character string (X.691 clause 30): every
// character takes the same number of bits.
type characters struct {
	run
	kind     string
	alphabet []rune // FROM(..), in canonical order; nil when the type's own
	indexed  bool   // characters are sent as their place in the alphabet
}

// newCharacters works out the width of a character (X.691 30.5.2 to 4). In the
// aligned variant it is the next power of two.
func newCharacters(t *tag.Tag) characters {
	c := characters{kind: t.Kind}
	switch {
	case t.Alphabet != "":
		c.alphabet = []rune(t.Alphabet)
	case t.Kind == "numeric":
		c.alphabet = []rune(numericAlphabet)
	}
	slices.Sort(c.alphabet)
	c.alphabet = slices.Compact(c.alphabet)
	count, highest := kindRange[t.Kind].count, kindRange[t.Kind].highest
	if len(c.alphabet) > 0 {
		count, highest = int64(len(c.alphabet)), c.alphabet[len(c.alphabet)-1]
	}
	width := bits.Len64(uint64(count - 1))
	unit := 1
	for unit < width {
		unit *= 2
	}
	c.indexed = uint64(highest) > 1<<unit-1
	c.run = characterRun(t.Size, unit)
	return c
}

func (c characters) decode(d *decoder, v reflect.Value) error {
	raw, n, _, err := c.run.decode(d)
	if err != nil {
		return err
	}
	text := make([]byte, 0, c.textLength(raw, n))
	if err := d.budget.memory(cap(text)); err != nil {
		return err
	}
	if c.unit == 8 && !c.indexed && c.alphabet == nil {
		text = append(text, raw[:n]...)
		for _, b := range text {
			if b > 127 && c.kind != "bmp" {
				return fmt.Errorf("%w: character %#x", ErrConstraint, b)
			}
		}
		v.SetString(string(text))
		return nil
	}
	for i := range n {
		r, err := c.character(unitAt(raw, i, c.unit))
		if err != nil {
			return err
		}
		text = c.appendRune(text, r)
	}
	v.SetString(string(text))
	return nil
}

// textLength estimates the UTF-8 octets of n characters.
func (c characters) textLength(raw []byte, n int) int {
	if c.unit < 16 {
		return n
	}
	long := 0
	for i := 0; i+1 < len(raw); i += 2 {
		if raw[i] != 0 || raw[i+1] > 127 {
			long++
		}
	}
	return n + 2*long
}

// unitAt takes the i-th unit of packed bits. Units are powers of two, so none of
// less than 8 bits straddles an octet.
func unitAt(raw []byte, i, unit int) uint32 {
	if unit < 8 {
		at := i * unit
		return uint32(raw[at/8]) >> (8 - unit - at&7) & (1<<unit - 1)
	}
	var v uint32
	for _, b := range raw[i*unit/8 : (i+1)*unit/8] {
		v = v<<8 | uint32(b)
	}
	return v
}

// character finds which character a unit stands for.
func (c characters) character(u uint32) (rune, error) {
	if c.indexed {
		if int(u) >= len(c.alphabet) {
			return 0, fmt.Errorf("%w: character number %d of %d", ErrConstraint, u, len(c.alphabet))
		}
		return c.alphabet[u], nil
	}
	r := rune(u)
	if c.alphabet != nil && !slices.Contains(c.alphabet, r) || u > utf8.MaxRune ||
		c.kind == "universal" && r >= 0xD800 && r < 0xE000 {
		return 0, fmt.Errorf("%w: character %#x", ErrConstraint, u)
	}
	return r, nil
}

func (c characters) encode(e *encoder, v reflect.Value) error {
	units, err := c.appendUnits(e.scratch[:0], v.String())
	if err != nil {
		return err
	}
	e.scratch = units.packed
	return c.run.encode(e, units.packed, units.count)
}

// packer packs units of less than an octet, or of several.
type packer struct {
	packed []byte
	count  int
	unit   int
}

func (p *packer) add(u uint32) {
	if p.unit < 8 {
		at := p.count * p.unit
		if at&7 == 0 {
			p.packed = append(p.packed, 0)
		}
		p.packed[at/8] |= byte(u << (8 - p.unit - at&7))
	} else {
		for shift := p.unit - 8; shift >= 0; shift -= 8 {
			p.packed = append(p.packed, byte(u>>shift))
		}
	}
	p.count++
}

func (c characters) appendUnits(dst []byte, text string) (packer, error) {
	p := packer{packed: dst, unit: c.unit}
	for len(text) > 0 {
		r, size := nextRune(text, c.kind == "bmp")
		if size == 0 {
			return p, fmt.Errorf("%w: text is not UTF-8", ErrConstraint)
		}
		text = text[size:]
		if err := c.addRune(&p, r); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (c characters) addRune(p *packer, r rune) error {
	if c.alphabet != nil {
		i, found := slices.BinarySearch(c.alphabet, r)
		if !found {
			return fmt.Errorf("%w: character %q", ErrConstraint, r)
		}
		if c.indexed {
			r = rune(i)
		}
	} else if !c.allowed(r) {
		return fmt.Errorf("%w: character %q", ErrConstraint, r)
	}
	if c.kind == "bmp" && r > 0xFFFF {
		p.add(uint32(0xD800 + (r-0x10000)>>10))
		r = 0xDC00 + (r-0x10000)&0x3FF
	}
	p.add(uint32(r))
	return nil
}

func (c characters) allowed(r rune) bool {
	switch c.kind {
	case "bmp", "universal":
		return true
	case "visible":
		return r >= ' ' && r < 127
	}
	return r <= kindRange[c.kind].highest
}

// octetText is a string type of which PER knows only the octets: GeneralString
// and UTF8String (X.691 30.6).
type octetText struct{ run }

func (c octetText) decode(d *decoder, v reflect.Value) error {
	raw, _, _, err := c.run.decode(d)
	if err == nil {
		err = d.budget.memory(len(raw))
	}
	if err == nil {
		v.SetString(string(raw))
	}
	return err
}

func (c octetText) encode(e *encoder, v reflect.Value) error {
	e.scratch = append(e.scratch[:0], v.String()...)
	return c.run.encode(e, e.scratch, len(e.scratch))
}
