package registrar

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// sweepEvery is how late an expiry may be noticed. Lookups never return an
// expired binding.
const sweepEvery = time.Second

// pingers is how many OPTIONS may be under way at once.
const pingers = 16

// Run expires bindings and pings terminals until ctx ends.
func (r *Registrar) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	var ping <-chan time.Time
	if r.c.PingEvery > 0 && r.c.Ping != nil {
		t := time.NewTicker(r.c.PingEvery)
		defer t.Stop()
		ping = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			r.expire(ctx)
		case <-ping:
			r.pingAll(ctx)
		}
	}
}

// expire removes what was not refreshed in time. No account changes meanwhile,
// so that a terminal that comes back is not taken for gone.
func (r *Registrar) expire(ctx context.Context) {
	for i := range r.order {
		r.order[i].Lock()
		defer r.order[i].Unlock()
	}
	gone, err := r.c.Store.Expire(ctx, r.c.Now())
	if err != nil {
		r.log.Warn("expired bindings stay", zap.Error(err))
		return
	}
	events := make([]Event, 0, len(gone))
	for _, b := range gone {
		events = append(events, Event{Kind: Expired, Binding: b})
	}
	r.note(events)
}

// pingAll asks each terminal for an answer and waits for all of them.
func (r *Registrar) pingAll(ctx context.Context) {
	all, err := r.c.Store.All(ctx)
	if err != nil {
		r.log.Warn("bindings cannot be read", zap.Error(err))
		return
	}
	bindings := make(chan Binding)
	var running sync.WaitGroup
	for range min(pingers, len(all)) {
		running.Go(func() {
			for b := range bindings {
				r.ping(ctx, b)
			}
		})
	}
	for _, b := range live(all, r.c.Now()) {
		bindings <- b
	}
	close(bindings)
	running.Wait()
}

// ping counts what a terminal does not answer; after so many it is gone.
func (r *Registrar) ping(ctx context.Context, b Binding) {
	err := r.c.Ping(ctx, b)
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	if err == nil {
		delete(r.fails, b.key())
		r.mu.Unlock()
		return
	}
	r.fails[b.key()]++
	dead := r.fails[b.key()] >= r.c.PingFailures
	r.mu.Unlock()
	if dead {
		r.lose(b)
	}
}

// lose removes a binding, unless it was refreshed meanwhile.
func (r *Registrar) lose(dead Binding) {
	_, err := r.update(dead.Account, func(before []Binding) (after []Binding, events []Event, err error) {
		for _, b := range before {
			if b.key() == dead.key() && b.Updated.Equal(dead.Updated) {
				events = append(events, Event{Kind: Lost, Binding: b})
				continue
			}
			after = append(after, b)
		}
		return after, events, nil
	})
	if err != nil {
		r.log.Warn("dead binding stays", zap.Error(err))
	}
}
