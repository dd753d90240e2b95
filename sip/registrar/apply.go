package registrar

import (
	"context"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// apply changes the bindings of an account as a REGISTER wishes, all or none
// (RFC 3261 §10.3, step 7), and returns the live ones.
func (r *Registrar) apply(w wishes) ([]Binding, error) {
	if !w.all && len(w.contacts) == 0 { // a query
		bindings, err := r.c.Store.Bindings(context.Background(), w.account)
		return live(bindings, w.now), err
	}
	return r.update(w.account, func(before []Binding) (after []Binding, events []Event, err error) {
		for _, b := range before {
			if !b.Expires.After(w.now) {
				events = append(events, Event{Kind: Expired, Binding: b})
				continue
			}
			if b.CallID == w.callID && w.cseq <= b.CSeq && (w.all || w.touches(b)) {
				return nil, nil, refuse(500, "CSeq Out of Order")
			}
			if w.all {
				events = append(events, Event{Kind: Unregistered, Binding: b})
				continue
			}
			after = append(after, b)
		}
		for _, c := range w.contacts {
			c.Account, c.Alias, c.Domain = w.account, w.alias, w.domain
			after, events = bind(after, events, c)
		}
		if len(after) > r.c.MaxBindings && len(after) > len(before) {
			return nil, nil, refuse(403, "Too Many Bindings")
		}
		return after, events, nil
	})
}

// touches reports whether one of the contacts is that binding.
func (w wishes) touches(b Binding) bool {
	return slices.ContainsFunc(w.contacts, func(c Binding) bool { return c.same(b) })
}

// bind puts one contact in place of the binding that is the same, or adds or
// removes it.
func bind(bindings []Binding, events []Event, c Binding) ([]Binding, []Event) {
	at := slices.IndexFunc(bindings, c.same)
	switch {
	case c.Expires.IsZero() && at < 0:
		return bindings, events
	case c.Expires.IsZero():
		events = append(events, Event{Kind: Unregistered, Binding: bindings[at]})
		return slices.Delete(bindings, at, at+1), events
	case at < 0:
		c.Since = c.Updated
		return append(bindings, c), append(events, Event{Kind: Registered, Binding: c})
	}
	old := bindings[at]
	c.Since = old.Since
	bindings[at] = c
	return bindings, append(events, Event{Kind: Refreshed, Binding: c, left: old.Flow})
}

// same reports whether two contacts are one binding: the same flow of the same
// terminal (RFC 5626 §6), the same terminal when neither names a flow, or
// equal URIs.
func (b Binding) same(o Binding) bool {
	if b.Instance != "" && b.Instance == o.Instance {
		return b.RegID == o.RegID
	}
	if b.RegID > 0 || o.RegID > 0 {
		return false
	}
	return sameURI(b.Contact, o.Contact)
}

// sameURI compares contacts (RFC 3261 §19.1.4): user, host, port and the
// parameters that say where and how.
func sameURI(a, b string) bool {
	if a == b {
		return true
	}
	var x, y sip.Uri
	if sip.ParseUri(a, &x) != nil || sip.ParseUri(b, &y) != nil {
		return false
	}
	if x.Scheme != y.Scheme || unescape(x.User) != unescape(y.User) || x.Password != y.Password ||
		!strings.EqualFold(x.Host, y.Host) || x.Port != y.Port {
		return false
	}
	for _, name := range []string{"transport", "user", "ttl", "method", "maddr"} {
		v, hasV := param(x.UriParams, name)
		u, hasU := param(y.UriParams, name)
		if hasV != hasU || !strings.EqualFold(v, u) {
			return false
		}
	}
	return true
}
