package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// each runs a test on both databases; again opens the same one once more.
func each(t *testing.T, test func(t *testing.T, open func() *store.DB)) {
	for _, tc := range []struct {
		name    string
		address func(*testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "a dir?", "roomgate.db") }},
		{"postgres", func(t *testing.T) string { return postgrestest.URL(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := tc.address(t)
			test(t, func() *store.DB {
				db, err := store.Open(t.Context(), address)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, db.Close()) })
				return db
			})
		})
	}
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)

func TestApply(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		apply := func(changes ...store.Change) (int64, error) { return db.Apply(ctx, now, changes) }
		name := func(n string) []store.Name { return []store.Name{{"dial", n}} }

		rev, err := apply(
			store.Change{Kind: "endpoint", ID: "a", Body: `{"n":1}`, Names: name("1001"), If: store.Absent},
			store.Change{Kind: "endpoint", ID: "b", Body: `{"n":2}`, Names: name("1002"), If: store.Absent})
		require.NoError(t, err)
		assert.EqualValues(t, 1, rev)

		_, err = apply(store.Change{Kind: "endpoint", ID: "a", Body: "{}", If: store.Absent})
		assert.ErrorIs(t, err, store.ErrConflict, "it is there already")
		_, err = apply(store.Change{Kind: "endpoint", ID: "a", Body: "{}", If: 7})
		assert.ErrorIs(t, err, store.ErrConflict)
		_, err = apply(
			store.Change{Kind: "endpoint", ID: "a", Body: "{}", Names: name("new")},
			store.Change{Kind: "endpoint", ID: "c", Body: "{}", Names: name("1002"), If: store.Absent})
		var taken *store.TakenError
		require.ErrorAs(t, err, &taken)
		assert.Equal(t, store.TakenError{Change: 1, Name: store.Name{"dial", "1002"}, Kind: "endpoint", ID: "b"}, *taken)

		list, at, err := db.Since(ctx, 0)
		require.NoError(t, err)
		assert.EqualValues(t, 1, at, "nothing of what failed was kept")
		assert.Equal(t, []store.Document{{"endpoint", "a", 1, `{"n":1}`}, {"endpoint", "b", 1, `{"n":2}`}}, list)

		// Two documents exchange their names.
		rev, err = apply(
			store.Change{Kind: "endpoint", ID: "a", Body: `{"n":3}`, Names: name("1002"), If: 1},
			store.Change{Kind: "endpoint", ID: "b", Body: `{"n":4}`, Names: name("1001"), If: 1})
		require.NoError(t, err)
		assert.EqualValues(t, 2, rev)
		rev, err = apply(store.Change{Kind: "endpoint", ID: "a", If: 2})
		require.NoError(t, err)
		_, err = apply(store.Change{Kind: "endpoint", ID: "a", If: rev})
		assert.ErrorIs(t, err, store.ErrConflict, "what is deleted has no revision")

		again := open()
		list, _, err = again.Since(ctx, 1)
		require.NoError(t, err)
		assert.Equal(t, []store.Document{{"endpoint", "b", 2, `{"n":4}`}, {"endpoint", "a", 3, ""}}, list)
		_, err = apply(store.Change{Kind: "endpoint", ID: "d", Body: "{}", Names: name("1002"), If: store.Absent})
		require.NoError(t, err, "the name is free again")
		require.NoError(t, db.Prune(ctx, now.Add(time.Second)))
		list, _, err = db.Since(ctx, 0)
		require.NoError(t, err)
		assert.Len(t, list, 2)
	})
}

// TestWritersOfManyNodes: who reads up to a revision has missed nothing, however
// many write.
func TestWritersOfManyNodes(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		const writers, each = 4, 10
		nodes := []*store.DB{open(), open()}
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					id := string(rune('a'+w)) + string(rune('a'+i))
					_, err := nodes[w%2].Apply(context.Background(), now, []store.Change{{Kind: "k", ID: id, Body: "{}", If: store.Absent}})
					assert.NoError(t, err)
				}
			})
		}
		done := make(chan struct{})
		go func() { writing.Wait(); close(done) }()
		seen, at := 0, int64(0)
		for open := true; open; {
			select {
			case <-done:
				open = false
			default:
			}
			list, rev, err := nodes[0].Since(t.Context(), at)
			require.NoError(t, err)
			for _, d := range list {
				require.EqualValues(t, seen+1, d.Rev, "in order, without gaps")
				seen++
				at = d.Rev
			}
			require.GreaterOrEqual(t, rev, int64(0))
		}
		assert.Equal(t, writers*each, seen)
	})
}

func TestSettingIsMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for _, value := range []string{"first", "second"} {
			has, err := db.Setting(t.Context(), "x", value)
			require.NoError(t, err)
			assert.Equal(t, "first", has)
		}
		require.NoError(t, db.SetSetting(t.Context(), "x", "third"))
		has, err := db.Setting(t.Context(), "x", "")
		require.NoError(t, err)
		assert.Equal(t, "third", has)
	})
}

func TestNothingOfAFailedTransactionStays(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		failure := errors.New("no")
		for _, write := range []func(context.Context, func(*store.Tx) error) error{db.Write, db.WriteSoon} {
			err := write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO settings (name, value) VALUES ($1, $2)`, "a", "b")
				return errors.Join(err, failure)
			})
			require.ErrorIs(t, err, failure)
		}
		has, err := db.Setting(t.Context(), "a", "other")
		require.NoError(t, err)
		assert.Equal(t, "other", has)
	})
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise.db")
	require.NoError(t, os.WriteFile(noise, []byte("this is no database, and longer than a header of one is, which has one hundred octets. So it goes on."), 0o600))
	for name, address := range map[string]string{
		"no database":     noise,
		"a directory":     dir,
		"nobody listens":  "postgres://user:hunter2@127.0.0.1:1/x",
		"unreadable":      "postgres://user:hunter2@[::1",
		"below a file":    filepath.Join(noise, "x.db"),
		"unknown options": "postgres://user:hunter2@127.0.0.1/x?sslmode=perhaps",
	} {
		_, err := store.Open(t.Context(), address)
		if assert.Error(t, err, name) {
			assert.NotContains(t, err.Error(), "hunter2", name)
		}
	}
}

func TestDatabaseOfALaterVersionIsRefused(t *testing.T) {
	address := filepath.Join(t.TempDir(), "x.db")
	db, err := store.Open(t.Context(), address)
	require.NoError(t, err)
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`)
		return err
	}))
	require.NoError(t, db.Close())
	_, err = store.Open(t.Context(), address)
	assert.ErrorContains(t, err, "they are of version 999, this program knows up to")
	_, err = store.Probe(t.Context(), address)
	assert.ErrorContains(t, err, "its tables are of version 999")
}

func TestProbe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	for _, address := range []string{file, postgrestest.URL(t)} {
		before, err := store.Probe(t.Context(), address)
		require.NoError(t, err)
		assert.Regexp(t, "will be made|tables of version 0 will become", before)
		_, err = os.Stat(file)
		assert.ErrorIs(t, err, os.ErrNotExist, "nothing was made")
		db, err := store.Open(t.Context(), address)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		after, err := store.Probe(t.Context(), address)
		require.NoError(t, err)
		assert.Regexp(t, `, tables of version \d+$`, after)
		_ = os.Remove(file)
	}
	_, err := store.Probe(t.Context(), "postgres://u:hunter2@127.0.0.1:1/x")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestFileIsForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := store.Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	_, err = db.Apply(t.Context(), now, []store.Change{{Kind: "k", ID: "i", Body: "{}"}})
	require.NoError(t, err)
	for _, f := range []string{path, path + "-wal"} {
		info, err := os.Stat(f)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f)
	}
	require.NoError(t, db.Close())
}
