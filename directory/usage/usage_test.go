package usage_test

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/directory/usage"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// TestCeiling: two nodes place calls at once, and one of them is started again; no
// more calls are let out than the ceiling has, whoever comes first.
func TestCeiling(t *testing.T) {
	for name, address := range map[string]func() string{
		"sqlite":     func() string { return filepath.Join(t.TempDir(), "x.db") },
		"postgresql": func() string { return postgrestest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			open := func() usage.Book {
				db, err := store.Open(t.Context(), at)
				require.NoError(t, err)
				return usage.Book{DB: db}
			}
			a, b := open(), open()
			var out atomic.Int32
			var wait sync.WaitGroup
			for _, node := range []usage.Book{a, b} {
				for range 4 {
					wait.Add(1)
					go func() {
						defer wait.Done()
						for range 5 {
							reached, err := node.Begin(t.Context(), "vnpt", "2026-11-26", usage.Ceiling{Calls: 15})
							assert.NoError(t, err)
							if reached == "" {
								out.Add(1)
							} else {
								assert.Equal(t, usage.Calls, reached)
							}
						}
					}()
				}
			}
			wait.Wait()
			assert.EqualValues(t, 15, out.Load())
			d, err := a.Add(t.Context(), "vnpt", "2026-11-26", 50, 2)
			require.NoError(t, err)
			assert.Equal(t, usage.Day{Calls: 15, Seconds: 50, Refused: 2}, d)
			require.NoError(t, a.DB.Close())

			c := open() // after a restart
			reached, err := c.Begin(t.Context(), "vnpt", "2026-11-26", usage.Ceiling{Seconds: 60})
			require.NoError(t, err)
			assert.Empty(t, reached)
			_, err = b.Add(t.Context(), "vnpt", "2026-11-26", 10, 0)
			require.NoError(t, err)
			reached, err = c.Begin(t.Context(), "vnpt", "2026-11-26", usage.Ceiling{Calls: 100, Seconds: 60})
			require.NoError(t, err)
			assert.Equal(t, usage.Seconds, reached)
			reached, err = c.Begin(t.Context(), "vnpt", "2026-11-27", usage.Ceiling{Calls: 1, Seconds: 60})
			require.NoError(t, err)
			assert.Empty(t, reached, "another day")
			require.NoError(t, c.Forget(t.Context(), "2026-11-27"))
			d, err = c.Of(t.Context(), "vnpt", "2026-11-26")
			require.NoError(t, err)
			assert.Zero(t, d)
			require.NoError(t, b.DB.Close())
			require.NoError(t, c.DB.Close())
		})
	}
}
