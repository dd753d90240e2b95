package trunk_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/directory/usage"
	"github.com/roomgate/roomgate/gateway/trunk"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// memory is a Usage without a database.
type memory struct {
	usage.Day
	err error
}

func (m *memory) Begin(_ context.Context, _, _ string, max usage.Ceiling) (usage.Reached, error) {
	switch {
	case m.err != nil:
		return "", m.err
	case max.Calls > 0 && m.Calls >= max.Calls:
		return usage.Calls, nil
	case max.Seconds > 0 && m.Seconds >= max.Seconds:
		return usage.Seconds, nil
	}
	m.Calls++
	return "", nil
}

func (m *memory) Add(_ context.Context, _, _ string, seconds, refused int64) (usage.Day, error) {
	m.Seconds += seconds
	m.Day.Refused += refused
	return m.Day, m.err
}
func (m *memory) Of(context.Context, string, string) (usage.Day, error) { return m.Day, m.err }
func (m *memory) Forget(context.Context, string) error                  { return nil }

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

var targets = []directory.Target{{Address: "sbc.vn"}}

func guard(u trunk.Usage, c *clock, list ...directory.Trunk) (*trunk.Guard, *[]trunk.Refusal) {
	var told []trunk.Refusal
	return trunk.New(trunk.Config{
		Trunks: func() []directory.Trunk { return list }, Usage: u, Now: c.Now, Log: zap.NewNop(),
		Password: func(directory.Trunk) (string, error) { return "s3cret", nil },
		Refused:  func(r trunk.Refusal) { told = append(told, r) },
	}), &told
}

func reason(err error) trunk.Reason {
	if r, ok := trunk.RefusalOf(err); ok {
		return r.Reason
	}
	return ""
}

func TestDestinations(t *testing.T) {
	c := &clock{time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	for _, tc := range []struct {
		name    string
		trunk   directory.Trunk
		number  string
		refused trunk.Reason
	}{
		{"nothing is allowed unless listed", directory.Trunk{}, "02438231234", trunk.NotAllowed},
		{"home", directory.Trunk{Allowed: []string{"+84"}}, "02438231234", ""},
		{"home by country", directory.Trunk{Allowed: []string{"VN"}}, "+842438231234", ""},
		{"national prefix", directory.Trunk{Allowed: []string{"024"}}, "+842438231234", ""},
		{"other national prefix", directory.Trunk{Allowed: []string{"028"}}, "+842438231234", trunk.NotAllowed},
		{"abroad", directory.Trunk{Allowed: []string{"+84"}}, "0012125552368", trunk.NotAllowed},
		{"abroad listed", directory.Trunk{Allowed: []string{"+84", "001"}}, "+12125552368", ""},
		{"a Caribbean number is not of the US", directory.Trunk{Allowed: []string{"US"}}, "+18765552368", trunk.NotAllowed},
		{"premium of home", directory.Trunk{Allowed: []string{"+84"}}, "19001234", trunk.Premium},
		{"premium of home, with the code", directory.Trunk{Allowed: []string{"+84"}}, "+841900123456", trunk.Premium},
		{"premium, listed whole", directory.Trunk{Allowed: []string{"+841900"}}, "1900123456", trunk.Premium},
		{"premium, wanted", directory.Trunk{Allowed: []string{"+84"}, Premium: true}, "19001234", ""},
		{"premium abroad", directory.Trunk{Allowed: []string{"+1"}}, "+19005552368", trunk.Premium},
		{"satellite", directory.Trunk{Allowed: []string{"+8"}}, "+881621234567", trunk.Premium},
		{"an exception", directory.Trunk{Allowed: []string{"+84"}, Refused: []string{"+8491"}}, "0912345678", trunk.NotAllowed},
		{"an emergency number", directory.Trunk{Allowed: []string{"+84", "113"}}, "113", ""},
		{"a short number not listed", directory.Trunk{Allowed: []string{"+84", "11"}}, "113", trunk.NotAllowed},
		{"an alias", directory.Trunk{Allowed: []string{"+84"}}, "phong-hop", trunk.NotAllowed},
	} {
		tc.trunk.Name, tc.trunk.Targets = "vnpt", targets
		g, told := guard(&memory{}, c, tc.trunk)
		_, line, err := g.Out(t.Context(), trunk.Request{Trunk: "VNPT", Number: tc.number, Caller: "1001"})
		assert.Equal(t, tc.refused, reason(err), "%s: %v", tc.name, err)
		assert.Equal(t, tc.refused == "", line != nil, tc.name)
		assert.Equal(t, tc.refused != "", len(*told) == 1, tc.name)
		line.Close()
	}
}

func TestIdentityAndForm(t *testing.T) {
	c := &clock{time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	owned := []string{"02471000000-02471000099"}
	for _, tc := range []struct {
		name   string
		trunk  directory.Trunk
		caller string
		want   call.Target
	}{
		{"as dialled", directory.Trunk{}, "1001", call.Target{Address: "02438231234", From: "1001"}},
		{"an account", directory.Trunk{Username: "acc"}, "1001", call.Target{Address: "02438231234", From: "acc", Username: "acc"}},
		{"E.164 and asserted", directory.Trunk{Format: "e164", Identity: "asserted", Domain: "vnpt.vn"}, "0912345678",
			call.Target{Address: "+842438231234", From: "+84912345678", Domain: "vnpt.vn", Asserted: call.Identity{User: "+84912345678", Name: "An"}}},
		{"a number of the trunk", directory.Trunk{Format: "international", Numbers: owned}, "+842471000042", call.Target{Address: "842438231234", From: "842471000042"}},
		{"a number of somebody else", directory.Trunk{Format: "national", Numbers: owned, Identity: "preferred"}, "0912345678",
			call.Target{Address: "02438231234", From: "02471000000", Preferred: call.Identity{User: "02471000000", Name: "An"}}},
		{"a fixed one, withheld, with a prefix", directory.Trunk{CallerID: "+842471000001", Format: "national", Prefix: "9", Privacy: true}, "1001",
			call.Target{Address: "902438231234", From: "02471000001", Anonymous: true}},
	} {
		tc.trunk.Name, tc.trunk.Targets, tc.trunk.Allowed = "vnpt", targets, []string{"VN"}
		g, _ := guard(&memory{}, c, tc.trunk)
		got, line, err := g.Out(t.Context(), trunk.Request{Trunk: "vnpt", Number: "02438231234", Caller: tc.caller, Name: "An"})
		require.NoError(t, err, tc.name)
		line.Close()
		tc.want.Trunk, tc.want.FromName, tc.want.Password = "vnpt", "An", "s3cret"
		assert.Equal(t, tc.want, got, tc.name)
	}
}

func in(name, called string) call.Info {
	return call.Info{Called: called, Remote: call.Remote{Trunk: name, Alias: "0912345678"}}
}

func TestLimitsOfCallsIn(t *testing.T) {
	c := &clock{time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	g, told := guard(&memory{}, c, directory.Trunk{Name: "vnpt", Numbers: []string{"02471000000-02471000099"}, MaxCalls: 3, MaxCallsIn: 2, MaxRate: 4, Targets: targets, Allowed: []string{"VN"}})
	line, err := g.In(in("elsewhere", "1"))
	require.NoError(t, err)
	assert.Nil(t, line)
	_, err = g.In(in("vnpt", "02438231234"))
	assert.Equal(t, trunk.NotOurs, reason(err), "no transit")
	for _, form := range []string{"+842471000042", "842471000042", "02471000099"} {
		line, err := g.In(in("vnpt", form))
		require.NoError(t, err, form)
		line.Close()
		line.Close()
	}
	c.now = c.now.Add(time.Second)
	a, err := g.In(in("vnpt", "02471000001"))
	require.NoError(t, err)
	_, err = g.In(in("vnpt", "02471000001"))
	require.NoError(t, err)
	for range 20 { // a flood
		_, err = g.In(in("vnpt", "02471000001"))
		r, ok := trunk.RefusalOf(err)
		require.True(t, ok)
		assert.Equal(t, trunk.Busy, r.Reason)
		assert.Equal(t, call.UserBusy, r.Cause().Code)
	}
	assert.Len(t, *told, 2, "it does not flood those who watch")
	_, out, err := g.Out(t.Context(), trunk.Request{Trunk: "vnpt", Number: "0912345678"})
	require.NoError(t, err)
	_, _, err = g.Out(t.Context(), trunk.Request{Trunk: "vnpt", Number: "0912345678"})
	assert.Equal(t, trunk.Busy, reason(err))
	out.Close()
	a.Close()
	for range 2 { // of the four of this second
		line, err := g.In(in("vnpt", "02471000001"))
		require.NoError(t, err)
		line.Close()
	}
	_, err = g.In(in("vnpt", "02471000001"))
	r, ok := trunk.RefusalOf(err)
	require.True(t, ok)
	assert.Equal(t, trunk.TooFast, r.Reason)
	assert.Equal(t, call.Cause{Code: call.Congestion, Text: r.Text, RetryAfter: 2}, r.Cause())
	g.Forged("vnpt", "1001", "02471000001")
	g.Count(t.Context())
	states, err := g.States(t.Context())
	require.NoError(t, err)
	require.Len(t, states, 1)
	assert.Equal(t, 1, states[0].In)
	assert.EqualValues(t, 24, states[0].Today.Refused)
	assert.Equal(t, []trunk.Count{{call.In, trunk.Busy, 20}, {call.In, trunk.Forged, 1}, {call.In, trunk.NotOurs, 1}, {call.In, trunk.TooFast, 1}, {call.Out, trunk.Busy, 1}}, states[0].Refused)
	assert.Len(t, states[0].Recent, 24)
}

// TestCeilingOfTheDay: calls and minutes of a day are bounded; calls that go on are
// ended when the minutes are talked; the next day begins at midnight in Hà Nội.
func TestCeilingOfTheDay(t *testing.T) {
	for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgresql": postgrestest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), address)
			require.NoError(t, err)
			defer db.Close()
			c := &clock{time.Date(2026, 11, 26, 15, 59, 0, 0, time.UTC)} // 22:59 there
			line := directory.Trunk{Name: "vnpt", Targets: targets, Allowed: []string{"VN"}, MaxPerDay: 3, MaxMinutesPerDay: 2}
			line.ID = "t1"
			dial := func(g *trunk.Guard) (*trunk.Line, error) {
				_, l, err := g.Out(t.Context(), trunk.Request{Trunk: "vnpt", Number: "0912345678"})
				return l, err
			}
			g, _ := guard(usage.Book{DB: db}, c, line)
			l, err := dial(g)
			require.NoError(t, err)
			l.Answered()
			c.now = c.now.Add(61*time.Second + 100*time.Millisecond)
			g.Count(t.Context())
			again, _ := guard(usage.Book{DB: db}, c, line) // the process was killed
			l, err = dial(again)
			require.NoError(t, err)
			var cut call.Cause
			l.OnCut(func(c call.Cause) { cut = c })
			l.Answered()
			c.now = c.now.Add(58 * time.Second)
			again.Count(t.Context())
			assert.Zero(t, cut)
			c.now = c.now.Add(2 * time.Second)
			again.Count(t.Context())
			assert.Equal(t, call.Congestion, cut.Code, "121 seconds are talked")
			l.Close()
			_, err = dial(again)
			r, ok := trunk.RefusalOf(err)
			require.True(t, ok)
			assert.Equal(t, trunk.DayMinutes, r.Reason)
			assert.Equal(t, 3600-61, r.RetryAfter+1, "to midnight")
			c.now = c.now.Add(2 * time.Hour)
			for range 3 {
				l, err = dial(again)
				require.NoError(t, err)
				l.Close()
			}
			_, err = dial(again)
			assert.Equal(t, trunk.DayCalls, reason(err))
			states, err := again.States(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "2026-11-27", states[0].Day)
			assert.EqualValues(t, 3, states[0].Today.Calls)
		})
	}
}

// TestNothingIsCalledUncounted: a trunk with a ceiling needs the database; one
// without goes on.
func TestNothingIsCalledUncounted(t *testing.T) {
	c := &clock{time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)}
	bounded := directory.Trunk{Name: "a", Targets: targets, Allowed: []string{"VN"}, MaxPerDay: 3}
	free := directory.Trunk{Name: "b", Targets: targets, Allowed: []string{"VN"}}
	g, _ := guard(&memory{err: errors.New("gone")}, c, bounded, free)
	_, _, err := g.Out(t.Context(), trunk.Request{Trunk: "a", Number: "0912345678"})
	assert.Equal(t, trunk.Uncounted, reason(err))
	_, line, err := g.Out(t.Context(), trunk.Request{Trunk: "b", Number: "0912345678"})
	require.NoError(t, err)
	line.Close()
	for _, name := range []string{"none", "off"} {
		_, _, err = g.Out(t.Context(), trunk.Request{Trunk: name, Number: "0912345678"})
		assert.Equal(t, trunk.NoTrunk, reason(err))
	}
}
