package directory

import (
	"context"
	"encoding/json"

	"github.com/roomgate/roomgate/directory/store"
)

// Reseal encrypts with the current key what was encrypted with one before it, and
// tells how many things that were.
func (d *Directory) Reseal(ctx context.Context) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.Sync(ctx); err != nil {
		return 0, err
	}
	var changes []store.Change
	for _, collect := range []func() ([]store.Change, error){
		func() ([]store.Change, error) { return stale(d, d.endpoints) },
		func() ([]store.Change, error) { return stale(d, d.meetings) },
		func() ([]store.Change, error) { return stale(d, d.trunks) },
		func() ([]store.Change, error) { return stale(d, d.webhooks) },
	} {
		more, err := collect()
		if err != nil {
			return 0, err
		}
		changes = append(changes, more...)
	}
	if _, err := d.apply(ctx, d.Now(), changes); err != nil {
		return 0, err
	}
	// The check comes last: until then the keys before are needed.
	return len(changes), d.DB.SetSetting(ctx, canary, d.Keys.Seal(canary, canary))
}

// stale makes changes of the things on a shelf that have secrets of old keys.
func stale[T any, P pointer[T]](d *Directory, s *shelf[T, P]) (changes []store.Change, err error) {
	for _, item := range all(d, s) {
		p := P(&item)
		old := false
		for _, x := range p.secrets() {
			if !d.Keys.Stale(*x.sealed) {
				continue
			}
			plain, err := d.Keys.Open(*x.sealed, place(p, x.name))
			if err != nil {
				return nil, err
			}
			*x.sealed = d.Keys.Seal(plain, place(p, x.name))
			old = true
		}
		if !old {
			continue
		}
		body, err := json.Marshal(&item)
		if err != nil {
			return nil, err
		}
		m := p.meta()
		changes = append(changes, store.Change{Kind: string(p.kind()), ID: m.ID, Body: string(body), KeepNames: true, If: m.Rev})
	}
	return changes, nil
}
