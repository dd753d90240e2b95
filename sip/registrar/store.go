package registrar

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Store keeps bindings by account. Errors of a Store become 500 responses.
type Store interface {
	// Update replaces the bindings of an account by what change makes of them,
	// atomically with respect to other updates of the account. An error of
	// change is returned as it is and nothing is stored.
	Update(ctx context.Context, account string, change func([]Binding) ([]Binding, error)) error
	// Bindings returns those of an account, expired ones included.
	Bindings(ctx context.Context, account string) ([]Binding, error)
	// All returns every binding.
	All(ctx context.Context) ([]Binding, error)
	// Expire removes and returns the bindings that have expired at now.
	Expire(ctx context.Context, now time.Time) ([]Binding, error)
}

// Memory is a Store that lives with the process.
type Memory struct {
	mu       sync.RWMutex
	accounts map[string][]Binding
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{accounts: make(map[string][]Binding)} }

// Update implements Store.
func (m *Memory) Update(_ context.Context, account string, change func([]Binding) ([]Binding, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, err := change(slices.Clone(m.accounts[account]))
	if err != nil {
		return err
	}
	m.put(account, changed)
	return nil
}

func (m *Memory) put(account string, bindings []Binding) {
	if len(bindings) == 0 {
		delete(m.accounts, account)
		return
	}
	m.accounts[account] = bindings
}

// Bindings implements Store.
func (m *Memory) Bindings(_ context.Context, account string) ([]Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.accounts[account]), nil
}

// All implements Store.
func (m *Memory) All(context.Context) ([]Binding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Binding
	for _, bindings := range m.accounts {
		all = append(all, bindings...)
	}
	return all, nil
}

// Expire implements Store.
func (m *Memory) Expire(_ context.Context, now time.Time) ([]Binding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []Binding
	for account, bindings := range m.accounts {
		if !slices.ContainsFunc(bindings, func(b Binding) bool { return !b.Expires.After(now) }) {
			continue
		}
		var live []Binding
		for _, b := range bindings {
			if b.Expires.After(now) {
				live = append(live, b)
			} else {
				gone = append(gone, b)
			}
		}
		m.put(account, live)
	}
	return gone, nil
}
