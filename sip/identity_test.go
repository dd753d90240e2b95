package sip

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIdentities(t *testing.T) {
	for text, want := range map[string][2]string{
		`<sip:+84912345678@vnpt.vn;user=phone>`: {"+84912345678", ""},
		`"An, Bình" <sip:0912@vnpt.vn>`:         {"0912", "An, Bình"},
		`"a \"<b\" c" <tel:+84912345678;x=y>`:   {"+84912345678", `a "<b" c`},
		`sip:0912@vnpt.vn`:                      {"0912", ""},
		`tel:+84912345678`:                      {"+84912345678", ""},
		`An <sips:0912@vnpt.vn>`:                {"0912", "An"},
		``:                                      {}, `"open <sip:a@b>`: {}, `<sip:a@b`: {}, `<http://a>`: {}, `"x"`: {}, `"a" sip:b@c`: {},
	} {
		uri, name, ok := identityIn(text)
		assert.Equal(t, want[0] != "", ok, text)
		if ok {
			assert.Equal(t, want, [2]string{alias(uri), name}, text)
		}
	}
	assert.Equal(t, []string{`"a, b" <sip:c,d@e>`, ` <tel:+1>`}, slices.Collect(splitIdentities(`"a, b" <sip:c,d@e>, <tel:+1>`)))
}

// FuzzIdentities: whatever stands in P-Asserted-Identity is read or left, and what is
// read has a user or none.
func FuzzIdentities(f *testing.F) {
	for _, seed := range []string{`"An, Bình" <sip:+84912345678@vnpt.vn>, <tel:+84912345678>`, `sip:a@b`, `"\"`, `<<>>,"`, `"a \" <" <sip:x@[::1]:5>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for part := range splitIdentities(text) {
			uri, _, ok := identityIn(part)
			if ok {
				_ = alias(uri)
				_ = uri.String()
			}
		}
	})
}
