// Package setup follows how calls come about as traces of OpenTelemetry: one span for
// the set-up of a call, and below it its steps: the dial plan, the lobby, the answer, the
// seat at the meeting server. Who looks at a call that was slow to come sees which was.
package setup

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/roomgate/roomgate/call"
)

// Steps of a set-up.
const (
	Route  = "route"  // the dial plan, or the policy, decides
	Lobby  = "lobby"  // the caller is asked, or waits
	Answer = "answer" // from our answer to its acknowledgement, or from our call to its answer
	Seat   = "seat"   // the meeting server lets the leg in
)

// Attributes of the span. The values that are told are those that logs have: no PIN, no
// password.
const (
	attrLeg       = attribute.Key("roomgate.leg")
	attrProtocol  = attribute.Key("roomgate.protocol")
	attrDirection = attribute.Key("roomgate.direction")
	attrTrunk     = attribute.Key("roomgate.trunk")
	attrProduct   = attribute.Key("roomgate.product")
	attrCause     = attribute.Key("roomgate.cause")
	attrPeer      = attribute.Key("network.peer.address")
	// Meeting and Why are of what was decided.
	Meeting = attribute.Key("roomgate.meeting")
	Called  = attribute.Key("roomgate.called")
	Why     = attribute.Key("roomgate.why")
)

// Call is the set-up of one call. It is over when the call is connected and no step is
// open, or when the call has ended; what comes later is not noted. Safe for concurrent use.
type Call struct {
	tracer trace.Tracer
	ctx    context.Context
	span   trace.Span

	mu        sync.Mutex
	steps     map[string]trace.Span
	connected bool
	over      bool
}

// Begin notes that there is a call, since info.Created. A nil tracer notes nothing.
func Begin(ctx context.Context, tracer trace.Tracer, info call.Info) *Call {
	if tracer == nil {
		tracer = noop.NewTracerProvider().Tracer("")
	}
	kind := trace.SpanKindServer
	if info.Direction == call.Out {
		kind = trace.SpanKindClient
	}
	attributes := []attribute.KeyValue{
		attrLeg.String(info.ID), attrProtocol.String(string(info.Protocol)), attrDirection.String(string(info.Direction)),
	}
	for key, value := range map[attribute.Key]string{attrTrunk: info.Remote.Trunk, attrProduct: info.Remote.Product} {
		if value != "" {
			attributes = append(attributes, key.String(value))
		}
	}
	if a := info.Remote.Address; a.IsValid() {
		attributes = append(attributes, attrPeer.String(a.Addr().Unmap().String()))
	}
	ctx, span := tracer.Start(ctx, "call set-up", trace.WithSpanKind(kind), trace.WithTimestamp(info.Created), trace.WithAttributes(attributes...))
	return &Call{tracer: tracer, ctx: ctx, span: span, steps: map[string]trace.Span{}}
}

// Context is that of the set-up as a whole, for a call that this one leads to.
func (c *Call) Context() context.Context { return c.ctx }

// Start opens a step and gives its context, which others may continue the trace with.
func (c *Call) Start(step string) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.steps[step] != nil {
		return c.ctx
	}
	ctx, span := c.tracer.Start(c.ctx, step)
	c.steps[step] = span
	return ctx
}

// End closes a step, if it is open.
func (c *Call) End(step string, about ...attribute.KeyValue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	span := c.steps[step]
	if span == nil {
		return
	}
	span.SetAttributes(about...)
	span.End()
	delete(c.steps, step)
	c.finishIfDone()
}

// Set says more of the call.
func (c *Call) Set(about ...attribute.KeyValue) { c.span.SetAttributes(about...) }

// Note marks a moment, such as ringing.
func (c *Call) Note(event string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.span.AddEvent(event)
	}
}

// Connected notes that the call stands.
func (c *Call) Connected() {
	c.End(Answer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connected = true
	c.finishIfDone()
}

// Ended notes why the call is over. Before it stood, that is a failure unless somebody
// hung up.
func (c *Call) Ended(cause call.Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	for _, span := range c.steps {
		span.End()
	}
	clear(c.steps)
	c.span.SetAttributes(attrCause.String(string(cause.Code)))
	switch cause.Code {
	case call.NormalClearing, call.Cancelled, call.Transferred:
	default:
		c.span.SetStatus(codes.Error, cause.String())
	}
	c.finish()
}

// finishIfDone needs mu.
func (c *Call) finishIfDone() {
	if c.connected && len(c.steps) == 0 && !c.over {
		c.finish()
	}
}

// finish needs mu.
func (c *Call) finish() {
	c.over = true
	c.span.End()
}
