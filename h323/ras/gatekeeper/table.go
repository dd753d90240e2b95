package gatekeeper

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// table is the registrations of the zone, by what they are looked up by.
type table struct {
	byID      map[string]*entry
	byAlias   map[string]*entry
	byAccount map[string][]*entry // the latest last
	prefixes  []prefix            // the longest first
	changed   map[string]bool     // not yet in the store; false: deleted
}

// entry is a registration with what only the gatekeeper knows of it.
type entry struct {
	Registration
	keys     []string // of its aliases
	ttl      time.Duration
	additive bool        // it registered aliases one after the other
	method   auth.Method // that it signs with; 0: none
	probing  bool        // an IRQ asks whether it is alive
}

type prefix struct {
	digits string
	owner  *entry
}

func newTable() *table {
	return &table{
		byID: make(map[string]*entry), byAlias: make(map[string]*entry), byAccount: make(map[string][]*entry),
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
	if e.Account != "" {
		t.byAccount[e.Account] = append(t.byAccount[e.Account], e)
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
	own := func(p prefix) bool { return p.owner == e }
	if slices.ContainsFunc(t.prefixes, own) {
		t.prefixes = slices.DeleteFunc(t.prefixes, own)
	}
	if list := slices.DeleteFunc(t.byAccount[e.Account], func(o *entry) bool { return o == e }); len(list) > 0 {
		t.byAccount[e.Account] = list
	} else {
		delete(t.byAccount, e.Account)
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
