package ldap

import (
	"errors"
	"strconv"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/roomgate/roomgate/directory/phonebook"
)

// Scopes of a search (RFC 4511 §4.5.1.2).
const (
	scopeBase = iota
	scopeOne
	scopeSub
)

// mostEntries of one answer; a client that wants more asks for pages.
const mostEntries = 1000

// search is a request taken apart.
type search struct {
	base      string // folded
	scope     int64
	most      int
	typesOnly bool
	filter    filter
	wanted    map[string]bool // nil: all
	names     bool            // no attributes at all ("1.1")

	time  time.Duration // limit
	until time.Time

	page   int // of paged results; 0: none asked for
	cookie string
}

func readSearch(r request) (q search, code int64, why string) {
	c := r.op.Children
	if len(c) != 8 {
		return q, protocolError, "a search has eight parts"
	}
	scope, ok := number(c[1])
	most, sized := number(c[3])
	if !ok || !sized || scope < scopeBase || scope > scopeSub || most < 0 {
		return q, protocolError, "scope or size limit"
	}
	limit, ok := number(c[4])
	if !ok || limit < 0 {
		return q, protocolError, "time limit"
	}
	terms := 0
	f, err := readFilter(c[6], &terms)
	if err != nil {
		return q, protocolError, err.Error()
	}
	q = search{base: folded(text(c[0])), scope: scope, most: mostEntries, filter: f, time: mostTime}
	q.typesOnly, _ = c[5].Value.(bool)
	if most > 0 {
		q.most = int(min(most, mostEntries))
	}
	if limit > 0 && limit < int64(mostTime/time.Second) {
		q.time = time.Duration(limit) * time.Second
	}
	q.choose(c[7])
	return q, q.control(r.controls), "a control that is critical is not known"
}

// choose notes which attributes are wanted (RFC 4511 §4.5.1.8).
func (q *search) choose(list *ber.Packet) {
	all := len(list.Children) == 0
	wanted := map[string]bool{}
	for _, c := range list.Children {
		switch name := attribute(text(c)); name {
		case "*":
			all = true
		case "1.1":
			q.names = len(list.Children) == 1
		default:
			wanted[name] = true
		}
	}
	if !all {
		q.wanted = wanted
	}
}

// control reads paged results (RFC 2696) and refuses other controls that are critical.
func (q *search) control(list *ber.Packet) int64 {
	if list == nil {
		return success
	}
	for _, c := range list.Children {
		if len(c.Children) == 0 {
			return protocolError
		}
		critical := len(c.Children) > 1 && c.Children[1].Value == true
		if text(c.Children[0]) != pagedResults {
			if critical {
				return unavailableExtension
			}
			continue
		}
		raw := c.Children[len(c.Children)-1].ByteValue
		if !shallow(raw, 0) {
			return protocolError
		}
		value, err := ber.DecodePacketErr(raw)
		if err != nil || len(value.Children) != 2 {
			return protocolError
		}
		size, ok := number(value.Children[0])
		if !ok || size < 0 {
			return protocolError
		}
		q.page, q.cookie = int(max(1, min(size, mostEntries))), text(value.Children[1])
	}
	return success
}

// Ranks of what is in the tree: containers first, then people, then commObjects, both by
// name. A cookie of paged results is how far it has come: RANK/CURSOR.
const (
	rankContainers = iota
	rankPeople
	rankComms
	rankEnd
)

// walk hands the entries that a search finds to take, until it says no, and gives the
// cookie to go on with, "" at the end.
func (s *Server) walk(who phonebook.Reader, q search, take func(*entry) bool) (cookie string, code int64) {
	rank, cursor := rankContainers, ""
	if q.cookie != "" {
		text, rest, ok := strings.Cut(q.cookie, "/")
		n, err := strconv.Atoi(text)
		if !ok || err != nil || n < rankPeople || n >= rankEnd {
			return "", unwilling
		}
		rank, cursor = n, rest
	}
	if id, comm, ok := s.lineOf(q.base); ok {
		return "", s.one(who, q, id, comm, take)
	}
	base := folded(s.Base)
	inside := map[int]bool{rankPeople: under(q, "ou=people,"+base, base), rankComms: under(q, "ou=h350,"+base, base)}
	if !inside[rankPeople] && !inside[rankComms] && !s.isContainer(q.base) {
		return "", noSuchObject
	}
	if rank == rankContainers {
		for _, e := range s.containers() {
			if inScope(q, folded(e.dn)) && q.filter.matches(e) && !take(e) {
				return "", sizeLimitExceeded // there are three
			}
		}
		rank = rankPeople
	}
	for ; rank < rankEnd; rank, cursor = rank+1, "" {
		if !inside[rank] {
			continue
		}
		stopped, at, err := s.lines(who, q, rank, cursor, take)
		if errors.Is(err, errTime) {
			return "", timeLimitExceeded
		}
		if err != nil {
			return "", unwilling
		}
		if stopped {
			return strconv.Itoa(rank) + "/" + at, success
		}
	}
	return "", success
}

// errTime: a search has used up its time (RFC 4511 §4.5.1.5).
var errTime = errors.New("the time limit is over")

// chunk is how many endpoints are looked at between two answers.
const chunk = 50

// lines goes through the lines of one part of the tree. When take stops it, at is where to
// go on: the cursor of the chunk and how many of it were gone through.
func (s *Server) lines(who phonebook.Reader, q search, rank int, at string, take func(*entry) bool) (stopped bool, next string, err error) {
	cursor, skip := cutSkip(at)
	for {
		if s.Now().After(q.until) {
			return false, "", errTime
		}
		list, following, err := s.Book.Page(who, q.filter.words(), cursor, chunk)
		if err != nil {
			return false, "", err
		}
		for i, l := range list {
			if i < skip {
				continue
			}
			e := s.person(l)
			if rank == rankComms {
				e = s.comm(l)
			}
			if q.filter.matches(e) && !take(e) {
				return true, cursor + "+" + strconv.Itoa(i), nil
			}
		}
		if skip = 0; following == "" {
			return false, "", nil
		}
		cursor = following
	}
}

func cutSkip(at string) (cursor string, skip int) {
	cursor, n, _ := strings.Cut(at, "+")
	skip, _ = strconv.Atoi(n)
	return cursor, skip
}

// lineOf is the line that a base names.
func (s *Server) lineOf(base string) (id string, comm, ok bool) {
	rdn, parent, _ := strings.Cut(base, ",")
	name, id, _ := strings.Cut(rdn, "=")
	switch {
	case name == "uid" && parent == "ou=people,"+folded(s.Base):
		return id, false, true
	case name == "communiqueid" && parent == "ou=h350,"+folded(s.Base):
		return id, true, true
	}
	return "", false, false
}

// one reads one line by its name.
func (s *Server) one(who phonebook.Reader, q search, id string, comm bool, take func(*entry) bool) int64 {
	l, ok := s.Book.Line(who, id)
	if !ok {
		return noSuchObject
	}
	e := s.person(l)
	if comm {
		e = s.comm(l)
	}
	if q.scope != scopeOne && q.filter.matches(e) {
		take(e)
	}
	return success
}

func (s *Server) isContainer(base string) bool {
	for _, e := range s.containers() {
		if folded(e.dn) == base {
			return true
		}
	}
	return false
}

// under reports whether lines of a container are in the scope of a search.
func under(q search, container, base string) bool {
	switch q.scope {
	case scopeOne:
		return q.base == container
	case scopeSub:
		return q.base == container || q.base == base
	}
	return false
}

// inScope reports whether a container itself is.
func inScope(q search, dn string) bool {
	_, parent, _ := strings.Cut(dn, ",")
	switch q.scope {
	case scopeBase:
		return dn == q.base
	case scopeOne:
		return parent == q.base
	}
	return dn == q.base || strings.HasSuffix(dn, ","+q.base)
}

// packet is an entry as it is answered.
func (q search) packet(e *entry) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, searchEntry, nil, "")
	p.AppendChild(octets(e.dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, f := range e.attributes {
		if q.names || q.wanted != nil && !q.wanted[strings.ToLower(f.name)] {
			continue
		}
		a := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		a.AppendChild(octets(f.name))
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		if !q.typesOnly {
			for _, v := range f.values {
				values.AppendChild(octets(v))
			}
		}
		a.AppendChild(values)
		list.AppendChild(a)
	}
	p.AppendChild(list)
	return p
}
