package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date. Nodes that start at once wait for each
// other. A database of a later version of the program is refused: its tables may
// mean something else.
func (d *DB) migrate(ctx context.Context) error {
	provider, err := d.provider()
	if err != nil {
		return err
	}
	has, knows, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has > knows {
		return fmt.Errorf("they are of version %d, this program knows up to %d", has, knows)
	}
	_, err = provider.Up(ctx)
	return err
}

func (d *DB) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	if d.kind == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, d.firm, files, options...)
}

// Probe tells of a database whether it can be used, and changes nothing.
func Probe(ctx context.Context, address string) (state string, err error) {
	if path := filePath(address); !IsPostgres(address) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("%s %s will be made", SQLite, path), nil
		}
	}
	d, err := connect(address)
	if err != nil {
		return "", err
	}
	defer d.Close()
	provider, err := d.provider()
	if err != nil {
		return "", err
	}
	var has int64
	known := provider.ListSources()[len(provider.ListSources())-1].Version
	row := d.QueryRow(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`)
	if err := row.Scan(&has); err != nil {
		if pingErr := d.Ping(ctx); pingErr != nil {
			return "", fmt.Errorf("%s: %w", d, pingErr)
		}
		if d.kind == PostgreSQL && !absent(err) || d.kind == SQLite && !strings.Contains(err.Error(), "no such table") {
			return "", fmt.Errorf("%s: %w", d, err)
		}
	}
	switch {
	case has > known:
		return "", fmt.Errorf("%s: its tables are of version %d, this program knows up to %d", d, has, known)
	case has < known:
		return fmt.Sprintf("%s, tables of version %d will become %d", d, has, known), nil
	}
	return fmt.Sprintf("%s, tables of version %d", d, has), nil
}

// absent reports that a table is not there.
func absent(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42P01" // undefined_table
}
