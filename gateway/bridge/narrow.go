package bridge

import "github.com/roomgate/roomgate/media"

// narrowPath is the bit rate below which a leg is not sent the high layer of a
// browser, which has 1.5 Mbit/s.
const narrowPath = 1_000_000

// narrow reports whether the leg cannot take the high layer for the time being.
func (m *Member) narrow() bool {
	limit := m.allowance(m.bridge.in.Now())
	return limit > 0 && limit < narrowPath
}

// noteClass forgets what did not fit when the leg is to be shown other layers.
func (m *Member) noteClass() {
	c := m.class(m.bridge)
	for s := range m.refusals {
		if c != m.layer && s.member == nil { // of legs there are no layers
			delete(m.refusals, s)
		}
	}
	m.layer = c
}

// askSources tells legs how much of their picture anybody can take, where nobody
// takes all of it. Whoever takes less than others is shown what a worker makes;
// without a worker the least counts.
func (b *Bridge) askSources(p *pass, worker bool) {
	for _, s := range b.sources {
		if s.member == nil || s.track == nil {
			continue
		}
		want := b.demand(s, p, worker)
		if want == s.asked {
			continue
		}
		if t, ok := s.track.(media.BitrateTaker); ok {
			s.asked = want
			t.TakeBitrate(want)
		}
	}
}

// demand is the bit rate that a leg's picture is of use at, 0 for any: what its way to
// the meeting carries is of use at all. What a worker makes of it for the meeting is made
// smaller without the leg.
func (b *Bridge) demand(s *source, p *pass, worker bool) int {
	want, most := b.watchable(s, p, worker), s.member.carried
	if s.role == media.Main && most > 0 && s.member.uplinks[s.role] == nil && (want == 0 || most < want) {
		return most
	}
	return want
}

// watchable is what those who watch a leg's picture can take of it, 0 for all.
func (b *Bridge) watchable(s *source, p *pass, worker bool) int {
	if s.role != media.Main || !b.in.Local && len(b.roster) > 0 {
		return 0 // the SFU's subscribers have layers of their own
	}
	want := 0
	for _, m := range b.members {
		if m == s.member || !m.watches(s) {
			continue
		}
		limit := m.allowance(p.now)
		switch {
		case limit == 0 && worker, m.shown != s && len(m.view.Shown) > 1:
			return 0
		case limit == 0:
		case want == 0, worker && limit > want, !worker && limit < want:
			want = limit
		}
	}
	return want
}

// watches reports whether the leg is shown a source, as it is or in what is made.
func (m *Member) watches(s *source) bool {
	if m.shown == s {
		return true
	}
	for _, id := range m.view.Shown {
		if id == s.key {
			return true
		}
	}
	return false
}
