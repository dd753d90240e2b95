package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/layout"
)

// What those of a meeting are shown who have no layout of their own. A choice is for all
// nodes: it is kept with the meeting server, which tells those that have legs in the
// meeting, also when they come later.

// Noter is an SFUAdmin that keeps a note about a room, and tells whoever receives in it: a
// member of a JSON object, beside those of others.
type Noter interface {
	Note(ctx context.Context, room, member string, value any) error
}

// shownMember is where the choice is kept.
const shownMember = "roomgate"

// choice is the layout that was chosen for a meeting. Of several the latest counts.
type choice struct {
	Layout string `json:"layout"`
	Pinned string `json:"pinned"`
	Chosen int64  `json:"chosen"` // Unix milliseconds, and later than the one before
}

// SetMeetingLayout changes what those of a meeting are shown who have no layout of their
// own, as long as the room lives: "" is what the meeting was made with. pinned, the identity
// of a participant, takes the place of the speaker for those who have pinned nobody.
func (g *Gateway) SetMeetingLayout(alias, kind, pinned string) error {
	if _, ok := layout.Parse(kind); kind != "" && !ok {
		return ErrLayout
	}
	g.mu.Lock()
	m, ok := g.meetings[alias]
	if !ok || m.private || m.bridge == nil {
		g.mu.Unlock()
		return ErrNoMeeting
	}
	c := choice{Layout: kind, Pinned: pinned, Chosen: max(g.in.Now().UnixMilli(), m.chosen+1)}
	g.mu.Unlock()
	g.choose(m, c)
	g.tellChoice(m, c)
	return nil
}

// choose shows what was chosen, unless something else was chosen later.
func (g *Gateway) choose(m *meeting, c choice) {
	shown, _ := layout.Parse(c.Layout)
	g.mu.Lock()
	if c.Chosen <= m.chosen || m.private || m.bridge == nil {
		g.mu.Unlock()
		return
	}
	same := m.shown == shown && m.pinned == c.Pinned
	m.shown, m.pinned, m.chosen = shown, c.Pinned, c.Chosen
	b, k := m.bridge, layoutOf(m)
	g.mu.Unlock()
	b.SetLayout(k, c.Pinned)
	if !same {
		g.events.publish(Event{Kind: EventMeetingLayout, Meeting: m.spec().Alias, Text: string(k)})
	}
}

// noting bounds one request to the SFU; after one that failed the next waits tellSoon, and
// longer each time until it is tellLate. The SFU may not know the room yet: a call is
// answered before it is there.
const (
	noting   = 5 * time.Second
	tellSoon = time.Second / 2
	tellLate = 30 * time.Second
)

// tellChoice tells other nodes, without waiting for it: until they know, something else was
// chosen, or nobody is in the meeting any more.
func (g *Gateway) tellChoice(m *meeting, c choice) {
	to, ok := g.in.Admin.(Noter)
	if !ok || !g.begin() {
		return
	}
	room := m.spec().Alias
	go func() {
		defer g.wait.Done()
		for pause := tellSoon; g.chosen(m, c); pause = min(2*pause, tellLate) {
			ctx, cancel := context.WithTimeout(g.ctx, noting)
			err := to.Note(ctx, room, shownMember, c)
			cancel()
			if err == nil {
				return
			}
			g.log.Info("other nodes do not know the layout yet", zap.String("meeting", room), zap.Error(err))
			select {
			case <-time.After(pause):
			case <-g.ctx.Done():
				return
			}
		}
	}()
}

// chosen tells whether a choice still counts.
func (g *Gateway) chosen(m *meeting, c choice) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return m.chosen == c.Chosen
}

// aheadMost is how far the clock of another node may be ahead. A choice of a later time is
// not believed: nothing could be chosen after it.
const aheadMost = time.Hour

// described takes what the meeting server keeps about a meeting: a choice of this node or of
// another, or what is of others altogether.
func (g *Gateway) described(m *meeting, text string) {
	var all map[string]json.RawMessage
	var c choice
	if json.Unmarshal([]byte(text), &all) == nil && json.Unmarshal(all[shownMember], &c) == nil && c.Chosen <= g.in.Now().Add(aheadMost).UnixMilli() {
		g.choose(m, c)
	}
}

// MeetingLayout is what those of a meeting are shown now who have no layout of their own.
func (g *Gateway) MeetingLayout(alias string) (ShownLayout, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.meetings[alias]
	if !ok || m.private {
		return ShownLayout{}, ErrNoMeeting
	}
	return ShownLayout{Layout: string(layoutOf(m)), Default: m.spec().Layout, Pinned: m.pinned}, nil
}

// layoutOf is what legs of a meeting are shown; two terminals in a call see
// each other.
func layoutOf(m *meeting) layout.Kind {
	k, ok := layout.Parse(cmp.Or(string(m.shown), m.spec().Layout))
	if m.private || !ok {
		return layout.Auto
	}
	return k
}
