package trunk

import (
	"fmt"
	"strings"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/number"
)

// permitted tells why a number may not be called, "" when it may.
func permitted(t directory.Trunk, dialled, country string) (Reason, string) {
	n, err := number.Parse(dialled, country)
	if err != nil { // a short number: exactly as it is listed
		short := digits(dialled)
		for _, a := range t.Allowed {
			if short != "" && digits(a) == short {
				return "", ""
			}
		}
		return NotAllowed, fmt.Sprintf("%s is no telephone number that the trunk may call", dialled)
	}
	if !listed(t.Allowed, n, country) {
		return NotAllowed, n.E164 + " is not among the destinations of the trunk"
	}
	if listed(t.Refused, n, country) {
		return NotAllowed, n.E164 + " is refused by the trunk"
	}
	if n.Costly() && !t.Premium {
		return Premium, n.E164 + " is of premium rate"
	}
	return "", ""
}

// listed reports whether a list of prefixes and countries has a number. A prefix
// without + is one in international form, or as it is dialled at home.
func listed(list []string, n number.Number, country string) bool {
	for _, entry := range list {
		switch {
		case len(entry) == 2 && entry[0] >= 'A':
			if n.Country == entry {
				return true
			}
		case strings.HasPrefix(entry, "+"):
			if strings.HasPrefix(n.E164, entry) {
				return true
			}
		case strings.HasPrefix(entry, "00"):
			if strings.HasPrefix(n.E164, "+"+entry[2:]) {
				return true
			}
		case strings.HasPrefix(entry, "0"):
			if n.Country == country && strings.HasPrefix(n.In(number.National, country), entry) {
				return true
			}
		case strings.HasPrefix(n.E164, "+"+entry):
			return true
		}
	}
	return false
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// span is a range of numbers of one length.
type span struct{ from, to string }

// spans are the numbers of a trunk in a country.
type spans struct {
	list    []span
	country string
}

// ranges reads NUMBER and FROM-TO, each as it is written and in international form.
func ranges(list []string, country string) spans {
	out := spans{country: country}
	for _, entry := range list {
		from, to, ok := strings.Cut(entry, "-")
		if !ok {
			to = from
		}
		out.list = append(out.list, span{digits(from), digits(to)})
		a, errA := number.Parse(from, country)
		b, errB := number.Parse(to, country)
		if errA == nil && errB == nil {
			out.list = append(out.list, span{digits(a.E164), digits(b.E164)})
		}
	}
	return out
}

// has reports whether a number lies in one of the ranges.
func (s spans) has(called string) bool {
	forms := []string{digits(called)}
	if n, err := number.Parse(called, s.country); err == nil {
		forms = append(forms, digits(n.E164))
	}
	for _, r := range s.list {
		for _, f := range forms {
			if f != "" && len(f) == len(r.from) && len(f) == len(r.to) && r.from <= f && f <= r.to {
				return true
			}
		}
	}
	return false
}

// Owns makes the test whether a called number belongs to a trunk that has numbers of
// its own; nil when it has none.
func Owns(t directory.Trunk, country string) func(called string) bool {
	if len(t.Numbers) == 0 {
		return nil
	}
	return ranges(t.Numbers, country).has
}
