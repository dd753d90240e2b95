package invite_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/invite"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

var starts = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			defer db.Close()
			test(t, db)
		})
	}
}

func TestEachIsCalledUntilSettled(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		now := starts
		clock := func() time.Time { return now }
		a, b := invite.Book{DB: db, Node: "a", Now: clock}, invite.Book{DB: db, Node: "b", Now: clock}
		who := []string{"1001", "sip:x@y"}
		take := func(book *invite.Book, most int) ([]invite.Call, bool) {
			t.Helper()
			calls, open, err := book.Take(t.Context(), "m", starts, who, most)
			require.NoError(t, err)
			return calls, open
		}
		calls, open := take(&a, 1)
		assert.Equal(t, []invite.Call{{Target: "1001", Attempt: 1}}, calls, "one at once")
		assert.True(t, open)
		calls, _ = take(&b, 5)
		assert.Equal(t, []invite.Call{{Target: "sip:x@y", Attempt: 1}}, calls, "the other node takes who is left")
		calls, open = take(&a, 5)
		assert.Empty(t, calls)
		assert.True(t, open, "they are being called")

		require.NoError(t, a.Done(t.Context(), "m", starts, invite.Call{Target: "1001", Attempt: 1}, time.Time{}))
		require.NoError(t, b.Done(t.Context(), "m", starts, invite.Call{Target: "sip:x@y", Attempt: 1}, now.Add(30*time.Second)))
		calls, _ = take(&a, 5)
		assert.Empty(t, calls, "not yet again")
		now = now.Add(30 * time.Second)
		calls, _ = take(&a, 5)
		assert.Equal(t, []invite.Call{{Target: "sip:x@y", Attempt: 2}}, calls)

		now = now.Add(time.Minute)
		require.NoError(t, b.Done(t.Context(), "m", starts, invite.Call{Target: "sip:x@y", Attempt: 1}, time.Time{}), "an old attempt settles nothing")
		calls, open = take(&b, 5)
		assert.Empty(t, calls)
		assert.True(t, open)
		now = now.Add(invite.Patience) // node a has died
		calls, _ = take(&b, 5)
		assert.Equal(t, []invite.Call{{Target: "sip:x@y", Attempt: 3}}, calls)
		require.NoError(t, b.Done(t.Context(), "m", starts, calls[0], time.Time{}))
		calls, open = take(&b, 5)
		assert.Empty(t, calls)
		assert.False(t, open)

		calls, _, err := a.Take(t.Context(), "m", starts.AddDate(0, 0, 7), who, 5)
		require.NoError(t, err)
		assert.Len(t, calls, 2, "next week is another time")
	})
}

// What a node was doing that was killed is done again, by itself when it is back or by
// another one, and what it had done is not.
func TestKilledNodeReleases(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		now := starts
		clock := func() time.Time { return now }
		a, b := invite.Book{DB: db, Node: "a", Now: clock}, invite.Book{DB: db, Node: "b", Now: clock}
		take := func(book *invite.Book) []invite.Call {
			t.Helper()
			calls, _, err := book.Take(t.Context(), "m", starts, []string{"answered", "rings"}, 5)
			require.NoError(t, err)
			return calls
		}
		require.Len(t, take(&a), 2)
		require.NoError(t, a.Done(t.Context(), "m", starts, invite.Call{Target: "answered", Attempt: 1}, time.Time{}))
		now = now.Add(time.Second)
		require.NoError(t, b.Release(t.Context(), "b"))
		assert.Empty(t, take(&b), "another node's are not released")
		require.NoError(t, b.Release(t.Context(), "a"))
		assert.Equal(t, []invite.Call{{Target: "rings", Attempt: 2}}, take(&b))
		require.NoError(t, a.Release(t.Context(), "a"))
		assert.Empty(t, take(&a), "it has come back too late")
	})
}

// However many nodes look at the same moment, each is called once.
func TestOneNodeCalls(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		who := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
		var mu sync.Mutex
		called := map[string]int{}
		var wait sync.WaitGroup
		for _, node := range []string{"a", "b", "c", "d"} {
			wait.Go(func() {
				book := invite.Book{DB: db, Node: node, Now: func() time.Time { return starts }}
				calls, _, err := book.Take(t.Context(), "m", starts, who, len(who))
				assert.NoError(t, err)
				mu.Lock()
				defer mu.Unlock()
				for _, c := range calls {
					called[c.Target]++
				}
			})
		}
		wait.Wait()
		assert.Len(t, called, len(who))
		for target, n := range called {
			assert.Equal(t, 1, n, target)
		}
	})
}
