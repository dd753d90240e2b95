package record

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/store"
)

// Log writes records behind the calls: whoever tells of a call never waits. Of
// several states of a call that are not written yet the latest counts, so that
// what waits is bounded by the number of calls.
type Log struct {
	db  *store.DB
	log *zap.Logger

	mu      sync.Mutex
	waiting map[string]Record
	wake    chan struct{}
}

// retry is how long to wait after the database did not take records.
const retry = time.Second

// mostWaiting bounds what is kept in memory while the database does not answer;
// beyond it the records of calls that go on are left out, and come again.
const mostWaiting = 100_000

// NewLog makes a Log; Run makes it write.
func NewLog(db *store.DB, log *zap.Logger) *Log {
	return &Log{db: db, log: log, waiting: make(map[string]Record), wake: make(chan struct{}, 1)}
}

// Put takes a record.
func (l *Log) Put(r Record) {
	l.mu.Lock()
	if _, known := l.waiting[r.ID]; known || len(l.waiting) < mostWaiting || !r.Ended.IsZero() {
		l.waiting[r.ID] = r
	}
	l.mu.Unlock()
	l.wakeUp()
}

// Run writes until ctx ends, then what is left.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			l.Flush(last)
			return nil
		case <-l.wake:
		}
		if !l.Flush(ctx) {
			select {
			case <-ctx.Done():
			case <-time.After(retry):
				l.wakeUp()
			}
		}
	}
}

func (l *Log) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Flush writes what waits; false when the database did not take it, and it still
// waits.
func (l *Log) Flush(ctx context.Context) bool {
	l.mu.Lock()
	taken := l.waiting
	l.waiting = make(map[string]Record)
	l.mu.Unlock()
	if len(taken) == 0 {
		return true
	}
	err := Save(ctx, l.db, slices.Collect(maps.Values(taken)))
	if err == nil {
		return true
	}
	l.log.Error("call records not written, they wait", zap.Int("records", len(taken)), zap.Error(err))
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range taken {
		if _, newer := l.waiting[id]; !newer {
			l.waiting[id] = r
		}
	}
	return false
}
