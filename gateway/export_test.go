package gateway

// PinnedForAll is who is pinned in a meeting.
func (g *Gateway) PinnedForAll(alias string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.meetings[alias].pinned
}
