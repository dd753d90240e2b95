package binding_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/binding"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

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

func entry(contact, body string, life time.Duration) binding.Entry {
	return binding.Entry{Contact: contact, Updated: now, Expires: now.Add(life), Body: body}
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		a, b := &binding.Book{DB: db, Protocol: call.SIP, Node: "a"}, &binding.Book{DB: db, Protocol: call.SIP, Node: "b"}
		add := func(book *binding.Book, e binding.Entry) {
			t.Helper()
			require.NoError(t, book.Update(ctx, "room", func(list []binding.Entry) ([]binding.Entry, error) {
				list = slices.DeleteFunc(list, func(o binding.Entry) bool { return o.Contact == e.Contact })
				return append(list, e), nil
			}))
		}
		nodes := func() (out []string) {
			list, err := b.Of(ctx, "room")
			require.NoError(t, err)
			for _, e := range list {
				out = append(out, e.Contact+"@"+e.Node)
			}
			return out
		}
		add(a, entry("c1", "1", time.Hour))
		add(b, entry("c2", "2", time.Minute))
		assert.Equal(t, []string{"c1@a", "c2@b"}, nodes(), "what is as it was stays where it was")
		add(b, entry("c1", "3", time.Hour))
		assert.Equal(t, []string{"c1@b", "c2@b"}, nodes(), "it moved")
		failure := errors.New("no")
		err := a.Update(ctx, "room", func([]binding.Entry) ([]binding.Entry, error) { return nil, failure })
		assert.ErrorIs(t, err, failure)
		assert.Len(t, nodes(), 2)

		gone, err := b.Expire(ctx, now.Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, gone, 1)
		assert.Equal(t, "2", gone[0].Body)
		gone, err = a.Expire(ctx, now.Add(time.Hour+time.Second))
		require.NoError(t, err)
		assert.Empty(t, gone, "left to its node")
		gone, err = a.Expire(ctx, now.Add(time.Hour+binding.Grace))
		require.NoError(t, err)
		assert.Len(t, gone, 1, "which is dead")
		all, err := a.All(ctx, "")
		require.NoError(t, err)
		assert.Empty(t, all)
	})
}

func TestNamed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		book := &binding.Book{DB: db, Protocol: call.H323, Node: "a"}
		first := binding.Entry{Owner: "id1", Updated: now, Expires: now.Add(time.Hour), Body: "x", Names: []string{"1001", "room"}}
		second := binding.Entry{Owner: "id2", Updated: now.Add(time.Second), Expires: now.Add(time.Hour), Body: "y", Names: []string{"1001"}}
		require.NoError(t, book.Save(ctx, []binding.Entry{first, second}))
		list, err := book.Named(ctx, "1001")
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.Equal(t, "id2", list[0].Owner, "the latest first")
		second.Names = nil
		require.NoError(t, book.Save(ctx, []binding.Entry{second}))
		list, err = book.Named(ctx, "1001")
		require.NoError(t, err)
		assert.Len(t, list, 1)
		require.NoError(t, book.Delete(ctx, []string{"id1", "id2"}))
		list, err = book.Named(ctx, "room")
		require.NoError(t, err)
		assert.Empty(t, list)
		all, err := book.All(ctx, "a")
		require.NoError(t, err)
		assert.Empty(t, all)
	})
}

// BenchmarkUpdate is a REGISTER that refreshes, as the database sees it.
func BenchmarkUpdate(b *testing.B) {
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "x.db"))
	require.NoError(b, err)
	defer db.Close()
	book := &binding.Book{DB: db, Protocol: call.SIP, Node: "a"}
	n := 0
	for b.Loop() {
		n++
		err := book.Update(b.Context(), fmt.Sprintf("room%d", n%1000), func([]binding.Entry) ([]binding.Entry, error) {
			return []binding.Entry{{Contact: "sip:room@10.1.2.3", Updated: now, Expires: now, Body: fmt.Sprintf(`{"n":%d}`, n)}}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
