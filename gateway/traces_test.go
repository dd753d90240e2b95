package gateway_test

import (
	"slices"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
)

// A call to another terminal, the call that this leads to, and a refused one: each has
// its span, with the steps below it, and those that belong together are one trace.
func TestTracesOfCalls(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	rules, err := route.Compile([]route.Rule{{Pattern: "2001", Endpoint: "room-b"}}, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := startNodeAs(t, func(c *gateway.Config) { c.Tracer = provider.Tracer("") }, gateway.Settings{Rules: rules}, "room-b")
	caller := n.dialIn("a", "2001")
	eventually(t, "the other terminal is called", func() bool { return n.endpoint.out(0) != nil })
	n.endpoint.out(0).answer()
	eventually(t, "the caller is answered", func() bool { return caller.answered() != nil })
	refused := n.dialIn("b", "9999")
	eventually(t, "an unknown alias is refused", func() bool { return refused.cause() == call.UnknownAlias })
	steps := func(leg string) (trace string, out []string) {
		var root sdktrace.ReadOnlySpan
		for _, s := range recorder.Ended() {
			for _, a := range s.Attributes() {
				if a.Key == "roomgate.leg" && a.Value.AsString() == leg {
					root = s
				}
			}
		}
		if root == nil {
			return "", nil
		}
		for _, s := range recorder.Ended() {
			if s.Parent().SpanID() == root.SpanContext().SpanID() && s.Name() != root.Name() {
				out = append(out, s.Name())
			}
		}
		slices.Sort(out)
		return root.SpanContext().TraceID().String(), out
	}
	eventually(t, "three calls are traced", func() bool {
		a, ofCaller := steps("a")
		b, ofCalled := steps("out-room-b")
		_, ofRefused := steps("b")
		return a != "" && a == b && slices.Equal(ofCaller, []string{"route"}) &&
			slices.Equal(ofCalled, []string{"answer"}) && slices.Equal(ofRefused, []string{"route"})
	})
}
