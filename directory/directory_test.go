package directory_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// place is a database that nodes open.
type place struct {
	address string
	keys    *seal.Keyring
	now     time.Time
}

func newPlace(t testing.TB, address string) *place {
	keys, err := seal.Parse(seal.NewKey())
	require.NoError(t, err)
	return &place{address, keys, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (p *place) node(t testing.TB) *directory.Directory {
	t.Helper()
	db, err := store.Open(t.Context(), p.address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	d, err := directory.Open(t.Context(), directory.Config{DB: db, Keys: p.keys, Now: func() time.Time { return p.now }})
	require.NoError(t, err)
	return d
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newPlace(t, filepath.Join(t.TempDir(), "x.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, newPlace(t, postgrestest.URL(t))) })
}

func room(n int) directory.Endpoint {
	return directory.Endpoint{
		Name: fmt.Sprintf("Phòng họp %d", n), Agency: "UBND tỉnh", Site: "Tầng 3", Username: fmt.Sprintf("room%d", n), Password: fmt.Sprintf("mật-%d", n),
		Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: fmt.Sprintf("+8424 %d", 1000+n)}, {Kind: directory.AliasH323, Value: fmt.Sprintf("Phòng %d", n)}},
		Vendor:  "poly", Quirks: []string{"-bfcp"}, Bandwidth: 2048, Layout: "speaker", Permissions: []directory.Permission{directory.MayMeet},
	}
}

func TestEndpoints(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		d, ctx := p.node(t), t.Context()
		a, err := d.SaveEndpoint(ctx, room(1))
		require.NoError(t, err)
		assert.NotEmpty(t, a.ID)
		assert.Empty(t, a.Password, "it goes in only")
		assert.NotContains(t, a.Sealed, "mật")
		b, err := d.SaveEndpoint(ctx, room(2))
		require.NoError(t, err)

		for _, name := range []string{"room1", "ROOM1", "84241001", "+84241001", "phòng 1", "Pho\u0300ng 1"} {
			found, ok := d.ByAlias(name)
			require.True(t, ok, name)
			assert.Equal(t, a, found, name)
		}
		_, ok := d.ByAlias("room3")
		assert.False(t, ok)
		_, ok = d.ByUsername("84241001")
		assert.False(t, ok, "a number is no user name")
		password, err := d.Password(a)
		require.NoError(t, err)
		assert.Equal(t, "mật-1", password)

		// Another node, or the same after a restart, sees the same.
		other := p.node(t)
		found, err := other.Endpoint(a.ID)
		require.NoError(t, err)
		assert.Equal(t, a, found)

		// A change without a password leaves it; names that are given up are free.
		p.now = p.now.Add(time.Hour)
		a.Name, a.Aliases = "Phòng lớn", a.Aliases[1:]
		changed, err := d.SaveEndpoint(ctx, a)
		require.NoError(t, err)
		assert.Greater(t, changed.Rev, a.Rev)
		assert.Equal(t, a.Created, changed.Created)
		assert.Equal(t, p.now, changed.Updated)
		_, err = d.SaveEndpoint(ctx, a)
		assert.ErrorIs(t, err, directory.ErrConflict, "of an old revision")
		password, err = d.Password(changed)
		require.NoError(t, err)
		assert.Equal(t, "mật-1", password)
		b.Aliases = append(b.Aliases, directory.Alias{Kind: directory.AliasE164, Value: "84241001"})
		_, err = d.SaveEndpoint(ctx, b)
		require.NoError(t, err)

		require.NoError(t, other.Sync(ctx))
		found, ok = other.ByAlias("+84241001")
		require.True(t, ok)
		assert.Equal(t, b.ID, found.ID)
		_, err = other.SaveEndpoint(ctx, directory.Endpoint{Name: "x", Aliases: []directory.Alias{{Kind: directory.AliasSIP, Value: "Room2"}}})
		var taken *directory.TakenError
		require.ErrorAs(t, err, &taken)
		assert.Equal(t, "room2 belongs to the endpoint Phòng họp 2 already", taken.Error())

		require.NoError(t, d.DeleteEndpoint(ctx, a.ID, 0))
		assert.ErrorIs(t, d.DeleteEndpoint(ctx, a.ID, 0), directory.ErrNotFound)
		assert.ErrorIs(t, other.DeleteEndpoint(ctx, a.ID, 0), directory.ErrConflict, "gone on another node")
		require.NoError(t, other.Sync(ctx))
		_, ok = other.ByAlias("room1")
		assert.False(t, ok)
		assert.Equal(t, 1, other.Count())
	})
}

func TestManyAreAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		d := p.node(t)
		list := []directory.Endpoint{room(1), room(2), room(3)}
		list[2].Aliases[0].Value = "+8424 1001"
		_, err := d.SaveEndpoints(t.Context(), list)
		var item *directory.ItemError
		require.ErrorAs(t, err, &item)
		assert.Equal(t, 2, item.Item)
		assert.Zero(t, d.Count())
		list[2].Bandwidth = 3
		_, err = d.SaveEndpoints(t.Context(), list)
		var field *directory.FieldError
		require.ErrorAs(t, err, &field)
		assert.Equal(t, "bandwidth", field.Field)
		assert.Zero(t, p.node(t).Count())
	})
}

func TestEndpointFields(t *testing.T) {
	for field, spoil := range map[string]func(*directory.Endpoint){
		"name":           func(e *directory.Endpoint) { e.Name = " " },
		"username":       func(e *directory.Endpoint) { e.Username = "a b" },
		"password":       func(e *directory.Endpoint) { e.Password = "" },
		"aliases[0]":     func(e *directory.Endpoint) { e.Aliases[0].Value = "12a" },
		"aliases[1]":     func(e *directory.Endpoint) { e.Aliases[1].Value = "" },
		"aliases":        func(e *directory.Endpoint) { e.Aliases = many(40) },
		"vendor":         func(e *directory.Endpoint) { e.Vendor = "a b" },
		"quirks[0]":      func(e *directory.Endpoint) { e.Quirks[0] = "!" },
		"layout":         func(e *directory.Endpoint) { e.Layout = "9x9" },
		"permissions[0]": func(e *directory.Endpoint) { e.Permissions[0] = "all" },
		"address":        func(e *directory.Endpoint) { e.Address = "http://x" },
		"site":           func(e *directory.Endpoint) { e.Site = "a\nb" },
		"agency":         func(e *directory.Endpoint) { e.Agency = strings.Repeat("x", 101) },
	} {
		p := newPlace(t, filepath.Join(t.TempDir(), "x.db"))
		d := p.node(t)
		e := room(1)
		spoil(&e)
		_, err := d.SaveEndpoint(t.Context(), e)
		var fault *directory.FieldError
		if assert.ErrorAs(t, err, &fault, field) {
			assert.Equal(t, field, fault.Field)
		}
	}
}

func many(n int) (out []directory.Alias) {
	for i := range n {
		out = append(out, directory.Alias{Kind: directory.AliasE164, Value: fmt.Sprint(i)})
	}
	return out
}

func TestSearch(t *testing.T) {
	p := newPlace(t, filepath.Join(t.TempDir(), "x.db"))
	d := p.node(t)
	var list []directory.Endpoint
	for i := range 25 {
		list = append(list, room(i))
	}
	list[7].Agency, list[7].Vendor = "Sở Y tế", "cisco"
	_, err := d.SaveEndpoints(t.Context(), list)
	require.NoError(t, err)
	find := func(q directory.Query) (names []string) {
		for range 100 {
			page, err := d.Endpoints(q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Endpoints), max(q.Limit, 25))
			for _, e := range page.Endpoints {
				names = append(names, e.Name)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return names
			}
		}
		t.Fatal("pages without end")
		return nil
	}
	assert.Len(t, find(directory.Query{}), 25)
	assert.Equal(t, find(directory.Query{}), find(directory.Query{Limit: 4}), "page by page")
	assert.Len(t, find(directory.Query{Limit: 25}), 25)
	assert.Equal(t, []string{"Phòng họp 13"}, find(directory.Query{Text: "phong HOP 13"}))
	assert.Equal(t, []string{"Phòng họp 13"}, find(directory.Query{Text: "84241013"}), "by number")
	assert.Equal(t, []string{"Phòng họp 7"}, find(directory.Query{Text: "so y te"}))
	assert.Equal(t, []string{"Phòng họp 7"}, find(directory.Query{Agency: "Sở Y tế"}))
	assert.Equal(t, []string{"Phòng họp 7"}, find(directory.Query{Vendor: "cisco", Site: "Tầng 3"}))
	assert.Empty(t, find(directory.Query{Text: "nothing"}))
	_, err = d.Endpoints(directory.Query{Cursor: "!"})
	assert.ErrorIs(t, err, directory.ErrCursor)
}

func TestTheKeyHasToFit(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.node(t)
		stranger := newPlace(t, p.address)
		db, err := store.Open(t.Context(), p.address)
		require.NoError(t, err)
		defer db.Close()
		_, err = directory.Open(t.Context(), directory.Config{DB: db, Keys: stranger.keys})
		assert.ErrorIs(t, err, seal.ErrUnknownKey)
	})
}

func TestMeetingsRulesTrunksAndKeys(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		d, ctx := p.node(t), t.Context()
		m, err := d.SaveMeeting(ctx, directory.Meeting{Alias: "88001", HostPIN: "9999", GuestPIN: "1234", Agency: "UBND"})
		require.NoError(t, err)
		_, err = d.SaveMeeting(ctx, directory.Meeting{Alias: "88001"})
		var taken *directory.TakenError
		assert.ErrorAs(t, err, &taken)
		second, err := d.SaveRule(ctx, directory.Rule{Position: 20, Prefix: "9", Meeting: "88001"})
		require.NoError(t, err)
		rule, err := d.SaveRule(ctx, directory.Rule{Position: 10, Pattern: `0(\d+)`, ViaTrunk: "vnpt", Rewrite: "+84$1"})
		require.NoError(t, err)
		trunk, err := d.SaveTrunk(ctx, directory.Trunk{Name: "vnpt", Username: "u", Password: "secret", Targets: []directory.Target{{Address: "10.0.0.1"}}})
		require.NoError(t, err)
		key, err := d.SaveKey(ctx, directory.Key{Name: "script", Hash: directory.HashKey("k"), Scopes: []directory.Scope{directory.ScopeDirectory}, Expires: p.now.Add(time.Hour)})
		require.NoError(t, err)

		other := p.node(t)
		found, ok := other.Meeting("88001")
		require.True(t, ok)
		assert.Equal(t, m, found)
		assert.Equal(t, "1234", found.GuestPIN)
		assert.Equal(t, []directory.Rule{rule, second}, other.Rules(), "in their order")
		same, err := other.Trunk(trunk.ID)
		require.NoError(t, err)
		password, err := other.TrunkPassword(same)
		require.NoError(t, err)
		assert.Equal(t, "secret", password)
		owner, ok := other.KeyOf("k")
		require.True(t, ok)
		assert.Equal(t, key, owner)
		assert.True(t, owner.May(directory.ScopeRead))
		assert.False(t, owner.May(directory.ScopePlan))
		_, ok = other.KeyOf("other")
		assert.False(t, ok)
		p.now = p.now.Add(time.Hour)
		_, ok = other.KeyOf("k")
		assert.False(t, ok, "it has expired")

		var kinds []directory.Kind
		other.Watch(func(k directory.Kind) { kinds = append(kinds, k) })
		require.NoError(t, d.DeleteMeeting(ctx, "88001"))
		require.NoError(t, d.DeleteRule(ctx, rule.ID, rule.Rev))
		require.NoError(t, other.Sync(ctx))
		assert.ElementsMatch(t, []directory.Kind{directory.KindMeeting, directory.KindRule}, kinds)
		_, ok = other.Meeting("88001")
		assert.False(t, ok)
		assert.Len(t, other.Rules(), 1)
	})
}

// TestReseal: after a new key was put before the old one and everything was
// encrypted anew, the old one is no longer needed.
func TestReseal(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		before, after := seal.NewKey(), seal.NewKey()
		use := func(keys string) {
			var err error
			p.keys, err = seal.Parse(keys)
			require.NoError(t, err)
		}
		use(before)
		d := p.node(t)
		e, err := d.SaveEndpoint(t.Context(), room(1))
		require.NoError(t, err)
		_, err = d.SaveMeeting(t.Context(), directory.Meeting{Alias: "88001", HostPIN: "1234"})
		require.NoError(t, err)
		use(after + "," + before)
		d = p.node(t)
		n, err := d.Reseal(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		n, err = d.Reseal(t.Context())
		require.NoError(t, err)
		assert.Zero(t, n)
		use(after)
		d = p.node(t)
		e, err = d.Endpoint(e.ID)
		require.NoError(t, err)
		password, err := d.Password(e)
		require.NoError(t, err)
		assert.Equal(t, "mật-1", password)
		m, ok := d.Meeting("88001")
		assert.True(t, ok)
		assert.Equal(t, "1234", m.HostPIN)
		found, ok := d.ByAlias("room1")
		assert.True(t, ok, "names stay")
		assert.Equal(t, e, found)
	})
}

// BenchmarkSearch is a search among 100,000 endpoints that looks at all of them.
func BenchmarkSearch(b *testing.B) {
	d := newPlace(b, filepath.Join(b.TempDir(), "x.db")).node(b)
	var list []directory.Endpoint
	for i := range 100_000 {
		e := room(i)
		e.Username, e.Password = "", ""
		list = append(list, e)
	}
	_, err := d.SaveEndpoints(b.Context(), list)
	require.NoError(b, err)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		page, err := d.Endpoints(directory.Query{Text: "hop tang nothing", Limit: 100})
		took = append(took, time.Since(begin))
		require.NoError(b, err)
		require.Empty(b, page.Endpoints)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100])/1e6, "p95-ms")
}
