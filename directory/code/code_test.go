package code_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/code"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// nodes gives two nodes at one database of each kind, with one clock.
func nodes(t *testing.T, test func(t *testing.T, a, b *code.Book, now *time.Time)) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
			var books [2]*code.Book
			for i := range books {
				db, err := store.Open(t.Context(), address)
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, db.Close()) })
				books[i] = &code.Book{DB: db, Now: func() time.Time { return now }}
			}
			test(t, books[0], books[1], &now)
		})
	}
}

func TestOneComesIn(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *code.Book, now *time.Time) {
		_, digits, err := a.Make(t.Context(), code.Code{Meeting: "m", Role: "host", Expires: now.Add(time.Hour)}, nil)
		require.NoError(t, err)
		require.Regexp(t, `^\d{8}$`, digits)
		var in atomic.Int32
		var wait sync.WaitGroup
		for i := range 20 {
			book := []*code.Book{a, b}[i%2]
			wait.Go(func() {
				role, err := book.Use(t.Context(), "m", digits, fmt.Sprint(i))
				assert.NoError(t, err)
				if role != "" {
					assert.Equal(t, "host", role)
					in.Add(1)
				}
			})
		}
		wait.Wait()
		assert.EqualValues(t, 1, in.Load())
	})
}

func TestWhatIsRefused(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *code.Book, now *time.Time) {
		ctx := t.Context()
		use := func(meeting, digits, by string) string {
			t.Helper()
			seen, err := b.Look(ctx, meeting, digits)
			require.NoError(t, err)
			role, err := b.Use(ctx, meeting, digits, by)
			require.NoError(t, err)
			assert.Equal(t, seen, role)
			return role
		}
		make := func(meeting string) (code.Code, string) {
			t.Helper()
			c, digits, err := a.Make(ctx, code.Code{Meeting: meeting, Role: "guest", Name: "Lan", Expires: now.Add(time.Hour)}, nil)
			require.NoError(t, err)
			return c, digits
		}
		_, first := make("m")
		assert.Empty(t, use("other", first, "x"), "of another meeting")
		for _, bad := range []string{"", "1234", first + "0", "1234567x"} {
			assert.Empty(t, use("m", bad, "x"), bad)
		}
		assert.Equal(t, "guest", use("m", first, "x"))
		assert.Empty(t, use("m", first, "x"), "used up")

		// Whoever used it gives it back, and nobody else.
		require.NoError(t, a.Return(ctx, "m", first, "y"))
		assert.Empty(t, use("m", first, "y"))
		require.NoError(t, a.Return(ctx, "m", first, "x"))
		assert.Equal(t, "guest", use("m", first, "y"))

		*now = now.Add(time.Second)
		deleted, second := make("m")
		require.NoError(t, b.Delete(ctx, "m", deleted.ID))
		assert.ErrorIs(t, b.Delete(ctx, "m", deleted.ID), code.ErrNotFound)
		assert.Empty(t, use("m", second, "x"))

		late, third := make("m")
		assert.ErrorIs(t, b.Delete(ctx, "other", late.ID), code.ErrNotFound)
		*now = late.Expires.Add(-time.Second)
		role, err := b.Look(ctx, "m", third)
		require.NoError(t, err)
		assert.Equal(t, "guest", role)
		*now = late.Expires
		assert.Empty(t, use("m", third, "x"), "too late")

		list, err := b.Of(ctx, "m")
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.Equal(t, late, list[0])
		assert.False(t, list[1].Used.IsZero())

		*now = now.Add(8 * 24 * time.Hour)
		make("other")
		list, err = b.Of(ctx, "m")
		require.NoError(t, err)
		assert.Empty(t, list, "old ones are forgotten")
	})
}

func TestMakeRefuses(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *code.Book, now *time.Time) {
		for _, life := range []time.Duration{-time.Hour, 0, time.Second, code.Longest + time.Second} {
			_, _, err := a.Make(t.Context(), code.Code{Meeting: "m", Role: "guest", Expires: now.Add(life)}, nil)
			assert.ErrorIs(t, err, code.ErrLifetime, life.String())
		}
		var pins []string // the first three happen to be PINs
		_, digits, err := a.Make(t.Context(), code.Code{Meeting: "m", Role: "guest", Expires: now.Add(time.Hour)}, func(d string) bool {
			pins = append(pins, d)
			return len(pins) <= 3
		})
		require.NoError(t, err)
		assert.Equal(t, pins[3], digits)
	})
}
