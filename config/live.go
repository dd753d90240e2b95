package config

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Apply puts a new configuration into force. On an error it has changed
// nothing.
type Apply func(ctx context.Context, old, next *Config) error

// Outcome is the result of the latest reload, for logs, metrics and the API.
type Outcome struct {
	At      time.Time // zero: never reloaded since the start
	Err     error     // why the former configuration stays in force; nil: applied
	Changed []string  // keys that took effect
	// NeedRestart are changed keys that do not take effect before a restart.
	NeedRestart []string
	Failures    int // reloads that failed, since the start
	Reloads     int // reloads that were applied, since the start
}

// Live is the configuration in force. It follows the file, the files named in
// it, and calls of Reload.
type Live struct {
	// Report is told of every reload; to be set before the first.
	Report func(Outcome)

	log   *zap.Logger
	file  string
	apply Apply
	// loaded are the files as they were when Live was made.
	loaded contents

	reloads sync.Mutex // one reload at a time
	mu      sync.Mutex // guards what follows
	current *Config
	outcome Outcome
}

// NewLive follows the file initial was loaded from ("" when none). apply is
// called for every change, never twice at a time.
func NewLive(log *zap.Logger, file string, initial *Config, apply Apply) *Live {
	return &Live{log: log, file: file, apply: apply, current: initial, loaded: read(initial.Files)}
}

// Current is the configuration in force; not to be changed.
func (l *Live) Current() *Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// Outcome is the result of the latest reload.
func (l *Live) Outcome() Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcome
}

// Reload reads, validates and applies the configuration anew. On any error the
// former one stays in force.
func (l *Live) Reload(ctx context.Context) error {
	l.reloads.Lock()
	defer l.reloads.Unlock()
	changed, needRestart, err := l.reload(ctx)

	l.mu.Lock()
	l.outcome.At, l.outcome.Err = time.Now(), err
	l.outcome.Changed, l.outcome.NeedRestart = changed, needRestart
	if err != nil {
		l.outcome.Failures++
	} else {
		l.outcome.Reloads++
	}
	outcome := l.outcome
	l.mu.Unlock()
	if l.Report != nil {
		l.Report(outcome)
	}

	if err != nil {
		l.log.Error("configuration not reloaded, the former one stays in force", zap.Error(err))
		return err
	}
	l.log.Info("configuration reloaded", zap.Strings("changed", changed))
	if len(needRestart) > 0 {
		l.log.Warn("changed keys take effect after a restart only", zap.Strings("keys", needRestart))
	}
	return nil
}

func (l *Live) reload(ctx context.Context) (changed, needRestart []string, err error) {
	next, err := Load(l.file)
	if err != nil {
		return nil, nil, err
	}
	old := l.Current()
	merged, needRestart := Merge(old, next)
	changed = Changes(old, merged)
	if err := l.apply(ctx, old, merged); err != nil {
		return nil, nil, fmt.Errorf("apply configuration: %w", err)
	}
	l.mu.Lock()
	l.current = merged
	l.mu.Unlock()
	return changed, needRestart, nil
}

// Run reloads after every change of a file the configuration was read from,
// until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	last := l.loaded
	for {
		w, err := watch(l.Current().Files)
		if err != nil {
			return err
		}
		last, err = w.wait(ctx, last)
		w.close()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		_ = l.Reload(ctx) // the outcome keeps the error
	}
}
