package bridge

// Watching is the identity of whom the leg sees in the first place; "" is nobody.
func (m *Member) Watching() (identity string) {
	m.bridge.call(func() {
		src := m.shown
		if src == nil && len(m.view.Shown) > 0 {
			src = m.bridge.sources[m.view.Shown[0]]
		}
		if src != nil {
			identity = src.identity
		}
	})
	return identity
}
