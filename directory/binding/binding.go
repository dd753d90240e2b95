// Package binding keeps where terminals are registered, for the registrar of SIP
// and the gatekeeper of H.323, so that it survives a restart and every node knows
// of every terminal. What a registration looks like inside is the stacks' affair:
// here it is a text with what it is found by.
package binding

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/store"
)

// Entry is one registration.
type Entry struct {
	Owner   string // account, or endpoint identifier
	Contact string // tells several of one owner apart
	Node    string // that it is registered at
	Updated time.Time
	Expires time.Time
	Body    string
	Names   []string // folded; nil where the owner is looked up by its account
}

// Book is the registrations of one protocol.
type Book struct {
	DB       *store.DB
	Protocol call.Protocol
	Node     string // ours
}

const (
	columns = `owner, contact, node, updated, expires, body`
	put     = `INSERT INTO registrations (protocol, owner, contact, node, updated, expires, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (protocol, owner, contact) DO UPDATE SET node = excluded.node, updated = excluded.updated, expires = excluded.expires, body = excluded.body`
	ofOwner = `SELECT ` + columns + ` FROM registrations WHERE protocol = $1 AND owner = $2 ORDER BY contact`
)

// Update replaces the registrations of an owner by what change makes of them.
// Entries that come back as they were are left alone; others become this node's.
func (b *Book) Update(ctx context.Context, owner string, change func([]Entry) ([]Entry, error)) error {
	return b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		if err := t.Lock(ctx, "registration/"+string(b.Protocol)+"/"+owner); err != nil {
			return err
		}
		rows, err := t.Query(ctx, ofOwner, string(b.Protocol), owner)
		if err != nil {
			return err
		}
		before, err := collect(rows)
		if err != nil {
			return err
		}
		after, err := change(slices.Clone(before))
		if err != nil {
			return err
		}
		for _, old := range before {
			if !slices.ContainsFunc(after, func(e Entry) bool { return e.Contact == old.Contact }) {
				if _, err := t.Exec(ctx, `DELETE FROM registrations WHERE protocol = $1 AND owner = $2 AND contact = $3`, string(b.Protocol), owner, old.Contact); err != nil {
					return err
				}
			}
		}
		for _, e := range after {
			if slices.ContainsFunc(before, func(old Entry) bool { return old.Contact == e.Contact && old.Body == e.Body }) {
				continue
			}
			if _, err := t.Exec(ctx, put, string(b.Protocol), owner, e.Contact, b.Node, store.Micros(e.Updated), store.Micros(e.Expires), e.Body); err != nil {
				return err
			}
		}
		return nil
	})
}

// Of lists the registrations of an owner, expired ones included.
func (b *Book) Of(ctx context.Context, owner string) ([]Entry, error) {
	rows, err := b.DB.Query(ctx, ofOwner, string(b.Protocol), owner)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

// All lists every registration; node, when not empty, only those at one node.
func (b *Book) All(ctx context.Context, node string) ([]Entry, error) {
	query, args := `SELECT `+columns+` FROM registrations WHERE protocol = $1`, []any{string(b.Protocol)}
	if node != "" {
		query, args = query+` AND node = $2`, append(args, node)
	}
	rows, err := b.DB.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

// Named lists the registrations that have a name, the latest first.
func (b *Book) Named(ctx context.Context, name string) ([]Entry, error) {
	rows, err := b.DB.Query(ctx, `SELECT r.owner, r.contact, r.node, r.updated, r.expires, r.body FROM registered_names n
		JOIN registrations r ON r.protocol = n.protocol AND r.owner = n.owner
		WHERE n.protocol = $1 AND n.name = $2 ORDER BY r.updated DESC`, string(b.Protocol), name)
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

// Save keeps registrations with their names, as this node's.
func (b *Book) Save(ctx context.Context, list []Entry) error {
	return b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		for _, e := range list {
			if _, err := t.Exec(ctx, put, string(b.Protocol), e.Owner, e.Contact, b.Node, store.Micros(e.Updated), store.Micros(e.Expires), e.Body); err != nil {
				return err
			}
			if _, err := t.Exec(ctx, `DELETE FROM registered_names WHERE protocol = $1 AND owner = $2`, string(b.Protocol), e.Owner); err != nil {
				return err
			}
			for _, name := range e.Names {
				if _, err := t.Exec(ctx, `INSERT INTO registered_names (protocol, name, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(b.Protocol), name, e.Owner); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Delete forgets all registrations of owners.
func (b *Book) Delete(ctx context.Context, owners []string) error {
	return b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		for _, owner := range owners {
			if err := b.forget(ctx, t, owner); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Book) forget(ctx context.Context, t *store.Tx, owner string) error {
	for _, table := range []string{"registrations", "registered_names"} {
		if _, err := t.Exec(ctx, `DELETE FROM `+table+` WHERE protocol = $1 AND owner = $2`, string(b.Protocol), owner); err != nil {
			return err
		}
	}
	return nil
}

// Grace is how much longer the expired registrations of another node are left to
// it: it may be dead.
const Grace = time.Minute

// Expire removes and returns what has expired at now.
func (b *Book) Expire(ctx context.Context, now time.Time) (gone []Entry, err error) {
	// Most of the time there is nothing, which needs no transaction.
	rows, err := b.DB.Query(ctx, `SELECT `+columns+` FROM registrations WHERE protocol = $1 AND expires <= $2`, string(b.Protocol), store.Micros(now))
	if err != nil {
		return nil, err
	}
	due, err := collect(rows)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	err = b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		gone = nil
		for _, e := range due {
			if e.Node != b.Node && e.Expires.After(now.Add(-Grace)) {
				continue
			}
			n, err := t.Exec(ctx, `DELETE FROM registrations WHERE protocol = $1 AND owner = $2 AND contact = $3 AND expires <= $4`,
				string(b.Protocol), e.Owner, e.Contact, store.Micros(now))
			if err != nil {
				return err
			}
			if n > 0 { // it was not refreshed meanwhile
				gone = append(gone, e)
			}
		}
		_, err := t.Exec(ctx, `DELETE FROM registered_names WHERE protocol = $1 AND NOT EXISTS
			(SELECT 1 FROM registrations r WHERE r.protocol = registered_names.protocol AND r.owner = registered_names.owner)`, string(b.Protocol))
		return err
	})
	return gone, err
}

func collect(rows *sql.Rows) (list []Entry, err error) {
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var updated, expires int64
		if err := rows.Scan(&e.Owner, &e.Contact, &e.Node, &updated, &expires, &e.Body); err != nil {
			return nil, err
		}
		e.Updated, e.Expires = store.Time(updated), store.Time(expires)
		list = append(list, e)
	}
	return list, rows.Err()
}
