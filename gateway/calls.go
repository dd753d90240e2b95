package gateway

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/setup"
)

// living lists the sessions, oldest first.
func (g *Gateway) living() []*session {
	g.mu.Lock()
	out := make([]*session, 0, len(g.sessions))
	for _, s := range g.sessions {
		out = append(out, s)
	}
	g.mu.Unlock()
	slices.SortFunc(out, func(a, b *session) int {
		return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id))
	})
	return out
}

// Calls lists the living calls, oldest first.
func (g *Gateway) Calls() []Call {
	sessions := g.living()
	out := make([]Call, 0, len(sessions))
	for _, s := range sessions {
		out = append(out, *s.view())
	}
	out = append(out, g.redialling()...)
	slices.SortStableFunc(out, func(a, b Call) int { return a.Info.Created.Compare(b.Info.Created) })
	return out
}

// Call finds one living call.
func (g *Gateway) Call(id string) (Call, error) {
	s, err := g.session(id)
	if err == nil {
		return *s.view(), nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.redials[id]; r != nil {
		return *r.view(), nil
	}
	return Call{}, err
}

func (g *Gateway) session(id string) (*session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.sessions[id]
	if !ok {
		return nil, ErrNoCall
	}
	return s, nil
}

// Hangup ends a call, or keeps it from being made again.
func (g *Gateway) Hangup(id string, code call.CauseCode) error {
	if g.takeRedial(id) != nil {
		return nil
	}
	s, err := g.session(id)
	if err != nil {
		return err
	}
	return s.leg.Hangup(call.Cause{Code: code})
}

// Mute silences a leg towards its meeting, or lifts that; its user is told.
func (g *Gateway) Mute(id string, muted bool) error {
	s, err := g.session(id)
	if err != nil {
		return err
	}
	s.setMuted(muted)
	return nil
}

func (s *session) setMuted(muted bool) {
	s.mu.Lock()
	changed := s.muted != muted
	s.muted = muted
	p := s.place
	s.mu.Unlock()
	if !changed {
		return
	}
	if p != nil {
		p.member.SetMuted(muted)
	}
	s.g.events.publish(Event{Kind: EventCallUpdated, Call: s.view(), Meeting: p.alias()})
}

// SetLayout changes what a call is shown: "" is what its meeting has. pinned,
// the identity of a participant, takes the place of the speaker.
func (g *Gateway) SetLayout(id, kind, pinned string) error {
	s, err := g.session(id)
	if err != nil {
		return err
	}
	k, ok := layout.Parse(kind)
	if kind != "" && !ok {
		return ErrLayout
	}
	s.mu.Lock()
	s.layout, s.pinned = k, pinned
	p := s.place
	s.mu.Unlock()
	if p != nil {
		p.member.SetLayout(k, pinned)
	}
	g.events.publish(Event{Kind: EventCallUpdated, Call: s.view(), Meeting: p.alias()})
	return nil
}

// ShowChat shows a terminal, for a while, what was written last in its meeting.
func (g *Gateway) ShowChat(id string) error {
	s, err := g.session(id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	p := s.place
	s.mu.Unlock()
	if p == nil || p.meeting.private || !p.member.ReadChat(chatTime) {
		return ErrNoChat
	}
	return nil
}

// view is the call as the API shows it.
func (s *session) view() *Call {
	s.mu.Lock()
	c := &Call{State: s.state, Muted: s.muted, Layout: string(s.layout), Pinned: s.pinned, Identity: legPrefix + s.id, Meeting: s.place.alias(), Ended: s.closed}
	if s.cause != nil {
		cause := *s.cause
		c.Cause = &cause
	}
	if s.desk != nil {
		c.Meeting = s.desk.meeting
	}
	p, pin := s.place, s.dialledPIN
	c.Terms = s.agreed
	if d := s.dialled; d != nil && (s.agreed.Redials > 0 || d.attempt > 0) {
		c.Redial = &Redial{Attempt: d.attempt, Most: s.agreed.Redials, Replaces: d.replaces}
	}
	s.mu.Unlock()
	if p != nil {
		c.Terms = c.Terms.within(p.meeting.spec())
	}
	c.Info = s.leg.Info()
	c.Terms = c.Terms.facing(c.Info)
	c.Info.Called, c.Info.CalledURI = without(c.Info.Called, pin), without(c.Info.CalledURI, pin)
	if reporter, ok := s.leg.(call.StatsReporter); ok {
		for _, st := range reporter.Stats() {
			c.Media = append(c.Media, MediaInfo{StreamStats: st})
		}
	}
	if p != nil {
		for i := range c.Media {
			addBridgeFacts(&c.Media[i], p.member)
		}
	}
	return c
}

// addBridgeFacts completes what the leg counts with what the bridge knows.
func addBridgeFacts(m *MediaInfo, member *bridge.Member) {
	facts := member.Facts(m.Role, m.Sent)
	m.Width, m.Height, m.FPS = facts.Width, facts.Height, facts.FPS
	m.Mode, m.Pipeline, m.Notice = facts.Mode, facts.Pipeline, facts.Notice
}

// Participants is the roster of a meeting: the legs of this node and everybody
// the SFU knows, hidden ones left out.
func (g *Gateway) Participants(ctx context.Context, alias string) ([]Participant, error) {
	if _, err := g.Meeting(alias); err != nil && !g.MayCreateMeeting(alias) {
		return nil, ErrNoMeeting
	}
	byIdentity := map[string]*Participant{}
	var order []string
	if g.in.Admin != nil {
		rows, err := g.in.Admin.Participants(ctx, alias)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row.Hidden {
				continue
			}
			byIdentity[row.Identity] = &Participant{Participant: row, Muted: audioMuted(row)}
			order = append(order, row.Identity)
		}
	}
	g.mu.Lock()
	m := g.meetings[alias]
	g.mu.Unlock()
	for _, s := range g.living() {
		if m == nil || !s.inMeeting(m) {
			continue
		}
		who := s.describe()
		row, ok := byIdentity[who.Identity]
		if !ok {
			row = &Participant{Participant: who}
			byIdentity[who.Identity] = row
			order = append(order, who.Identity)
		}
		s.mu.Lock()
		row.CallID, row.Muted = s.id, s.muted
		row.Speaking = s.place != nil && s.place.member.Speaking()
		s.mu.Unlock()
	}
	out := make([]Participant, 0, len(order))
	for _, identity := range order {
		out = append(out, *byIdentity[identity])
	}
	return out, nil
}

func audioMuted(p call.Participant) bool {
	for _, t := range p.Tracks {
		if t.Role == "audio" {
			return t.Muted
		}
	}
	return false
}

// legPrefix makes the identity of a leg in a meeting out of its ID.
const legPrefix = "leg-"

// legOf finds the leg behind an identity of a meeting on this node.
func (g *Gateway) legOf(identity string) *session {
	id, ok := strings.CutPrefix(identity, legPrefix)
	if !ok {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[id]
}

// legIn finds the leg behind an identity, if it is in a meeting: who may moderate one
// meeting reaches nobody in others.
func (g *Gateway) legIn(alias, identity string) *session {
	g.mu.Lock()
	m := g.meetings[alias]
	g.mu.Unlock()
	s := g.legOf(identity)
	if m == nil || s == nil || !s.inMeeting(m) {
		return nil
	}
	return s
}

// MuteParticipant mutes a leg or a browser of a meeting.
func (g *Gateway) MuteParticipant(ctx context.Context, alias, identity string, muted bool) error {
	if s := g.legIn(alias, identity); s != nil {
		s.setMuted(muted)
		return nil
	}
	if g.in.Admin == nil {
		return ErrNoParticipant
	}
	return g.in.Admin.Mute(ctx, alias, identity, muted)
}

// RemoveParticipant ends a leg's call, or puts a browser out of the meeting.
func (g *Gateway) RemoveParticipant(ctx context.Context, alias, identity string) error {
	if s := g.legIn(alias, identity); s != nil {
		return s.leg.Hangup(call.Cause{Code: call.Removed})
	}
	if g.in.Admin == nil {
		return ErrNoParticipant
	}
	return g.in.Admin.Remove(ctx, alias, identity)
}

// recording notes whether the meeting server records a meeting.
func (g *Gateway) recording(m *meeting, on bool) {
	g.mu.Lock()
	m.recorded = on
	g.mu.Unlock()
	text := "off"
	if on {
		text = "on"
	}
	g.events.publish(Event{Kind: EventMeetingRecording, Meeting: m.spec().Alias, Text: text})
}

// bridgeNotice follows what the meeting side says about the legs of a bridge.
func (g *Gateway) bridgeNotice(m *meeting, n bridge.Notice) {
	s := g.legOf(n.Identity)
	switch n.Kind {
	case bridge.Speaking:
		g.events.publish(Event{Kind: EventSpeaker, Meeting: m.spec().Alias, Text: n.Identity})
	case bridge.Joined, bridge.Left:
		kind := EventJoined
		if n.Kind == bridge.Left {
			kind = EventLeft
		}
		g.events.publish(Event{Kind: kind, Meeting: m.spec().Alias, Participant: &Participant{Participant: n.Participant}})
	case bridge.MutedByMeeting:
		if s != nil {
			s.setMuted(n.On)
		}
	case bridge.RemovedByMeeting:
		if s != nil {
			cause := n.Cause
			cause.Code = cmp.Or(cause.Code, call.Removed)
			s.leg.Hangup(cause)
		}
	case bridge.Described:
		g.described(m, n.Text)
	case bridge.Recording:
		g.recording(m, n.On)
	case bridge.Seated:
		if s != nil {
			s.setup.End(setup.Seat)
		}
	case bridge.Spotlit:
		g.spotlit(m, n)
	case bridge.PresentingKeyed:
		if s != nil {
			s.presentingKeyed(n.On)
		}
	case bridge.Presenting, bridge.PresentingWanted, bridge.StopSharing:
		g.contentNotice(m, n)
	case bridge.MeetingLost:
		g.events.publish(Event{Kind: EventSFULost, Meeting: m.spec().Alias, Text: n.Text})
	case bridge.MeetingBack:
		g.events.publish(Event{Kind: EventSFUBack, Meeting: m.spec().Alias})
	}
}
