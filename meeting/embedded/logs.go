package embedded

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// longestLine bounds what is kept of a line without an end.
const longestLine = 16 << 10

// logWriter turns the child's output into log entries: one JSON object a line
// from its logger, anything else (a panic's stack) as it is. It is written to
// by one goroutine.
type logWriter struct {
	log     *zap.Logger
	partial []byte
}

func (w *logWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, found := bytes.Cut(p, []byte{'\n'})
		if room := longestLine - len(w.partial); len(line) > room {
			line = line[:room]
		}
		w.partial = append(w.partial, line...)
		if !found {
			return n, nil
		}
		w.flush()
		p = rest
	}
}

// flush logs what has been collected.
func (w *logWriter) flush() {
	line := bytes.TrimSpace(w.partial)
	w.partial = w.partial[:0]
	if len(line) == 0 {
		return
	}
	var entry map[string]any
	if json.Unmarshal(line, &entry) != nil {
		w.log.Warn(string(line))
		return
	}
	level, text := zapcore.InfoLevel, ""
	fields := make([]zap.Field, 0, len(entry))
	for k, v := range entry {
		switch k {
		case "level":
			s, _ := v.(string)
			if parsed, err := zapcore.ParseLevel(strings.ToLower(s)); err == nil {
				level = min(parsed, zapcore.ErrorLevel)
			}
		case "msg":
			text, _ = v.(string)
		case "ts", "caller", "stacktrace", "logger":
		default:
			fields = append(fields, zap.Any(k, v))
		}
	}
	if ce := w.log.Check(level, text); ce != nil {
		ce.Write(fields...)
	}
}
