package once_test

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/once"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestOnce(t *testing.T) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			defer db.Close()
			ctx, now := t.Context(), time.Unix(1767323045, 0)
			begin := func(id, request string, at time.Time) (*once.Answer, error) {
				return once.Begin(ctx, db, id, request, at)
			}

			var begun atomic.Int32
			var all sync.WaitGroup
			for range 8 { // many at once: one is worked on
				all.Go(func() {
					if a, err := begin("a", "r", now); err == nil && a == nil {
						begun.Add(1)
					} else {
						assert.ErrorIs(t, err, once.ErrBusy)
					}
				})
			}
			all.Wait()
			assert.EqualValues(t, 1, begun.Load())
			want := once.Answer{Status: 201, Kind: "application/json", Body: `{"id":"1"}`}
			require.NoError(t, once.Finish(ctx, db, "a", want))
			a, err := begin("a", "r", now.Add(time.Hour))
			require.NoError(t, err)
			assert.Equal(t, &want, a)
			_, err = begin("a", "other", now)
			assert.ErrorIs(t, err, once.ErrOther)
			a, err = begin("a", "r", now.Add(once.Keep+time.Second))
			require.NoError(t, err)
			assert.Nil(t, a, "it is no longer kept")

			_, err = begin("b", "r", now)
			require.NoError(t, err)
			require.NoError(t, once.Forget(ctx, db, "b"))
			a, err = begin("b", "r", now)
			require.NoError(t, err)
			assert.Nil(t, a)
			a, err = begin("b", "r", now.Add(once.Patience+time.Second))
			require.NoError(t, err)
			assert.Nil(t, a, "who worked on it is gone")
		})
	}
}
