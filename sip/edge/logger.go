package edge

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logger adapts a zap logger for the SIP stack: messages and their bodies,
// which it attaches to some lines, are left out.
func Logger(log *zap.Logger) *slog.Logger { return slog.New(handler{log: log.Named("stack")}) }

// handler is a slog.Handler over zap.
type handler struct {
	log    *zap.Logger
	prefix string
}

// private are the attributes in which the stack puts what peers sent.
var private = map[string]bool{"data": true, "msg": true, "req": true, "res": true, "body": true}

// Enabled implements slog.Handler.
func (h handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.log.Core().Enabled(zapLevel(level))
}

// Handle implements slog.Handler.
func (h handler) Handle(_ context.Context, r slog.Record) error {
	fields := make([]zap.Field, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		fields = h.field(fields, a)
		return true
	})
	if entry := h.log.Check(zapLevel(r.Level), r.Message); entry != nil {
		entry.Write(fields...)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var fields []zap.Field
	for _, a := range attrs {
		fields = h.field(fields, a)
	}
	h.log = h.log.With(fields...)
	return h
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	h.prefix += name + "."
	return h
}

func (h handler) field(fields []zap.Field, a slog.Attr) []zap.Field {
	if private[a.Key] {
		return fields
	}
	return append(fields, zap.Any(h.prefix+a.Key, a.Value.Resolve().Any()))
}

func zapLevel(level slog.Level) zapcore.Level {
	switch {
	case level < slog.LevelInfo:
		return zapcore.DebugLevel
	case level < slog.LevelWarn:
		return zapcore.InfoLevel
	case level < slog.LevelError:
		return zapcore.WarnLevel
	}
	return zapcore.ErrorLevel
}
