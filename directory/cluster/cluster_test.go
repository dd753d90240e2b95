package cluster_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/cluster"
	"github.com/roomgate/roomgate/directory/postgrestest"
	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// TestNodesComeAndGo: nodes see each other, one that stays silent is called no
// more, then given up: its calls are over.
func TestNodesComeAndGo(t *testing.T) {
	db, err := store.Open(t.Context(), postgrestest.URL(t))
	require.NoError(t, err)
	defer db.Close()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	node := func(name, at string) *cluster.Cluster {
		c := cluster.New(db, name, func() time.Time { return now }, zap.NewNop())
		c.Announce(at+":5060", at+":1720")
		return c
	}
	a, b := node("a", "10.0.0.1"), node("b", "10.0.0.2")
	changes := 0
	var gone []string
	b.Changed = func() { changes++ }
	b.Gone = func(_ context.Context, name string) { gone = append(gone, name) }
	require.NoError(t, a.Beat(t.Context()))
	require.NoError(t, b.Beat(t.Context()))
	require.NoError(t, b.Beat(t.Context()))
	peer, ok := b.Peer("a")
	require.True(t, ok)
	assert.Equal(t, cluster.Node{Name: "a", SIP: "10.0.0.1:5060", H323: "10.0.0.1:1720", Seen: now}, peer)
	assert.Equal(t, 1, changes, "told once")
	_, ok = b.Peer("b")
	assert.False(t, ok, "itself")

	cut := record.Record{ID: "leg-1", Node: "a", Protocol: call.SIP, Direction: call.In, Started: now, Answered: now, Updated: now.Add(10 * time.Second)}
	require.NoError(t, record.Save(t.Context(), db, []record.Record{cut}))
	now = now.Add(cluster.Absent + time.Second)
	require.NoError(t, b.Beat(t.Context()))
	assert.Empty(t, b.Peers())
	assert.Equal(t, 2, changes)
	open, _, err := record.List(t.Context(), db, record.Query{Open: true})
	require.NoError(t, err)
	assert.Len(t, open, 1, "it may come back")
	now = now.Add(cluster.Dead)
	require.NoError(t, b.Beat(t.Context()))
	assert.Equal(t, []string{"a"}, gone)
	closed, _, err := record.List(t.Context(), db, record.Query{})
	require.NoError(t, err)
	assert.Equal(t, cut.Updated, closed[0].Ended)
	require.NoError(t, b.Beat(t.Context()))
	assert.Equal(t, []string{"a"}, gone, "once")
	require.NoError(t, a.Beat(t.Context()))
	require.NoError(t, b.Beat(t.Context()))
	assert.Len(t, b.Peers(), 1, "back again")
}

// TestRunLeaves: a node that stops says so.
func TestRunLeaves(t *testing.T) {
	db, err := store.Open(t.Context(), postgrestest.URL(t))
	require.NoError(t, err)
	defer db.Close()
	a := cluster.New(db, "a", time.Now, zap.NewNop())
	b := cluster.New(db, "b", time.Now, zap.NewNop())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	require.Eventually(t, func() bool { return b.Beat(t.Context()) == nil && len(b.Peers()) == 1 }, 10*time.Second, 10*time.Millisecond)
	stop()
	require.NoError(t, <-done)
	require.NoError(t, b.Beat(t.Context()))
	assert.Empty(t, b.Peers())

	alone, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	defer alone.Close()
	require.NoError(t, cluster.New(alone, "a", time.Now, zap.NewNop()).Run(t.Context()), "nothing to do")
}
