package directory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
)

// pointer is a resource behind a pointer to T.
type pointer[T any] interface {
	*T
	resource
}

// shelf holds the things of one kind in memory. What it holds is never changed,
// only replaced; the lock of the Directory guards which.
type shelf[T any, P pointer[T]] struct {
	keys  *seal.Keyring
	byID  map[string]*shelved[T]
	list  []*shelved[T] // sorted, unless dirty
	dirty bool
	// enter and leave keep what else things are found by. May be nil.
	enter, leave func(*T)
}

// shelved is a thing with what it is sorted by.
type shelved[T any] struct {
	item  *T
	order string
	id    string
	// search is what searches look into, "" for what is not searched.
	search string
}

func (a *shelved[T]) compare(b *shelved[T]) int {
	return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.id, b.id))
}

func newShelf[T any, P pointer[T]](keys *seal.Keyring) *shelf[T, P] {
	return &shelf[T, P]{keys: keys, byID: make(map[string]*shelved[T])}
}

// decode makes a thing of what the database has.
func (s *shelf[T, P]) decode(doc store.Document) (*T, error) {
	item := new(T)
	if err := json.Unmarshal([]byte(doc.Body), item); err != nil {
		return nil, fmt.Errorf("%s %s: %w", doc.Kind, doc.ID, err)
	}
	m := P(item).meta()
	m.ID, m.Rev = doc.ID, doc.Rev
	for _, x := range P(item).secrets() {
		if !x.open {
			continue
		}
		var err error
		if *x.plain, err = s.keys.Open(*x.sealed, place(P(item), x.name)); err != nil {
			return nil, fmt.Errorf("%s %s: %s: %w", doc.Kind, doc.ID, x.name, err)
		}
	}
	return item, nil
}

// place is what a secret is sealed for.
func place(r resource, field string) string {
	return string(r.kind()) + "/" + r.meta().ID + "/" + field
}

// put shows a thing, in place of its former self. bulk leaves the list unsorted
// until it is looked at.
func (s *shelf[T, P]) put(item *T, bulk bool) {
	m := P(item).meta()
	s.drop(m.ID, bulk)
	e := &shelved[T]{item: item, order: P(item).order(), id: m.ID}
	if p, ok := any(item).(interface{ search() string }); ok {
		e.search = p.search()
	}
	s.byID[m.ID] = e
	if bulk || s.dirty {
		s.list, s.dirty = append(s.list, e), true
	} else {
		at, _ := slices.BinarySearchFunc(s.list, e, (*shelved[T]).compare)
		s.list = slices.Insert(s.list, at, e)
	}
	if s.enter != nil {
		s.enter(item)
	}
}

// drop hides a thing.
func (s *shelf[T, P]) drop(id string, bulk bool) {
	e, ok := s.byID[id]
	if !ok {
		return
	}
	delete(s.byID, id)
	if s.leave != nil {
		s.leave(e.item)
	}
	if bulk || s.dirty {
		s.dirty = true // taken out when the list is sorted
		return
	}
	if at, found := slices.BinarySearchFunc(s.list, e, (*shelved[T]).compare); found {
		s.list = slices.Delete(s.list, at, at+1)
	}
}

// settle sorts the list after changes in bulk.
func (s *shelf[T, P]) settle() {
	if !s.dirty {
		return
	}
	s.list = s.list[:0:0]
	for _, e := range s.byID {
		s.list = append(s.list, e)
	}
	slices.SortFunc(s.list, (*shelved[T]).compare)
	s.dirty = false
}

// change is what makes the database keep a thing. old is its former self, nil
// when it is new.
func (s *shelf[T, P]) change(item, old *T) (store.Change, error) {
	p := P(item)
	m := p.meta()
	was := map[string]string{}
	if old != nil {
		for _, x := range P(old).secrets() {
			was[x.name] = *x.sealed
		}
	}
	for _, x := range p.secrets() {
		if *x.plain == "" && x.keep {
			*x.sealed = was[x.name]
		}
	}
	p.tidy()
	if err := p.check(); err != nil {
		return store.Change{}, err
	}
	for _, x := range p.secrets() {
		if *x.plain != "" || !x.keep {
			*x.sealed = s.keys.Seal(*x.plain, place(p, x.name))
		}
		if !x.open {
			*x.plain = ""
		}
	}
	body, err := json.Marshal(item)
	if err != nil {
		return store.Change{}, err
	}
	c := store.Change{Kind: string(p.kind()), ID: m.ID, Body: string(body), Names: p.names(), If: store.Absent}
	if old != nil {
		c.If = P(old).meta().Rev
		c.KeepNames = slices.Equal(c.Names, P(old).names())
	}
	return c, nil
}

func indexed(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
