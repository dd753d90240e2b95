package gatekeeper

import (
	"net/netip"
	"strings"
	"time"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// match is a neighbour to ask, and for what.
type match struct {
	Neighbour
	prefix string
}

// nearest lists the neighbours with the longest prefix of one of the aliases. Only
// neighbours that serve everything are asked for names.
func (t *turn) nearest(list []h225.AliasAddress, except netip.Addr) []match {
	var best []match
	for _, n := range t.settings.Neighbours {
		if n.Address.Addr() == except {
			continue
		}
		prefix, ok := n.serves(list)
		switch {
		case !ok || len(best) > 0 && len(prefix) < len(best[0].prefix):
			continue
		case len(best) > 0 && len(prefix) > len(best[0].prefix):
			best = best[:0]
		}
		best = append(best, match{n, prefix})
	}
	return best
}

// serves gives the longest prefix of the neighbour that fits.
func (n Neighbour) serves(list []h225.AliasAddress) (prefix string, ok bool) {
	if len(n.Prefixes) == 0 {
		return "", true
	}
	for _, a := range list {
		key := ras.Key(a)
		for _, p := range n.Prefixes {
			if (p == "" || alias.IsNumber(key) && strings.HasPrefix(key, p)) && (!ok || len(p) > len(prefix)) {
				prefix, ok = p, true
			}
		}
	}
	return prefix, ok
}

// namesNeighbour reports whether a neighbour is responsible by its prefix, rather than
// as the one to ask for everything else.
func (t *turn) namesNeighbour(list []h225.AliasAddress) bool {
	best := t.nearest(list, netip.Addr{})
	return len(best) > 0 && best[0].prefix != ""
}

func (t *turn) anyNeighbour(list []h225.AliasAddress, except netip.Addr) bool {
	return len(t.nearest(list, except)) > 0
}

// askNeighbours sends LRQ (H.225.0 clause 7.13.1) to the nearest of them, all at once;
// the first that knows is taken, found is nil when nobody does. It reports whether
// there was anybody to ask.
func (t *turn) askNeighbours(list, source []h225.AliasAddress, hops uint8, except netip.Addr, done func(t *turn, found *h225.LocationConfirm)) bool {
	best := t.nearest(list, except)
	left, over := len(best), false
	for _, n := range best {
		to := ras.Path{Remote: n.Address}
		q := &h225.LocationRequest{
			DestinationInfo: n.strip(list), ReplyAddress: transport(t.c.RAS(n.Address.Addr())),
			SourceInfo: source, HopCount: ptr(max(hops, 1)), CanMapAlias: ptr(false),
		}
		t.ask(to, true, &h225.RASMessage{LocationRequest: q}, signature{}, func(t *turn, answer *h225.RASMessage, err error) {
			left--
			switch {
			case over:
			case err == nil && answer.LocationConfirm != nil && usable(answer.LocationConfirm):
				over = true
				done(t, answer.LocationConfirm)
			case left == 0:
				over = true
				done(t, nil)
			}
		})
	}
	return len(best) > 0
}

func usable(c *h225.LocationConfirm) bool {
	at, ok := alias.AddrPort(&c.CallSignalAddress)
	return ok && at.Port() != 0 && !at.Addr().IsUnspecified() && !at.Addr().IsMulticast()
}

// strip takes the prefix off, where the neighbour wants it so.
func (m match) strip(list []h225.AliasAddress) []h225.AliasAddress {
	if !m.Strip || m.prefix == "" {
		return list
	}
	out := make([]h225.AliasAddress, 0, len(list))
	for _, a := range list {
		if rest, ok := strings.CutPrefix(ras.Key(a), m.prefix); ok && rest != "" {
			a = alias.Of(rest)
		}
		out = append(out, a)
	}
	return out
}

// placed is where a neighbour says that somebody is. The SETUP that follows an ARQ needs
// to know once more.
type placed struct {
	found *h225.LocationConfirm
	until time.Time
}

const (
	placedFor  = 30 * time.Second
	mostPlaced = 1000
)

// note keeps what a neighbour said of whoever is asked for.
func (t *turn) note(list []h225.AliasAddress, found *h225.LocationConfirm) {
	for key, p := range t.places {
		if t.now.After(p.until) || len(t.places) >= mostPlaced {
			delete(t.places, key)
		}
	}
	for _, a := range list {
		t.places[ras.Key(a)] = placed{found, t.now.Add(placedFor)}
	}
}

// noted is what a neighbour said lately; nil when nobody did.
func (t *turn) noted(a h225.AliasAddress) *h225.LocationConfirm {
	if p, ok := t.places[ras.Key(a)]; ok && !t.now.After(p.until) {
		return p.found
	}
	return nil
}
