package api_test

import (
	"io"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// TestTrunkStates: what a trunk carries and refuses is seen, in the API and in the
// metrics, and who dials is told why not.
func TestTrunkStates(t *testing.T) {
	var guard *trunk.Guard
	f := &fake{dial: func(r gateway.DialRequest) (gateway.Call, error) {
		_, _, err := guard.Out(t.Context(), trunk.Request{Trunk: "vnpt", Number: r.Target, Caller: "88001"})
		return gateway.Call{}, err
	}}
	var d *directory.Directory
	metrics := api.NewMetrics()
	a := newAPI(t, f, withDirectory(t), func(c *api.Config) {
		d, guard, c.Metrics = c.Directory, c.Trunks, metrics
		metrics.ObserveTrunks(c.Trunks, c.TrunkLines)
	})
	_, err := d.SaveTrunk(t.Context(), directory.Trunk{
		Name: "vnpt", Targets: []directory.Target{{Address: "192.0.2.7"}}, Allowed: []string{"VN"}, MaxCallsOut: 1, MaxPerDay: 9, MaxMinutesPerDay: 60,
	})
	require.NoError(t, err)
	s := &served{t: t, API: a, d: d}
	problem := func(status int, target string) (kind, retry string) {
		w := s.do(status, "POST", "/calls", `{"target":"`+target+`","meeting":"88001"}`)
		p := decode[struct{ Type string }](t, w)
		return p.Type, w.Header().Get("Retry-After")
	}
	kind, _ := problem(403, "+12125552368")
	assert.Equal(t, api.ProblemTrunk+"destination", kind)
	kind, _ = problem(403, "19001234")
	assert.Equal(t, api.ProblemTrunk+"premium", kind)
	s.do(201, "POST", "/calls", `{"target":"0912345678","meeting":"88001"}`)
	kind, retry := problem(503, "0912345678")
	assert.Equal(t, api.ProblemTrunk+"calls", kind)
	assert.NotEmpty(t, retry)

	list := decode[struct{ Trunks []api.TrunkState }](t, s.do(200, "GET", "/trunk-states", "")).Trunks
	require.Len(t, list, 1)
	got := list[0]
	assert.Equal(t, 1, got.CallsOut)
	assert.EqualValues(t, 1, got.Today.Calls)
	assert.EqualValues(t, 3, got.Today.Refused)
	assert.EqualValues(t, 9, got.Today.MaxCalls)
	assert.EqualValues(t, 60, got.Today.MaxMinutes)
	assert.Equal(t, "down", got.Targets[0].State)
	assert.Equal(t, "registered", got.Registration.State)
	assert.Equal(t, []api.TrunkCount{{Direction: string(call.Out), Reason: "calls", Calls: 1}, {Direction: "out", Reason: "destination", Calls: 1}, {Direction: "out", Reason: "premium", Calls: 1}}, got.Refused)
	require.Len(t, got.Recent, 3)
	assert.Equal(t, "+12125552368", got.Recent[0].Number)
	s.do(403, "GET", "/trunk-states", "", s.key(`"read"`, "UBND"))

	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	for _, line := range []string{
		`roomgate_trunk_calls{direction="out",trunk="vnpt"} 1`, `roomgate_trunk_refused_total{direction="out",reason="premium",trunk="vnpt"} 1`,
		`roomgate_trunk_target_up{target=":192.0.2.7:5060",trunk="vnpt"} 0`, `roomgate_trunk_registered{trunk="vnpt"} 1`,
	} {
		assert.Contains(t, string(text), line)
	}
}
