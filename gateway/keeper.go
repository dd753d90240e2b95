package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// keep looks after meetings until ctx ends: who waits is let in when a host comes,
// and what has lasted long enough is ended.
func (g *Gateway) keep(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.letIn(ctx)
			g.endInTime(ctx)
			g.callInvitees(ctx)
			g.overdue(g.in.Now())
			g.redialDue(ctx)
			g.closeDue()
		case <-ctx.Done():
			return nil
		}
	}
}

const (
	keepEvery = time.Second
	// warning is how long before its end a meeting is told.
	warning = time.Minute
	// lookEvery is how often the SFU is asked who is in a meeting of terminals.
	lookEvery = 10 * time.Second
)

// letIn has those look again who wait.
func (g *Gateway) letIn(ctx context.Context) {
	looked := map[string]bool{}
	for _, a := range g.waiting("") {
		a.s.mu.Lock()
		alias, waits := a.meeting, a.waits
		a.s.mu.Unlock()
		if waits == lobby.WaitHost && !looked[alias] {
			looked[alias] = true
			g.lookAround(ctx, alias)
		}
		a.nudge()
	}
}

// ending is what is due in a meeting.
type ending struct {
	alias string
	warn  *bridge.Bridge // nil: it ends
	why   string
}

// endInTime ends the meetings that have lasted long enough, and those of
// terminals that everybody else has left.
func (g *Gateway) endInTime(ctx context.Context) {
	now := g.in.Now()
	g.mu.Lock()
	var look []string
	for alias, m := range g.meetings {
		if m.spec().RoomsOnly > 0 && m.bridge != nil && now.Sub(m.looked) >= min(lookEvery, m.spec().RoomsOnly/2) {
			m.looked = now
			look = append(look, alias)
		}
	}
	g.mu.Unlock()
	for _, alias := range look {
		g.lookAround(ctx, alias)
	}
	g.mu.Lock()
	var due []ending
	for alias, m := range g.meetings {
		if e := m.due(now); e != nil && !m.private {
			e.alias = alias
			due = append(due, *e)
		}
	}
	g.mu.Unlock()
	for _, e := range due {
		if e.warn != nil {
			g.announce(e.warn, prompt.Ending)
			g.events.publish(Event{Kind: EventMeetingEnding, Meeting: e.alias})
			continue
		}
		g.log.Info("a meeting is ended", zap.String("meeting", e.alias), zap.String("why", e.why))
		if _, err := g.endMeeting(e.alias); err != nil {
			g.log.Warn("a meeting was not ended", zap.String("meeting", e.alias), zap.Error(err))
		}
	}
}

// due is what a meeting's times ask for at a moment; needs Gateway.mu.
func (m *meeting) due(now time.Time) *ending {
	over := m.heldUntil(now)
	if m.bridge == nil {
		m.began, m.alone, m.looked, m.warned = time.Time{}, time.Time{}, time.Time{}, false
		if over == isOver { // browsers may be there
			return &ending{why: "its time is over"}
		}
		return nil
	}
	if m.began.IsZero() {
		m.began = now
	}
	if m.browsers > 0 || m.looked.IsZero() {
		m.alone = time.Time{}
	} else if m.alone.IsZero() {
		m.alone = now
	}
	last := m.lasts()
	switch {
	case over == isOver, last > 0 && now.Sub(m.began) >= last:
		return &ending{why: "its time is over"}
	case m.spec().RoomsOnly > 0 && !m.alone.IsZero() && now.Sub(m.alone) >= m.spec().RoomsOnly:
		return &ending{why: "only terminals are left"}
	case !m.warned && (over == endsSoon || last > warning && now.Sub(m.began) >= last-warning):
		m.warned = true
		return &ending{warn: m.bridge}
	}
	return nil
}

// announce says a prompt to all legs at a bridge, in every language.
func (g *Gateway) announce(b *bridge.Bridge, id prompt.ID) {
	if g.in.Prompts == nil {
		return
	}
	for _, l := range prompt.Languages {
		b.Announce(g.in.Prompts.Sound(prompt.Clip{Language: l, ID: id}), prompt.Rate, nil)
	}
}
