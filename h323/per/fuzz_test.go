package per_test

import (
	"math/big"
	"testing"

	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/per/pertest"
)

// everything has a component of each kind that the codec knows.
type everything struct {
	Flag       bool           `per:"flag"`
	Small      int16          `per:"small,range=-5..10"`
	Wide       uint32         `per:"wide,range=0..4294967295"`
	Grows      int32          `per:"grows,range=0..9+"`
	Number     *int64         `per:"number,optional"`
	Big        *big.Int       `per:"big,optional"`
	Kind       uint8          `per:"kind,enum=3+"`
	Bits       per.BitString  `per:"bits,size=1..20"`
	Fixed      [4]byte        `per:"fixed"`
	Octets     []byte         `per:"octets,optional"`
	ID         per.OID        `per:"id"`
	Digits     *string        `per:"digits,optional,ia5,size=1..128" alphabet:"0123456789#*,"`
	Name       *string        `per:"name,optional,bmp,size=1..256"`
	Text       *string        `per:"text,optional,utf8"`
	Open       []byte         `per:"open,optional,open"`
	List       []alternatives `per:"list,optional,size=0..255"`
	Self       *everything    `per:"self,optional"`
	Level      uint8          `per:"level,default=3,range=0..7"`
	More       *recursive     `per:"more,ext"`
	Extensions *per.Extensions
}

type alternatives struct {
	_       per.Choice
	Nothing bool        `per:"nothing,null"`
	Text    *tagged     `per:"text"`
	Deep    *everything `per:"deep,ext"`
	Other   *per.Alternative
}

// FuzzDecode: no octets make the decoder panic, and what it takes is stable.
func FuzzDecode(f *testing.F) {
	value := everything{
		Number: ptr(int64(-70000)), Big: big.NewInt(1 << 40), Bits: per.BitString{Bytes: []byte{0xA0}, Length: 3}, ID: "0.0.8.2250.0.7",
		Digits: ptr("12#"), Name: ptr("aé"), Open: []byte{1}, List: []alternatives{{Nothing: true}, {Text: &tagged{"x"}}},
		More: &recursive{List: []bool{true, false}}, Extensions: &per.Extensions{Unknown: []per.Addition{{Index: 4, Raw: []byte{7}}}},
	}
	data, err := per.Marshal(value)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := pertest.Stable(data, everything{}); err != nil {
			t.Fatal(err)
		}
	})
}
