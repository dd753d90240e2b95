// Package lease names one node for each thing that several nodes have a part in, as
// a meeting with legs on many: that node decides, the others follow. A node that
// wants a name holds it while it says so in the database again and again; when it
// has died, the next one that wants it has it within Term.
package lease

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/store"
)

// Every is how often a node says that it still wants what it wants, Term how long its
// word counts. The clocks of nodes have to agree within a few seconds.
const (
	Every = 3 * time.Second
	Term  = 15 * time.Second
)

// Keeper is what a node holds, and wants to hold. Safe for concurrent use.
type Keeper struct {
	db   *store.DB
	node string
	now  func() time.Time
	log  *zap.Logger
	wake chan struct{}

	mu     sync.Mutex
	wanted map[string]*Lease
	given  map[string]bool // names to give back
}

// New makes the keeper of a node. Run has to follow.
func New(db *store.DB, node string, now func() time.Time, log *zap.Logger) *Keeper {
	return &Keeper{
		db: db, node: node, now: now, log: log, wake: make(chan struct{}, 1),
		wanted: make(map[string]*Lease), given: make(map[string]bool),
	}
}

// Lease is the wish of a node for a name. Safe for concurrent use.
type Lease struct {
	keeper *Keeper
	name   string

	mu    sync.Mutex
	other string // node that has it; "": this one, or nobody knows
	until time.Time
}

// Take asks for a name until Release. It does not wait for the database.
func (k *Keeper) Take(name string) *Lease {
	l := &Lease{keeper: k, name: name}
	k.mu.Lock()
	k.wanted[name] = l
	k.mu.Unlock()
	k.stir()
	return l
}

// Held reports whether this node decides. It does as long as no other node is known
// to: when the database cannot be asked, each keeps to the rules by itself.
func (l *Lease) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.other == "" || !l.keeper.now().Before(l.until)
}

// Release gives the name back, without waiting for the database.
func (l *Lease) Release() {
	k := l.keeper
	k.mu.Lock()
	if k.wanted[l.name] == l {
		delete(k.wanted, l.name)
		k.given[l.name] = true
	}
	k.mu.Unlock()
	k.stir()
}

func (l *Lease) set(other string, until time.Time) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed = l.other != other
	l.other, l.until = other, until
	return changed
}

func (k *Keeper) stir() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run keeps what is wanted until ctx ends; then others may have it at once. With a
// database of its own a node has nobody to agree with, and Run does nothing.
func (k *Keeper) Run(ctx context.Context) error {
	if !k.db.Shared() {
		return nil
	}
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		if err := k.Beat(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("leases are not renewed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return k.leave(last)
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// Statements on one name.
const (
	claim = `INSERT INTO leases (name, node, until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET node = excluded.node, until = excluded.until
		WHERE leases.node = excluded.node OR leases.until <= $4`
	look = `SELECT node, until FROM leases WHERE name = $1`
	free = `DELETE FROM leases WHERE name = $1 AND node = $2`
)

// Beat gives back what is not wanted any more, and asks for what is.
func (k *Keeper) Beat(ctx context.Context) error {
	wanted, given := k.wishes()
	if len(wanted) == 0 && len(given) == 0 {
		return nil
	}
	now := k.now()
	until := now.Add(Term)
	type holder struct {
		node  string
		until time.Time
	}
	var found map[string]holder
	err := k.db.WriteSoon(ctx, func(t *store.Tx) error {
		found = make(map[string]holder, len(wanted)) // anew: it may be run again
		for _, name := range given {
			if _, err := t.Exec(ctx, free, name, k.node); err != nil {
				return err
			}
		}
		for _, l := range wanted {
			rows, err := t.Exec(ctx, claim, l.name, k.node, store.Micros(until), store.Micros(now))
			if err != nil {
				return err
			}
			if rows > 0 {
				continue
			}
			var h holder
			var end int64
			ok, err := t.Get(ctx, look, []any{l.name}, &h.node, &end)
			if err != nil {
				return err
			}
			if ok {
				h.until = store.Time(end)
				found[l.name] = h
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	k.mu.Lock()
	for _, name := range given {
		delete(k.given, name)
	}
	k.mu.Unlock()
	for _, l := range wanted {
		h := found[l.name]
		if l.set(h.node, h.until) {
			k.log.Debug("who decides has changed", zap.String("name", l.name), zap.String("other", h.node))
		}
	}
	return nil
}

// wishes are what to ask for and to give back, in one order on all nodes, so that
// their transactions wait for each other and do not stand in each other's way.
func (k *Keeper) wishes() (wanted []*Lease, given []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range k.wanted {
		wanted = append(wanted, l)
	}
	for name := range k.given {
		if k.wanted[name] != nil {
			delete(k.given, name) // wanted again
			continue
		}
		given = append(given, name)
	}
	slices.SortFunc(wanted, func(a, b *Lease) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	slices.Sort(given)
	return wanted, given
}

// leave gives everything back.
func (k *Keeper) leave(ctx context.Context) error {
	return k.db.WriteSoon(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM leases WHERE node = $1 OR until < $2`, k.node, store.Micros(k.now().Add(-time.Hour)))
		return err
	})
}
