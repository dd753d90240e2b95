package setup_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/setup"
)

var info = call.Info{
	ID: "leg-1", Protocol: call.H323, Direction: call.In, Created: time.Unix(1e9, 0),
	Remote: call.Remote{Product: "Polycom/HDX", Address: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1720")},
}

func recorder(t *testing.T) (*tracetest.SpanRecorder, trace.Tracer) {
	r := tracetest.NewSpanRecorder()
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return r, p.Tracer("")
}

// named gives the ended spans by their names.
func named(r *tracetest.SpanRecorder) map[string]sdktrace.ReadOnlySpan {
	spans := map[string]sdktrace.ReadOnlySpan{}
	for _, s := range r.Ended() {
		spans[s.Name()] = s
	}
	return spans
}

func TestConnectedWhenNoStepIsOpen(t *testing.T) {
	r, tracer := recorder(t)
	c := setup.Begin(t.Context(), tracer, info)
	c.Start(setup.Route)
	c.End(setup.Route, setup.Why.String("rule 3"))
	c.Start(setup.Seat)
	c.Start(setup.Answer)
	c.Note("ringing")
	c.Connected()
	assert.NotContains(t, named(r), "call set-up", "the seat is not taken")
	c.End(setup.Seat)
	c.Start(setup.Seat) // another meeting, later
	c.Note("too late")
	c.End(setup.Seat)
	c.Ended(call.Cause{Code: call.Timeout})

	spans := named(r)
	require.Len(t, r.Ended(), 4)
	root := spans["call set-up"]
	assert.Equal(t, info.Created, root.StartTime())
	assert.Equal(t, trace.SpanKindServer, root.SpanKind())
	assert.Equal(t, codes.Unset, root.Status().Code, "what befell the call later is another matter")
	require.Len(t, root.Events(), 1)
	for _, step := range []string{setup.Route, setup.Seat, setup.Answer} {
		assert.Equal(t, root.SpanContext().SpanID(), spans[step].Parent().SpanID(), step)
	}
	about := map[string]string{}
	for _, a := range root.Attributes() {
		about[string(a.Key)] = a.Value.AsString()
	}
	assert.Equal(t, map[string]string{
		"roomgate.leg": "leg-1", "roomgate.protocol": "h323", "roomgate.direction": "in",
		"roomgate.product": "Polycom/HDX", "network.peer.address": "192.0.2.1",
	}, about)
}

func TestEndedBeforeItStood(t *testing.T) {
	for code, failed := range map[call.CauseCode]bool{call.Cancelled: false, call.UserBusy: true} {
		r, tracer := recorder(t)
		c := setup.Begin(t.Context(), tracer, info)
		c.Start(setup.Lobby)
		c.Ended(call.Cause{Code: code})
		spans := named(r)
		require.Contains(t, spans, setup.Lobby, "an open step ends with the call")
		assert.Equal(t, failed, spans["call set-up"].Status().Code == codes.Error, code)
	}
}

func TestNobodyIsTold(t *testing.T) {
	c := setup.Begin(t.Context(), nil, info)
	c.Start(setup.Answer)
	c.Connected()
	c.Ended(call.Cause{})
	assert.False(t, trace.SpanContextFromContext(c.Context()).IsValid())
}
