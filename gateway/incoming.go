package gateway

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/layout"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/setup"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// incoming takes one call: admission, routing, then the meeting or the other
// terminal. An unknown alias is refused, never answered.
func (g *Gateway) incoming(leg call.Leg) {
	info := leg.Info()
	var line *trunk.Line
	if g.in.Trunks != nil {
		var err error
		if line, err = g.in.Trunks.In(info); err != nil {
			g.refuse(leg, refusalCause(err))
			return
		}
	}
	s, refused := g.admit(leg, func(s *session) { s.on(line) })
	if refused != nil {
		line.Close()
		g.refuse(leg, *refused)
		return
	}
	s.know()
	d := g.route(s.setup.Start(setup.Route), info)
	s.setup.End(setup.Route, setup.Why.String(d.Why))
	s.setup.Set(setup.Called.String(without(info.Called, d.PIN)))
	s.hide(d.PIN)
	if k, ok := layout.Parse(d.Layout); ok {
		s.mu.Lock()
		s.layout = k
		s.mu.Unlock()
	}
	s.log.Info("created",
		zap.String("protocol", string(info.Protocol)),
		zap.String("called", without(info.Called, d.PIN)),
		zap.Stringer("from", info.Remote.Address),
		zap.String("why", d.Why))
	g.events.publish(Event{Kind: EventCallStarted, Call: s.view(), Meeting: d.Meeting})
	switch {
	case d.Reject != "":
		leg.Hangup(call.Cause{Code: d.Reject, Text: d.Why})
	case d.Endpoint != "" || d.Trunk != "":
		s.connectTo(d)
	case d.Lobby:
		s.openLobby(d, nil)
	default:
		s.joinMeeting(d)
	}
}

// hide keeps a PIN that was dialled from those who look at the call.
func (s *session) hide(pin string) {
	s.mu.Lock()
	s.dialledPIN = pin
	s.mu.Unlock()
}

// without is what was dialled, less the PIN in it.
func without(dialled, pin string) string {
	if pin == "" {
		return dialled
	}
	return strings.Replace(dialled, pin, "****", 1)
}

// NodeTrunk begins the names of the trunks that are other nodes of ours: their calls
// are for terminals that are registered here.
const NodeTrunk = "node "

// route decides where a call goes: the policy from outside, if there is one and it
// wants to, or the dial plan.
func (g *Gateway) route(ctx context.Context, info call.Info) route.Decision {
	defer func(began time.Time) { g.routing.add(time.Since(began)) }(time.Now())
	now := g.settings.Load()
	if node, ok := strings.CutPrefix(info.Remote.Trunk, NodeTrunk); ok { // it has been decided there
		return now.Rules.Check(route.Decision{Endpoint: info.Called, Why: "the node " + node + " calls a terminal of ours"}, info, operator{g})
	}
	if now.Policy != nil {
		if d, ok := now.Policy.Decide(ctx, info); ok {
			return now.Rules.Check(d, info, g)
		}
	}
	return now.Rules.Decide(info, g)
}

// Explain is the decision of the dial plan for a call that nobody makes, at a
// moment, and what each rule says to it.
func (g *Gateway) Explain(info call.Info, at time.Time) (route.Decision, []route.Step) {
	return g.settings.Load().Rules.Explain(info, g, at)
}

// Leads reports whether a call to an alias would lead anywhere, for a gatekeeper, which
// has to say so before there is a call. terminals stands in for TerminalExists: whoever
// asks knows its own.
func (g *Gateway) Leads(info call.Info, terminals func(alias string) bool) bool {
	now := g.settings.Load()
	if now.Policy != nil {
		return true // it is asked when the call comes
	}
	return now.Rules.Decide(info, knowing{g, terminals}).Reject == ""
}

// knowing is a Gateway's world with other terminals.
type knowing struct {
	*Gateway
	terminals func(alias string) bool
}

// TerminalExists implements route.World.
func (k knowing) TerminalExists(alias string) bool { return k.terminals(alias) }

// joinMeeting answers at once, with everything the gateway can do; the SFU is
// joined meanwhile.
func (s *session) joinMeeting(d route.Decision) {
	c := claim{pin: d.PIN, hasPIN: d.PIN != "", create: d.Create, source: s.source()}
	p, verdict := s.g.enter(d.Meeting, &c)
	switch {
	case p == nil && s.g.in.Prompts != nil && verdict != lobby.NoMeeting:
		s.openLobby(d, &known{claim: c, verdict: verdict})
		return
	case p == nil:
		s.g.giveBack(&c)
		s.leg.Hangup(refusal(verdict))
		return
	}
	if !s.sit(p) {
		return
	}
	s.accept(p.meeting)
}

// accept answers the call with everything the gateway can do.
func (s *session) accept(m *meeting) {
	s.setup.Start(setup.Answer)
	ctx, cancel := s.background()
	defer cancel()
	if f, ok := s.leg.(call.Focuser); ok {
		f.Focus()
	}
	if err := s.leg.Accept(ctx, s.capabilities(m)); err != nil {
		s.log.Info("not accepted", zap.Error(err))
		s.leg.Hangup(call.Cause{Code: call.Failure, Text: err.Error()})
	}
}

// connectTo calls another terminal for this one and bridges the two here.
func (s *session) connectTo(d route.Decision) {
	ctx, cancel := s.background()
	defer cancel()
	info := s.leg.Info()
	var digits string
	d.Endpoint, digits = directory.CutDigits(d.Endpoint)
	terms := s.g.termsOf(d.Endpoint).asked(DialRequest{Digits: digits, Rate: s.terms().Rate})
	to, err := s.g.destination(ctx, d, info.Remote)
	if err != nil {
		s.leg.Hangup(refusalCause(err))
		return
	}
	to.target.Can, to.target.TerminalType = terms.limit(to.target.Can), uint8(terms.TerminalType)
	leg, err := to.endpoint.Dial(ctx, to.target)
	if err != nil {
		to.line.Close()
		s.leg.Hangup(call.Cause{Code: call.Unavailable, Text: err.Error()})
		return
	}
	m, b := s.g.enterPrivate("call-"+s.id, 2)
	other, refused := s.g.admitPartner(leg, s, to.line, terms)
	if refused != nil {
		to.line.Close()
		leg.Hangup(*refused)
		s.leg.Hangup(*refused)
		s.g.leave(&place{meeting: m})
		s.g.leave(&place{meeting: m})
		return
	}
	if !s.sit(&place{meeting: m, bridge: b}) {
		leg.Hangup(call.Cause{Code: call.Cancelled})
		s.g.leave(&place{meeting: m})
		return
	}
	other.sit(&place{meeting: m, bridge: b})
}

// admitPartner makes the session of the called terminal, tied to its caller.
func (g *Gateway) admitPartner(leg call.Leg, caller *session, line *trunk.Line, terms Terms) (*session, *call.Cause) {
	caller.mu.Lock()
	defer caller.mu.Unlock()
	if caller.state == StateEnded {
		return nil, &call.Cause{Code: call.Cancelled}
	}
	s, refused := g.admit(leg, func(s *session) {
		s.partner, s.waiting, s.agreed = caller, true, terms
		s.setup = setup.Begin(caller.setup.Context(), g.in.Tracer, leg.Info())
		s.setup.Start(setup.Answer)
		s.on(line)
	})
	if refused == nil {
		caller.partner = s
	}
	return s, refused
}

// tellPartner passes a provisional answer of the called terminal to the caller.
func (s *session) tellPartner(p call.Provisional) {
	if caller := s.caller(); caller != nil {
		ctx, cancel := s.background()
		defer cancel()
		if err := caller.leg.Progress(ctx, p); err != nil {
			s.log.Debug("progress not passed on", zap.Error(err))
		} else if p.EarlyMedia != nil {
			caller.mediaChanged() // it can be sent to now
		}
	}
}

// answerPartner answers the caller once the called terminal has answered.
func (s *session) answerPartner() {
	caller := s.caller()
	if caller == nil {
		return
	}
	s.mu.Lock()
	s.waiting = false
	s.mu.Unlock()
	s.g.wait.Add(1)
	go func() { // Accept waits for the caller's ACK; our events go on
		defer s.g.wait.Done()
		ctx, cancel := s.background()
		defer cancel()
		if err := caller.leg.Accept(ctx, caller.offered()); err != nil {
			caller.leg.Hangup(call.Cause{Code: call.Failure, Text: err.Error()})
		}
	}()
}

// caller is the session that waits for this one's answer, or nil.
func (s *session) caller() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting {
		return nil
	}
	return s.partner
}

// passDigit sends a digit on to the other terminal of a call.
func (s *session) passDigit(digit rune) {
	s.mu.Lock()
	partner := s.partner
	s.mu.Unlock()
	if partner == nil {
		return
	}
	sender, ok := partner.leg.(call.DigitSender)
	if !ok {
		return
	}
	s.g.wait.Add(1)
	go func() {
		defer s.g.wait.Done()
		ctx, cancel := s.background()
		defer cancel()
		if err := sender.SendDigits(ctx, string(digit)); err != nil {
			s.log.Debug("digit not passed on", zap.Error(err))
		}
	}()
}
