package number_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/directory/number"
)

func TestParse(t *testing.T) {
	const hanoi = "+842438231234"
	for text, want := range map[string]number.Number{
		"024 3823 1234":            {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"02438231234":              {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"+84 24 3823 1234":         {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"0084 24 3823 1234":        {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"842438231234":             {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"(024) 3823-1234":          {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"tel:+84-24-3823-1234":     {E164: hanoi, Country: "VN", Kind: number.Ordinary},
		"024 3823 1234 ext 12":     {E164: hanoi, Extension: "12", Country: "VN", Kind: number.Ordinary},
		"tel:+842438231234;ext=12": {E164: hanoi, Extension: "12", Country: "VN", Kind: number.Ordinary},
		"02438231234x12":           {E164: hanoi, Extension: "12", Country: "VN", Kind: number.Ordinary},
		"0912345678":               {E164: "+84912345678", Country: "VN", Kind: number.Mobile},
		"84912345678":              {E164: "+84912345678", Country: "VN", Kind: number.Mobile},
		"1800 1091":                {E164: "+8418001091", Country: "VN", Kind: number.Free},
		"19001091":                 {E164: "+8419001091", Country: "VN", Kind: number.Premium},
		"+1 212 555 2368":          {E164: "+12125552368", Country: "US", Kind: number.Ordinary},
		"0033142685300":            {E164: "+33142685300", Country: "FR", Kind: number.Ordinary},
		"+44 909 8790000":          {E164: "+449098790000", Country: "GB", Kind: number.Premium},
	} {
		got, err := number.Parse(text, number.Home)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "88001", "room-a", "phòng họp 1", "1001", "24", "+84", "02438", "demo*1234567", "sip:x@10.0.0.1", "10.20.30.405"} {
		_, err := number.Parse(text, number.Home)
		assert.ErrorIs(t, err, number.ErrNoNumber, text)
	}
	got, err := number.Parse("0142685300", "FR")
	assert.NoError(t, err)
	assert.Equal(t, "+33142685300", got.E164, "of another home")
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"024 3823 1234", "+84 24 3823 1234 ext 12", "tel:+842438231234;ext=12", "88001*1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := number.Parse(text, number.Home)
		if err != nil {
			return
		}
		again, err := number.Parse(n.E164, "FR")
		if err != nil || again.E164 != n.E164 {
			t.Errorf("%q is %s, which is %v (%v)", text, n.E164, again.E164, err)
		}
	})
}
