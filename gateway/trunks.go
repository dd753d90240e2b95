package gateway

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory/number"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// callee is where an outgoing call goes, and the line that it goes over: nil, or to be
// closed at its end.
type callee struct {
	endpoint call.Endpoint
	target   call.Target
	line     *trunk.Line
}

// destination is where a decision leads that is not for a meeting.
func (g *Gateway) destination(ctx context.Context, d route.Decision, caller call.Remote) (callee, error) {
	if d.Trunk == "" {
		endpoint, target, err := g.target(d.Endpoint)
		target.Via = cmp.Or(d.Via, target.Via)
		target.From, target.FromName = caller.Alias, caller.Name
		return callee{endpoint, target, nil}, err
	}
	return g.overTrunk(ctx, trunk.Request{Trunk: d.Trunk, Number: d.Number, Caller: caller.Alias, Name: caller.Name}, caller.Private)
}

// overTrunk takes a line of a trunk.
func (g *Gateway) overTrunk(ctx context.Context, q trunk.Request, private bool) (callee, error) {
	endpoint, ok := g.in.Endpoints[call.SIP]
	if g.in.Trunks == nil || !ok {
		return callee{}, fmt.Errorf("%w: there is no trunk %q", ErrBadTarget, q.Trunk)
	}
	target, line, err := g.in.Trunks.Out(ctx, q)
	if err != nil {
		return callee{}, fmt.Errorf("%w: %w", ErrBadTarget, err)
	}
	target.Anonymous = target.Anonymous || private
	target.Can = g.capabilities()
	if !line.Video {
		target.Can.Video, target.Can.Content, target.Can.Camera = nil, nil, false
	}
	if audio, ok := g.settings.Load().TrunkAudio[target.Trunk]; ok {
		target.Can.Audio = audio
	}
	return callee{endpoint, target, line}, nil
}

// somebody resolves what the API wants called: what target knows, or a number, which
// goes where the dial plan leads it.
func (g *Gateway) somebody(ctx context.Context, address string, caller call.Remote) (callee, error) {
	text, isTel := strings.CutPrefix(address, "tel:")
	if isTel || strings.HasPrefix(address, "+") && !strings.Contains(address, "@") {
		text, _, _ = strings.Cut(text, ";")
		d := g.settings.Load().Rules.Decide(call.Info{Called: text, CalledURI: address}, operator{g})
		if d.Trunk == "" && d.Endpoint == "" {
			return callee{}, fmt.Errorf("%w: no rule of the dial plan leads %s to a trunk or a terminal", ErrBadTarget, text)
		}
		return g.destination(ctx, d, caller)
	}
	endpoint, target, err := g.target(address)
	target.From, target.FromName = caller.Alias, caller.Name
	return callee{endpoint, target, nil}, err
}

// on ties a session to its line.
func (s *session) on(line *trunk.Line) {
	s.line = line
	line.OnCut(func(c call.Cause) { s.leg.Hangup(c) })
}

// refuse ends a call that is not taken; nobody else reads its leg.
func (g *Gateway) refuse(leg call.Leg, cause call.Cause) {
	leg.Hangup(cause)
	g.wait.Add(1)
	go func() {
		defer g.wait.Done()
		for range leg.Events() {
		}
	}()
}

// refusalCause is what a caller is told when the call it wanted cannot be placed.
func refusalCause(err error) call.Cause {
	if r, ok := trunk.RefusalOf(err); ok {
		c := r.Cause()
		if c.Code == call.UnknownAlias && r.Reason == trunk.NoTrunk {
			c.Code = call.Unavailable
		}
		return c
	}
	return call.Cause{Code: call.UnknownAlias, Text: err.Error()}
}

// anonymous is how a caller is shown who does not want to be known.
const anonymous = "Anonymous"

// shown is how who is on the far side appears to others in a meeting: telephone
// numbers are masked, and withheld ones left out (RFC 3323 §4.1).
func shown(name string, r call.Remote) (shownName, shownNumber string) {
	if r.Registered { // a room of ours: its number is in the directory
		return name, r.Alias
	}
	if r.Private {
		return anonymous, ""
	}
	return number.Mask(name), number.Mask(r.Alias)
}

// unheard reports a leg that was called into a meeting and has not answered: what its
// network plays is not for the company. It needs s.mu.
func (s *session) unheard(p *place) bool {
	return p != nil && !p.meeting.private && s.state == StateRinging && s.leg.Info().Direction == call.Out
}

// letBeHeard gives the meeting what the leg has sent since it was called.
func (s *session) letBeHeard() {
	s.mu.Lock()
	held, p := s.held, s.place
	s.held = nil
	s.mu.Unlock()
	if p == nil {
		return
	}
	for _, t := range held {
		p.member.AddTrack(t)
	}
}
