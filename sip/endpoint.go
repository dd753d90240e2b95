// Package sip is the gateway's SIP user agent: calls in and out over UDP, TCP
// and TLS, the registrar, and the dialogs between (RFC 3261 and its
// extensions). It implements call.Endpoint and, for each dialog, call.Leg.
//
// # Who does what
//
// The edge (sip/edge) owns the sockets and screens messages; sipgo's transport
// and transaction layers (RFC 3261 §17, §18) stand on it; sip/dialog holds the
// dialog's state machines; sip/offer negotiates. Here they meet: every leg is
// one goroutine that takes requests, responses, timers and the gateway's wishes
// from one queue, so that races of the protocol (CANCEL against 200, BYE
// against re-INVITE, glare) are decided in one place and in one order.
package sip

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/registrar"
)

// Endpoint is the SIP stack.
type Endpoint struct {
	cfg Config
	log *zap.Logger

	edge         *edge.Edge
	listeners    []*edge.Listener
	addresses    []Address
	transport    *sipgo.TransportLayer
	transactions *sipgo.TransactionLayer

	accounts  *registrar.List  // of the configuration
	known     registrar.Layers // all
	registrar *registrar.Registrar
	digest    *digest.Server
	lockout   *limit.Lockout
	rate      *limit.Rate

	trunks   atomic.Pointer[[]Trunk]
	limits   atomic.Pointer[Limits]
	draining atomic.Bool
	deaf     atomic.Bool // requests are no longer taken
	incoming atomic.Pointer[func(call.Leg)]

	ready chan struct{}  // closed when requests can be sent
	wg    sync.WaitGroup // goroutines of the endpoint and its legs

	listening sync.WaitGroup // readers of the listeners

	lining sync.Mutex // changes of lines
	lines  sync.Map   // name of the trunk: *line

	subscriptions subscriptions
	closing       context.Context // ends when the endpoint closes
	close         context.CancelFunc

	mu      sync.Mutex
	legs    map[*leg]struct{}
	dialogs map[dialog.ID]*leg
	invites map[inviteKey]*leg // incoming, for merged requests
	pending int                // incoming legs without an answer
	active  int                // legs that have not ended
	closed  bool
	serving bool // requests can be sent
}

var _ call.Endpoint = (*Endpoint)(nil)

// New binds the listeners of cfg. Serve has to follow; it closes them.
func New(cfg Config) (*Endpoint, error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	e := &Endpoint{
		cfg: cfg, log: cfg.Log,
		ready:   make(chan struct{}),
		legs:    make(map[*leg]struct{}),
		dialogs: make(map[dialog.ID]*leg),
		invites: make(map[inviteKey]*leg),
		lockout: limit.NewLockout(limit.LockoutConfig{}),
	}
	e.closing, e.close = context.WithCancel(context.Background())
	e.trunks.Store(&cfg.Trunks)
	e.limits.Store(&cfg.Limits)
	e.rate = limit.NewRate(limit.RateConfig{PerSecond: float64(cfg.Limits.PerSource)})
	if err := e.authority(); err != nil {
		return nil, err
	}
	if err := e.bind(); err != nil {
		return nil, err
	}
	e.setLines(cfg.Trunks)
	return e, nil
}

// authority sets up who may register and call.
func (e *Endpoint) authority() (err error) {
	if e.accounts, err = registrar.NewList(accounts(e.cfg.Accounts)); err != nil {
		return err
	}
	e.known = registrar.Layers{e.accounts}
	if e.cfg.Directory != nil {
		e.known = append(e.known, e.cfg.Directory)
	}
	realm := "roomgate"
	if len(e.cfg.Domains) > 0 {
		realm = e.cfg.Domains[0]
	}
	e.digest, err = digest.NewServer(digest.ServerConfig{Realm: realm, Credentials: credentials{e}})
	if err != nil {
		return err
	}
	e.registrar, err = registrar.New(registrar.Config{
		Accounts: e.known, Auth: e.digest, Store: e.cfg.Bindings, Domains: e.cfg.Domains, Lockout: e.lockout,
		MinExpires: e.cfg.MinExpires, MaxExpires: e.cfg.MaxExpires, DefaultExpires: e.cfg.MaxExpires,
		MaxTotal: e.cfg.Limits.Registrations, OnEvent: e.cfg.OnRegistration,
		PingEvery: e.cfg.PingEvery, Ping: e.ping, Log: e.log.Named("registrar"),
	})
	return err
}

func accounts(list []Account) []registrar.Account {
	out := make([]registrar.Account, 0, len(list))
	for _, a := range list {
		out = append(out, registrar.Account{Username: a.User, Password: a.Password, Aliases: a.Aliases, Name: a.Name})
	}
	return out
}

// allow limits messages of a source; those of trunks have limits of their own.
func (e *Endpoint) allow(addr netip.Addr) bool {
	if _, ok := e.trunkOf(addr); ok {
		return true
	}
	return e.rate.Allow(addr)
}

// Serve implements call.Endpoint. On the end of ctx it hangs up what is left,
// with cause Draining, and returns when nothing of it runs any more.
func (e *Endpoint) Serve(ctx context.Context, incoming func(call.Leg)) error {
	e.incoming.Store(&incoming)
	e.serveListeners()
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		if err := e.registrar.Run(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("registrar stopped", zap.Error(err))
		}
	}()
	e.awaitServed(ctx)
	e.startLines()
	<-ctx.Done()
	e.shutdown()
	return nil
}

func (e *Endpoint) shutdown() {
	e.Drain()
	e.close()
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
	e.stopLines()
	deadline := time.NewTimer(e.cfg.Farewell)
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
	e.wg.Wait()
	e.deaf.Store(true)
	e.transactions.Close()
	e.closeListeners()
	e.listening.Wait()
	e.sweep()
}

// sweep closes what sipgo opened by itself: a request that was read before we
// were deaf, and finds the socket gone that it came from, makes it open another
// to answer from. Its goroutines cannot be waited for.
func (e *Endpoint) sweep() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 10 {
		_ = e.transport.Close()
		<-tick.C
	}
	_ = e.transport.Close()
}

// Addresses are the bound listeners, in the order of Config.Listen.
func (e *Endpoint) Addresses() []Address { return append([]Address(nil), e.addresses...) }

// Address is one bound listener.
type Address struct {
	Transport string // udp, tcp, tls
	netip.AddrPort
}

// Known reports whether an alias belongs to one of our accounts, registered at
// the moment or not.
func (e *Endpoint) Known(alias string) bool { return e.registrar.Known(alias) }

// Reachable reports whether an alias is registered at the moment.
func (e *Endpoint) Reachable(alias string) bool { return len(e.registrar.Lookup(alias)) > 0 }

// Registrations lists the bindings that have not expired.
func (e *Endpoint) Registrations() []registrar.Registration { return e.registrar.Registrations() }

// Reload replaces accounts, trunks and limits; on an error the old ones stay.
// Calls and the registrations of accounts that remain are untouched.
func (e *Endpoint) Reload(list []Account, trunks []Trunk, limits Limits) error {
	if err := e.accounts.Replace(accounts(list)); err != nil {
		return err
	}
	limits.withDefaults()
	e.trunks.Store(&trunks)
	e.limits.Store(&limits)
	e.setLines(trunks)
	return nil
}

// Drain refuses new calls with 503 from now on. Calls in progress go on.
func (e *Endpoint) Drain() { e.draining.Store(true) }

// Calls is the number of legs that have not ended.
func (e *Endpoint) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active
}

// Stats counts messages at the edge.
func (e *Endpoint) Stats() edge.Stats { return e.edge.Stats() }

// Close gives up an endpoint that was never served.
func (e *Endpoint) Close() { e.closeListeners() }

// flowClosed is told by the edge that a connection has ended.
func (e *Endpoint) flowClosed(f edge.Flow) {
	e.registrar.Disconnected(string(f.Transport), f.Remote.String())
}

// ours reports whether a host names this gateway.
func (e *Endpoint) ours(host string) bool {
	host = strings.Trim(host, "[]")
	for _, d := range e.cfg.Domains {
		if strings.EqualFold(d, host) {
			return true
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, a := range e.addresses {
		if a.Addr().Unmap() == addr.Unmap() {
			return true
		}
	}
	return e.local(addr).Local == addr.Unmap() // routed to ourselves
}

func (e *Endpoint) debugSend(err error) {
	e.log.Debug("response not sent", zap.Error(err))
}
