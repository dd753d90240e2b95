package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/roomgate/roomgate/directory/binding"
	"github.com/roomgate/roomgate/directory/cluster"
	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/gatekeeper"
	"github.com/roomgate/roomgate/sip/registrar"
)

// sipBindings keeps the registrar's bindings in the database. A terminal that is
// registered at another node is shown as one that is reached through that node.
type sipBindings struct {
	book  *binding.Book
	nodes *cluster.Cluster
}

var _ registrar.Store = sipBindings{}

// Update implements registrar.Store.
func (s sipBindings) Update(ctx context.Context, account string, change func([]registrar.Binding) ([]registrar.Binding, error)) error {
	return s.book.Update(ctx, account, func(entries []binding.Entry) ([]binding.Entry, error) {
		before, err := bindingsOf(entries)
		if err != nil {
			return nil, err
		}
		after, err := change(before)
		if err != nil {
			return nil, err
		}
		out := make([]binding.Entry, 0, len(after))
		for _, b := range after {
			e, err := entryOf(b)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	})
}

func entryOf(b registrar.Binding) (binding.Entry, error) {
	body, err := json.Marshal(b)
	if err != nil {
		return binding.Entry{}, err
	}
	contact := b.Contact
	if b.Instance != "" { // what makes two contacts one binding (RFC 5626 §6)
		contact = fmt.Sprintf("%s;%d", b.Instance, b.RegID)
	}
	return binding.Entry{Owner: b.Account, Contact: contact, Updated: b.Updated, Expires: b.Expires, Body: string(body)}, nil
}

func bindingsOf(entries []binding.Entry) ([]registrar.Binding, error) {
	out := make([]registrar.Binding, 0, len(entries))
	for _, e := range entries {
		var b registrar.Binding
		if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
			return nil, fmt.Errorf("binding of %s: %w", e.Owner, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Bindings implements registrar.Store.
func (s sipBindings) Bindings(ctx context.Context, account string) ([]registrar.Binding, error) {
	entries, err := s.book.Of(ctx, account)
	if err != nil {
		return nil, err
	}
	return s.shown(entries)
}

// All implements registrar.Store.
func (s sipBindings) All(ctx context.Context) ([]registrar.Binding, error) {
	entries, err := s.book.All(ctx, "")
	if err != nil {
		return nil, err
	}
	return s.shown(entries)
}

// Expire implements registrar.Store.
func (s sipBindings) Expire(ctx context.Context, now time.Time) ([]registrar.Binding, error) {
	entries, err := s.book.Expire(ctx, now)
	if err != nil {
		return nil, err
	}
	return bindingsOf(entries)
}

// shown is how this node reaches what is registered: itself, or through the node
// that has its flow. Behind a node that is gone there is nothing.
func (s sipBindings) shown(entries []binding.Entry) ([]registrar.Binding, error) {
	bindings, err := bindingsOf(entries)
	if err != nil {
		return nil, err
	}
	out := bindings[:0]
	for i, b := range bindings {
		node := entries[i].Node
		if node == s.book.Node {
			out = append(out, b)
			continue
		}
		peer, ok := s.nodes.Peer(node)
		at, err := netip.ParseAddrPort(peer.SIP)
		if !ok || err != nil {
			continue
		}
		b.Contact = "sip:" + b.Account + "@" + at.String() + ";transport=tcp"
		b.Flow, b.Path, b.Instance, b.RegID = registrar.Flow{Transport: "TCP", Remote: at}, nil, "", 0
		out = append(out, b)
	}
	return out, nil
}

// recover takes over what this node had before it was started again: connections
// are gone, and with them the flows that terminals opened (RFC 5626 §5.3).
func (s sipBindings) recover(ctx context.Context) error {
	mine, err := s.book.All(ctx, s.book.Node)
	if err != nil {
		return err
	}
	for _, e := range mine {
		var b registrar.Binding
		if err := json.Unmarshal([]byte(e.Body), &b); err != nil || b.Flow.Transport == "UDP" {
			continue
		}
		err := s.Update(ctx, e.Owner, func(list []registrar.Binding) ([]registrar.Binding, error) {
			list = slices.DeleteFunc(list, func(o registrar.Binding) bool { return o.Contact == b.Contact && b.RegID > 0 && o.RegID == b.RegID })
			for i := range list {
				if list[i].Contact == b.Contact {
					list[i].Flow.Local = netip.AddrPort{}
				}
			}
			return list, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// zoneStore keeps the gatekeeper's registrations in the database.
type zoneStore struct{ book *binding.Book }

var _ gatekeeper.Store = zoneStore{}

// All implements gatekeeper.Store: those of this node.
func (z zoneStore) All(ctx context.Context) ([]gatekeeper.Registration, error) {
	entries, err := z.book.All(ctx, z.book.Node)
	if err != nil {
		return nil, err
	}
	return registrationsIn(entries)
}

func registrationsIn(entries []binding.Entry) ([]gatekeeper.Registration, error) {
	out := make([]gatekeeper.Registration, 0, len(entries))
	for _, e := range entries {
		var r gatekeeper.Registration
		if err := json.Unmarshal([]byte(e.Body), &r); err != nil {
			return nil, fmt.Errorf("registration of %s: %w", e.Owner, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// Save implements gatekeeper.Store.
func (z zoneStore) Save(ctx context.Context, list []gatekeeper.Registration) error {
	entries := make([]binding.Entry, 0, len(list))
	for _, r := range list {
		e := binding.Entry{Owner: r.ID, Updated: cmp.Or(r.Updated, r.Since), Expires: r.Expires}
		for _, a := range r.Aliases {
			if key := ras.Key(a); key != "" && !slices.Contains(e.Names, key) {
				e.Names = append(e.Names, key)
			}
		}
		if r.Path.Stream != nil { // a connection does not outlive the process
			r.Path = ras.Path{}
		}
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		e.Body = string(body)
		entries = append(entries, e)
	}
	return z.book.Save(ctx, entries)
}

// Delete implements gatekeeper.Store.
func (z zoneStore) Delete(ctx context.Context, ids []string) error { return z.book.Delete(ctx, ids) }

// elsewhere finds the terminal that has a name at another node, and where its calls
// go: to the terminal itself where it takes them, to its node otherwise.
func (z zoneStore) elsewhere(ctx context.Context, nodes *cluster.Cluster, name string, now time.Time) (netip.AddrPort, bool) {
	if !z.book.DB.Shared() {
		return netip.AddrPort{}, false
	}
	entries, err := z.book.Named(ctx, ras.TextKey(name))
	if err != nil {
		return netip.AddrPort{}, false
	}
	for _, e := range entries {
		var r gatekeeper.Registration
		if e.Node == z.book.Node || !e.Expires.After(now) || json.Unmarshal([]byte(e.Body), &r) != nil {
			continue
		}
		if at := r.Reach(); at.IsValid() && r.Path.Remote.IsValid() && !r.Translated {
			return at, true
		}
		if peer, ok := nodes.Peer(e.Node); ok {
			if at, err := netip.ParseAddrPort(peer.H323); err == nil {
				return at, true
			}
		}
	}
	return netip.AddrPort{}, false
}

// reachable is where other nodes reach this one: by SIP over TCP, and by H.323.
func (n *node) reachable() (sip, h323 string) {
	host, err := netip.ParseAddr(n.greeting.address)
	if err != nil {
		return "", ""
	}
	for _, a := range n.sip.Addresses() {
		if a.Transport == "tcp" && sip == "" {
			sip = netip.AddrPortFrom(host, a.Port()).String()
		}
	}
	if n.h323 != nil {
		for _, a := range n.h323.Endpoint.Addresses() {
			if h323 == "" {
				h323 = netip.AddrPortFrom(host, a.Port()).String()
			}
		}
	}
	return sip, h323
}
