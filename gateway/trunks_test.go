package gateway_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/directory/usage"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/trunk"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode"
)

// startTrunks runs a gateway with trunks.
func startTrunks(t *testing.T, rules []route.Rule, trunks ...directory.Trunk) (*node, *trunk.Guard) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	guard := trunk.New(trunk.Config{Trunks: func() []directory.Trunk { return trunks }, Usage: usage.Book{DB: db}, Log: zap.NewNop()})
	table, err := route.Compile(rules, route.Options{})
	require.NoError(t, err)
	n := &node{t: t, endpoint: &fakeEndpoint{calls: make(chan call.Leg)}}
	n.Gateway, err = gateway.New(gateway.Config{
		Endpoints: map[call.Protocol]call.Endpoint{call.SIP: n.endpoint}, SFU: noSFU{}, Codecs: &transcode.Codecs{}, Logger: zap.NewNop(),
		Settings: gateway.Settings{AutoCreate: true, Rules: table}, Trunks: guard,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
		assert.NoError(t, db.Close())
	})
	return n, guard
}

// targets are what was called so far.
func (e *fakeEndpoint) targets() []call.Target {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]call.Target(nil), e.dialed...)
}

// over is a call that came over a trunk.
func (n *node) over(id, called string, remote call.Remote) *fakeLeg {
	l := newLeg(id, called)
	l.info.Remote = remote
	n.endpoint.calls <- l
	return l
}

// TestCallsInOverATrunk: its limits and numbers hold, lines come back, and numbers are
// masked for the company.
func TestCallsInOverATrunk(t *testing.T) {
	n, guard := startTrunks(t, nil, directory.Trunk{Name: "vnpt", Numbers: []string{"0247100000-0247100009"}, MaxCallsIn: 2})
	a := n.over("a", "0247100001", call.Remote{Trunk: "vnpt", Alias: "+84912345321"})
	b := n.over("b", "0247100001", call.Remote{Trunk: "vnpt", Alias: "+84901111222", Name: "An 0901111222", Private: true})
	eventually(t, "both are in", func() bool { return a.answered() != nil && b.answered() != nil })
	busy := n.over("c", "0247100001", call.Remote{Trunk: "vnpt", Alias: "1"})
	other := n.over("d", "0248888888", call.Remote{Trunk: "vnpt", Alias: "1"})
	eventually(t, "both are refused", func() bool { return busy.cause() == call.UserBusy && other.cause() == call.UnknownAlias })
	assert.Nil(t, busy.answered())

	rows, err := n.Participants(t.Context(), "0247100001")
	require.NoError(t, err)
	require.Len(t, rows, 2)
	seen := map[string]string{}
	for _, r := range rows {
		seen[r.CallID] = r.Name + "|" + r.Attributes[call.AttrNumber]
	}
	assert.Equal(t, map[string]string{"a": "+84*****321|+84*****321", "b": "Anonymous|"}, seen)
	c, err := n.Call("a")
	require.NoError(t, err)
	assert.Equal(t, "+84912345321", c.Info.Remote.Alias, "operators see it")

	a.Hangup(call.Cause{Code: call.NormalClearing})
	eventually(t, "the line is back", func() bool { return guard.Counts()[0].In == 1 })
	again := n.over("e", "0247100001", call.Remote{Trunk: "vnpt", Alias: "1"})
	eventually(t, "the next is in", func() bool { return again.answered() != nil })
}

// TestCallsOutOverATrunk: by a rule and by the API, with what the trunk lets out; early
// media and ringing go back to who calls.
func TestCallsOutOverATrunk(t *testing.T) {
	rules := []route.Rule{{Pattern: `(?:0|\+84)\d{9,10}|1900\d+`, ViaTrunk: "vnpt"}}
	n, guard := startTrunks(t, rules, directory.Trunk{Name: "vnpt", Targets: []directory.Target{{Address: "sbc.vn"}}, Allowed: []string{"VN"}, MaxCallsOut: 1, Format: "e164", CallerID: "+842471000001"})
	room := call.Remote{Alias: "room-a", Registered: true}
	stranger := n.dialIn("s", "0912345678")
	eventually(t, "a stranger calls nobody over a trunk", func() bool { return stranger.cause() == call.Rejected })
	transit := n.over("t", "0912345678", call.Remote{Trunk: "vnpt", Alias: "1"})
	eventually(t, "nor does one from the trunk itself", func() bool { return transit.cause() == call.Rejected })
	caller := n.over("a", "0912345678", room)
	eventually(t, "the call is placed", func() bool { return len(n.endpoint.targets()) == 1 })
	to := n.endpoint.targets()[0]
	assert.Equal(t, "vnpt", to.Trunk)
	assert.Equal(t, "+84912345678", to.Address)
	assert.Equal(t, "+842471000001", to.From)
	assert.Empty(t, to.Can.Video, "a telephone network is offered sound")
	callee := n.endpoint.out(0)
	callee.events <- call.Event{Kind: call.Ringing}
	callee.events <- call.Event{Kind: call.EarlyMedia}
	eventually(t, "the caller is told", func() bool { return caller.rang() == 2 })
	assert.NotNil(t, caller.progress[1].EarlyMedia)
	assert.Nil(t, caller.answered(), "nobody has answered")

	full := n.over("b", "0912345679", room)
	eventually(t, "no line is left", func() bool { return full.cause() == call.Congestion })
	premium := n.over("c", "19001234", room)
	eventually(t, "premium rate is refused", func() bool { return premium.cause() == call.Rejected })
	_, err := n.Dial(t.Context(), gateway.DialRequest{Target: "tel:+84912345679", Meeting: "m"})
	r, ok := trunk.RefusalOf(err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, trunk.Busy, r.Reason)

	callee.Hangup(call.Cause{Code: call.UserBusy})
	eventually(t, "the caller is told why", func() bool { return caller.cause() == call.UserBusy })
	eventually(t, "the line is back", func() bool { return guard.Counts()[0].Out == 0 })
	_, err = n.Dial(t.Context(), gateway.DialRequest{Target: "tel:+84912345679;ext=1", Meeting: "m"})
	require.NoError(t, err)
	assert.Equal(t, "+84912345679", n.endpoint.targets()[1].Address)
	_, err = n.Dial(t.Context(), gateway.DialRequest{Target: "tel:+12125552368", Meeting: "m"})
	require.ErrorIs(t, err, gateway.ErrBadTarget)
}

// ringback is what a network plays before anybody answers.
type ringback struct {
	media.Track
	role  media.Role
	heard atomic.Bool
	done  chan struct{}
}

func (*ringback) ID() string              { return "ringback" }
func (r *ringback) Role() media.Role      { return r.role }
func (*ringback) Format() media.Format    { return pcmu }
func (*ringback) RequestKeyframe()        {}
func (r *ringback) Done() <-chan struct{} { return r.done }
func (r *ringback) Attach(media.Writer) func() {
	r.heard.Store(true)
	return func() {}
}

// TestMeetingHearsNoRingback: who is called into a meeting is heard there once it has
// answered, not its network before.
func TestMeetingHearsNoRingback(t *testing.T) {
	n, _ := startTrunks(t, []route.Rule{{Prefix: "09", ViaTrunk: "vnpt", Rewrite: "$0"}}, directory.Trunk{Name: "vnpt", Targets: []directory.Target{{Address: "sbc.vn"}}, Allowed: []string{"VN"}})
	_, err := n.Dial(t.Context(), gateway.DialRequest{Target: "tel:0912345678", Meeting: "m"})
	require.NoError(t, err)
	leg := n.endpoint.out(0)
	leg.mu.Lock()
	leg.info.Direction = call.Out
	leg.mu.Unlock()
	plays := &ringback{role: media.Audio, done: make(chan struct{})}
	leg.tracks <- plays
	leg.events <- call.Event{Kind: call.EarlyMedia}
	leg.tracks <- &ringback{role: media.Content, done: make(chan struct{})} // the first has been taken when this one is
	eventually(t, "both were taken", func() bool { return len(leg.tracks) == 0 })
	assert.False(t, plays.heard.Load(), "before the answer")
	leg.answer()
	eventually(t, "it is heard", plays.heard.Load)
}
