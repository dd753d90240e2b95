package transport

import (
	"net/netip"
	"sync"

	"github.com/roomgate/roomgate/call/limit"
)

// Gate bounds the connections that strangers hold open.
type Gate struct {
	total, perSource, silent int

	mu      sync.Mutex
	open    int
	quiet   int
	sources map[netip.Addr]int
}

// NewGate makes a gate for at most total connections, perSource of one source,
// and silent that have not said anything yet.
func NewGate(total, perSource, silent int) *Gate {
	return &Gate{total: total, perSource: perSource, silent: silent, sources: make(map[netip.Addr]int)}
}

// Pass is the place of one connection.
type Pass struct {
	gate   *Gate
	source netip.Addr
	quiet  bool
	left   bool
}

// Enter takes a place; nil when there is none.
func (g *Gate) Enter(from netip.Addr) *Pass {
	source := limit.Source(from)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= g.total || g.quiet >= g.silent || g.sources[source] >= g.perSource {
		return nil
	}
	g.open++
	g.quiet++
	g.sources[source]++
	return &Pass{gate: g, source: source, quiet: true}
}

// Spoke notes that the connection has said something sensible.
func (p *Pass) Spoke() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.hush()
}

func (p *Pass) hush() {
	if p.quiet {
		p.quiet = false
		p.gate.quiet--
	}
}

// Leave gives the place back; idempotent.
func (p *Pass) Leave() {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.left {
		return
	}
	p.left = true
	p.hush()
	g.open--
	if g.sources[p.source]--; g.sources[p.source] == 0 {
		delete(g.sources, p.source)
	}
}

// Open counts the connections.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}
