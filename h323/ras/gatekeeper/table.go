package gatekeeper

import (
	"cmp"
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/h323/ras"
)

// table is the registrations of the zone, by what they are looked up by.
type table struct {
	byID      map[string]*entry
	byAlias   map[string]*entry
	byAccount map[string][]*entry // the latest last
	byPlace   map[place]*entry
	prefixes  []prefix        // the longest first
	changed   map[string]bool // not yet in the store; false: deleted
}

// entry is a registration with what only the gatekeeper knows of it.
type entry struct {
	Registration
	keys     []string // of its aliases
	place    place    // that it is entered under
	owner    string   // account that it is entered under
	ttl      time.Duration
	additive bool // it registered aliases one after the other
	probing  bool // an IRQ asks whether it is alive
}

// place is where an endpoint takes calls, as it says, and where it says so from: behind
// different translators are the same addresses.
type place struct {
	host       netip.Addr
	stream     ras.Stream
	signalling netip.AddrPort
}

// placeOf gives the place; ok is false for endpoints that have none.
func placeOf(from ras.Path, signalling []netip.AddrPort) (p place, ok bool) {
	if from.Stream != nil {
		return place{stream: from.Stream}, true
	}
	if len(signalling) == 0 {
		return p, false
	}
	return place{host: from.Remote.Addr(), signalling: signalling[0]}, true
}

type prefix struct {
	digits string
	owner  *entry
}

func newTable() *table {
	return &table{
		byID: make(map[string]*entry), byAlias: make(map[string]*entry), byAccount: make(map[string][]*entry),
		byPlace: make(map[place]*entry),
		changed: make(map[string]bool),
	}
}

// newID makes an endpointIdentifier: with open registration it is all that tells one
// terminal from another, so it cannot be guessed.
func newID() string { return rand.Text() }

// put enters an entry, which may be in already, under its present names.
func (t *table) put(e *entry) {
	t.unlink(e)
	e.keys = e.keys[:0]
	for _, a := range e.Aliases {
		if k := ras.Key(a); k != "" && t.byAlias[k] == nil {
			t.byAlias[k] = e
			e.keys = append(e.keys, k)
		}
	}
	for _, p := range e.Prefixes {
		t.prefixes = append(t.prefixes, prefix{p, e})
	}
	if len(e.Prefixes) > 0 {
		slices.SortStableFunc(t.prefixes, func(a, b prefix) int { return cmp.Compare(len(b.digits), len(a.digits)) })
	}
	if p, ok := placeOf(e.Path, e.Signalling); ok {
		e.place = p
		t.byPlace[p] = e
	}
	if e.owner = e.Account; e.owner != "" {
		t.byAccount[e.owner] = append(t.byAccount[e.owner], e)
	}
	t.byID[e.ID] = e
	t.changed[e.ID] = true
}

// touch notes that an entry has other times or another path, but no other names.
func (t *table) touch(e *entry) { t.changed[e.ID] = true }

func (t *table) remove(e *entry) {
	t.unlink(e)
	delete(t.byID, e.ID)
	t.changed[e.ID] = false
}

// unlink takes an entry out of all indexes but that of identifiers.
func (t *table) unlink(e *entry) {
	for _, k := range e.keys {
		if t.byAlias[k] == e {
			delete(t.byAlias, k)
		}
	}
	if t.byPlace[e.place] == e {
		delete(t.byPlace, e.place)
	}
	own := func(p prefix) bool { return p.owner == e }
	if slices.ContainsFunc(t.prefixes, own) {
		t.prefixes = slices.DeleteFunc(t.prefixes, own)
	}
	if list := slices.DeleteFunc(t.byAccount[e.owner], func(o *entry) bool { return o == e }); len(list) > 0 {
		t.byAccount[e.owner] = list
	} else {
		delete(t.byAccount, e.owner)
	}
}

// byPrefix finds the gateway for a number: of those with the longest prefix the one
// that has room.
func (t *table) byPrefix(number string) *entry {
	var full *entry
	for _, p := range t.prefixes {
		switch {
		case !strings.HasPrefix(number, p.digits):
		case !p.owner.NearlyFull:
			return p.owner
		case full == nil:
			full = p.owner
		}
	}
	return full
}

// takeChanges gives what has to be saved and deleted, and forgets that it has.
func (t *table) takeChanges() (save []Registration, deleted []string) {
	for id, kept := range t.changed {
		if e := t.byID[id]; e != nil && kept {
			save = append(save, e.clone())
		} else if e == nil {
			deleted = append(deleted, id)
		}
	}
	clear(t.changed)
	return save, deleted
}
