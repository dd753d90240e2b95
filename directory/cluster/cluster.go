// Package cluster lets the nodes on one database know of each other: each writes
// now and then that it is there and where the others reach it. Their clocks have
// to agree within a few seconds.
package cluster

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/directory/store"
)

// How often a node shows itself, after what time it is not called any more, and
// after what time it is given up, so that its calls are over.
const (
	Every  = 3 * time.Second
	Absent = 15 * time.Second
	Dead   = time.Minute
)

// Node is a gateway.
type Node struct {
	Name string
	// SIP is HOST:PORT of SIP over TCP, H323 that of call signalling; "" = none.
	SIP, H323 string
	Seen      time.Time
}

// Cluster is the nodes as one of them sees them. Safe for concurrent use.
type Cluster struct {
	db  *store.DB
	own Node
	now func() time.Time
	log *zap.Logger
	// Changed is called when nodes come or go. May be nil; set before Run.
	Changed func()
	// Gone is called when a node is given up. May be nil; set before Run.
	Gone func(ctx context.Context, name string)

	mu    sync.Mutex
	peers map[string]Node
}

// New makes the view of a node. Announce, and Run, make it known.
func New(db *store.DB, name string, now func() time.Time, log *zap.Logger) *Cluster {
	return &Cluster{db: db, own: Node{Name: name}, now: now, log: log, peers: make(map[string]Node)}
}

// Announce says where other nodes reach this one. It comes before Run.
func (c *Cluster) Announce(sip, h323 string) { c.own.SIP, c.own.H323 = sip, h323 }

// Run shows this node and looks for the others until ctx ends; then it is gone at
// once. With a database of its own it does nothing.
func (c *Cluster) Run(ctx context.Context) error {
	if !c.db.Shared() {
		return nil
	}
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		if err := c.Beat(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("other nodes are not heard of", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return c.leave(last)
		case <-tick.C:
		}
	}
}

// Beat shows this node, looks for the others, and closes what the dead left open.
func (c *Cluster) Beat(ctx context.Context) error {
	now := c.now()
	err := c.db.WriteSoon(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `INSERT INTO nodes (name, sip, h323, started, seen) VALUES ($1, $2, $3, $4, $4)
			ON CONFLICT (name) DO UPDATE SET sip = excluded.sip, h323 = excluded.h323, seen = excluded.seen`,
			c.own.Name, c.own.SIP, c.own.H323, store.Micros(now))
		return err
	})
	if err != nil {
		return err
	}
	rows, err := c.db.Query(ctx, `SELECT name, sip, h323, seen FROM nodes WHERE name <> $1`, c.own.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	peers := make(map[string]Node)
	var dead []string
	for rows.Next() {
		var n Node
		var seen int64
		if err := rows.Scan(&n.Name, &n.SIP, &n.H323, &seen); err != nil {
			return err
		}
		n.Seen = store.Time(seen)
		switch age := now.Sub(n.Seen); {
		case age > Dead:
			dead = append(dead, n.Name)
		case age <= Absent:
			peers[n.Name] = n
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	c.set(peers)
	return c.bury(ctx, dead)
}

func (c *Cluster) set(peers map[string]Node) {
	c.mu.Lock()
	changed := len(peers) != len(c.peers)
	for name, n := range peers {
		was, ok := c.peers[name]
		changed = changed || !ok || was.SIP != n.SIP || was.H323 != n.H323
	}
	c.peers = peers
	c.mu.Unlock()
	if changed && c.Changed != nil {
		c.Changed()
	}
}

// bury closes the call records of dead nodes.
func (c *Cluster) bury(ctx context.Context, dead []string) error {
	for _, name := range dead {
		closed, err := record.Close(ctx, c.db, name)
		if err != nil {
			return err
		}
		c.log.Warn("a node is gone", zap.String("node", name), zap.Int64("calls", closed))
		if c.Gone != nil {
			c.Gone(ctx, name)
		}
		if err := c.forget(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) leave(ctx context.Context) error { return c.forget(ctx, c.own.Name) }

func (c *Cluster) forget(ctx context.Context, name string) error {
	return c.db.WriteSoon(ctx, func(t *store.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM nodes WHERE name = $1`, name)
		return err
	})
}

// Peer finds another node that is there.
func (c *Cluster) Peer(name string) (Node, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.peers[name]
	return n, ok
}

// Peers lists the other nodes that are there.
func (c *Cluster) Peers() []Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Node, 0, len(c.peers))
	for _, n := range c.peers {
		out = append(out, n)
	}
	return out
}
