// Package invite remembers, for all nodes, whom meetings have called when they started:
// each invitee is called by one node, and again after a pause where nobody answered. A
// node that dies while it calls leaves the invitee to the others.
package invite

import (
	"context"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// Patience is how long an attempt may take before it counts as lost with its node. It has
// to be longer than a call takes to be placed and then rings: who rings must not be called
// a second time.
const Patience = 3 * time.Minute

// kept is how long it is remembered who was called.
const kept = 30 * 24 * time.Hour

// Book is the memory of a node.
type Book struct {
	DB   *store.DB
	Node string
	Now  func() time.Time
}

// Call is somebody to be called now.
type Call struct {
	Target  string
	Attempt int // counted from 1
}

// Take claims who of a meeting's invitees is to be called now, most of them at once. open
// is false when all have been called, and nothing is left to do.
func (b *Book) Take(ctx context.Context, meeting string, starts time.Time, targets []string, most int) (calls []Call, open bool, err error) {
	known, err := b.known(ctx, meeting, starts)
	if err != nil {
		return nil, false, err
	}
	now := b.Now()
	var wanted []Call
	for _, target := range targets {
		k, there := known[target]
		if there && k.settled {
			continue
		}
		open = true
		if len(wanted) < most && (!there || !now.Before(k.due)) {
			wanted = append(wanted, Call{target, k.attempt + 1})
		}
	}
	if len(wanted) == 0 {
		return nil, open, nil
	}
	err = b.DB.Write(ctx, func(t *store.Tx) error {
		calls = calls[:0]
		for _, w := range wanted {
			ok, err := b.claim(ctx, t, meeting, starts, w, now)
			if err != nil {
				return err
			}
			if ok {
				calls = append(calls, w)
			}
		}
		_, err := t.Exec(ctx, `DELETE FROM invitations WHERE starts < $1`, store.Micros(now.Add(-kept)))
		return err
	})
	if err != nil {
		return nil, true, err
	}
	return calls, open, nil
}

// claim takes one call; false: another node was faster.
func (b *Book) claim(ctx context.Context, t *store.Tx, meeting string, starts time.Time, w Call, now time.Time) (bool, error) {
	due := store.Micros(now.Add(Patience))
	if w.Attempt == 1 {
		n, err := t.Exec(ctx, `INSERT INTO invitations (meeting, starts, target, node, attempt, due, settled) VALUES ($1, $2, $3, $4, 1, $5, 0)
			ON CONFLICT (meeting, starts, target) DO NOTHING`, meeting, store.Micros(starts), w.Target, b.Node, due)
		return n == 1, err
	}
	n, err := t.Exec(ctx, `UPDATE invitations SET node = $4, attempt = $5, due = $6
		WHERE meeting = $1 AND starts = $2 AND target = $3 AND attempt = $5 - 1 AND settled = 0`,
		meeting, store.Micros(starts), w.Target, b.Node, w.Attempt, due)
	return n == 1, err
}

// Release lets those be called again at once whom a node was calling that has died, or
// starts anew: its calls ended with it. Who has answered is not called again.
func (b *Book) Release(ctx context.Context, node string) error {
	return b.DB.Write(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `UPDATE invitations SET due = $2 WHERE node = $1 AND settled = 0 AND due > $2`, node, store.Micros(b.Now()))
		return err
	})
}

type state struct {
	attempt int
	due     time.Time
	settled bool
}

func (b *Book) known(ctx context.Context, meeting string, starts time.Time) (map[string]state, error) {
	rows, err := b.DB.Query(ctx, `SELECT target, attempt, due, settled FROM invitations WHERE meeting = $1 AND starts = $2`, meeting, store.Micros(starts))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]state{}
	for rows.Next() {
		var target string
		var due int64
		var settled int
		var s state
		if err := rows.Scan(&target, &s.attempt, &due, &settled); err != nil {
			return nil, err
		}
		s.due, s.settled = store.Time(due), settled != 0
		known[target] = s
	}
	return known, rows.Err()
}

// Done notes what came of a call that this node took: again is when to try once more,
// zero: never.
func (b *Book) Done(ctx context.Context, meeting string, starts time.Time, c Call, again time.Time) error {
	settled := 0
	if again.IsZero() {
		settled = 1
	}
	return b.DB.Write(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `UPDATE invitations SET due = $5, settled = $6 WHERE meeting = $1 AND starts = $2 AND target = $3 AND attempt = $4`,
			meeting, store.Micros(starts), c.Target, c.Attempt, store.Micros(again), settled)
		return err
	})
}
