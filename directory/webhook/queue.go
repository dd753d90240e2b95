// Package webhook delivers events to programs of others by HTTP: signed, those of
// one meeting in their order, again with growing pauses until they are taken. What
// is never taken is put aside, where an operator sees it and may send it again.
package webhook

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"github.com/roomgate/roomgate/directory/store"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID      string // later ones are greater, on one node
	Webhook string // ID
	// Lane is what is delivered in order: the alias of a meeting, "" for all else.
	Lane     string
	Type     string
	Body     string
	Attempts int
	Error    string // of the latest attempt
	Created  time.Time
}

// States of a delivery; what was delivered is deleted.
const (
	pending = "pending"
	dead    = "dead"
)

const columns = `id, webhook, lane, type, body, attempts, error, created`

// newID makes IDs that grow.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return id.String()
}

// put queues deliveries of this node.
func put(ctx context.Context, db *store.DB, node string, list []Delivery) error {
	return db.WriteSoon(ctx, func(t *store.Tx) error {
		for _, d := range list {
			_, err := t.Exec(ctx, `INSERT INTO deliveries (id, webhook, lane, node, type, body, state, attempts, due, error, created) VALUES ($1, $2, $3, $4, $5, $6, '`+pending+`', 0, 0, '', $7)`,
				d.ID, d.Webhook, d.Lane, node, d.Type, d.Body, store.Micros(d.Created))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// heads gives the first delivery of every lane that is due, and when the next is.
func heads(ctx context.Context, db *store.DB, node string, now time.Time) (list []Delivery, next time.Time, err error) {
	rows, err := db.Query(ctx, `SELECT `+columns+`, due FROM deliveries d WHERE node = $1 AND state = '`+pending+`' AND NOT EXISTS
		(SELECT 1 FROM deliveries e WHERE e.node = d.node AND e.state = '`+pending+`' AND e.webhook = d.webhook AND e.lane = d.lane AND e.id < d.id) ORDER BY due, id LIMIT 200`, node)
	if err != nil {
		return nil, next, err
	}
	defer rows.Close()
	for rows.Next() {
		var due int64
		d, err := scan(rows, &due)
		if err != nil {
			return nil, next, err
		}
		if at := store.Time(due); at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		list = append(list, d)
	}
	return list, next, rows.Err()
}

// following gives what comes in a lane after a delivery.
func following(ctx context.Context, db *store.DB, node string, after Delivery) (d Delivery, ok bool, err error) {
	rows, err := db.Query(ctx, `SELECT `+columns+` FROM deliveries WHERE node = $1 AND state = '`+pending+`' AND webhook = $2 AND lane = $3 AND id > $4 ORDER BY id LIMIT 1`,
		node, after.Webhook, after.Lane, after.ID)
	if err != nil {
		return d, false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return d, false, rows.Err()
	}
	d, err = scan(rows)
	return d, err == nil, err
}

func scan(rows *sql.Rows, more ...any) (d Delivery, err error) {
	var created int64
	err = rows.Scan(append([]any{&d.ID, &d.Webhook, &d.Lane, &d.Type, &d.Body, &d.Attempts, &d.Error, &created}, more...)...)
	d.Created = store.Time(created)
	return d, err
}

func exec(ctx context.Context, db *store.DB, query string, args ...any) error {
	return db.WriteSoon(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, query, args...)
		return err
	})
}

func remove(ctx context.Context, db *store.DB, id string) error {
	return exec(ctx, db, `DELETE FROM deliveries WHERE id = $1`, id)
}

func again(ctx context.Context, db *store.DB, d Delivery, due time.Time) error {
	return exec(ctx, db, `UPDATE deliveries SET attempts = $2, error = $3, due = $4 WHERE id = $1`, d.ID, d.Attempts, d.Error, store.Micros(due))
}

func giveUp(ctx context.Context, db *store.DB, d Delivery) error {
	return exec(ctx, db, `UPDATE deliveries SET attempts = $2, error = $3, state = '`+dead+`' WHERE id = $1`, d.ID, d.Attempts, d.Error)
}

// Dead lists what was given up of a webhook, the oldest first.
func Dead(ctx context.Context, db *store.DB, webhook string, limit int) (list []Delivery, err error) {
	rows, err := db.Query(ctx, `SELECT `+columns+` FROM deliveries WHERE webhook = $1 AND state = '`+dead+`' ORDER BY id LIMIT $2`, webhook, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Revive has what was given up of a webhook sent again, by a node.
func Revive(ctx context.Context, db *store.DB, webhook, node string) (n int64, err error) {
	err = db.Write(ctx, func(t *store.Tx) error {
		n, err = t.Exec(ctx, `UPDATE deliveries SET state = '`+pending+`', attempts = 0, due = 0, node = $2 WHERE webhook = $1 AND state = '`+dead+`'`, webhook, node)
		return err
	})
	return n, err
}

// Forget drops everything of a webhook.
func Forget(ctx context.Context, db *store.DB, webhook string) error {
	return exec(ctx, db, `DELETE FROM deliveries WHERE webhook = $1`, webhook)
}

// Inherit takes over what a dead node had to deliver.
func Inherit(ctx context.Context, db *store.DB, from, node string) error {
	return exec(ctx, db, `UPDATE deliveries SET node = $2 WHERE node = $1 AND state = '`+pending+`'`, from, node)
}
