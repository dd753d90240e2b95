package ldapsync_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/ldapsync"
)

// rooms are what a source has, from one number to before another.
func rooms(from, to int) (list []directory.Endpoint) {
	for i := from; i < to; i++ {
		list = append(list, directory.Endpoint{
			External: fmt.Sprintf("ldap:%d", i), Name: fmt.Sprintf("Phòng %d", i),
			Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: fmt.Sprint(5000 + i)}},
		})
	}
	return list
}

// take makes a plan of what was read, and applies it.
func take(t *testing.T, d *directory.Directory, read []directory.Endpoint, force bool) ldapsync.Plan {
	t.Helper()
	p, err := ldapsync.Make(d, read, nil, false, force)
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context(), d))
	return p
}

func missing(t *testing.T, d *directory.Directory) int {
	t.Helper()
	page, err := d.Endpoints(directory.Query{Missing: true})
	require.NoError(t, err)
	return len(page.Endpoints)
}

// What a source has no longer stays, marked since when, until it is there again.
func TestTheMissingAreMarked(t *testing.T) {
	d := open(t)
	take(t, d, rooms(0, 20), false)
	dry, err := ldapsync.Make(d, rooms(2, 20), nil, false, false)
	require.NoError(t, err)
	assert.Equal(t, 2, dry.Count("mark"))
	assert.Zero(t, missing(t, d), "a plan changes nothing")

	p := take(t, d, rooms(2, 20), false)
	assert.Equal(t, []any{2, 18, []string{"Phòng 0", "Phòng 1"}}, []any{p.Count("mark"), p.Unchanged, p.Missing})
	assert.Equal(t, 2, missing(t, d))
	gone, ok := d.ByAlias("5000")
	require.True(t, ok)
	since := gone.Missing
	require.False(t, since.IsZero())

	// A change by hand, which does not know of the mark, leaves it; so does the next run.
	gone.External, gone.Missing, gone.Bandwidth = "", since.AddDate(-1, 0, 0), 512
	_, err = d.SaveEndpoint(t.Context(), gone)
	require.NoError(t, err)
	p = take(t, d, rooms(2, 20), false)
	assert.Empty(t, p.Changes)
	assert.Len(t, p.Missing, 2, "they are told every time")
	gone, _ = d.ByAlias("5000")
	assert.Equal(t, []any{since, 512}, []any{gone.Missing, gone.Bandwidth})

	// One of them is there again.
	p = take(t, d, append(rooms(0, 1), rooms(2, 20)...), false)
	require.Len(t, p.Changes, 1)
	assert.Equal(t, []ldapsync.Field{{Name: "missing_since", Before: since.Format("2006-01-02T15:04:05Z07:00")}}, p.Changes[0].Fields)
	assert.Equal(t, 1, missing(t, d))
}

// Those that were marked before do not make a source one that has lost too many.
func TestTheMarkedAreNoNewLoss(t *testing.T) {
	d := open(t)
	take(t, d, rooms(0, 40), false)
	_, err := ldapsync.Make(d, rooms(15, 40), nil, false, false)
	require.ErrorIs(t, err, ldapsync.ErrGone)
	assert.Equal(t, 15, func() int { p := take(t, d, rooms(15, 40), true); return p.Count("mark") }())
	p := take(t, d, rooms(16, 40), false)
	assert.Equal(t, 1, p.Count("mark"), "it goes on without force")
	_, err = ldapsync.Make(d, rooms(16, 40), nil, true, false)
	assert.ErrorIs(t, err, ldapsync.ErrGone, "to delete them all needs it")
}

// An endpoint entered by hand goes to one entry alone.
func TestOneEntryTakesOver(t *testing.T) {
	d := open(t)
	_, err := d.SaveEndpoint(t.Context(), directory.Endpoint{Name: "Nhập tay", Aliases: []directory.Alias{
		{Kind: directory.AliasE164, Value: "5000"}, {Kind: directory.AliasE164, Value: "5001"}}})
	require.NoError(t, err)
	p := take(t, d, rooms(0, 2), false)
	assert.Equal(t, 1, p.Count("update"))
	require.Len(t, p.Faults, 1)
	assert.Contains(t, p.Faults[0].Text, "by another entry")
	e, ok := d.ByAlias("5000")
	require.True(t, ok)
	assert.Equal(t, "ldap:0", e.External)
	p = take(t, d, rooms(0, 2), false)
	assert.Equal(t, 1, p.Count("create"), "the number is free now")
}

// What somebody changes while a plan is made is not deleted by it.
func TestChangedMeanwhile(t *testing.T) {
	d := open(t)
	take(t, d, rooms(0, 20), false)
	p, err := ldapsync.Make(d, rooms(1, 20), nil, true, false)
	require.NoError(t, err)
	e, ok := d.ByAlias("5000")
	require.True(t, ok)
	e.Bandwidth = 512
	_, err = d.SaveEndpoint(t.Context(), e)
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context(), d))
	assert.Zero(t, p.Count("delete"))
	assert.Len(t, p.Faults, 1)
	_, ok = d.ByAlias("5000")
	assert.True(t, ok)
}

// A source that takes a connection and says nothing is left when the gateway is stopped.
func TestSilentSource(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Read(make([]byte, 1)) // it has begun to bind
			stop()
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	s := ldapsync.Source{URL: "ldap://" + l.Addr().String(), BindDN: "cn=reader", Password: "x", Base: "dc=x", Schema: "h350"}
	_, _, err = s.Read(ctx)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "timed out", "it is not waited for")
}
