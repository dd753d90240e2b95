// Package tag reads the struct tags that carry ASN.1 constraints.
package tag

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Unbounded stands for MAX in a size.
const Unbounded = math.MaxInt

// Size is a size constraint: SIZE(Lower..Upper). Extensible tells SIZE(.., ...).
type Size struct {
	Lower, Upper int
	Extensible   bool
}

// Fixed tells whether the size goes without saying, so that no length is sent.
func (s Size) Fixed() bool { return s.Lower == s.Upper && s.Upper < 1<<16 }

// Bounded tells whether the length is sent as a constrained number (X.691 11.9.4.1).
func (s Size) Bounded() bool { return s.Upper < 1<<16 }

// Contains tells whether n units satisfy the constraint's root.
func (s Size) Contains(n int) bool { return n >= s.Lower && n <= s.Upper }

// Range is a value constraint of an INTEGER. Upper is kept in two's complement,
// so that 2^64-1 fits as well as -1; Span is Upper-Lower.
type Range struct {
	HasLower, HasUpper bool
	Lower              int64
	Span               uint64
	Extensible         bool
}

// Enum is the number of values in an ENUMERATED's root; 0 means no enumeration.
type Enum struct {
	Root       int
	Extensible bool
}

// Tag is what one struct tag says about one component, or, in Elem, about the
// elements of a SEQUENCE OF.
type Tag struct {
	Name     string
	Optional bool
	Ext      bool // an extension addition
	Null     bool
	Open     bool
	Kind     string // ia5, numeric, printable, visible, general, utf8, bmp, universal
	Size     Size
	Range    Range
	Enum     Enum
	Number   int     // tag number, -1 when the order of the fields decides
	Default  *string // DEFAULT value as text
	Alphabet string  // FROM(..)
	Elem     *Tag
}

var kinds = map[string]bool{
	"ia5": true, "numeric": true, "printable": true, "visible": true,
	"general": true, "utf8": true, "bmp": true, "universal": true,
}

// Field reads the tag of a struct field: `per:"name,option,..;option,.." alphabet:".."`.
// Options behind a semicolon are those of the elements of a list.
func Field(f reflect.StructField) (*Tag, error) {
	text := f.Tag.Get("per")
	name, options, _ := strings.Cut(text, ",")
	if before, _, found := strings.Cut(name, ";"); found {
		name, options = before, text[len(before):]
	}
	t, err := Parse(options, f.Tag.Get("alphabet"))
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", f.Name, err)
	}
	if t.Name = name; name == "" {
		t.Name = strings.ToLower(f.Name[:1]) + f.Name[1:]
	}
	return t, nil
}

// Parse reads options without a name, such as "size=1..8;range=0..255". The
// alphabet applies to the innermost level.
func Parse(options, alphabet string) (*Tag, error) {
	level, deeper, nested := strings.Cut(options, ";")
	t := &Tag{Size: Size{Upper: Unbounded}, Number: -1}
	for option := range strings.SplitSeq(level, ",") {
		if err := t.apply(option); err != nil {
			return nil, fmt.Errorf("option %q: %w", option, err)
		}
	}
	if !nested {
		t.Alphabet = alphabet
		return t, nil
	}
	elem, err := Parse(deeper, alphabet)
	t.Elem = elem
	return t, err
}

func (t *Tag) apply(option string) (err error) {
	key, value, _ := strings.Cut(option, "=")
	switch key {
	case "":
	case "optional":
		t.Optional = true
	case "ext":
		t.Ext = true
	case "null":
		t.Null = true
	case "open":
		t.Open = true
	case "size":
		t.Size, err = parseSize(value)
	case "range":
		t.Range, err = parseRange(value)
	case "enum":
		text, extensible := strings.CutSuffix(value, "+")
		t.Enum.Extensible = extensible
		t.Enum.Root, err = strconv.Atoi(text)
		if err == nil && t.Enum.Root < 1 {
			err = errors.New("an enumeration has at least one value")
		}
	case "tag":
		t.Number, err = strconv.Atoi(value)
	case "default":
		t.Default = &value
	default:
		if !kinds[key] {
			return errors.New("unknown")
		}
		t.Kind = key
	}
	return err
}

// parseSize reads "4", "1..128", "0..max" and, with a final +, extensible ones.
func parseSize(text string) (s Size, err error) {
	text, s.Extensible = strings.CutSuffix(text, "+")
	low, high, ranged := strings.Cut(text, "..")
	if s.Lower, err = strconv.Atoi(low); err != nil {
		return s, err
	}
	switch {
	case !ranged:
		s.Upper = s.Lower
	case high == "max":
		s.Upper = Unbounded
	default:
		s.Upper, err = strconv.Atoi(high)
	}
	if err == nil && (s.Lower < 0 || s.Upper < s.Lower) {
		err = errors.New("empty size")
	}
	return s, err
}

// parseRange reads "0..255", "1..max", "min..5" and, with a final +, extensible ones.
func parseRange(text string) (r Range, err error) {
	text, r.Extensible = strings.CutSuffix(text, "+")
	low, high, ranged := strings.Cut(text, "..")
	if !ranged {
		high = low
	}
	if low != "min" {
		r.HasLower = true
		if r.Lower, err = strconv.ParseInt(low, 10, 64); err != nil {
			return r, err
		}
	}
	if high == "max" {
		return r, nil
	}
	r.HasUpper = true
	upper, err := strconv.ParseInt(high, 10, 64)
	if err == nil && r.HasLower && upper < r.Lower {
		return r, errors.New("empty range")
	}
	if err != nil {
		var large uint64
		if large, err = strconv.ParseUint(high, 10, 64); err != nil {
			return r, err
		}
		if r.Lower < 0 {
			return r, errors.New("range wider than 64 bits")
		}
		upper = int64(large)
	}
	r.Span = uint64(upper) - uint64(r.Lower)
	return r, nil
}
