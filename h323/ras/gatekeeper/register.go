package gatekeeper

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235/auth"
	"github.com/roomgate/roomgate/h323/ras"
)

// application is a registration that is asked for.
type application struct {
	*turn
	in      *incoming
	q       *h225.RegistrationRequest
	wish    wish
	account string      // proved
	method  auth.Method // by which
	// alive says of registrations with the same aliases whether they answered.
	alive map[string]bool
}

// register works on RRQ (H.225.0 clause 7.9.1): a keep-alive, or a registration.
func (t *turn) register(in *incoming, q *h225.RegistrationRequest) {
	if q.KeepAlive != nil && *q.KeepAlive {
		t.keepAlive(in, q)
		return
	}
	a := &application{turn: t, in: in, q: q, alive: map[string]bool{}}
	if reason, ok := a.examine(); !ok {
		a.refuse(reason)
		return
	}
	a.decide()
}

// decide grants or refuses what was examined; it comes back here when it had to ask
// whether another endpoint still lives.
func (a *application) decide() {
	old := a.previous()
	rivals, reason, ok := a.rivals(old)
	switch {
	case !ok:
		a.refuse(reason)
		return
	case old == nil && len(rivals) == 0 && len(a.table.byID) >= a.settings.MaxRegistrations:
		a.refuse(h225.RegistrationRejectReason{ResourceUnavailable: true})
		return
	}
	for _, r := range rivals {
		squats := a.account != "" && r.Account == "" // on a name of an account
		alive, asked := a.alive[r.ID]
		if squats || asked && !alive {
			continue
		}
		if alive || r.probing || a.now.Sub(r.Updated) < freshness {
			a.refuse(h225.RegistrationRejectReason{DuplicateAlias: a.taken(r)})
			return
		}
		a.probe(r)
		return
	}
	for _, r := range rivals {
		a.yield(r)
	}
	a.grant(old)
}

// freshness: who was heard of so lately is alive.
const freshness = 5 * time.Second

// probe asks the endpoint that has an alias whether it is there. A terminal that moved
// to another address without a word gets its alias back like that.
func (a *application) probe(r *entry) {
	a.patience(a.in)
	a.inquire(r, func(t *turn, alive bool) {
		a.turn = t
		a.alive[r.ID] = alive
		a.decide()
	})
}

// taken lists the aliases asked for that r has.
func (a *application) taken(r *entry) []h225.AliasAddress {
	list := []h225.AliasAddress{}
	for _, w := range a.wish.aliases {
		if a.table.byAlias[ras.Key(w)] == r {
			list = append(list, w)
		}
	}
	return list
}

// yield makes r give up the aliases asked for; without any left it is gone.
func (a *application) yield(r *entry) {
	left := r.Aliases[:0:0]
	for _, has := range r.Aliases {
		if !a.wants(ras.Key(has)) {
			left = append(left, has)
		}
	}
	if len(left) == 0 && len(r.Prefixes) == 0 {
		// Not reregistrationRequired: two terminals would take it from each other for ever.
		a.expel(r, Replaced, h225.UnregRequestReason{UndefinedReason: true})
		return
	}
	r.Aliases = left
	a.table.put(r)
	a.events = append(a.events, Event{Changed, r.clone()})
}

func (a *application) wants(key string) bool {
	for _, w := range a.wish.aliases {
		if ras.Key(w) == key {
			return true
		}
	}
	return false
}

func (a *application) refuse(reason h225.RegistrationRejectReason) {
	a.refused("registration refused", a.in, ras.Alternative(reason), alias.Texts(a.q.TerminalAlias))
	a.replyTo(a.in, a.in.pathTo(a.wish.ras), &h225.RASMessage{RegistrationReject: &h225.RegistrationReject{
		ProtocolIdentifier: h225.ProtocolIdentifier, GatekeeperIdentifier: &a.c.ID, RejectReason: reason,
		AltGKInfo: a.alternatesInstead(),
	}})
}

// previous is the registration that this one renews: the one whose identifier it tells,
// or that has the same address for calls.
func (a *application) previous() *entry {
	if id := a.q.EndpointIdentifier; id != nil {
		if e := a.table.byID[*id]; e != nil && e.Account == a.account {
			return e
		}
	}
	if e := a.atPlace(); e != nil && (e.Account == a.account || e.Account == "") {
		return e
	}
	return nil
}

// atPlace is the registration at the address for calls that the application tells.
func (a *application) atPlace() *entry {
	p, ok := placeOf(a.in.from, a.wish.signalling)
	if !ok {
		return nil
	}
	return a.table.byPlace[p]
}

// rivals lists the other registrations that have one of the aliases. An alias of one
// that proved who it is can be had only by the same account.
func (a *application) rivals(old *entry) (list []*entry, reason h225.RegistrationRejectReason, ok bool) {
	seen := map[*entry]bool{old: true, nil: true}
	for _, w := range a.wish.aliases {
		e := a.table.byAlias[ras.Key(w)]
		if seen[e] {
			continue
		}
		seen[e] = true
		if e.Account != "" && e.Account != a.account {
			return nil, h225.RegistrationRejectReason{DuplicateAlias: a.taken(e)}, false
		}
		list = append(list, e)
	}
	return list, reason, true
}

// grant enters the registration and confirms it.
func (a *application) grant(old *entry) {
	e, kind := old, Changed
	if e == nil {
		if there := a.atPlace(); there != nil && a.account != "" {
			a.drop(there, Replaced) // the terminal has another account now
		}
		e, kind = &entry{Registration: Registration{ID: newID(), Since: a.now}}, Registered
	}
	before := e.clone()
	e.Account, e.Method = a.account, a.method
	a.wish.fill(e, a.q.AdditiveRegistration)
	e.Path = a.in.pathTo(a.wish.ras)
	e.Version = versionOf(a.q.ProtocolIdentifier)
	e.Translated = a.wish.translated
	e.Traversal = a.c.Traversal && offers(a.q.FeatureSet, featureTraversal)
	a.refresh(e, a.q.TimeToLive)
	a.table.put(e)
	if a.q.Restart {
		a.calls.leave(e.ID)
	}
	if kind == Registered || !sameTo(&before, &e.Registration) {
		a.events = append(a.events, Event{kind, e.clone()})
	}
	if kind == Registered {
		a.log.Info("registered", zap.String("alias", e.Name()), zap.Stringer("remote", e.Path.Remote), zap.String("product", e.Product))
	}
	a.in.sign = a.signFor(e.Account, e.ID, e.Method)
	c := a.confirmation(e)
	c.TerminalAlias = a.granted(e)
	c.SupportsAdditiveRegistration = true
	c.FeatureSet = a.features(a.q.FeatureSet)
	a.replyTo(a.in, e.Path, &h225.RASMessage{RegistrationConfirm: c})
}

// granted are the aliases that the endpoint can be called by: without any of its own,
// those of its account.
func (a *application) granted(e *entry) []h225.AliasAddress {
	if len(e.Aliases) > 0 || e.Account == "" {
		return e.Aliases
	}
	owner, _ := a.turn.account(e.Account)
	var list []h225.AliasAddress
	for _, name := range append([]string{owner.Username}, owner.Aliases...) {
		list = append(list, alias.Of(name))
	}
	return list
}

// refresh sets the lifetime, to what the endpoint asks for or less.
func (t *turn) refresh(e *entry, asked *uint32) {
	ttl := t.settings.TimeToLive
	if asked != nil && *asked > 0 {
		ttl = min(ttl, time.Duration(*asked)*time.Second)
	}
	if e.Translated || e.Traversal {
		ttl = min(ttl, translatorLife)
	}
	e.ttl = max(ttl, shortestLife)
	e.Updated = t.now
	e.Expires = t.now.Add(e.ttl + e.ttl/2) // one lost keep-alive does no harm
}

const (
	// translatorLife keeps an address translator on the way open (H.460.18 clause 8).
	translatorLife = 19 * time.Second
	shortestLife   = 10 * time.Second
)

// confirmation is what every RCF says.
func (t *turn) confirmation(e *entry) *h225.RegistrationConfirm {
	return &h225.RegistrationConfirm{
		ProtocolIdentifier:   h225.ProtocolIdentifier,
		CallSignalAddress:    []h225.TransportAddress{transport(t.us(e.Path.Remote.Addr()))},
		GatekeeperIdentifier: &t.c.ID,
		EndpointIdentifier:   e.ID,
		AlternateGatekeeper:  t.alternates(),
		TimeToLive:           ptr(uint32(e.ttl / time.Second)),
		WillRespondToIRR:     ptr(true),
		MaintainConnection:   ptr(true),
	}
}

// keepAlive refreshes a registration (H.225.0 clause 7.9.1): all but the identifier
// and the lifetime is as it was.
func (t *turn) keepAlive(in *incoming, q *h225.RegistrationRequest) {
	refuse := func(reason h225.RegistrationRejectReason) {
		t.reply(in, &h225.RASMessage{RegistrationReject: &h225.RegistrationReject{
			ProtocolIdentifier: h225.ProtocolIdentifier, GatekeeperIdentifier: &t.c.ID, RejectReason: reason,
		}})
	}
	var e *entry
	if q.EndpointIdentifier != nil {
		e = t.table.byID[*q.EndpointIdentifier]
	}
	switch {
	case e == nil, !t.isUs(q.GatekeeperIdentifier), !e.samePeer(in.from):
		refuse(h225.RegistrationRejectReason{FullRegistrationRequired: true})
		return
	case !t.proved(in, e):
		refuse(h225.RegistrationRejectReason{SecurityDenial: true})
		return
	}
	if e.Path.Remote != in.from.Remote && (e.Translated || !e.told(e.Path.Remote)) {
		e.Path = in.answerPath() // the translator uses another port now
	}
	t.refresh(e, q.TimeToLive)
	t.table.touch(e)
	c := t.confirmation(e)
	if e.Traversal {
		c.FeatureSet = t.features(q.FeatureSet)
	}
	t.replyTo(in, e.Path, &h225.RASMessage{RegistrationConfirm: c})
}

// proveApplication finds out in whose name it is.
func (a *application) proveApplication() (reason h225.RegistrationRejectReason, ok bool) {
	denied := h225.RegistrationRejectReason{SecurityDenial: true}
	user := ""
	for _, w := range a.wish.aliases {
		if account, ok := a.turn.account(ras.Key(w)); ok {
			user = account.Username
			break
		}
	}
	required := a.needsPassword(a.wish.aliases)
	account, method, err := a.check(a.in, user)
	switch {
	case err == nil:
		a.account, a.method = account, method
		return reason, true
	case required, errors.Is(err, auth.ErrHash), errors.Is(err, errLocked):
		return denied, false
	}
	return reason, true // tokens of somebody else's that nobody asked for
}
