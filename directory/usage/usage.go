// Package usage counts what trunks carry out on a day, so that a ceiling holds over
// restarts and for all nodes of a database together.
package usage

import (
	"context"
	"fmt"

	"github.com/roomgate/roomgate/directory/store"
)

// Day is what a trunk carried on a day.
type Day struct {
	Calls   int64 // out, begun
	Seconds int64 // out, answered
	Refused int64 // in and out
}

// Ceiling bounds a day; 0 = no limit.
type Ceiling struct{ Calls, Seconds int64 }

// Reached tells which part of a ceiling a day has reached.
type Reached string

// What can be reached.
const (
	Calls   Reached = "calls"
	Seconds Reached = "seconds"
)

// Book keeps the counts. Days are text, YYYY-MM-DD, of the zone of the trunk.
type Book struct{ DB *store.DB }

const (
	open = `INSERT INTO trunk_days (trunk, day, calls, seconds, refused) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (trunk, day) DO NOTHING`
	// The row is locked and looked at again by PostgreSQL when two nodes come at once.
	begin = `UPDATE trunk_days SET calls = calls + 1 WHERE trunk = $1 AND day = $2
		AND (CAST($3 AS BIGINT) = 0 OR calls < CAST($3 AS BIGINT)) AND (CAST($4 AS BIGINT) = 0 OR seconds < CAST($4 AS BIGINT))`
	look = `SELECT calls, seconds, refused FROM trunk_days WHERE trunk = $1 AND day = $2`
	add  = `UPDATE trunk_days SET seconds = seconds + $3, refused = refused + $4 WHERE trunk = $1 AND day = $2`
)

// Begin counts a call before it is placed, unless the ceiling is reached.
func (b Book) Begin(ctx context.Context, trunk, day string, max Ceiling) (reached Reached, err error) {
	err = b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		reached = ""
		if _, err := t.Exec(ctx, open, trunk, day); err != nil {
			return err
		}
		rows, err := t.Exec(ctx, begin, trunk, day, max.Calls, max.Seconds)
		if err != nil || rows > 0 {
			return err
		}
		var d Day
		if _, err := t.Get(ctx, look, []any{trunk, day}, &d.Calls, &d.Seconds, &d.Refused); err != nil {
			return err
		}
		reached = Seconds
		if max.Calls > 0 && d.Calls >= max.Calls {
			reached = Calls
		}
		return nil
	})
	return reached, err
}

// Add counts time talked and calls refused, and tells what the day has come to.
func (b Book) Add(ctx context.Context, trunk, day string, seconds, refused int64) (d Day, err error) {
	err = b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		if _, err := t.Exec(ctx, open, trunk, day); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, add, trunk, day, seconds, refused); err != nil {
			return err
		}
		_, err := t.Get(ctx, look, []any{trunk, day}, &d.Calls, &d.Seconds, &d.Refused)
		return err
	})
	return d, err
}

// Of reads a day of a trunk.
func (b Book) Of(ctx context.Context, trunk, day string) (d Day, err error) {
	rows, err := b.DB.Query(ctx, look, trunk, day)
	if err != nil {
		return d, fmt.Errorf("usage of trunks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&d.Calls, &d.Seconds, &d.Refused); err != nil {
			return d, err
		}
	}
	return d, rows.Err()
}

// Forget drops days before one.
func (b Book) Forget(ctx context.Context, before string) error {
	return b.DB.WriteSoon(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM trunk_days WHERE day < $1`, before)
		return err
	})
}
