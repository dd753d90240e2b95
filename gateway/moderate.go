package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway/bridge"
)

// What moderators do to those in a meeting besides muting and removing. Legs obey the
// gateway; browsers the SFU, or the meeting page.

// ErrElsewhere is of legs that have to be asked for at their own node.
var ErrElsewhere = errors.New("the participant cannot be moved from this node")

// Describer is an SFUAdmin that changes how a participant is shown: the name, unless it
// is empty, and attributes, of which an empty one goes.
type Describer interface {
	Describe(ctx context.Context, room, identity, name string, attributes map[string]string) error
}

// Messenger is an SFUAdmin that sends a message to one participant.
type Messenger interface {
	Tell(ctx context.Context, room, identity, topic string, message []byte) error
}

// TopicMove is the topic of the Move that a browser is told.
const TopicMove = "roomgate.move"

// Move tells the meeting page to go to another meeting. The ticket is for the identity
// that the page has, so that it knows a forged one.
type Move struct {
	Meeting string `json:"meeting"`
	Token   string `json:"token"`
	Muted   bool   `json:"muted,omitempty"`
}

// RenameParticipant changes the name that others see.
func (g *Gateway) RenameParticipant(ctx context.Context, alias, identity, name string) error {
	s := g.legIn(alias, identity)
	if s != nil {
		s.renamed.Store(&name)
		s.mu.Lock()
		p := s.place
		s.mu.Unlock()
		if p != nil {
			p.bridge.Renamed()
		}
	}
	err := g.describe(ctx, alias, identity, name, nil)
	if s == nil && err != nil {
		return err
	}
	who := call.Participant{Identity: identity, Name: name}
	if s != nil { // the SFU hears it when the leg takes its seat, if not now
		who = s.describe()
		if err != nil {
			s.log.Debug("a name is not known to the meeting server yet", zap.Error(err))
		}
	}
	g.events.publish(Event{Kind: EventRenamed, Meeting: alias, Participant: &Participant{Participant: who}})
	return nil
}

func (g *Gateway) describe(ctx context.Context, alias, identity, name string, attributes map[string]string) error {
	describer, ok := g.in.Admin.(Describer)
	if !ok {
		return ErrNoParticipant
	}
	return describer.Describe(ctx, alias, identity, name, attributes)
}

// MoveParticipant takes somebody to another meeting without a new call: a leg of this
// node, or a browser on the meeting page, as a guest unless role says otherwise.
func (g *Gateway) MoveParticipant(ctx context.Context, alias, identity, to, role string) error {
	m, err := g.Meeting(to)
	if err != nil {
		return err
	}
	if to == alias {
		return fmt.Errorf("%w: they are in %s already", ErrBadTarget, to)
	}
	if s := g.legIn(alias, identity); s != nil {
		return g.moveLeg(s, to, false)
	}
	row, err := g.rowOf(ctx, alias, identity)
	if err != nil {
		return err
	}
	messenger, ok := g.in.Admin.(Messenger)
	if !ok || row.Kind != call.Browser && row.Kind != "" {
		return ErrElsewhere
	}
	if role != call.RoleHost {
		role = call.RoleGuest
	}
	_, token, err := g.in.Admin.Token(ctx, to, identity, row.Name, role)
	if err != nil {
		return fmt.Errorf("token for %s: %w", to, err)
	}
	message, err := json.Marshal(Move{Meeting: to, Token: token, Muted: comesMuted(m.MeetingSpec, role)})
	if err != nil {
		return err
	}
	return messenger.Tell(ctx, alias, identity, TopicMove, message)
}

// moveLeg takes a leg to a meeting by an operator's word.
func (g *Gateway) moveLeg(s *session, to string, create bool) error {
	p, verdict := g.enter(to, &claim{trusted: true, create: create})
	if p == nil {
		return fmt.Errorf("%w: %s", ErrBadTarget, refusal(verdict))
	}
	if s.tooPlain(p) {
		g.leave(p)
		return fmt.Errorf("%w: %s", ErrBadTarget, call.Cause{Code: call.EncryptionRequired})
	}
	if cause := s.take(p); cause.Code != call.NormalClearing {
		return fmt.Errorf("%w: %s", ErrBadTarget, cause)
	}
	return nil
}

// rowOf finds somebody in the SFU's roster.
func (g *Gateway) rowOf(ctx context.Context, alias, identity string) (call.Participant, error) {
	if g.in.Admin == nil {
		return call.Participant{}, ErrNoParticipant
	}
	rows, err := g.in.Admin.Participants(ctx, alias)
	if err != nil {
		return call.Participant{}, err
	}
	for _, row := range rows {
		if row.Identity == identity && !row.Hidden {
			return row, nil
		}
	}
	return call.Participant{}, ErrNoParticipant
}

// Spotlight shows everybody somebody in the place of the speaker, or with on false no
// longer: those of all nodes, and the meeting page, see it by an attribute.
func (g *Gateway) Spotlight(ctx context.Context, alias, identity string, on bool) error {
	s := g.legIn(alias, identity)
	rows, err := []call.Participant(nil), error(nil)
	if g.in.Admin != nil {
		rows, err = g.in.Admin.Participants(ctx, alias)
	}
	there := s != nil
	for _, row := range rows {
		there = there || row.Identity == identity && !row.Hidden
	}
	if !there {
		if err != nil {
			return err
		}
		return ErrNoParticipant
	}
	for _, row := range rows { // one at a time
		lit := row.Attributes[call.AttrSpotlight] != ""
		if wanted := on && row.Identity == identity; lit != wanted && (on || row.Identity == identity) {
			if err := g.describe(ctx, alias, row.Identity, "", map[string]string{call.AttrSpotlight: spotlightWord(wanted)}); err != nil && s == nil {
				return err
			}
		}
	}
	g.pin(alias, identity, on)
	return nil
}

// spotlightWord is the value of the attribute; an empty one deletes it.
func spotlightWord(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// pin has the legs of this node see somebody in the place of the speaker.
func (g *Gateway) pin(alias, identity string, on bool) {
	g.mu.Lock()
	m := g.meetings[alias]
	if m == nil || m.private || !m.light(identity, on) {
		g.mu.Unlock()
		return
	}
	b, kind, pinned := m.bridge, layoutOf(m), m.pinned
	g.mu.Unlock()
	if b != nil {
		b.SetLayout(kind, pinned)
	}
}

// light notes who is in the light; needs Gateway.mu.
func (m *meeting) light(identity string, on bool) (changed bool) {
	switch {
	case m.bridge == nil:
		return false
	case on:
		m.pinned = identity
	case m.pinned == identity:
		m.pinned = ""
	default:
		return false
	}
	return true
}

// spotlit follows what a bridge sees of a spotlight that any node has set; the bridge
// has turned to it already.
func (g *Gateway) spotlit(m *meeting, n bridge.Notice) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.light(n.Identity, n.On)
}

// comesMuted reports whether somebody is to come in muted.
func comesMuted(spec MeetingSpec, role string) bool {
	return spec.JoinMuted && role != call.RoleHost
}
