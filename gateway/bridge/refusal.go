package bridge

import (
	"time"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media/h264"
)

// refusal remembers that a source did not fit a leg.
type refusal struct {
	until         time.Time
	width, height int // as announced when it was refused
	above         int // bit/s, of what is too much for the path alone
}

const (
	// refusalTime is how long a source that did not fit is passed over when there
	// is another one to show.
	refusalTime = 10 * time.Second
	// aboveTime is how long it counts what a source had that was too much for the path, where
	// there is no knowing what it has now: to try it costs pictures while it is too much.
	aboveTime = time.Minute
)

// refusalOf remembers how a source was refused.
func refusalOf(s *source, st *h264.State, now time.Time) refusal {
	lasts := refusalTime
	if st.Above > 0 {
		lasts = aboveTime
	}
	return refusal{until: now.Add(lasts), above: st.Above, width: s.width, height: s.height}
}

// holds reports whether a refusal still counts, on a path with a bound, 0 for none. What was
// too much for the path fits once the path carries it; of another size it is another picture.
func (r refusal) holds(s *source, bound int, now time.Time) bool {
	return now.Before(r.until) && r.width == s.width && r.height == s.height &&
		(r.above == 0 || !h264.Carries(bound, r.above))
}

// refuses reports whether a source is known not to fit the leg.
func (m *Member) refuses(s *source, now time.Time) bool {
	return m.refusals[s].holds(s, m.allowance(now), now)
}

// noteRefusal remembers that what the leg was to be shown does not fit it.
func (m *Member) noteRefusal(now time.Time) {
	m.noteRates(now)
	st := m.state.Load()
	if st == nil || m.shown == nil || st.Source != m.selected {
		return
	}
	switch {
	case st.Phase == h264.Forwarding && m.refusals[m.shown].above == 0:
		delete(m.refusals, m.shown)
	case st.Phase == h264.Refused && !m.refuses(m.shown, now):
		m.refusals[m.shown] = refusalOf(m.shown, st, now)
	}
}

// noteRates keeps what sources have that were too much for the path: of legs that is known, and
// tells without a try whether they still are.
func (m *Member) noteRates(now time.Time) {
	for s, r := range m.refusals {
		if r.above == 0 {
			continue
		}
		if s.member != nil && s != m.shown { // what is passed on is judged by the switch
			if bps := s.bitrate(now); bps > 0 {
				r.above, r.until = bps, now.Add(aboveTime)
				m.refusals[s] = r
			}
		}
		if !now.Before(r.until) {
			delete(m.refusals, s)
		}
	}
}

// bitrate is what comes of a leg's picture, bit/s; 0 when that is not known. It is what the
// leg's counters say of the last second, so they are asked once a second, for all who watch.
func (s *source) bitrate(now time.Time) int {
	if now.Sub(s.measured) < time.Second {
		return s.bps
	}
	s.bps, s.measured = 0, now
	reporter, ok := s.member.leg.(call.StatsReporter)
	if !ok {
		return 0
	}
	for _, st := range reporter.Stats() {
		if st.Role == s.role && !st.Sent {
			s.bps = st.Kbps * 1000
		}
	}
	return s.bps
}
