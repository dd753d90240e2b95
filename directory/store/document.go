package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Document is one thing of a kind, in its latest revision.
type Document struct {
	Kind string
	ID   string
	Rev  int64
	Body string // JSON; "" = deleted
}

// Name is a word that only one document may have in its space.
type Name struct{ Space, Name string }

// Change puts a document in place of its former revision, or deletes it.
type Change struct {
	Kind, ID string
	Body     string // "" deletes
	// Names are all that the document shall have; KeepNames leaves those it has.
	Names     []Name
	KeepNames bool
	// If is the revision that the document has to be in: Absent for none, Any for
	// whatever it is.
	If int64
}

// Values of Change.If that are no revisions.
const (
	Any    int64 = 0
	Absent int64 = -1
)

// ErrConflict: a document is not in the revision that a change wants.
var ErrConflict = errors.New("changed meanwhile by somebody else")

// TakenError tells who has a name already.
type TakenError struct {
	Change int // position of the change that wanted it
	Name   Name
	Kind   string // of the owner
	ID     string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%q belongs to another %s already", e.Name.Name, e.Kind)
}

const (
	nextRevision = `UPDATE revision SET seq = seq + 1 WHERE only_row = 1 RETURNING seq`
	getDocument  = `SELECT rev FROM documents WHERE kind = $1 AND id = $2 AND body <> ''`
	putDocument  = `INSERT INTO documents (kind, id, rev, changed, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, id) DO UPDATE SET rev = excluded.rev, changed = excluded.changed, body = excluded.body`
	dropNames = `DELETE FROM names WHERE kind = $1 AND id = $2`
	putName   = `INSERT INTO names (space, name, kind, id) VALUES ($1, $2, $3, $4) ON CONFLICT (space, name) DO NOTHING`
	ownerOf   = `SELECT kind, id FROM names WHERE space = $1 AND name = $2`
)

// Apply makes all of the changes, or none, and returns the revision they have.
// Errors: ErrConflict, *TakenError.
func (d *DB) Apply(ctx context.Context, now time.Time, changes []Change) (rev int64, err error) {
	err = d.Write(ctx, func(t *Tx) error {
		rev, err = t.apply(ctx, now, changes)
		return err
	})
	return rev, err
}

func (t *Tx) apply(ctx context.Context, now time.Time, changes []Change) (rev int64, err error) {
	if _, err := t.Get(ctx, nextRevision, nil, &rev); err != nil {
		return 0, err
	}
	// All names are given back before any is taken, so that they can be exchanged.
	for _, c := range changes {
		if c.If != Any {
			has := Absent
			if _, err := t.Get(ctx, getDocument, []any{c.Kind, c.ID}, &has); err != nil {
				return 0, err
			}
			if has != c.If {
				return 0, ErrConflict
			}
		}
		if c.KeepNames || c.If == Absent {
			continue
		}
		if _, err := t.Exec(ctx, dropNames, c.Kind, c.ID); err != nil {
			return 0, err
		}
	}
	for i, c := range changes {
		if _, err := t.Exec(ctx, putDocument, c.Kind, c.ID, rev, Micros(now), c.Body); err != nil {
			return 0, err
		}
		if c.KeepNames || c.Body == "" {
			continue
		}
		for _, n := range c.Names {
			if err := t.take(ctx, n, i, c); err != nil {
				return 0, err
			}
		}
	}
	return rev, nil
}

func (t *Tx) take(ctx context.Context, n Name, at int, c Change) error {
	rows, err := t.Exec(ctx, putName, n.Space, n.Name, c.Kind, c.ID)
	if err != nil || rows > 0 {
		return err
	}
	taken := &TakenError{Change: at, Name: n}
	if _, err := t.Get(ctx, ownerOf, []any{n.Space, n.Name}, &taken.Kind, &taken.ID); err != nil {
		return err
	}
	if taken.Kind == c.Kind && taken.ID == c.ID { // named twice by the same
		return nil
	}
	return taken
}

// Since returns the documents that changed after a revision, deleted ones with
// an empty body, in the order of their revisions, and the revision now.
func (d *DB) Since(ctx context.Context, after int64) (list []Document, rev int64, err error) {
	// The revision is read first: what changes between the two reads is seen again.
	if err := d.QueryRow(ctx, `SELECT seq FROM revision`).Scan(&rev); err != nil {
		return nil, 0, err
	}
	if rev == after {
		return nil, rev, nil
	}
	rows, err := d.Query(ctx, `SELECT kind, id, rev, body FROM documents WHERE rev > $1 ORDER BY rev, kind, id`, after)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var doc Document
		if err := rows.Scan(&doc.Kind, &doc.ID, &doc.Rev, &doc.Body); err != nil {
			return nil, 0, err
		}
		list = append(list, doc)
	}
	return list, rev, rows.Err()
}

// Prune forgets what is left of documents that were deleted before a time.
func (d *DB) Prune(ctx context.Context, before time.Time) error {
	return d.Write(ctx, func(t *Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM documents WHERE body = '' AND changed < $1`, Micros(before))
		return err
	})
}

// Setting reads a setting, or sets it to value when there is none yet.
func (d *DB) Setting(ctx context.Context, name, value string) (has string, err error) {
	err = d.Write(ctx, func(t *Tx) error {
		if _, err := t.Exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
			return err
		}
		_, err := t.Get(ctx, `SELECT value FROM settings WHERE name = $1`, []any{name}, &has)
		return err
	})
	return has, err
}

// SetSetting replaces a setting.
func (d *DB) SetSetting(ctx context.Context, name, value string) error {
	return d.Write(ctx, func(t *Tx) error {
		_, err := t.Exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
