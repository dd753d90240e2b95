package lease_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/lease"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestOneDecides(t *testing.T) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			defer db.Close()
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			clock := func() time.Time { return now }
			a, b := lease.New(db, "a", clock, zap.NewNop()), lease.New(db, "b", clock, zap.NewNop())
			beat := func(keepers ...*lease.Keeper) {
				t.Helper()
				for _, k := range keepers {
					require.NoError(t, k.Beat(t.Context()))
				}
			}

			ofA := a.Take("88001")
			assert.True(t, ofA.Held(), "nobody else is known to")
			beat(a)
			ofB, other := b.Take("88001"), b.Take("88002")
			beat(b)
			assert.True(t, ofA.Held())
			assert.False(t, ofB.Held())
			assert.True(t, other.Held())

			for range 10 { // who is there keeps it
				now = now.Add(lease.Every)
				beat(b, a)
				assert.True(t, ofA.Held())
				assert.False(t, ofB.Held())
			}

			now = now.Add(lease.Term - time.Second) // a is dead
			beat(b)
			assert.False(t, ofB.Held(), "it may come back")
			now = now.Add(2 * time.Second)
			assert.True(t, ofB.Held(), "its time is over")
			beat(b, a)
			assert.True(t, ofB.Held())
			assert.False(t, ofA.Held(), "it has come back too late")

			ofB.Release()
			beat(b, a)
			assert.True(t, ofA.Held(), "it was given back")
			again := b.Take("88001")
			beat(b)
			assert.False(t, again.Held())
			ofB.Release() // once more: the later wish stands
			beat(b, a)
			assert.False(t, again.Held())
		})
	}
}

// A node that ends gives everything back at once.
func TestRunGivesBack(t *testing.T) {
	db, err := store.Open(t.Context(), postgrestest.URL(t))
	require.NoError(t, err)
	defer db.Close()
	a, b := lease.New(db, "a", time.Now, zap.NewNop()), lease.New(db, "b", time.Now, zap.NewNop())
	held := func(k *lease.Keeper, l *lease.Lease) bool {
		require.NoError(t, k.Beat(t.Context()))
		return l.Held()
	}
	ofA := a.Take("88001")
	require.True(t, held(a, ofA))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	ofB := b.Take("88001")
	require.False(t, held(b, ofB))
	stop()
	require.NoError(t, <-done)
	assert.True(t, held(b, ofB))
}
