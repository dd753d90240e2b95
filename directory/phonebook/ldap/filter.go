package ldap

import (
	"errors"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/roomgate/roomgate/directory"
)

// Context tags of filters (RFC 4511 §4.5.1.7).
const (
	filterAnd        ber.Tag = 0
	filterOr         ber.Tag = 1
	filterNot        ber.Tag = 2
	filterEqual      ber.Tag = 3
	filterSubstrings ber.Tag = 4
	filterAtLeast    ber.Tag = 5
	filterAtMost     ber.Tag = 6
	filterPresent    ber.Tag = 7
	filterApprox     ber.Tag = 8
	filterExtensible ber.Tag = 9
)

var errFilter = errors.New("the filter is malformed, or too long")

// mostTerms bounds a filter.
const mostTerms = 64

// filter is a condition for entries. Unknown attributes, and extensible matches, are
// Undefined (RFC 4511 §4.5.1.7) and match nothing.
type filter struct {
	kind     ber.Tag
	parts    []filter // and, or, not
	name     string   // of the attribute, in small letters
	value    string   // Plain
	initial  string   // of substrings
	middle   []string
	final    string
	hasFinal bool
}

type truth uint8

const (
	no truth = iota
	yes
	undefined
)

// readFilter reads a filter of at most so many terms.
func readFilter(p *ber.Packet, terms *int) (f filter, err error) {
	if *terms++; *terms > mostTerms || p.ClassType != ber.ClassContext {
		return f, errFilter
	}
	f.kind = p.Tag
	switch p.Tag {
	case filterAnd, filterOr, filterNot:
		if p.Tag == filterNot && len(p.Children) != 1 {
			return f, errFilter
		}
		for _, c := range p.Children {
			part, err := readFilter(c, terms)
			if err != nil {
				return f, err
			}
			f.parts = append(f.parts, part)
		}
	case filterEqual, filterApprox, filterAtLeast, filterAtMost:
		if len(p.Children) != 2 {
			return f, errFilter
		}
		f.name, f.value = attribute(text(p.Children[0])), directory.Plain(text(p.Children[1]))
	case filterSubstrings:
		if len(p.Children) != 2 || len(p.Children[1].Children) == 0 || len(p.Children[1].Children) > mostTerms {
			return f, errFilter
		}
		f.name = attribute(text(p.Children[0]))
		for _, c := range p.Children[1].Children {
			switch part := directory.Plain(text(c)); c.Tag {
			case 0:
				f.initial = part
			case 1:
				f.middle = append(f.middle, part)
			case 2:
				f.final, f.hasFinal = part, true
			default:
				return f, errFilter
			}
		}
	case filterPresent:
		f.name = attribute(text(p))
	case filterExtensible:
	default:
		return f, errFilter
	}
	return f, nil
}

// attribute is the name of an attribute without options (RFC 4512 §2.5).
func attribute(s string) string {
	name, _, _ := strings.Cut(s, ";")
	return strings.ToLower(name)
}

// matches reports whether an entry fulfils the filter.
func (f *filter) matches(e *entry) bool { return f.holds(e) == yes }

func (f *filter) holds(e *entry) truth {
	switch f.kind {
	case filterAnd, filterOr:
		enough, outcome := no, yes // of and: one that does not hold is enough
		if f.kind == filterOr {
			enough, outcome = yes, no
		}
		for i := range f.parts {
			switch t := f.parts[i].holds(e); t {
			case enough:
				return enough
			case undefined:
				outcome = undefined
			}
		}
		return outcome
	case filterNot:
		switch f.parts[0].holds(e) {
		case yes:
			return no
		case no:
			return yes
		}
		return undefined
	case filterExtensible:
		return undefined
	}
	values, known := e.values(f.name)
	if !known {
		return undefined
	}
	for _, v := range values {
		if f.kind == filterPresent || f.fits(directory.Plain(v)) {
			return yes
		}
	}
	return no
}

// fits compares one value, accents and capitals aside: who searches on a keypad has none.
func (f *filter) fits(v string) bool {
	switch f.kind {
	case filterAtLeast:
		return v >= f.value
	case filterAtMost:
		return v <= f.value
	case filterSubstrings:
		return f.contained(v)
	}
	return v == f.value
}

func (f *filter) contained(v string) bool {
	v, ok := strings.CutPrefix(v, f.initial)
	if !ok {
		return false
	}
	if f.hasFinal {
		if v, ok = strings.CutSuffix(v, f.final); !ok {
			return false
		}
	}
	for _, m := range f.middle {
		at := strings.Index(v, m)
		if at < 0 {
			return false
		}
		v = v[at+len(m):]
	}
	return true
}

// searched are names of attributes whose values a search of the directory looks into.
var searched = map[string]bool{"cn": true, "sn": true, "displayname": true, "o": true, "l": true, "telephonenumber": true}

// numberAttribute may hold the address of an endpoint that has no number.
const numberAttribute = "telephonenumber"

// searchable is what of the beginning of a value the directory searches: not the domain
// that stands behind names in the phone book.
func (f *filter) searchable(value string) string {
	if f.name == numberAttribute {
		value, _, _ = strings.Cut(value, "@")
	}
	return value
}

// words are such as every match has to have in what the directory searches, so that not
// all of it is looked at.
func (f *filter) words() string {
	switch {
	case f.kind == filterAnd:
		longest := ""
		for i := range f.parts {
			if w := f.parts[i].words(); len(w) > len(longest) {
				longest = w
			}
		}
		return longest
	case f.kind == filterEqual && searched[f.name]:
		return f.searchable(f.value)
	case f.kind == filterSubstrings && f.name == numberAttribute:
		return f.searchable(f.initial)
	case f.kind == filterSubstrings && searched[f.name]:
		longest := f.initial
		for _, part := range append([]string{f.final}, f.middle...) {
			if len(part) > len(longest) {
				longest = part
			}
		}
		return longest
	}
	return ""
}
