package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// save keeps things that are new (without an ID) or changed, all or none. A Rev
// that is not 0 has to be that of the thing that is there. It returns them as
// they are kept.
func save[T any, P pointer[T]](ctx context.Context, d *Directory, s *shelf[T, P], items []T) ([]T, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	now := d.Now().UTC().Truncate(time.Microsecond)
	changes := make([]store.Change, 0, len(items))
	out := slices.Clone(items)
	for i := range out {
		item := P(&out[i])
		m := item.meta()
		m.Updated = now
		var old *T
		if m.ID == "" {
			m.ID, m.Created = newID(), now
		} else {
			was, ok := find(d, s, m.ID)
			if !ok {
				return nil, &ItemError{i, ErrNotFound}
			}
			if rev := P(was).meta().Rev; m.Rev != 0 && m.Rev != rev {
				return nil, &ItemError{i, ErrConflict}
			}
			old, m.Created = was, P(was).meta().Created
		}
		c, err := s.change(&out[i], old)
		if err != nil {
			return nil, &ItemError{i, err}
		}
		changes = append(changes, c)
	}
	rev, err := d.apply(ctx, now, changes)
	if err != nil {
		return nil, err
	}
	for i := range out {
		P(&out[i]).meta().Rev = rev
	}
	return out, nil
}

// ItemError tells which of several things was refused.
type ItemError struct {
	Item int
	Err  error
}

func (e *ItemError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *ItemError) Unwrap() error { return e.Err }

// apply writes changes and shows them at once.
func (d *Directory) apply(ctx context.Context, now time.Time, changes []store.Change) (int64, error) {
	if len(changes) == 0 {
		return 0, nil
	}
	rev, err := d.DB.Apply(ctx, now, changes)
	var taken *store.TakenError
	if errors.As(err, &taken) {
		return 0, &ItemError{taken.Change, &TakenError{Name: taken.Name.Name, Kind: Kind(taken.Kind), Owner: d.nameOf(Kind(taken.Kind), taken.ID), Item: taken.Change}}
	}
	if err != nil {
		return 0, err
	}
	d.syncing.Lock()
	defer d.syncing.Unlock()
	d.mu.RLock()
	here := d.rev
	d.mu.RUnlock()
	if here != rev-1 {
		// Others wrote meanwhile: what they did comes first.
		if list, now, err := d.DB.Since(ctx, here); err == nil {
			d.take(list, now)
			return rev, nil
		}
	}
	list := make([]store.Document, 0, len(changes))
	for _, c := range changes {
		list = append(list, store.Document{Kind: c.Kind, ID: c.ID, Rev: rev, Body: c.Body})
	}
	if here == rev-1 {
		here = rev
	} // otherwise the rest comes with the next Sync
	d.take(list, here)
	return rev, nil
}

// remove deletes a thing.
func remove[T any, P pointer[T]](ctx context.Context, d *Directory, s *shelf[T, P], id string, rev int64) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	was, ok := find(d, s, id)
	if !ok {
		return ErrNotFound
	}
	if has := P(was).meta().Rev; rev != 0 && rev != has {
		return ErrConflict
	}
	_, err := d.apply(ctx, d.Now(), []store.Change{{Kind: string(P(was).kind()), ID: id, If: P(was).meta().Rev}})
	return err
}

// find gives what is on a shelf; it is not to be changed.
func find[T any, P pointer[T]](d *Directory, s *shelf[T, P], id string) (*T, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok := s.byID[id]
	if !ok {
		return nil, false
	}
	return e.item, true
}

// all gives everything on a shelf, in order.
func all[T any, P pointer[T]](d *Directory, s *shelf[T, P]) []T {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]T, 0, len(s.list))
	for _, e := range s.list {
		out = append(out, *e.item)
	}
	return out
}

// one gives a copy of a thing.
func one[T any, P pointer[T]](d *Directory, s *shelf[T, P], id string) (T, error) {
	item, ok := find(d, s, id)
	if !ok {
		var none T
		return none, ErrNotFound
	}
	return *item, nil
}

// nameOf names a thing for people.
func (d *Directory) nameOf(kind Kind, id string) string {
	switch kind {
	case KindEndpoint:
		if e, ok := find(d, d.endpoints, id); ok {
			return e.Name
		}
	case KindTrunk:
		if t, ok := find(d, d.trunks, id); ok {
			return t.Name
		}
	case KindMeeting:
		if m, ok := find(d, d.meetings, id); ok {
			return m.Alias
		}
	}
	return id
}
