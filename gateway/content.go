package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/floor"
)

// Who presents in a meeting: what the bridges' arbiters say, and what operators want.

// ShareStopper is an SFUAdmin that can stop what somebody shares. The participant may
// share again.
type ShareStopper interface {
	StopSharing(ctx context.Context, room, identity string) error
}

// stopSharingTime bounds one request to the SFU.
const stopSharingTime = 5 * time.Second

// contentNotice takes what a bridge says about who presents.
func (g *Gateway) contentNotice(m *meeting, n bridge.Notice) {
	switch n.Kind {
	case bridge.Presenting:
		g.mu.Lock()
		m.presenter = n.Identity
		g.mu.Unlock()
		g.publishPresenting(EventPresenting, m, n.Identity)
	case bridge.PresentingWanted:
		g.mu.Lock()
		m.waiting = n.Identity
		g.mu.Unlock()
		g.publishPresenting(EventPresentingWanted, m, n.Identity)
	case bridge.StopSharing:
		g.stopSharing(m.spec().Alias, n.Identity)
	}
}

func (g *Gateway) publishPresenting(kind EventKind, m *meeting, identity string) {
	if m.private {
		return
	}
	g.events.publish(Event{Kind: kind, Meeting: m.spec().Alias, Text: identity})
}

// stopSharing has the SFU stop a share, without waiting for it.
func (g *Gateway) stopSharing(room, identity string) {
	stopper, ok := g.in.Admin.(ShareStopper)
	if !ok || !g.begin() {
		return
	}
	go func() {
		defer g.wait.Done()
		ctx, cancel := context.WithTimeout(g.ctx, stopSharingTime)
		defer cancel()
		if err := stopper.StopSharing(ctx, room, identity); err != nil {
			g.log.Info("a share was not stopped", zap.String("meeting", room), zap.Error(err))
		}
	}()
}

// Present lets a participant of a meeting present, whatever its policy, or with yes
// false stops them or denies their wish.
func (g *Gateway) Present(alias, identity string, yes bool) error {
	g.mu.Lock()
	m, ok := g.meetings[alias]
	var b *bridge.Bridge
	if ok && !m.private {
		b = m.bridge
	}
	g.mu.Unlock()
	switch {
	case !ok || m.private:
		return ErrNoMeeting
	case b == nil || !b.Present(identity, yes):
		return ErrNoParticipant
	}
	return nil
}

// policyOf is who may present in a meeting; in a call of two terminals both may.
func policyOf(m *meeting) floor.Policy {
	p, ok := floor.ParsePolicy(m.spec().Presenting)
	if m.private || !ok {
		return floor.Free
	}
	return p
}

// content takes what the leg says about who presents.
func (s *session) content(kind call.EventKind) {
	s.mu.Lock()
	p := s.place
	s.mu.Unlock()
	if p != nil {
		p.member.Content(kind)
	}
}
