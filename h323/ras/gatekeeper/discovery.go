package gatekeeper

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// discover answers GRQ (H.225.0 clause 7.8.1). A search in the group that is not for
// us is left to others.
func (t *turn) discover(in *incoming, q *h225.GatekeeperRequest) {
	var told []netip.AddrPort
	if at, ok := alias.AddrPort(&q.RASAddress); ok {
		told = append(told, at)
	}
	to := in.pathTo(told)
	reason, ok := t.refusesSearch(in, q)
	if !ok {
		if !in.from.Multicast {
			t.replyTo(in, to, &h225.RASMessage{GatekeeperReject: &h225.GatekeeperReject{
				ProtocolIdentifier: h225.ProtocolIdentifier, GatekeeperIdentifier: &t.c.ID, RejectReason: reason,
				AltGKInfo: t.alternatesInstead(),
			}})
		}
		return
	}
	c := &h225.GatekeeperConfirm{
		ProtocolIdentifier:   h225.ProtocolIdentifier,
		GatekeeperIdentifier: &t.c.ID,
		RASAddress:           transport(t.c.RAS(in.from.Remote.Addr())),
		AlternateGatekeeper:  t.alternates(),
		FeatureSet:           t.features(q.FeatureSet),
	}
	if diesOfIdentifier(q.EndpointType.Vendor) {
		c.GatekeeperIdentifier = nil
	}
	t.offerMethod(q, c)
	t.replyTo(in, to, &h225.RASMessage{GatekeeperConfirm: c})
}

// refusesSearch gives the reason for GRJ; ok when there is none.
func (t *turn) refusesSearch(in *incoming, q *h225.GatekeeperRequest) (reason h225.GatekeeperRejectReason, ok bool) {
	switch {
	case versionOf(q.ProtocolIdentifier) == 0:
		reason.InvalidRevision = true
	case !t.isUs(q.GatekeeperIdentifier), t.settings.Mode == Closed, !t.allowed(in.from.Remote.Addr()):
		reason.TerminalExcluded = true
	case !t.canTravel(q.FeatureSet):
		reason.NeededFeatureNotSupported = true
	case t.needsPassword(q.EndpointAlias) && !t.canProve(q):
		reason.SecurityDenial = true
	case len(t.table.byID) >= t.settings.MaxRegistrations && !t.known(q.EndpointAlias):
		reason.ResourceUnavailable = true
	default:
		return reason, true
	}
	return reason, false
}

// known reports whether one of the aliases is registered: then it comes back.
func (t *turn) known(list []h225.AliasAddress) bool {
	for _, a := range list {
		if t.table.byAlias[ras.Key(a)] != nil {
			return true
		}
	}
	return false
}

// needsPassword reports whether who registers these aliases has to know one.
func (t *turn) needsPassword(list []h225.AliasAddress) bool {
	if t.settings.Mode == OnlyAccounts {
		return true
	}
	for _, a := range list {
		if _, ok := t.account(ras.Key(a)); ok {
			return true
		}
	}
	return false
}

// us is our address for call signalling that a peer should use.
func (t *turn) us(peer netip.Addr) netip.AddrPort { return t.c.Signalling(peer) }

// alternates are the gatekeepers to go to when this one does not answer.
func (t *turn) alternates() []h225.AlternateGK {
	var list []h225.AlternateGK
	for _, a := range t.settings.Alternates {
		at := alias.Transport(a.Address)
		if at == nil {
			continue
		}
		gk := h225.AlternateGK{RASAddress: *at, NeedToRegister: a.Register, Priority: min(a.Priority, 127)}
		if a.ID != "" {
			gk.GatekeeperIdentifier = &a.ID
		}
		list = append(list, gk)
	}
	return list
}

// alternatesInstead goes with a refusal: others may serve whom we do not.
func (t *turn) alternatesInstead() *h225.AltGKInfo {
	list := t.alternates()
	if len(list) == 0 {
		return nil
	}
	return &h225.AltGKInfo{AlternateGatekeeper: list}
}
