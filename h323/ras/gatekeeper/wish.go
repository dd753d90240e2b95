package gatekeeper

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// mostAliases of one endpoint; with prefixes as many again.
const mostAliases = 64

// wish is what an endpoint tells of itself in RRQ.
type wish struct {
	signalling, ras []netip.AddrPort
	aliases         []h225.AliasAddress
	prefixes        []string
	kind            Type
	vendor, product string
	translated      bool
}

// examine reads RRQ and checks it against the settings.
func (a *application) examine() (reason h225.RegistrationRejectReason, ok bool) {
	q, source := a.q, a.in.from.Remote.Addr()
	a.wish.ras = addresses(q.RASAddress)
	a.wish.signalling = addresses(q.CallSignalAddress)
	connected := a.in.from.Stream != nil || a.c.Traversal && offers(q.FeatureSet, featureTraversal)
	switch {
	case versionOf(q.ProtocolIdentifier) == 0:
		reason.InvalidRevision = true
	case !a.isUs(q.GatekeeperIdentifier):
		reason.DiscoveryRequired = true
	case a.settings.Mode == Closed, !a.allowed(source):
		reason.SecurityDenial = true
	case len(q.CallSignalAddress) > 0 && len(a.wish.signalling) == 0 && !connected:
		reason.TransportNotSupported = true
	case len(a.wish.signalling) == 0 && !connected:
		reason.InvalidCallSignalAddress = true
	case len(a.wish.ras) == 0 && !connected:
		reason.InvalidRASAddress = true
	case !a.canTravel(q.FeatureSet):
		reason.NeededFeatureNotSupported = true
	case q.AdditiveRegistration && (q.EndpointIdentifier == nil || a.table.byID[*q.EndpointIdentifier] == nil):
		reason.FullRegistrationRequired = true
	case q.TerminalType.Gatekeeper != nil && q.TerminalType.Gateway == nil && q.TerminalType.MCU == nil && q.TerminalType.Terminal == nil:
		reason.InvalidTerminalType = true
	default:
		a.wish.describe(q)
		a.wish.translated = translated(source, append(slices.Clone(a.wish.ras), a.wish.signalling...)) && a.in.from.Stream == nil
		return a.examineNames()
	}
	return reason, false
}

// examineNames checks the aliases and prefixes, and in whose name they are asked for.
func (a *application) examineNames() (reason h225.RegistrationRejectReason, ok bool) {
	a.wish.aliases = distinct(a.q.TerminalAlias)
	patterns, ok := patternPrefixes(a.q.TerminalAliasPattern)
	a.wish.prefixes = append(prefixesOf(&a.q.TerminalType), patterns...)
	switch {
	case !ok:
		reason.InvalidTerminalAliases = &h225.RegistrationRejectReasonInvalidTerminalAliases{TerminalAliasPattern: a.q.TerminalAliasPattern}
		return reason, false
	case len(a.wish.aliases) > mostAliases, len(a.wish.prefixes) > mostAliases:
		reason.ResourceUnavailable = true
		return reason, false
	case len(a.wish.aliases) < len(a.q.TerminalAlias) && slices.ContainsFunc(a.q.TerminalAlias, func(x h225.AliasAddress) bool { return ras.Key(x) == "" }):
		reason.InvalidAlias = true
		return reason, false
	}
	if reason, ok := a.proveApplication(); !ok {
		return reason, false
	}
	for _, w := range a.wish.aliases {
		owner, owned := a.turn.account(ras.Key(w))
		switch {
		case owned && owner.Username != a.account, !owned && a.settings.Mode == OnlyAccounts:
			reason.InvalidAlias = true
			return reason, false
		}
	}
	return reason, true
}

func (w *wish) describe(q *h225.RegistrationRequest) {
	w.kind = typeOf(&q.TerminalType)
	w.vendor, w.product = describeVendor(&q.EndpointVendor)
}

// fill puts the wish into a registration; more of it adds to what there was.
func (w *wish) fill(e *entry, more bool) {
	if more {
		e.additive = true
		e.Aliases = distinct(append(e.Aliases, w.aliases...))
		e.Prefixes = append(e.Prefixes, w.prefixes...)
		slices.Sort(e.Prefixes)
		e.Prefixes = slices.Compact(e.Prefixes)
		if len(e.Aliases) > mostAliases {
			e.Aliases = e.Aliases[:mostAliases]
		}
		if len(e.Prefixes) > mostAliases {
			e.Prefixes = e.Prefixes[:mostAliases]
		}
		return
	}
	e.additive = false
	e.Aliases, e.Prefixes, e.Type = w.aliases, w.prefixes, w.kind
	e.Signalling, e.RAS = w.signalling, w.ras
	e.Vendor, e.Product = w.vendor, w.product
}

// addresses lists those of IP.
func addresses(list []h225.TransportAddress) []netip.AddrPort {
	var out []netip.AddrPort
	for i := range list[:min(len(list), 16)] {
		if at, ok := alias.AddrPort(&list[i]); ok && at.Port() != 0 && !at.Addr().IsMulticast() {
			out = append(out, at)
		}
	}
	return out
}

// distinct leaves out aliases that are there twice, and those without a name.
func distinct(list []h225.AliasAddress) []h225.AliasAddress {
	var out []h225.AliasAddress
	seen := map[string]bool{"": true}
	for _, a := range list {
		if k := ras.Key(a); !seen[k] {
			seen[k] = true
			out = append(out, a)
		}
	}
	return out
}

// translated guesses whether an address translator lies between us and who tells these
// addresses. Hosts with several addresses send from any of them, so that another
// address alone proves nothing: it has to be one of another kind of network.
func translated(source netip.Addr, told []netip.AddrPort) bool {
	if len(told) == 0 {
		return true
	}
	for _, t := range told {
		a := t.Addr()
		switch {
		case a.IsUnspecified():
		case a == source, a.Is4() != source.Is4():
			return false
		case source.IsLoopback() && a.IsLoopback(), near(a, source):
			return false
		}
	}
	return true
}

// near reports whether two addresses are likely of one host or one site: of one subnet.
func near(a, b netip.Addr) bool {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	return err == nil && p.Contains(b)
}

func typeOf(t *h225.EndpointType) Type {
	switch {
	case t.Gateway != nil:
		return Gateway
	case t.MCU != nil:
		return MCU
	case t.Terminal != nil:
		return Terminal
	}
	return Unknown
}

// prefixesOf lists the numbers that a gateway serves, of all its protocols.
func prefixesOf(t *h225.EndpointType) []string {
	if t.Gateway == nil {
		return nil
	}
	var out []string
	for _, p := range t.Gateway.Protocol {
		for _, s := range supportedPrefixes(&p) {
			if k := ras.Key(s.Prefix); k != "" && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

func supportedPrefixes(p *h225.SupportedProtocols) []h225.SupportedPrefix {
	switch {
	case p.H323 != nil:
		return p.H323.SupportedPrefixes
	case p.Voice != nil:
		return p.Voice.SupportedPrefixes
	case p.H320 != nil:
		return p.H320.SupportedPrefixes
	case p.H310 != nil:
		return p.H310.SupportedPrefixes
	case p.H321 != nil:
		return p.H321.SupportedPrefixes
	case p.H322 != nil:
		return p.H322.SupportedPrefixes
	case p.H324 != nil:
		return p.H324.SupportedPrefixes
	case p.T120Only != nil:
		return p.T120Only.SupportedPrefixes
	case p.SIP != nil:
		return p.SIP.SupportedPrefixes
	}
	return nil
}

// patternPrefixes reads terminalAliasPattern: a wildcard is a prefix. Ranges of numbers
// are not served; ok tells that there was none.
func patternPrefixes(list []h225.AddressPattern) (out []string, ok bool) {
	for _, p := range list {
		if p.Wildcard == nil || ras.Key(*p.Wildcard) == "" {
			return nil, false
		}
		out = append(out, strings.TrimRight(ras.Key(*p.Wildcard), "*"))
	}
	return out, true
}
