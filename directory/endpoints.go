package directory

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// Endpoint finds an endpoint by its ID.
func (d *Directory) Endpoint(id string) (Endpoint, error) { return one(d, d.endpoints, id) }

// ByAlias finds the endpoint that is called by a name: its user name, a SIP
// alias, a number with or without +, or an H.323 ID. Of user@domain the whole
// is looked for first, then the user.
func (d *Directory) ByAlias(alias string) (Endpoint, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok := d.byName[aliasKey(alias)]
	if !ok {
		return Endpoint{}, false
	}
	return *e, true
}

// ByUsername finds the endpoint whose credentials have a user name.
func (d *Directory) ByUsername(username string) (Endpoint, bool) {
	e, ok := d.ByAlias(username)
	if !ok || e.Username == "" || Fold(e.Username) != Fold(username) {
		return Endpoint{}, false
	}
	return e, true
}

// Password is the password of an endpoint, "" when it has none.
func (d *Directory) Password(e Endpoint) (string, error) {
	return d.Keys.Open(e.Sealed, place(&e, "password"))
}

// SaveEndpoint keeps an endpoint, new (without an ID) or changed. Errors:
// *FieldError, *TakenError, ErrNotFound, ErrConflict.
func (d *Directory) SaveEndpoint(ctx context.Context, e Endpoint) (Endpoint, error) {
	return first(d.SaveEndpoints(ctx, []Endpoint{e}))
}

// SaveEndpoints keeps many, all or none; *ItemError tells which was refused.
func (d *Directory) SaveEndpoints(ctx context.Context, list []Endpoint) ([]Endpoint, error) {
	list = slices.Clone(list)
	for i := range list {
		e := &list[i]
		if e.ID == "" || e.External != "" {
			continue
		}
		if old, err := d.Endpoint(e.ID); err == nil {
			e.External, e.Missing = old.External, old.Missing
		}
	}
	return save(ctx, d, d.endpoints, list)
}

// DeleteEndpoint forgets an endpoint; rev is the revision it has to be in, 0
// for any.
func (d *Directory) DeleteEndpoint(ctx context.Context, id string, rev int64) error {
	return remove(ctx, d, d.endpoints, id, rev)
}

// Query says which endpoints, and which page of them. The zero value is all.
type Query struct {
	Text   string // words that all have to occur, accents and capitals aside
	Agency string
	Site   string
	Vendor string
	// Missing are those alone that the directory they were taken over from has no longer.
	Missing bool
	Limit   int    // 0 = all
	Cursor  string // of the page before
}

// ErrCursor: a cursor is none that was given out.
var ErrCursor = errors.New("the cursor is none that was given out")

// Page is a part of a list.
type Page struct {
	Endpoints []Endpoint
	Next      string // cursor of the next page, "" when there is none
}

// Endpoints searches, by name.
func (d *Directory) Endpoints(q Query) (Page, error) {
	var page Page
	d.mu.RLock()
	defer d.mu.RUnlock()
	list, from := d.endpoints.list, 0
	if q.Cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		order, id, ok := strings.Cut(string(last), "\x00")
		if err != nil || !ok {
			return page, ErrCursor
		}
		at, found := slices.BinarySearchFunc(list, &shelved[Endpoint]{order: order, id: id}, (*shelved[Endpoint]).compare)
		if from = at; found {
			from++
		}
	}
	var last *shelved[Endpoint]
	for i := range d.hay().find(strings.Fields(Plain(q.Text)), from) {
		if !q.matches(list[i].item) {
			continue
		}
		if q.Limit > 0 && len(page.Endpoints) == q.Limit {
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(last.order + "\x00" + last.id))
			break
		}
		page.Endpoints = append(page.Endpoints, *list[i].item)
		last = list[i]
	}
	return page, nil
}

func (q *Query) matches(e *Endpoint) bool {
	return (q.Agency == "" || e.Agency == q.Agency) && (q.Site == "" || e.Site == q.Site) && (q.Vendor == "" || e.Vendor == q.Vendor) && (!q.Missing || !e.Missing.IsZero())
}

// Count is the number of endpoints.
func (d *Directory) Count() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.endpoints.byID)
}

// CheckEndpoint tidies an endpoint up and tells whether it could be saved, names
// that belong to others aside.
func (d *Directory) CheckEndpoint(e Endpoint) (Endpoint, error) {
	e.tidy()
	if e.ID != "" && e.Password == "" {
		old, err := d.Endpoint(e.ID)
		if err != nil {
			return e, err
		}
		e.Sealed = old.Sealed
	}
	return e, e.check()
}

// Names are what the endpoint is called by, as they are compared.
func (e *Endpoint) Names() []string {
	out := slices.Sorted(e.called)
	return slices.Compact(out)
}
