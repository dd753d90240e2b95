package bridge

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
