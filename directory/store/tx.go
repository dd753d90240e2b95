package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is a transaction. Statements are prepared once: for PostgreSQL by the driver,
// for SQLite here, since its writers keep their one connection.
type Tx struct {
	tx       *sql.Tx
	kind     Kind
	prepared map[string]*sql.Stmt // of SQLite's connection, outside of transactions
	here     map[string]*sql.Stmt // of this transaction
}

// Write runs f in a transaction that is on the disk when Write returns without
// an error. f may run again when PostgreSQL asks for it.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return d.write(ctx, d.firm, true, f)
}

// WriteSoon is Write without the wait for the disk.
func (d *DB) WriteSoon(ctx context.Context, f func(*Tx) error) error {
	return d.write(ctx, d.soon, false, f)
}

// attempts of a transaction that met another one.
const attempts = 5

func (d *DB) write(ctx context.Context, on *sql.DB, firm bool, f func(*Tx) error) error {
	if d.kind == SQLite {
		d.writing.Lock()
		defer d.writing.Unlock()
	}
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, on, firm, f)
		if err == nil || attempt == attempts || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * 5 * time.Millisecond):
		}
	}
}

// again reports whether PostgreSQL asks to try a transaction anew.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01") // serialization failure, deadlock
}

func (d *DB) once(ctx context.Context, on *sql.DB, firm bool, f func(*Tx) error) (err error) {
	inner, err := on.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: begin: %w", d.kind, err)
	}
	defer func() {
		if err != nil {
			_ = inner.Rollback() // the error that led here tells more
		}
	}()
	if d.kind == PostgreSQL && !firm {
		if _, err := inner.ExecContext(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
	}
	t := &Tx{tx: inner, kind: d.kind, prepared: d.prepared[on], here: make(map[string]*sql.Stmt)}
	if err := f(t); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return fmt.Errorf("%s: commit: %w", d.kind, err)
	}
	if d.kind == SQLite {
		d.keep(ctx, on, t.here)
	}
	return nil
}

// mostKept bounds the statements that are kept; there are fewer in the program.
const mostKept = 100

// keep prepares for later what a transaction had to prepare: within it the one
// connection was taken. It needs d.writing.
func (d *DB) keep(ctx context.Context, on *sql.DB, used map[string]*sql.Stmt) {
	kept := d.prepared[on]
	for query := range used {
		if _, ok := kept[query]; ok || len(kept) >= mostKept {
			continue
		}
		if s, err := on.PrepareContext(ctx, query); err == nil {
			kept[query] = s // closed with the database
		}
	}
}

func (t *Tx) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := t.here[query]; ok {
		return s, nil
	}
	if kept, ok := t.prepared[query]; ok {
		s := t.tx.StmtContext(ctx, kept)
		t.here[query] = s
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.kind, err)
	}
	t.here[query] = s // closed with the transaction
	return s, nil
}

// Exec runs a statement and tells how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	s, err := t.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", t.kind, err)
	}
	return res.RowsAffected()
}

// Query reads rows.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// Get reads one row into targets; ok is false when there is none.
func (t *Tx) Get(ctx context.Context, query string, args []any, targets ...any) (ok bool, err error) {
	s, err := t.prepare(ctx, query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(ctx, args...).Scan(targets...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Lock makes other transactions that lock the same name wait for the end of
// this one, on all nodes.
func (t *Tx) Lock(ctx context.Context, name string) error {
	if t.kind == SQLite {
		return nil // there is one writer
	}
	_, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", name)
	return err
}

// Micros is a time as it is stored: microseconds since 1970, 0 for none.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads what Micros made.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
