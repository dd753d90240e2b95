package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A collector of OpenTelemetry is told how a call into a meeting came about: the dial
// plan, the answer and the seat at the meeting server, one trace.
func TestTraces(t *testing.T) {
	var mu sync.Mutex
	got := map[string]*spans.Span{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range m.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					got[s.Name] = s
				}
			}
		}
	}))
	defer server.Close()
	g := startGateway(t, "telemetry: {otlp_endpoint: '"+server.URL+"'}\n")
	b := startBaresip(t, peerOptions{user: "room-a", password: "secret-a"})
	b.registered()
	b.dial("sip:demo@" + gatewayIP)
	b.established()
	eventually(t, 20*time.Second, "the trace of the call is there", func() bool {
		mu.Lock()
		defer mu.Unlock()
		root := got["call set-up"]
		if root == nil {
			return false
		}
		for _, step := range []string{"route", "answer", "seat"} {
			if s := got[step]; s == nil || string(s.ParentSpanId) != string(root.SpanId) || s.EndTimeUnixNano > root.EndTimeUnixNano {
				return false
			}
		}
		return true
	})
	b.hangup()
	g.noCalls()
}
