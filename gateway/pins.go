package gateway

import (
	"cmp"
	"slices"

	"github.com/roomgate/roomgate/directory"
)

// A terminal that is forced onto a screen stays so when it is lost and calls, or is
// called, again: it comes back under another identity, and what was pinned to the one
// before is pinned to that.

// mostAway bounds how many of a meeting are remembered.
const mostAway = 200

// whoIs names the terminal of a leg over calls; "" cannot be told.
func (s *session) whoIs() string {
	r := s.leg.Info().Remote
	if e, ok := s.g.endpointOf(r.Alias); ok {
		return e.ID
	}
	if s.dialled != nil {
		return s.dialled.req.Target
	}
	return cmp.Or(r.Alias, r.URI)
}

func (g *Gateway) endpointOf(alias string) (directory.Endpoint, bool) {
	if g.in.Directory == nil || alias == "" {
		return directory.Endpoint{}, false
	}
	return g.in.Directory.ByAlias(alias)
}

// goesAway remembers a leg that ends and that somebody has pinned.
func (g *Gateway) goesAway(s *session, p *place) {
	if p == nil || p.meeting.private {
		return
	}
	identity, who := legPrefix+s.id, s.whoIs()
	pinned := slices.ContainsFunc(g.living(), func(o *session) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.pinned == identity
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	m := p.meeting
	for _, r := range g.redials {
		pinned = pinned || r.screen.pinned == identity
	}
	if who == "" || !pinned && m.pinned != identity || len(m.away) >= mostAway {
		return
	}
	if m.away == nil {
		m.away = map[string]string{}
	}
	m.away[who] = identity
}

// comesBack pins a leg where the one before it was pinned.
func (g *Gateway) comesBack(s *session, p *place) {
	if p.meeting.private {
		return
	}
	who, now := s.whoIs(), legPrefix+s.id
	g.mu.Lock()
	m := p.meeting
	before, ok := m.away[who]
	delete(m.away, who)
	if !ok {
		g.mu.Unlock()
		return
	}
	for _, r := range g.redials {
		if r.screen.pinned == before {
			r.screen.pinned = now
		}
	}
	all := m.pinned == before
	if all {
		m.pinned = now
	}
	b, kind := m.bridge, layoutOf(m)
	g.mu.Unlock()
	if all && b != nil {
		b.SetLayout(kind, now)
	}
	for _, o := range g.living() {
		o.mu.Lock()
		kind, at, mine := o.layout, o.place, o.pinned == before
		if mine {
			o.pinned = now
		}
		o.mu.Unlock()
		if mine && at != nil && at.member != nil {
			at.member.SetLayout(kind, now)
		}
	}
}
