package per_test

import (
	"bytes"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/roomgate/roomgate/h323/per"
)

// TestValues codes single values, worked out by hand from the clauses of X.691.
func TestValues(t *testing.T) {
	for _, tc := range []struct {
		value             any
		options, alphabet string
		octets            string
	}{
		// 11.5: constrained whole numbers
		{uint8(7), "range=7", "", "00"},
		{uint8(5), "range=3..10", "", "40"},
		{uint8(254), "range=0..254", "", "FE"},
		{uint8(255), "range=0..255", "", "FF"},
		{uint16(256), "range=0..256", "", "0100"},
		{uint16(65535), "range=0..65535", "", "FFFF"},
		{uint32(65536), "range=0..65536", "", "80010000"},
		{uint32(1), "range=0..4294967295", "", "0001"},
		{uint32(1 << 31), "range=0..4294967295", "", "C080000000"},
		{int16(-3), "range=-5..10", "", "20"},
		// 11.7, 11.8: semi-constrained and unconstrained
		{uint32(128), "range=0..max", "", "0180"},
		{uint32(256), "range=1..max", "", "01FF"},
		{int32(-1), "", "", "01FF"},
		{int32(128), "", "", "020080"},
		{int32(-129), "", "", "02FF7F"},
		// 13.1: extensible, inside and outside of the root
		{int32(5), "range=0..9+", "", "28"},
		{int32(300), "range=0..9+", "", "8002012C"},
		// 14: enumerations
		{uint8(2), "enum=3", "", "80"},
		{uint8(1), "enum=1+", "", "80"},
		{uint8(70), "enum=2+", "", "C00144"},
		// 16: bit strings
		{per.BitString{Bytes: []byte{0xA0}, Length: 4}, "size=4", "", "A0"},
		{per.BitString{Bytes: []byte{0xA5, 0x80}, Length: 9}, "size=9", "", "A580"},
		{per.BitString{Bytes: []byte{0xA5, 0xC0, 0x80}, Length: 17}, "size=17", "", "A5C080"},
		{per.BitString{Bytes: []byte{0xC0}, Length: 2}, "size=0..7", "", "40C0"},
		{per.BitString{Bytes: []byte{}, Length: 0}, "", "", "00"},
		// 17: octet strings
		{[]byte{1, 2}, "size=2", "", "0102"},
		{[]byte{1, 2, 3}, "size=3", "", "010203"},
		{[]byte{9}, "size=1..4", "", "0009"},
		{[]byte{}, "size=0..4", "", "00"},
		{[]byte{1, 2, 3}, "", "", "03010203"},
		{[]byte{1, 2}, "size=1+", "", "80020102"},
		// 24: object identifiers
		{per.OID("0.0.8.2250.0.7"), "", "", "060008914A0007"},
		{per.OID("2.999.3"), "", "", "03883703"},
		{per.OID("1.3.6"), "", "", "022B06"},
		// 30: character strings
		{"12", "ia5,size=1..128", "0123456789#*,", "0245"},
		{"abc", "ia5", "", "03616263"},
		{"1", "numeric,size=1", "", "20"},
		{"é", "bmp,size=1..128", "", "0000E9"},
		{"", "ia5,size=0..8", "", "00"},
		{"hé", "utf8", "", "0368C3A9"},
	} {
		data, err := per.MarshalWith(tc.value, tc.options, tc.alphabet)
		if want := octets(t, tc.octets); err != nil || !bytes.Equal(data, want) {
			t.Errorf("%v (%s) encodes to %x, %v; want %x", tc.value, tc.options, data, err, want)
			continue
		}
		back := reflect.New(reflect.TypeOf(tc.value))
		if err := per.UnmarshalWith(data, back.Interface(), tc.options, tc.alphabet); err != nil || !reflect.DeepEqual(back.Elem().Interface(), tc.value) {
			t.Errorf("%x (%s) decodes to %v, %v; want %v", data, tc.options, back.Elem(), err, tc.value)
		}
	}
}

// TestLengths: lengths around the borders of 11.9.3.5 to 8 come back, in the number of
// octets that the determinants take.
func TestLengths(t *testing.T) {
	for n, header := range map[int]int{
		0: 1, 1: 1, 127: 1, 128: 2, 16383: 2, 16384: 2, 16385: 2, 32768: 2, 65535: 3, 65536: 2, 65537: 2, 100000: 4,
	} {
		value := bytes.Repeat([]byte{0xA5}, n)
		data, err := per.MarshalWith(value, "", "")
		if err != nil || len(data) != n+header {
			t.Errorf("%d octets take %d, %v; want %d more", n, len(data), err, header)
			continue
		}
		var back []byte
		if err := per.UnmarshalWith(data, &back, "", ""); err != nil || !bytes.Equal(back, value) {
			t.Errorf("%d octets come back as %d, %v", n, len(back), err)
		}
	}
}

// TestBigIntegers: numbers beyond 64 bits, as Diffie-Hellman keys are.
func TestBigIntegers(t *testing.T) {
	for _, text := range []string{"0", "127", "128", "-128", "-129", "340282366920938463463374607431768211456", "-340282366920938463463374607431768211456"} {
		n, _ := new(big.Int).SetString(text, 10)
		data, err := per.MarshalWith(n, "", "")
		if err != nil {
			t.Fatal(err)
		}
		var back big.Int
		if err := per.UnmarshalWith(data, &back, "", ""); err != nil || back.Cmp(n) != 0 {
			t.Errorf("%s comes back as %v, %v (%x)", text, &back, err, data)
		}
	}
}

// newer is a type as a later version of its module has it; older is how we know it.
type newer struct {
	A          bool      `per:"a"`
	B          *uint8    `per:"b,ext,range=0..255"`
	C          []byte    `per:"c,ext,size=1..100"`
	D          *tagged   `per:"d,ext"`
	Choice     *newerOne `per:"choice,ext"`
	Extensions *per.Extensions
}

type older struct {
	A          bool   `per:"a"`
	B          *uint8 `per:"b,ext,range=0..255"`
	Extensions *per.Extensions
}

type tagged struct {
	Text string `per:"text,ia5"`
}

type newerOne struct {
	_     per.Choice
	X     bool    `per:"x,null"`
	Y     *tagged `per:"y,ext"`
	Z     *tagged `per:"z,ext"`
	Other *per.Alternative
}

// TestUnknownExtensions: what a newer peer adds is kept, and sent on as it came.
func TestUnknownExtensions(t *testing.T) {
	value := newer{A: true, B: ptr(uint8(9)), C: []byte("abc"), D: &tagged{"d"}, Choice: &newerOne{Z: &tagged{"z"}}}
	data, err := per.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var known older
	if err := per.Unmarshal(data, &known); err != nil {
		t.Fatal(err)
	}
	if !known.A || *known.B != 9 || known.Extensions == nil || len(known.Extensions.Unknown) != 3 || known.Extensions.Unknown[1].Index != 2 {
		t.Errorf("the older type sees %+v, %+v", known, known.Extensions)
	}
	again, err := per.Marshal(known)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("sent on as\n%x, %v; came as\n%x", again, err, data)
	}
}

// TestRefused: values that break their constraints, and types that mean nothing.
func TestRefused(t *testing.T) {
	type pathed struct {
		Items []tagged `per:"items,size=1..3"`
	}
	for _, tc := range []struct {
		name, path string
		value      any
		want       error
	}{
		{"choice of nothing", "", newerOne{}, per.ErrMissing},
		{"too many", "per_test.pathed.items", pathed{make([]tagged, 4)}, per.ErrConstraint},
		{"not IA5", "per_test.pathed.items[1].text", pathed{[]tagged{{"a"}, {"é"}}}, per.ErrConstraint},
		{"no struct", "", func() {}, per.ErrType},
		{"nil", "", (*tagged)(nil), per.ErrType},
	} {
		_, err := per.Marshal(tc.value)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		var where *per.Error
		if tc.path != "" && (!errors.As(err, &where) || where.Path() != tc.path) {
			t.Errorf("%s: %v does not name %s", tc.name, err, tc.path)
		}
	}
}

// recursive nests as deep as its sender likes, as H.245 and H.235 types do.
type recursive struct {
	Inner *recursive `per:"inner,optional"`
	List  []bool     `per:"list,optional"`
}

// TestLimits: what is too deep, too long or too large ends in ErrLimit, not in memory.
func TestLimits(t *testing.T) {
	deep := bytes.Repeat([]byte{0xAA}, 1000) // inner present, list absent, for ever
	var v recursive
	if _, err := per.Decode(deep, &v); !errors.Is(err, per.ErrLimit) {
		t.Errorf("1000 levels: %.200v", err)
	}
	huge := append([]byte{0x40}, bytes.Repeat(append([]byte{0xC4}, make([]byte, 8192)...), 100)...)
	if _, err := per.Decode(huge, &v); !errors.Is(err, per.ErrLimit) {
		t.Errorf("6.5 million booleans: %.200v", err)
	}
	if _, err := per.Decode(make([]byte, 1<<20+1), &v); !errors.Is(err, per.ErrLimit) {
		t.Errorf("a megabyte: %v", err)
	}
	if _, err := (per.Limits{Depth: 2}).Decode(deep, &v); err == nil || !strings.Contains(err.Error(), "recursive.inner.inner: ") {
		t.Errorf("the path is missing: %v", err)
	}
	var text tagged
	if err := per.Unmarshal([]byte{1, 'a', 'b'}, &text); !errors.Is(err, per.ErrTrailing) {
		t.Errorf("octets behind: %v", err)
	}
}
