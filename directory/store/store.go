package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// Kind is the database behind a DB.
type Kind string

// The databases.
const (
	SQLite     Kind = "SQLite"
	PostgreSQL Kind = "PostgreSQL"
)

// pool is how many connections to PostgreSQL one node holds.
const pool = 12

// busy is how long SQLite waits for another process that writes, in ms.
const busy = 10_000

// DB is an open database whose tables are up to date. Safe for concurrent use.
type DB struct {
	kind Kind
	name string // for people, without a password
	read *sql.DB
	firm *sql.DB // for Write
	soon *sql.DB // for WriteSoon

	writing  sync.Mutex                       // SQLite has one writer: wait here rather than in its busy loop
	prepared map[*sql.DB]map[string]*sql.Stmt // of SQLite's writers, under writing
}

// Kind tells the database.
func (d *DB) Kind() Kind { return d.kind }

// String names the database for people.
func (d *DB) String() string { return string(d.kind) + " " + d.name }

// Shared reports whether other nodes may work on the same database.
func (d *DB) Shared() bool { return d.kind == PostgreSQL }

// IsPostgres reports whether a database.url means PostgreSQL.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// Open opens the database at a URL: postgres://.., sqlite:PATH or a path of a
// file, which is made; and brings its tables up to date.
func Open(ctx context.Context, address string) (*DB, error) {
	d, err := connect(address)
	if err != nil {
		return nil, err
	}
	if err := d.read.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", d, err), d.Close())
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: tables: %w", d, err), d.Close())
	}
	return d, nil
}

func connect(address string) (d *DB, err error) {
	if IsPostgres(address) {
		d, err = openPostgres(address)
	} else {
		d, err = openSQLite(filePath(address))
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return d, nil
}

// filePath takes the scheme off the address of a SQLite file.
func filePath(address string) string {
	for _, prefix := range []string{"sqlite://", "sqlite:", "file:"} {
		if rest, ok := strings.CutPrefix(address, prefix); ok {
			return rest
		}
	}
	return address
}

func openPostgres(address string) (*DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the URL of PostgreSQL cannot be read") // the error would show the password
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(pool)
	db.SetMaxIdleConns(pool)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{kind: PostgreSQL, name: u.Host + u.Path, read: db, firm: db, soon: db}, nil
}

func openSQLite(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// The file holds numbers and hashes: it is for its owner, before SQLite makes it
	// for everybody.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	open := func(synchronous string, connections int) (*sql.DB, error) {
		q := url.Values{"_txlock": {"immediate"}, "_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busy), "journal_mode(WAL)", "synchronous(" + synchronous + ")", "foreign_keys(1)",
		}}
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
		if err == nil {
			db.SetMaxOpenConns(connections)
			db.SetMaxIdleConns(connections)
		}
		return db, err
	}
	d := &DB{kind: SQLite, name: path, prepared: make(map[*sql.DB]map[string]*sql.Stmt)}
	var errs [3]error
	d.read, errs[0] = open("NORMAL", 4)
	d.firm, errs[1] = open("FULL", 1)
	d.soon, errs[2] = open("NORMAL", 1)
	d.prepared[d.firm], d.prepared[d.soon] = make(map[string]*sql.Stmt), make(map[string]*sql.Stmt)
	return d, errors.Join(errs[:]...)
}

// Close closes all connections.
func (d *DB) Close() error {
	if d.kind == PostgreSQL {
		return d.read.Close()
	}
	return errors.Join(d.read.Close(), d.soon.Close(), d.firm.Close())
}

// Ping asks whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

// Query and QueryRow read outside of a transaction.

// Query reads rows.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.read.QueryContext(ctx, query, args...)
}

// QueryRow reads one row.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.read.QueryRowContext(ctx, query, args...)
}
