package number

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Form is how a number is written.
type Form string

// Forms.
const (
	E164          Form = "e164"          // +842438231234
	International Form = "international" // 842438231234
	National      Form = "national"      // 02438231234, 00... for other countries
)

// In writes the number in a form, for a line whose home is a country.
func (n Number) In(f Form, home string) string {
	digits := strings.TrimPrefix(n.E164, "+")
	switch f {
	case International:
		return digits
	case National:
		p, err := phonenumbers.Parse(n.E164, home)
		if err != nil {
			return digits
		}
		if n.Country != home {
			return abroad(home) + digits
		}
		significant := phonenumbers.GetNationalSignificantNumber(p)
		if n.Kind == Premium || n.Kind == Free { // 1900 and 1800 go without the 0 in front
			if whole := phonenumbers.Format(p, phonenumbers.NATIONAL); !strings.HasPrefix(whole, phonenumbers.GetNddPrefixForRegion(home, true)) {
				return significant
			}
		}
		return phonenumbers.GetNddPrefixForRegion(home, true) + significant
	}
	return n.E164
}

// abroad is what is dialled before a country code.
func abroad(home string) string {
	if home == "US" || home == "CA" {
		return "011"
	}
	return "00"
}

// Costly reports numbers that cost their caller more than a call: of premium rate,
// of shared cost, and those of no country that settle like them (satellites, global
// services: ITU-T E.164 codes 870, 878, 881-883, 979).
func (n Number) Costly() bool {
	if n.Kind == Premium {
		return true
	}
	digits := strings.TrimPrefix(n.E164, "+")
	for _, code := range []string{"870", "878", "881", "882", "883", "979", "841900"} {
		if strings.HasPrefix(digits, code) {
			return true
		}
	}
	return false
}
