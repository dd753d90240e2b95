package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/roomgate/roomgate/config"
)

// What a collector gets is OTLP, and says which node it is of.
func TestTelemetry(t *testing.T) {
	got := make(chan *collector.ExportTraceServiceRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		var m collector.ExportTraceServiceRequest
		assert.NoError(t, proto.Unmarshal(body, &m))
		assert.Equal(t, "/v1/traces", r.URL.Path)
		got <- &m
	}))
	defer server.Close()
	for sample, told := range map[int]bool{100: true, 0: false} {
		tel, err := newTelemetry(t.Context(), config.Telemetry{OTLPEndpoint: server.URL, Sample: sample}, "node-7", zap.NewNop())
		require.NoError(t, err)
		_, span := tel.tracer().Start(t.Context(), "call set-up")
		span.End()
		tel.close()
		if !told {
			assert.Empty(t, got)
			continue
		}
		m := <-got
		require.Len(t, m.ResourceSpans, 1)
		about := map[string]string{}
		for _, a := range m.ResourceSpans[0].Resource.Attributes {
			about[a.Key] = a.Value.GetStringValue()
		}
		assert.Equal(t, map[string]string{"service.name": "roomgate", "service.version": version, "service.instance.id": "node-7"}, about)
		assert.Equal(t, "call set-up", m.ResourceSpans[0].ScopeSpans[0].Spans[0].Name)
	}
}

func TestNoTelemetry(t *testing.T) {
	tel, err := newTelemetry(t.Context(), config.Telemetry{Sample: 100}, "node-7", zap.NewNop())
	require.NoError(t, err)
	assert.Nil(t, tel.tracer())
	tel.close()
}
