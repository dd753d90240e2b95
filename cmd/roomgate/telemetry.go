package main

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
)

// telemetry sends how calls come about to a collector. The zero value sends nothing.
type telemetry struct {
	provider *sdktrace.TracerProvider
	log      *zap.Logger
}

// spansKept are the spans that wait for a collector that does not answer; more are lost,
// calls are not.
const spansKept = 8192

// newTelemetry makes the sender of telemetry.otlp_endpoint. A collector that is away does
// not keep a node from its work.
func newTelemetry(ctx context.Context, c config.Telemetry, node string, log *zap.Logger) (telemetry, error) {
	if c.OTLPEndpoint == "" {
		return telemetry{}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(c.OTLPEndpoint)))
	if err != nil {
		return telemetry{}, err
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", "roomgate"),
		attribute.String("service.version", version),
		attribute.String("service.instance.id", node),
	)
	return telemetry{log: log, provider: sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(spansKept)),
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(c.Sample)/100))),
	)}, nil
}

// tracesURL is where a collector with this base URL takes traces (OTLP specification,
// "Endpoint URLs for OTLP/HTTP").
func tracesURL(base string) string {
	return strings.TrimSuffix(strings.TrimSuffix(base, "/"), "/v1/traces") + "/v1/traces"
}

// tracer is nil when nobody is told.
func (t telemetry) tracer() trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer("github.com/roomgate/roomgate")
}

// close sends what is left, for a moment.
func (t telemetry) close() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("the last traces are not sent", zap.Error(err))
	}
}
