// Package phonebook is the directory as phones and room terminals read it: lines of a name
// and what is dialled, of the reader's own agency. Nothing that is secret is in it.
package phonebook

import (
	"crypto/subtle"
	"net/netip"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/directory"
)

// Open lets whoever is in a network read without a password.
type Open struct {
	CIDR   netip.Prefix
	Agency string // whose lines; "" = all
}

// Config says what is read, and by whom. Directory is required.
type Config struct {
	Directory *directory.Directory
	// Domain stands behind names of SIP that have none.
	Domain string
	// Open are the networks that need no password; the most specific one counts.
	Open func() []Open
}

// Book is read by terminals.
type Book struct{ Config }

// New makes a Book.
func New(c Config) *Book {
	if c.Open == nil {
		c.Open = func() []Open { return nil }
	}
	return &Book{c}
}

// Reader is who reads: the lines of one agency, or all.
type Reader struct {
	Agency string // "" = all
}

// Anonymous is who reads from an address without a password.
func (b *Book) Anonymous(from netip.Addr) (Reader, bool) {
	best, found := Open{}, false
	for _, o := range b.Open() {
		if o.CIDR.Contains(from.Unmap()) && (!found || o.CIDR.Bits() > best.CIDR.Bits()) {
			best, found = o, true
		}
	}
	return Reader{best.Agency}, found
}

// Login is who reads with the user name, or an alias, and the password of an endpoint. One
// without an agency reads all.
func (b *Book) Login(username, password string) (Reader, bool) {
	e, ok := b.Directory.ByAlias(username)
	if !ok || password == "" {
		return Reader{}, false
	}
	want, err := b.Directory.Password(e)
	if err != nil || want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(password)) != 1 {
		return Reader{}, false
	}
	return Reader{e.Agency}, true
}

// Line is one entry.
type Line struct {
	ID, Name, Agency, Site string

	Numbers []string // E.164 and short ones, as they are dialled
	SIP     []string // addresses without a scheme
	H323    []string // H.323 IDs
}

// Dial is what a terminal dials that takes one thing alone: a number first.
func (l Line) Dial() string {
	for _, list := range [][]string{l.Numbers, l.SIP, l.H323} {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// Page gives lines by name, from one on that the page before named. text are words that
// all have to occur, accents and capitals aside. Endpoints that cannot be dialled have no
// line.
func (b *Book) Page(r Reader, text, cursor string, most int) (lines []Line, next string, err error) {
	page, err := b.Directory.Endpoints(directory.Query{Agency: r.Agency, Text: text, Limit: most, Cursor: cursor})
	if err != nil {
		return nil, "", err
	}
	for _, e := range page.Endpoints {
		if l := b.line(e); l.Dial() != "" {
			lines = append(lines, l)
		}
	}
	return lines, page.Next, nil
}

// Line finds one by its ID, if the reader may read it.
func (b *Book) Line(r Reader, id string) (Line, bool) {
	e, err := b.Directory.Endpoint(id)
	if err != nil || r.Agency != "" && e.Agency != r.Agency {
		return Line{}, false
	}
	l := b.line(e)
	return l, l.Dial() != ""
}

func (b *Book) line(e directory.Endpoint) Line {
	l := Line{ID: e.ID, Name: e.Name, Agency: e.Agency, Site: e.Site}
	for _, a := range e.Aliases {
		switch a.Kind {
		case directory.AliasE164:
			l.Numbers = append(l.Numbers, a.Value)
		case directory.AliasSIP:
			l.SIP = append(l.SIP, b.address(a.Value))
		case directory.AliasH323:
			l.H323 = append(l.H323, a.Value)
		}
	}
	switch scheme, rest, _ := strings.Cut(e.Address, ":"); scheme {
	case "sip", "sips":
		l.SIP = append(l.SIP, rest)
	case "h323":
		l.H323 = append(l.H323, rest)
	}
	if e.Username != "" && e.Address == "" {
		if own := b.address(e.Username); !slices.Contains(l.SIP, own) {
			l.SIP = append(l.SIP, own)
		}
	}
	return l
}

func (b *Book) address(user string) string {
	if b.Domain == "" || strings.Contains(user, "@") {
		return user
	}
	return user + "@" + b.Domain
}
