package registrar

import (
	"context"
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
type Memory struct{}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{} }

// Update implements Store.
func (m *Memory) Update(_ context.Context, account string, change func([]Binding) ([]Binding, error)) error {
	return nil
}

// Bindings implements Store.
func (m *Memory) Bindings(_ context.Context, account string) ([]Binding, error) { return nil, nil }

// All implements Store.
func (m *Memory) All(context.Context) ([]Binding, error) { return nil, nil }

// Expire implements Store.
func (m *Memory) Expire(_ context.Context, now time.Time) ([]Binding, error) { return nil, nil }
