package bridge

import "time"

// Unit is what is special about a leg.
type Unit struct {
	// MCU: it joins several itself. It is never sent its own picture, and that picture
	// fills the screens of others.
	MCU bool
	// Ours and Theirs say whose presenter stays when both sides of an MCU present;
	// neither: whoever came last.
	Ours, Theirs bool
	// NoContent: it may not present.
	NoContent bool
	// Rated: its call has a rate, which main video and content share.
	Rated bool
}

// allowance is what main video may take: what the leg says, and half of its share of
// the call while content goes out beside it.
func (m *Member) allowance(now time.Time) int {
	allowed := m.allowed.limit(now)
	if half := m.receiver.MaxBitrate / 2; m.unit.Rated && m.presentation.screen != nil && half > 0 && (allowed == 0 || half < allowed) {
		return half
	}
	return allowed
}

// SetUnit tells what is special about the leg.
func (m *Member) SetUnit(u Unit) {
	m.bridge.do(func() {
		m.unit = u
		m.bridge.nudge()
	})
}

// mayPresent reports whether somebody may present while another does. Content that came
// from an MCU is not sent back to it, so with one master there is no to and fro.
func (b *Bridge) mayPresent(identity, presenter string) bool {
	asks, presents := b.unitOf(identity), b.unitOf(presenter)
	switch {
	case asks.NoContent:
		return false
	case presenter == "":
		return true
	}
	return !asks.Ours && !presents.Theirs
}

func (b *Bridge) unitOf(identity string) Unit {
	for _, m := range b.members {
		if m.identity == identity {
			return m.unit
		}
	}
	return Unit{}
}
