// Package number reads telephone numbers as people and carriers write them, and
// brings them into one form: +842438231234. A number without a country code is
// one of the home country.
//
//	024 3823 1234          national
//	+84 24 3823 1234       international
//	0084 24 3823 1234      with the prefix for calls abroad
//	842438231234           as many carriers deliver it
//	024 3823 1234 ext 12   with an extension; also x12, ;ext=12, #12 of RFC 3966
package number

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Home is the country of numbers without a country code, where nothing else is
// configured.
const Home = "VN"

// ErrNoNumber: the text is no telephone number of any country.
var ErrNoNumber = errors.New("not a telephone number")

// Kind is what calling a number means.
type Kind string

// Kinds.
const (
	Ordinary Kind = "ordinary"
	Mobile   Kind = "mobile"
	Free     Kind = "free"    // of charge for the caller
	Premium  Kind = "premium" // premium rate or shared cost
	Special  Kind = "special" // personal, pager, voice mail, ...
)

// Number is a telephone number.
type Number struct {
	E164      string // with +
	Extension string // "" = none
	Country   string // ISO 3166 code, "" when it has none
	Kind      Kind
}

// Parse reads a number; home is the ISO 3166 code of the country of numbers
// without a country code.
func Parse(text, home string) (Number, error) {
	if !plausible(text) {
		return Number{}, ErrNoNumber
	}
	if rest, ok := strings.CutPrefix(text, "tel:"); ok {
		text = rest
	}
	n, err := valid(text, home)
	if err != nil && strings.IndexByte(text, '+') < 0 && text[0] != '0' {
		n, err = valid("+"+text, home) // a country code without its plus
	}
	if err != nil {
		return Number{}, ErrNoNumber
	}
	return Number{
		E164:      phonenumbers.Format(n, phonenumbers.E164),
		Extension: n.GetExtension(),
		Country:   phonenumbers.GetRegionCodeForNumber(n),
		Kind:      kindOf(n),
	}, nil
}

func valid(text, home string) (*phonenumbers.PhoneNumber, error) {
	n, err := phonenumbers.Parse(text, home)
	if err != nil {
		return nil, err
	}
	if !phonenumbers.IsValidNumber(n) {
		return nil, ErrNoNumber
	}
	return n, nil
}

// plausible leaves out quickly what most dialled names are.
func plausible(text string) bool {
	if text == "" || len(text) > 64 {
		return false
	}
	digits := 0
	for _, c := range []byte(text) {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	return digits >= 7 // the shortest number of any country, with its code
}

func kindOf(n *phonenumbers.PhoneNumber) Kind {
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP, phonenumbers.UAN:
		return Ordinary
	case phonenumbers.MOBILE:
		return Mobile
	case phonenumbers.TOLL_FREE:
		return Free
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return Premium
	}
	return Special
}
