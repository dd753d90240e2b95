// Package once keeps answers to requests that must be worked on only once,
// however often they are sent, and to whichever node.
package once

import (
	"context"
	"errors"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// Keep is how long answers are kept, Patience how long a request may be worked
// on before it is taken for given up, as when its node died.
const (
	Keep     = 24 * time.Hour
	Patience = 2 * time.Minute
)

// Errors of Begin.
var (
	ErrOther = errors.New("the idempotency key was used for another request")
	ErrBusy  = errors.New("the request with this idempotency key is being worked on")
)

// Answer is what was answered.
type Answer struct {
	Status int
	Kind   string // content type
	Body   string
}

// Begin asks whether a request is to be worked on: nil and no error say that it
// is, and Finish or Forget has to follow; an Answer is the one that was given
// before. id names the request, request is a hash of what it asks.
func Begin(ctx context.Context, db *store.DB, id, request string, now time.Time) (*Answer, error) {
	var had Answer
	var other, busy, begun bool
	err := db.Write(ctx, func(t *store.Tx) error {
		had, other, busy, begun = Answer{}, false, false, false
		if _, err := t.Exec(ctx, `DELETE FROM once WHERE created < $1 OR id = $2 AND status = 0 AND created < $3`,
			store.Micros(now.Add(-Keep)), id, store.Micros(now.Add(-Patience))); err != nil {
			return err
		}
		rows, err := t.Exec(ctx, `INSERT INTO once (id, request, status, kind, body, created) VALUES ($1, $2, 0, '', '', $3) ON CONFLICT (id) DO NOTHING`,
			id, request, store.Micros(now))
		if err != nil || rows > 0 {
			begun = true
			return err
		}
		var was string
		if _, err := t.Get(ctx, `SELECT request, status, kind, body FROM once WHERE id = $1`, []any{id}, &was, &had.Status, &had.Kind, &had.Body); err != nil {
			return err
		}
		other, busy = was != request, had.Status == 0
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case begun:
		return nil, nil
	case other:
		return nil, ErrOther
	case busy:
		return nil, ErrBusy
	}
	return &had, nil
}

// Finish keeps the answer to a request that Begin gave out.
func Finish(ctx context.Context, db *store.DB, id string, a Answer) error {
	return db.Write(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `UPDATE once SET status = $2, kind = $3, body = $4 WHERE id = $1`, id, a.Status, a.Kind, a.Body)
		return err
	})
}

// Forget lets a request be sent again, after a failure of ours.
func Forget(ctx context.Context, db *store.DB, id string) error {
	return db.Write(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM once WHERE id = $1 AND status = 0`, id)
		return err
	})
}
