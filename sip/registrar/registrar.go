package registrar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/sip/digest"
	"go.uber.org/zap"
)

// Config sets up a Registrar. Accounts and Auth are required; zero values of
// the others take the defaults.
type Config struct {
	Accounts Accounts
	Auth     *digest.Server
	// Domains that we are the registrar of, as they stand in Request-URI and
	// To. Empty: any, which suits terminals that register by address.
	Domains []string
	Store   Store          // default NewMemory()
	Lockout *limit.Lockout // nil: nobody is locked out
	// Expiry asked for is clamped: shorter than MinExpires is refused by 423,
	// longer than MaxExpires is shortened. Without a wish it is DefaultExpires.
	MinExpires     time.Duration // default 60 s
	MaxExpires     time.Duration // default 1 h
	DefaultExpires time.Duration // default 1 h
	// MaxBindings of one account; more are refused by 403. Default 10.
	MaxBindings int
	// MaxTotal bindings in all; more are refused by 503. Default 100000.
	MaxTotal int
	// FlowTimer is told to terminals that registered an outbound flow: they
	// send a keep-alive at least so often (RFC 5626 §4.4.1). Default 90 s.
	FlowTimer time.Duration
	// PingEvery, when positive, makes Run send OPTIONS to each binding so
	// often by Ping, and drop a binding after PingFailures unanswered ones.
	PingEvery    time.Duration
	PingFailures int // default 3
	Ping         func(ctx context.Context, to Binding) error
	// OnEvent is called after each change, in order per account. It may look
	// things up, but must not block.
	OnEvent func(Event)
	Now     func() time.Time
	Log     *zap.Logger
}

// Registrar answers REGISTER and knows where terminals are. Safe for
// concurrent use.
type Registrar struct {
	c     Config
	log   *zap.Logger
	order [64]sync.Mutex // by account: changes and their events, in order

	mu    sync.Mutex
	flows map[flowKey][]string // accounts by flow, the latest last
	total int                  // bindings in the store, as far as we changed it
	fails map[key]int          // unanswered pings
}

// flowKey is a flow without the local address, which a terminal does not
// choose.
type flowKey struct {
	transport string
	remote    netip.AddrPort
}

func (f Flow) key() flowKey { return flowKey{f.Transport, f.Remote} }

// key names a binding.
type key struct{ account, contact string }

func (b Binding) key() key { return key{b.Account, b.Contact} }

// New makes a registrar.
func New(c Config) (*Registrar, error) {
	if c.Accounts == nil || c.Auth == nil {
		return nil, errors.New("registrar needs accounts and authentication")
	}
	c.defaults()
	if c.MinExpires > c.MaxExpires {
		return nil, fmt.Errorf("shortest expiry %v is over the longest %v", c.MinExpires, c.MaxExpires)
	}
	r := &Registrar{c: c, log: c.Log, flows: make(map[flowKey][]string), fails: make(map[key]int)}
	all, err := c.Store.All(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read bindings: %w", err)
	}
	r.total = len(all)
	for _, b := range all {
		r.enter(b)
	}
	return r, nil
}

func (c *Config) defaults() {
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.MinExpires, time.Minute},
		{&c.MaxExpires, time.Hour},
		{&c.DefaultExpires, time.Hour},
		{&c.FlowTimer, 90 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	c.DefaultExpires = min(c.DefaultExpires, c.MaxExpires)
	if c.MaxBindings <= 0 {
		c.MaxBindings = 10
	}
	if c.MaxTotal <= 0 {
		c.MaxTotal = 100000
	}
	if c.PingFailures <= 0 {
		c.PingFailures = 3
	}
	if c.Store == nil {
		c.Store = NewMemory()
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
}

// update changes the bindings of an account and reports what happened.
func (r *Registrar) update(account string, change func([]Binding) ([]Binding, []Event, error)) ([]Binding, error) {
	lock := &r.order[maphash.String(seed, account)%uint64(len(r.order))]
	lock.Lock()
	defer lock.Unlock()
	var after []Binding
	var events []Event
	err := r.c.Store.Update(context.Background(), account, func(before []Binding) ([]Binding, error) {
		var err error
		after, events, err = change(before)
		if grown := len(after) - len(before); err == nil && grown > 0 && !r.room(grown) {
			err = errFull
		}
		return after, err
	})
	if err != nil {
		return nil, err
	}
	r.note(events)
	return after, nil
}

// seed spreads accounts over locks.
var seed = maphash.MakeSeed()

// room reports whether the registrar takes so many more bindings.
func (r *Registrar) room(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total+n <= r.c.MaxTotal
}

// note keeps the indexes in step with the store and tells of the events.
func (r *Registrar) note(events []Event) {
	r.mu.Lock()
	for _, e := range events {
		b := e.Binding
		switch e.Kind {
		case Registered:
			r.total++
			r.enter(b)
		case Refreshed:
			r.leave(e.left, b.Account)
			r.enter(b)
		default:
			r.total--
			r.leave(b.Flow, b.Account)
			delete(r.fails, b.key())
		}
	}
	r.mu.Unlock()
	for _, e := range events {
		r.c.OnEvent(e)
	}
}

// enter and leave keep the index of flows; r.mu is held.
func (r *Registrar) enter(b Binding) {
	r.leave(b.Flow, b.Account)
	k := b.Flow.key()
	r.flows[k] = append(r.flows[k], b.Account)
}

func (r *Registrar) leave(f Flow, account string) {
	k := f.key()
	if at := slices.Index(r.flows[k], account); at >= 0 {
		r.flows[k] = slices.Delete(r.flows[k], at, at+1)
	}
	if len(r.flows[k]) == 0 {
		delete(r.flows, k)
	}
}

// Lookup returns the live bindings of an alias or user name, best first: by q,
// then by how recently they were refreshed. Of several flows of one terminal
// (RFC 5626) only the best is the first of its instance; the others follow
// behind all instances, to be tried when it fails.
func (r *Registrar) Lookup(alias string) []Binding {
	account, ok := r.c.Accounts.ByAlias(alias)
	if !ok {
		return nil
	}
	bindings, err := r.c.Store.Bindings(context.Background(), account.Username)
	if err != nil {
		r.log.Warn("bindings cannot be read", zap.Error(err))
		return nil
	}
	bindings = live(bindings, r.c.Now())
	slices.SortStableFunc(bindings, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(b.Q, a.Q), b.Updated.Compare(a.Updated))
	})
	var first, more []Binding
	seen := make(map[string]bool)
	for _, b := range bindings {
		if b.Instance != "" && seen[b.Instance] {
			more = append(more, b)
			continue
		}
		seen[b.Instance] = true
		first = append(first, b)
	}
	return append(first, more...)
}

func live(bindings []Binding, now time.Time) []Binding {
	return slices.DeleteFunc(bindings, func(b Binding) bool { return !b.Expires.After(now) })
}

// Known reports whether an alias belongs to an account, registered or not.
func (r *Registrar) Known(alias string) bool {
	_, ok := r.c.Accounts.ByAlias(alias)
	return ok
}

// Sender returns the account that is registered over this flow, the latest if
// there are several: a request that comes over it comes from that terminal.
// Over UDP an address can be forged, so this does not replace a challenge.
func (r *Registrar) Sender(flow Flow) (Binding, bool) {
	accounts := r.over(flow.key())
	now := r.c.Now()
	for _, account := range slices.Backward(accounts) {
		bindings, err := r.c.Store.Bindings(context.Background(), account)
		if err != nil {
			return Binding{}, false
		}
		for _, b := range bindings {
			if b.Flow.key() == flow.key() && b.Expires.After(now) {
				return b, true
			}
		}
	}
	return Binding{}, false
}

// over returns the accounts registered over a flow.
func (r *Registrar) over(k flowKey) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.flows[k])
}

// Registrations is a snapshot of the live bindings, sorted by AOR and contact.
func (r *Registrar) Registrations() []Registration {
	all, err := r.c.Store.All(context.Background())
	if err != nil {
		r.log.Warn("bindings cannot be read", zap.Error(err))
		return nil
	}
	domain := ""
	if len(r.c.Domains) > 0 {
		domain = r.c.Domains[0]
	}
	list := make([]Registration, 0, len(all))
	for _, b := range live(all, r.c.Now()) {
		at := domain
		if at == "" {
			at = b.Domain
		}
		list = append(list, Registration{
			AOR:       "sip:" + b.Account + "@" + at,
			Alias:     b.Alias,
			Contact:   b.Contact,
			Address:   b.Flow.Remote.String(),
			Transport: b.Flow.Transport,
			UserAgent: b.UserAgent,
			Expires:   b.Expires,
			Since:     b.Since,
		})
	}
	slices.SortFunc(list, func(a, b Registration) int {
		return cmp.Or(cmp.Compare(a.AOR, b.AOR), cmp.Compare(a.Contact, b.Contact))
	})
	return list
}

// Disconnected tells that a connection was closed. Bindings of outbound flows
// over it are gone (RFC 5626 §5.3); others stay, to be reached at their
// contact.
func (r *Registrar) Disconnected(transport, remote string) {
	address, err := netip.ParseAddrPort(remote)
	if err != nil || transport == "UDP" {
		return
	}
	k := flowKey{transport, address}
	for _, account := range r.over(k) {
		r.detach(account, k)
	}
}

// detach takes a closed connection from the bindings of an account.
func (r *Registrar) detach(account string, k flowKey) {
	_, err := r.update(account, func(before []Binding) (after []Binding, events []Event, err error) {
		for _, b := range before {
			if b.Flow.key() == k {
				if b.RegID > 0 {
					events = append(events, Event{Kind: Lost, Binding: b})
					continue
				}
				b.Flow.Local = netip.AddrPort{}
			}
			after = append(after, b)
		}
		return after, events, nil
	})
	if err != nil {
		r.log.Warn("binding of a closed connection stays", zap.Error(err))
	}
}
