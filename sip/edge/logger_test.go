package edge

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestLoggerLeavesMessagesOut(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	log := Logger(zap.New(core)).With("caller", "x").WithGroup("g")
	log.Debug("quiet")
	log.Error("failed to parse", "data", "INVITE secret", "error", errors.New("why"))
	require.Equal(t, 1, logs.Len())
	entry := logs.All()[0]
	require.Equal(t, zap.ErrorLevel, entry.Level)
	require.Equal(t, map[string]any{"caller": "x", "g.error": "why"}, entry.ContextMap())
}
