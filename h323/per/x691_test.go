package per_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/roomgate/roomgate/h323/per"
)

// The records of X.691 Annex A, with the encodings that it prints (aligned variant).

// recordA1 has no constraints (A.1).
type recordA1 struct {
	_            per.Set
	Name         nameA1    `per:"name,tag=1"`
	Title        string    `per:"title,tag=3,visible"`
	Number       int       `per:"number,tag=2"`
	DateOfHire   string    `per:"dateOfHire,tag=4,visible"`
	NameOfSpouse nameA1    `per:"nameOfSpouse,tag=5"`
	Children     []childA1 `per:"children,tag=6,optional"`
}

type nameA1 struct {
	GivenName  string `per:"givenName,visible"`
	Initial    string `per:"initial,visible"`
	FamilyName string `per:"familyName,visible"`
}

type childA1 struct {
	Name        nameA1 `per:"name"`
	DateOfBirth string `per:"dateOfBirth,visible"`
}

// recordA2 has constraints (A.2).
type recordA2 struct {
	_            per.Set
	Name         nameA2    `per:"name,tag=1"`
	Title        string    `per:"title,tag=3,visible"`
	Number       int       `per:"number,tag=2"`
	DateOfHire   string    `per:"dateOfHire,tag=4,visible,size=8" alphabet:"0123456789"`
	NameOfSpouse nameA2    `per:"nameOfSpouse,tag=5"`
	Children     []childA2 `per:"children,tag=6,optional"`
}

type nameA2 struct {
	GivenName  string `per:"givenName,visible,size=1..64" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
	Initial    string `per:"initial,visible,size=1" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
	FamilyName string `per:"familyName,visible,size=1..64" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
}

type childA2 struct {
	Name        nameA2 `per:"name"`
	DateOfBirth string `per:"dateOfBirth,visible,size=8" alphabet:"0123456789"`
}

// recordA3 has extension markers everywhere (A.3).
type recordA3 struct {
	_            per.Set
	Name         nameA3    `per:"name,tag=1"`
	Title        string    `per:"title,tag=3,visible"`
	Number       int       `per:"number,tag=2,range=0..9999+"`
	DateOfHire   string    `per:"dateOfHire,tag=4,visible,size=8+" alphabet:"0123456789"`
	NameOfSpouse nameA3    `per:"nameOfSpouse,tag=5"`
	Children     []childA3 `per:"children,tag=6,optional,size=2+"`
	Extensions   *per.Extensions
}

type nameA3 struct {
	GivenName  string `per:"givenName,visible,size=1..64+" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
	Initial    string `per:"initial,visible,size=1" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
	FamilyName string `per:"familyName,visible,size=1..64+" alphabet:"-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"`
	Extensions *per.Extensions
}

type childA3 struct {
	Name        nameA3 `per:"name"`
	DateOfBirth string `per:"dateOfBirth,visible,size=8+" alphabet:"0123456789"`
	Sex         *uint8 `per:"sex,ext,enum=3"`
	Extensions  *per.Extensions
}

// recordA4 has an addition group in a choice and another behind the root (A.4).
type recordA4 struct {
	A          uint8     `per:"a,range=250..253"`
	B          bool      `per:"b"`
	C          choiceA4  `per:"c"`
	I          *string   `per:"i,optional,bmp"`
	J          *string   `per:"j,optional,printable"`
	GH         *groupGH4 `per:"gh,ext"`
	Extensions *per.Extensions
}

type choiceA4 struct {
	_     per.Choice
	D     *int    `per:"d"`
	E     *bool   `per:"e,ext"`
	F     *string `per:"f,ext,ia5"`
	Other *per.Alternative
}

type groupGH4 struct {
	G string `per:"g,numeric,size=3"`
	H *bool  `per:"h,optional"`
}

func ptr[T any](v T) *T { return &v }

var annexA = []struct {
	name   string
	value  any
	octets string
}{
	{"A.1", &recordA1{
		Name: nameA1{"John", "P", "Smith"}, Title: "Director", Number: 51, DateOfHire: "19710917", NameOfSpouse: nameA1{"Mary", "T", "Smith"},
		Children: []childA1{{nameA1{"Ralph", "T", "Smith"}, "19571111"}, {nameA1{"Susan", "B", "Jones"}, "19590717"}},
	}, `80044A6F 686E0150 05536D69 74680133 08446972 6563746F 72083139 37313039 3137044D 61727901 5405536D 69746802 0552616C 70680154
	    05536D69 74680831 39353731 31313105 53757361 6E014205 4A6F6E65 73083139 35393037 3137`},
	{"A.2", &recordA2{
		Name: nameA2{"John", "P", "Smith"}, Title: "Director", Number: 51, DateOfHire: "19710917", NameOfSpouse: nameA2{"Mary", "T", "Smith"},
		Children: []childA2{{nameA2{"Ralph", "T", "Smith"}, "19571111"}, {nameA2{"Susan", "B", "Jones"}, "19590717"}},
	}, `864A6F68 6E501053 6D697468 01330844 69726563 746F7219 7109170C 4D617279 5410536D 69746802 1052616C 70685410 536D6974 68195711
	    11105375 73616E42 104A6F6E 65731959 0717`},
	{"A.3", &recordA3{
		Name: nameA3{GivenName: "John", Initial: "P", FamilyName: "Smith"}, Title: "Director", Number: 51, DateOfHire: "19710917",
		NameOfSpouse: nameA3{GivenName: "Mary", Initial: "T", FamilyName: "Smith"},
		Children: []childA3{
			{Name: nameA3{GivenName: "Ralph", Initial: "T", FamilyName: "Smith"}, DateOfBirth: "19571111"},
			{Name: nameA3{GivenName: "Susan", Initial: "B", FamilyName: "Jones"}, DateOfBirth: "19590717", Sex: ptr(uint8(1))},
		},
	}, `40C04A6F 686E5008 536D6974 68000033 08446972 6563746F 72001971 0917034D 61727954 08536D69 74680100 52616C70 68540853 6D697468
	    00195711 11820053 7573616E 42084A6F 6E657300 19590717 010140`},
	{"A.4", &recordA4{A: 253, B: true, C: choiceA4{E: ptr(true)}, GH: &groupGH4{"123", ptr(true)}}, `9E000180 010291A4`},
}

// TestAnnexA: the examples of X.691 encode to what it prints, and come back.
func TestAnnexA(t *testing.T) {
	for _, tc := range annexA {
		t.Run(tc.name, func(t *testing.T) {
			want := octets(t, tc.octets)
			data, err := per.Marshal(tc.value)
			if err != nil || !bytes.Equal(data, want) {
				t.Fatalf("encodes to\n%x, %v; X.691 has\n%x", data, err, want)
			}
			back := reflect.New(reflect.TypeOf(tc.value).Elem()).Interface()
			if err := per.Unmarshal(want, back); err != nil || !reflect.DeepEqual(back, tc.value) {
				t.Errorf("decodes to %+v, %v", back, err)
			}
			for n := range want {
				short := reflect.New(reflect.TypeOf(tc.value).Elem()).Interface()
				if _, err := per.Decode(want[:n], short); !errors.Is(err, per.ErrTruncated) {
					t.Errorf("its first %d octets: %v", n, err)
				}
			}
		})
	}
}

func octets(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
