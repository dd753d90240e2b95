package sheet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/roomgate/roomgate/directory"
)

// column is a column of the table, and the way of its cells there and back.
type column struct {
	name string
	get  func(e *directory.Endpoint) string
	set  func(e *directory.Endpoint, cell string) error
}

// Columns names all columns, in the order of an export.
func Columns() []string {
	out := make([]string, 0, len(columns))
	for _, c := range columns {
		out = append(out, c.name)
	}
	return out
}

var columns = []column{
	text("id", func(e *directory.Endpoint) *string { return &e.ID }),
	text("name", func(e *directory.Endpoint) *string { return &e.Name }),
	text("agency", func(e *directory.Endpoint) *string { return &e.Agency }),
	text("site", func(e *directory.Endpoint) *string { return &e.Site }),
	aliases("sip", directory.AliasSIP),
	aliases("e164", directory.AliasE164),
	aliases("h323", directory.AliasH323),
	text("username", func(e *directory.Endpoint) *string { return &e.Username }),
	text("password", func(e *directory.Endpoint) *string { return &e.Password }),
	text("vendor", func(e *directory.Endpoint) *string { return &e.Vendor }),
	list("quirks", func(e *directory.Endpoint) *[]string { return &e.Quirks }),
	{"bandwidth", func(e *directory.Endpoint) string {
		if e.Bandwidth == 0 {
			return ""
		}
		return strconv.Itoa(e.Bandwidth)
	}, func(e *directory.Endpoint, cell string) error {
		if e.Bandwidth = 0; cell == "" {
			return nil
		}
		n, err := strconv.Atoi(cell)
		if err != nil {
			return fmt.Errorf("%q is not a whole number of kbit/s", cell)
		}
		e.Bandwidth = n
		return nil
	}},
	text("layout", func(e *directory.Endpoint) *string { return &e.Layout }),
	text("address", func(e *directory.Endpoint) *string { return &e.Address }),
	list("permissions", func(e *directory.Endpoint) *[]directory.Permission { return &e.Permissions }),
	yes("mcu", func(e *directory.Endpoint) *bool { return &e.MCU }),
	whole("terminal_type", func(e *directory.Endpoint) *int { return &e.TerminalType }),
	text("content_master", func(e *directory.Endpoint) *string { return &e.ContentMaster }),
	text("digits", func(e *directory.Endpoint) *string { return &e.Digits }),
	whole("redials", func(e *directory.Endpoint) *int { return &e.Redials }),
	whole("longest_seconds", func(e *directory.Endpoint) *int { return &e.Longest }),
	list("forbidden", func(e *directory.Endpoint) *[]directory.Deed { return &e.Forbidden }),
}

func yes(name string, field func(*directory.Endpoint) *bool) column {
	return column{name, func(e *directory.Endpoint) string {
		if *field(e) {
			return "yes"
		}
		return ""
	}, func(e *directory.Endpoint, cell string) error {
		switch cell {
		case "", "no":
			*field(e) = false
		case "yes":
			*field(e) = true
		default:
			return fmt.Errorf("%q is neither yes nor no", cell)
		}
		return nil
	}}
}

func whole(name string, field func(*directory.Endpoint) *int) column {
	return column{name, func(e *directory.Endpoint) string {
		if *field(e) == 0 {
			return ""
		}
		return strconv.Itoa(*field(e))
	}, func(e *directory.Endpoint, cell string) error {
		n := 0
		if cell != "" {
			var err error
			if n, err = strconv.Atoi(cell); err != nil {
				return fmt.Errorf("%q is not a whole number", cell)
			}
		}
		*field(e) = n
		return nil
	}}
}

func text(name string, field func(*directory.Endpoint) *string) column {
	return column{name,
		func(e *directory.Endpoint) string { return *field(e) },
		func(e *directory.Endpoint, cell string) error { *field(e) = cell; return nil },
	}
}

func list[T ~string](name string, field func(*directory.Endpoint) *[]T) column {
	return column{name,
		func(e *directory.Endpoint) string {
			words := make([]string, 0, len(*field(e)))
			for _, w := range *field(e) {
				words = append(words, string(w))
			}
			return join(words)
		},
		func(e *directory.Endpoint, cell string) error {
			*field(e) = nil
			for _, w := range split(cell) {
				*field(e) = append(*field(e), T(w))
			}
			return nil
		},
	}
}

// aliases are those of one kind; the others stay as they are.
func aliases(name string, kind directory.AliasKind) column {
	return column{name,
		func(e *directory.Endpoint) string {
			var words []string
			for _, a := range e.Aliases {
				if a.Kind == kind {
					words = append(words, a.Value)
				}
			}
			return join(words)
		},
		func(e *directory.Endpoint, cell string) error {
			rest := slices.DeleteFunc(slices.Clone(e.Aliases), func(a directory.Alias) bool { return a.Kind == kind })
			for _, w := range split(cell) {
				rest = append(rest, directory.Alias{Kind: kind, Value: w})
			}
			slices.SortStableFunc(rest, func(a, b directory.Alias) int { return rank[a.Kind] - rank[b.Kind] })
			e.Aliases = rest
			return nil
		},
	}
}

// rank is the order of aliases of several kinds.
var rank = map[directory.AliasKind]int{directory.AliasSIP: 0, directory.AliasE164: 1, directory.AliasH323: 2}

var escape = strings.NewReplacer(`\`, `\\`, `|`, `\|`)

// join puts several values into a cell: a|b, with a backslash before a bar that
// is part of a value.
func join(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = escape.Replace(w)
	}
	return strings.Join(out, "|")
}

// split takes a cell apart; empty values are left out.
func split(cell string) (words []string) {
	var b strings.Builder
	end := func() {
		if w := strings.TrimSpace(b.String()); w != "" {
			words = append(words, w)
		}
		b.Reset()
	}
	escaped := false
	for _, r := range cell {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '|':
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return words
}
