package policy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/signature"
	"github.com/roomgate/roomgate/gateway/policy"
	"github.com/roomgate/roomgate/gateway/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is the operator's; answer is what it says.
type program struct {
	*httptest.Server
	mu     sync.Mutex // an answer may be on its way when the asker has given up
	answer func(w http.ResponseWriter, r *http.Request)
	asked  []map[string]any
	now    time.Time
}

func (p *program) answers(f func(w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *program) questions() []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *program) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *program) passes(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func newProgram(t *testing.T) *program {
	p := &program{now: time.Unix(1767323045, 0)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NoError(t, signature.Verify("s3cret", r.Header.Get(signature.Header), body, p.clock(), time.Minute))
		var q map[string]any
		assert.NoError(t, json.Unmarshal(body, &q))
		p.mu.Lock()
		p.asked = append(p.asked, q)
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *program) hook(refuse bool) *policy.Hook {
	return policy.New(policy.Config{
		URL: p.URL, Secret: "s3cret", Refuse: refuse, Timeout: time.Second, Client: p.Client(), Now: p.clock,
	})
}

func says(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

var info = call.Info{
	ID: "leg-1", Protocol: call.SIP, Direction: call.In, Called: "88001", CalledURI: "sip:88001@gw",
	Remote: call.Remote{Alias: "room-a", Address: netip.MustParseAddrPort("10.1.2.3:5060"), Registered: true},
}

func TestAnswers(t *testing.T) {
	p := newProgram(t)
	for text, want := range map[string]route.Decision{
		`{"action":"meeting","meeting":"1","pin":"2"}`:        {Meeting: "1", PIN: "2"},
		`{"action":"meeting","meeting":"1","layout":"3x3"}`:   {Meeting: "1", Layout: "3x3"},
		`{"action":"lobby","layout":"single"}`:                {Lobby: true, Layout: "single"},
		`{"action":"endpoint","endpoint":"room-b"}`:           {Endpoint: "room-b"},
		`{"action":"trunk","trunk":"vnpt","number":"+84912"}`: {Trunk: "vnpt", Number: "+84912"},
		`{"action":"lobby"}`:                                  {Lobby: true},
		`{"action":"reject","reason":"busy"}`:                 {Reject: call.UserBusy},
		`{"action":"reject"}`:                                 {Reject: call.Rejected},
	} {
		p.answers(says(text))
		d, ok := p.hook(false).Decide(t.Context(), info)
		assert.True(t, ok, text)
		assert.NotEmpty(t, d.Why)
		d.Why = ""
		assert.Equal(t, want, d, text)
	}
	p.answers(says(`{"action":"continue"}`))
	_, ok := p.hook(true).Decide(t.Context(), info)
	assert.False(t, ok)
	assert.Equal(t, map[string]any{
		"call": "leg-1", "protocol": "sip", "direction": "in", "called": "88001", "called_uri": "sip:88001@gw",
		"caller": map[string]any{"alias": "room-a", "name": "", "uri": "", "address": "10.1.2.3:5060", "product": "", "registered": true, "trunk": ""},
	}, p.questions()[0])
}

func TestWithoutAnAnswer(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"nonsense":         says("nonsense"),
		"nothing to do":    says(`{"action":"meeting"}`),
		"no such layout":   says(`{"action":"meeting","meeting":"1","layout":"6x6"}`),
		"unknown action":   says(`{"action":"dance"}`),
		"unknown reason":   says(`{"action":"reject","reason":"mood"}`),
		"trunk, no number": says(`{"action":"trunk","trunk":"vnpt"}`),
		"an error":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a redirect":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no answer":        func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t)
			p.answers(answer)
			h := p.hook(true)
			h.Timeout = 200 * time.Millisecond
			d, ok := h.Decide(t.Context(), info)
			assert.True(t, ok)
			assert.Equal(t, call.Unavailable, d.Reject)
			_, ok = p.hook(false).Decide(t.Context(), info)
			assert.False(t, ok, "the dial plan decides")

			// It is left alone, then asked again, and believed when it answers.
			asked := len(p.questions())
			d, ok = h.Decide(t.Context(), info)
			assert.True(t, ok)
			assert.Equal(t, call.Unavailable, d.Reject)
			assert.Len(t, p.questions(), asked, "not asked so soon")
			p.passes(time.Second)
			p.answers(says(`{"action":"lobby"}`))
			d, ok = h.Decide(t.Context(), info)
			require.True(t, ok)
			assert.True(t, d.Lobby)
		})
	}
}

// The program may continue the trace of the call (W3C Trace Context).
func TestTraceOfTheCall(t *testing.T) {
	p := newProgram(t)
	var parent string
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		parent = r.Header.Get("Traceparent")
		_, _ = io.WriteString(w, `{"action":"continue"}`)
	})
	id := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	p.hook(false).Decide(trace.ContextWithSpanContext(t.Context(), id), info)
	assert.Equal(t, "00-01000000000000000000000000000000-0200000000000000-01", parent)
	p.hook(false).Decide(t.Context(), info)
	assert.Empty(t, parent)
}
