package h323

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/transport"
)

// Endpoint is the H.323 stack.
type Endpoint struct {
	cfg  Config
	log  *zap.Logger
	self h225.EndpointType

	listeners []net.Listener
	addresses []netip.AddrPort
	gate      *transport.Gate
	rate      atomic.Pointer[limit.Rate]
	limits    atomic.Pointer[Limits]
	draining  atomic.Bool
	incoming  atomic.Pointer[func(call.Leg)]
	counters  counters

	wg sync.WaitGroup // goroutines of the endpoint, its links and its legs

	mu    sync.Mutex
	legs  map[*leg]struct{}
	links map[*link]struct{}
	calls map[[16]byte]*leg // by call identifier
	// awaited are calls that their terminals connect for, announced those that we
	// were asked to connect for, the newest last.
	awaited   map[[16]byte]chan *link
	announced [][16]byte
	homes     []*home // gatekeepers that we are registered with; never changed in place
	pending   int     // incoming legs without an answer
	active    int     // legs that have not ended
	closed    bool
}

var _ call.Endpoint = (*Endpoint)(nil)

// New binds the listeners of cfg. Serve has to follow; it closes them. An endpoint
// that is not served can be closed by Close.
func New(cfg Config) (*Endpoint, error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	e := &Endpoint{
		cfg: cfg, log: cfg.Log, self: self(&cfg),
		legs: make(map[*leg]struct{}), links: make(map[*link]struct{}), calls: make(map[[16]byte]*leg),
		awaited: make(map[[16]byte]chan *link),
		gate:    transport.NewGate(cfg.Limits.Connections, cfg.Limits.ConnectionsPerSource, cfg.Limits.Silent),
	}
	e.Reload(cfg.Limits)
	if err := e.bind(); err != nil {
		return nil, err
	}
	return e, nil
}

// Serve implements call.Endpoint. On the end of ctx it hangs up what is left, with
// cause Draining, and returns when nothing of it runs any more.
func (e *Endpoint) Serve(ctx context.Context, incoming func(call.Leg)) error {
	e.incoming.Store(&incoming)
	for _, l := range e.listeners {
		e.wg.Add(1)
		go e.accept(l)
	}
	<-ctx.Done()
	e.shutdown()
	return nil
}

// farewell bounds how long the goodbyes of a shutdown may take.
const farewell = 2 * time.Second

func (e *Endpoint) shutdown() {
	e.Drain()
	e.Close()
	e.leaveHomes()
	e.mu.Lock()
	e.closed = true
	legs := make([]*leg, 0, len(e.legs))
	for l := range e.legs {
		legs = append(legs, l)
	}
	e.mu.Unlock()
	for _, l := range legs {
		_ = l.Hangup(call.Cause{Code: call.Draining})
	}
	deadline := time.NewTimer(farewell)
	defer deadline.Stop()
	for _, l := range legs {
		select {
		case <-l.gone:
			continue
		case <-deadline.C:
			deadline.Reset(0)
		}
		l.kill()
	}
	e.mu.Lock()
	links := make([]*link, 0, len(e.links))
	for k := range e.links {
		links = append(links, k)
	}
	e.mu.Unlock()
	for _, k := range links {
		k.conn.Close() // what was said goes out; a far side that lingers is left
	}
	e.wg.Wait()
}

// Addresses are the bound listeners, in the order of Config.Listen.
func (e *Endpoint) Addresses() []netip.AddrPort { return append([]netip.AddrPort(nil), e.addresses...) }

// Reload replaces the limits. Calls are untouched.
func (e *Endpoint) Reload(limits Limits) {
	limits.withDefaults()
	if old := e.limits.Swap(&limits); old == nil || old.PerSource != limits.PerSource {
		e.rate.Store(limit.NewRate(limit.RateConfig{PerSecond: float64(limits.PerSource)}))
	}
}

// Drain refuses new calls from now on. Calls in progress go on.
func (e *Endpoint) Drain() { e.draining.Store(true) }

// Calls is the number of legs that have not ended.
func (e *Endpoint) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active
}

// Close stops listening.
func (e *Endpoint) Close() {
	for _, l := range e.listeners {
		_ = l.Close() // it was there for nothing else
	}
}

// Stats counts what came at the edge.
type Stats struct {
	Connections int    // signalling connections that are open
	Refused     uint64 // connections there was no room for
	Malformed   uint64 // messages that could not be read
	Limited     uint64 // SETUPs over the rate of their source
	Stray       uint64 // messages of no call
}

type counters struct{ refused, malformed, limited, stray atomic.Uint64 }

// Stats is a snapshot.
func (e *Endpoint) Stats() Stats {
	return Stats{
		Connections: e.gate.Open(), Refused: e.counters.refused.Load(), Malformed: e.counters.malformed.Load(),
		Limited: e.counters.limited.Load(), Stray: e.counters.stray.Load(),
	}
}

// admit asks whether one more call may be set up.
func (e *Endpoint) admit(incoming bool) *call.Cause {
	if e.draining.Load() {
		return &call.Cause{Code: call.Draining, RetryAfter: 30}
	}
	limits := e.limits.Load()
	e.mu.Lock()
	calls, pending, closed := e.active, e.pending, e.closed
	crowded := len(e.legs) >= 2*limits.Calls // ended, but not gone yet
	e.mu.Unlock()
	if closed {
		return &call.Cause{Code: call.Draining}
	}
	if crowded || calls >= limits.Calls || incoming && pending >= limits.Pending {
		return &call.Cause{Code: call.Congestion, RetryAfter: 5}
	}
	if e.cfg.Admit != nil {
		return e.cfg.Admit()
	}
	return nil
}

// towards is how we look towards a peer.
func (e *Endpoint) towards(peer netip.Addr) local.Network { return e.cfg.Network.Towards(peer) }

// Signalling is the call signalling address that a peer is to use.
func (e *Endpoint) Signalling(peer netip.Addr) netip.AddrPort { return e.signalling(e.towards(peer)) }

// signalling is our call signalling address as a peer is told it.
func (e *Endpoint) signalling(n local.Network) netip.AddrPort {
	for _, exact := range []bool{true, false} {
		for _, a := range e.addresses {
			addr := a.Addr().Unmap()
			any := addr.IsUnspecified() && (addr.Is6() || n.Local.Is4())
			if addr == n.Local || !exact && any {
				return netip.AddrPortFrom(n.Advertised, a.Port())
			}
		}
	}
	if len(e.addresses) == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(n.Advertised, e.addresses[0].Port())
}
