package gatekeeper

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Store keeps registrations. The gatekeeper works from memory and writes behind: what
// a Store fails to keep is logged, tried again, and lost only with the process. It is
// called by one goroutine at a time.
type Store interface {
	// All returns what was kept, at the start.
	All(ctx context.Context) ([]Registration, error)
	// Save keeps registrations, by their ID.
	Save(ctx context.Context, list []Registration) error
	// Delete forgets registrations.
	Delete(ctx context.Context, ids []string) error
}

// Memory is a Store that lives with the process.
type Memory struct {
	mu   sync.Mutex
	list map[string]Registration
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{list: make(map[string]Registration)} }

// All implements Store.
func (m *Memory) All(context.Context) ([]Registration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.list)), nil
}

// Save implements Store.
func (m *Memory) Save(_ context.Context, list []Registration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range list {
		m.list[r.ID] = r
	}
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, ids []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.list, id)
	}
	return nil
}
