package gatekeeper

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call/limit"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/exchange"
)

// How long and how many answers are kept for requests that come again: longer than
// anybody repeats a request, shorter than its number comes round.
const (
	replyLife = 20 * time.Second
	replySize = 16384
)

// Gatekeeper serves a zone. Safe for concurrent use.
type Gatekeeper struct {
	c        Config
	log      *zap.Logger
	replies  *exchange.Replies
	checker  *auth.Checker // under mu, see password
	signer   *auth.Signer
	counters counters

	mu       sync.Mutex
	settings Settings
	rate     *limit.Rate
	table    *table
	calls    *calls
	places   map[string]placed // by alias: who is in the zone of a neighbour
	requests *exchange.Requests

	swept  time.Time // of Tick
	told   time.Time // of the last refusal that was logged
	untold int       // refusals since
}

// New makes a gatekeeper with the registrations that the store has kept.
func New(c Config) (*Gatekeeper, error) {
	if err := c.defaults(); err != nil {
		return nil, err
	}
	g := &Gatekeeper{
		c: c, log: c.Log, replies: exchange.NewReplies(replyLife, replySize), settings: c.Settings,
		table: newTable(), calls: newCalls(), places: make(map[string]placed), requests: exchange.NewRequests(), signer: auth.NewSigner(c.Now),
	}
	g.checker = auth.NewChecker(auth.Config{Methods: c.Methods, Password: g.password, GeneralID: c.ID, Now: c.Now})
	g.rate = g.newRate()
	kept, err := c.Store.All(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	g.restore(kept)
	return g, nil
}

// restore enters what the store has kept, but for those that can no longer be reached
// or are no longer admitted.
func (g *Gatekeeper) restore(kept []Registration) {
	t := &turn{Gatekeeper: g, now: g.c.Now()}
	for _, r := range kept {
		e := &entry{Registration: r, ttl: g.settings.TimeToLive}
		if r.Path.Stream == nil && r.Path.Remote.IsValid() && t.admits(e) {
			g.table.put(e)
			delete(g.table.changed, r.ID)
		} else {
			g.table.changed[r.ID] = false
		}
	}
}

func (g *Gatekeeper) newRate() *limit.Rate {
	return limit.NewRate(limit.RateConfig{PerSecond: float64(g.settings.PerSource), Now: g.c.Now})
}

// Apply puts other settings into force. Endpoints that they do not admit have to leave.
func (g *Gatekeeper) Apply(s Settings) {
	s.defaults()
	g.turn(func(t *turn) {
		changed := s.PerSource != g.settings.PerSource
		g.settings = s
		clear(g.places)
		if changed {
			g.rate = g.newRate()
		}
		for _, e := range t.table.byID {
			if !t.admits(e) {
				t.expel(e, Removed, h225.UnregRequestReason{ReregistrationRequired: true})
			}
		}
	})
}

// admits reports whether an endpoint could register under the present settings.
func (t *turn) admits(e *entry) bool {
	_, known := t.account(e.Account)
	return t.settings.Mode != Closed && t.allowed(e.Path.Remote.Addr()) &&
		(known || e.Account == "" && t.settings.Mode == Open)
}

// Receive takes a datagram, or a message of a connection (H.460.17).
func (g *Gatekeeper) Receive(from ras.Path, pdu []byte) {
	if len(pdu) <= 1 {
		return // some terminals keep translators open by these
	}
	g.mu.Lock()
	rate := g.rate
	g.mu.Unlock()
	if !rate.Allow(from.Remote.Addr()) {
		g.count(&g.counters.limited, "limited")
		return
	}
	m, err := h225.ParseRAS(pdu)
	if err != nil {
		g.count(&g.counters.malformed, "malformed")
		g.log.Debug("malformed message", zap.Stringer("remote", from.Remote), zap.Error(err))
		return
	}
	kind := ras.KindOf(m)
	g.count(&g.counters.in[kind], kind.String())
	in := &incoming{from: from, pdu: pdu, message: m, kind: kind}
	switch {
	case kind.IsRequest() || kind == ras.IRR || kind == ras.NonStandard || kind == ras.None:
		g.take(in)
	default:
		g.answer(in)
	}
}

// incoming is a message that has come.
type incoming struct {
	from    ras.Path
	pdu     []byte
	message *h225.RASMessage
	kind    ras.Kind
	handle  exchange.Request
	sign    signature // for the answer
}

// take works on a request, unless it has come before.
func (g *Gatekeeper) take(in *incoming) {
	handle, answer, isNew := g.replies.Begin(g.c.Now(), in.from, ras.Number(in.message), in.pdu)
	if !isNew {
		g.counters.repeated.Add(1)
		if answer != nil {
			g.send(in.from, answer)
		}
		return
	}
	in.handle = handle
	if id := callOf(in.message); g.c.OnCall != nil && id != ([16]byte{}) {
		g.c.OnCall(id, false, in.from, in.message, in.pdu)
	}
	g.turn(func(t *turn) { t.serve(in) })
}

// answer takes the answer to a request of ours.
func (g *Gatekeeper) answer(in *incoming) {
	g.mu.Lock()
	done := g.requests.Answer(g.c.Now(), in.from, in.message)
	g.mu.Unlock()
	if done != nil {
		done(in.message, nil)
	}
}

// Disconnected tells that a connection of H.460.17 was closed: whoever registered over
// it can no longer be reached.
func (g *Gatekeeper) Disconnected(s ras.Stream) {
	g.mu.Lock()
	failed := g.requests.Drop(s)
	g.mu.Unlock()
	for _, done := range failed {
		done(nil, exchange.ErrNoAnswer)
	}
	g.turn(func(t *turn) {
		if e := t.table.byPlace[place{stream: s}]; e != nil {
			t.drop(e, Expired)
		}
	})
}
