package number_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/number"
)

func TestForms(t *testing.T) {
	for _, tc := range []struct {
		dialled, e164, international, national string
		costly                                 bool
	}{
		{"024 3823 1234", "+842438231234", "842438231234", "02438231234", false},
		{"+84912345678", "+84912345678", "84912345678", "0912345678", false},
		{"0012125552368", "+12125552368", "12125552368", "0012125552368", false},
		{"19001234", "+8419001234", "8419001234", "19001234", true},
		{"1900123456", "+841900123456", "841900123456", "1900123456", true},
		{"18001234", "+8418001234", "8418001234", "18001234", false},
		{"+19005552368", "+19005552368", "19005552368", "0019005552368", true},
		{"+881621234567", "+881621234567", "881621234567", "00881621234567", true},
	} {
		n, err := number.Parse(tc.dialled, "VN")
		require.NoError(t, err, tc.dialled)
		assert.Equal(t, tc.e164, n.In(number.E164, "VN"))
		assert.Equal(t, tc.international, n.In(number.International, "VN"))
		assert.Equal(t, tc.national, n.In(number.National, "VN"))
		assert.Equal(t, tc.costly, n.Costly(), tc.dialled)
		if tc.costly && n.Country == "" {
			continue
		}
		same, err := number.Parse(tc.national, "VN")
		require.NoError(t, err, tc.national)
		assert.Equal(t, tc.e164, same.E164)
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"+84912345321":                "+84*****321",
		"0912345321":                  "091*****321",
		"024 3823 1234":               "024*****234",
		"(024) 3823-1234":             "024*****234",
		"An +84 912 345 321 (mobile)": "An +84*****321 (mobile)",
		"sip:+84912345321@10.1.2.3":   "sip:+84*****321@10.1.2.3",
		"1001":                        "1001", "88001": "88001", "Phòng họp A": "Phòng họp A", "": "", "+": "+", "(": "(",
		"192.168.100.200": "192.168.100.200",
	} {
		assert.Equal(t, want, number.Mask(text), text)
	}
}

// FuzzMask: no number of seven digits or more is left, and what is masked stays so.
func FuzzMask(f *testing.F) {
	f.Add("call +84 912 345 321 or (024) 3823-1234")
	f.Fuzz(func(t *testing.T, text string) {
		masked := number.Mask(text)
		if again := number.Mask(masked); again != masked {
			t.Errorf("%q: %q, then %q", text, masked, again)
		}
		digits := 0
		for _, c := range []byte(masked) {
			if '0' <= c && c <= '9' {
				digits++
			} else {
				digits = 0
			}
			if digits >= 7 {
				t.Fatalf("%q: %q", text, masked)
			}
		}
	})
}
