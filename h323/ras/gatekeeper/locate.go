package gatekeeper

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// find looks for who is called: a terminal of the zone, by one of its aliases, as the
// latest of an account, or a gateway by its prefix; otherwise ours tells whether calls
// to one of the aliases end here.
func (t *turn) find(list []h225.AliasAddress) (e *entry, ours bool) {
	for _, a := range list {
		if e := t.registered(ras.Key(a)); e != nil {
			return e, false
		}
	}
	for _, a := range list {
		if alias.IsNumber(ras.Key(a)) {
			if e := t.table.byPrefix(ras.Key(a)); e != nil {
				return e, false
			}
		}
	}
	for _, a := range list {
		if text := alias.Text(a); text != "" && t.c.Serves(t.local(text)) {
			return nil, true
		}
	}
	return nil, false
}

// registered finds a terminal by a key of one of its names.
func (t *turn) registered(key string) *entry {
	if e := t.table.byAlias[key]; e != nil {
		return e
	}
	if a, ok := t.account(key); ok {
		if list := t.table.byAccount[a.Username]; len(list) > 0 {
			return list[len(list)-1]
		}
	}
	if name := t.local(key); name != key {
		return t.registered(name)
	}
	return nil
}

// local is the alias without a host that is us.
func (t *turn) local(text string) string {
	name, host := alias.Split(text)
	if name == "" || host == "" {
		return text
	}
	if h, _, err := splitHost(host); err == nil {
		host = h
	}
	if strings.EqualFold(host, t.c.ID) || t.c.IsLocal(host) {
		return name
	}
	return text
}

// splitHost takes a port off a host.
func splitHost(text string) (host, port string, err error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().String(), "", nil
	}
	if i := strings.LastIndexByte(text, ':'); i > 0 && !strings.Contains(text[:i], ":") {
		return text[:i], text[i+1:], nil
	}
	return strings.Trim(text, "[]"), "", nil
}

// neighbourHops is how far a question of ours may be passed on.
const neighbourHops = 6

// locate works on LRQ (H.225.0 clause 7.13.1), of a neighbour or of an endpoint. Its
// gatekeeperIdentifier is whose it likes: some put their own there.
func (t *turn) locate(in *incoming, q *h225.LocationRequest) {
	at, _ := alias.AddrPort(&q.ReplyAddress)
	to := in.pathTo([]netip.AddrPort{at})
	refuse := func(reason h225.LocationRejectReason) {
		t.replyTo(in, to, &h225.RASMessage{LocationReject: &h225.LocationReject{RejectReason: reason}})
	}
	switch {
	case !t.mayAsk(in, q):
		refuse(h225.LocationRejectReason{InvalidPermission: true})
		return
	case len(q.DestinationInfo) == 0:
		refuse(h225.LocationRejectReason{IncompleteAddress: true})
		return
	}
	us := t.us(in.from.Remote.Addr())
	found, isOurs := t.find(q.DestinationInfo)
	switch {
	case found != nil && found.NearlyFull && found.Type == Gateway:
		refuse(h225.LocationRejectReason{ResourceUnavailable: true})
	case found != nil:
		t.confirmLocation(in, to, t.towards(found, us), destinationType(found.Type))
	case isOurs && !t.namesNeighbour(q.DestinationInfo):
		t.confirmLocation(in, to, us, nil)
	default:
		t.passOn(in, to, q, refuse)
	}
}

// mayAsk reports whether an LRQ comes from a neighbour or from an endpoint of the zone.
func (t *turn) mayAsk(in *incoming, q *h225.LocationRequest) bool {
	if q.EndpointIdentifier != nil {
		e := t.table.byID[*q.EndpointIdentifier]
		return e != nil && t.proved(in, e)
	}
	return slices.ContainsFunc(t.settings.Neighbours, func(n Neighbour) bool { return n.Address.Addr() == in.from.Remote.Addr() })
}

func (t *turn) confirmLocation(in *incoming, to ras.Path, signalling netip.AddrPort, kind *h225.EndpointType) {
	t.replyTo(in, to, &h225.RASMessage{LocationConfirm: &h225.LocationConfirm{
		CallSignalAddress: transport(signalling), RASAddress: transport(t.c.RAS(in.from.Remote.Addr())), DestinationType: kind,
	}})
}

// passOn asks the neighbours on behalf of another, if it lets us (hopCount).
func (t *turn) passOn(in *incoming, to ras.Path, q *h225.LocationRequest, refuse func(h225.LocationRejectReason)) {
	hops := uint8(1) // without a hopCount the question is for us
	if q.HopCount != nil {
		hops = *q.HopCount
	}
	if !t.anyNeighbour(q.DestinationInfo, in.from.Remote.Addr()) {
		refuse(h225.LocationRejectReason{NotRegistered: true})
		return
	}
	if hops <= 1 {
		refuse(h225.LocationRejectReason{HopCountExceeded: q.HopCount != nil, NotRegistered: q.HopCount == nil})
		return
	}
	t.askNeighbours(q.DestinationInfo, q.SourceInfo, hops-1, in.from.Remote.Addr(), func(t *turn, found *h225.LocationConfirm) {
		if found == nil {
			t.replyTo(in, to, &h225.RASMessage{LocationReject: &h225.LocationReject{RejectReason: h225.LocationRejectReason{NotRegistered: true}}})
			return
		}
		t.replyTo(in, to, &h225.RASMessage{LocationConfirm: &h225.LocationConfirm{
			CallSignalAddress: found.CallSignalAddress, RASAddress: found.RASAddress,
			DestinationInfo: found.DestinationInfo, DestinationType: found.DestinationType,
		}})
	})
	t.patience(in)
}
