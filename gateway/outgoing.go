package gateway

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/lobby"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/setup"
)

// target resolves what somebody wrote into a stack and its address.
func (g *Gateway) target(address string) (call.Endpoint, call.Target, error) {
	protocol := call.SIP
	address, known := g.placeOf(address)
	if scheme, _, ok := strings.Cut(address, ":"); ok && !strings.Contains(scheme, "@") {
		switch strings.ToLower(scheme) {
		case "sip", "sips":
		case "h323":
			protocol = call.H323
		default:
			return nil, call.Target{}, fmt.Errorf("%w: scheme %q has no route", ErrBadTarget, scheme)
		}
	} else if !known && !g.TerminalExists(address) && !strings.Contains(address, "@") {
		return nil, call.Target{}, fmt.Errorf("%w: no terminal has the alias %q", ErrBadTarget, address)
	} else if p := g.protocolOf(address); p != "" {
		protocol = p
	} else if r, ok := g.registrationOf(address); ok {
		protocol = r.Protocol
	}
	endpoint, ok := g.in.Endpoints[protocol]
	if !ok {
		return nil, call.Target{}, fmt.Errorf("%w: %s is not served", ErrBadTarget, protocol)
	}
	return endpoint, call.Target{Address: address, Can: g.capabilities()}, nil
}

// placeOf gives the address of an endpoint of the directory that has a fixed one and
// is not registered; everything else as it is. known: the directory has it.
func (g *Gateway) placeOf(alias string) (address string, known bool) {
	if g.in.Directory == nil {
		return alias, false
	}
	e, ok := g.in.Directory.ByAlias(alias)
	if ok && e.Address != "" && g.protocolOf(alias) == "" {
		return e.Address, true
	}
	return alias, ok
}

func (g *Gateway) protocolOf(alias string) call.Protocol {
	if g.in.ProtocolOf == nil {
		return ""
	}
	return g.in.ProtocolOf(alias)
}

func (g *Gateway) registrationOf(alias string) (Registration, bool) {
	for _, r := range g.Registrations() {
		if r.Alias == alias {
			return r, true
		}
	}
	return Registration{}, false
}

// Dial calls somebody into a meeting. It returns when the call is on its way.
func (g *Gateway) Dial(ctx context.Context, req DialRequest) (Call, error) {
	return g.dial(ctx, &dialled{req: req})
}

// dial places the call of an attempt.
func (g *Gateway) dial(ctx context.Context, d *dialled) (Call, error) {
	req := d.req
	if g.Draining() {
		return Call{}, ErrDraining
	}
	address, digits := directory.CutDigits(req.Target)
	req.Digits = cmp.Or(req.Digits, digits)
	if err := req.check(); err != nil {
		return Call{}, err
	}
	to, err := g.somebody(ctx, address, g.hostOf(req.Meeting))
	if err != nil {
		return Call{}, err
	}
	c, err := g.place(ctx, d, g.termsOf(address).asked(req), to)
	if err != nil {
		to.line.Close()
	}
	return c, err
}

// hostOf is who calls for a meeting.
func (g *Gateway) hostOf(alias string) call.Remote {
	if m, err := g.Meeting(alias); err == nil {
		return call.Remote{Alias: m.Alias, Name: m.Name}
	}
	return call.Remote{Alias: alias, Name: alias}
}

// place calls somebody on terms.
func (g *Gateway) place(ctx context.Context, d *dialled, terms Terms, to callee) (Call, error) {
	req := &d.req
	p, verdict := g.enter(req.Meeting, &claim{trusted: true, create: g.MayCreateMeeting(req.Meeting)})
	if p == nil {
		if verdict == lobby.Full {
			return Call{}, ErrFull
		}
		return Call{}, ErrNoMeeting
	}
	m, target := p.meeting, to.target
	if to.line == nil {
		target.Username, target.Password = req.Username, req.Password
	}
	target.Encryption = cmp.Or(target.Encryption, m.spec().Encryption)
	target.Can.Encryption = target.Encryption
	target.Can = terms.within(m.spec()).limit(target.Can)
	target.Timeout = smaller(target.Timeout, d.rings)
	target.TerminalType, target.Focus = uint8(terms.TerminalType), true
	leg, err := to.endpoint.Dial(ctx, target)
	if err != nil {
		g.leave(p)
		return Call{}, fmt.Errorf("%w: %w", ErrBadTarget, err)
	}
	s, refused := g.admit(leg, func(s *session) {
		s.name, s.agreed, s.layout, s.dialled = req.Name, terms, terms.layout, d
		s.outcome, d.outcome = d.outcome, nil
		if d.replaces != "" {
			s.layout, s.pinned = d.screen.layout, d.screen.pinned
		}
		s.setup = setup.Begin(g.ctx, g.in.Tracer, leg.Info())
		s.setup.Start(setup.Answer)
		s.on(to.line)
	})
	if refused != nil {
		leg.Hangup(*refused)
		g.leave(p)
		return Call{}, ErrFull
	}
	s.log.Info("created", zap.String("target", target.Address), zap.String("meeting", req.Meeting))
	s.sit(p)
	g.events.publish(Event{Kind: EventCallStarted, Call: s.view(), Meeting: m.spec().Alias})
	return *s.view(), nil
}

// referred moves the leg to where its terminal asks to go (RFC 3515): into
// another meeting without a new negotiation, or to another terminal.
func (s *session) referred(r *call.Refer) {
	info := s.leg.Info()
	info.Called, info.CalledURI = userOf(r.To), r.To
	d := s.g.route(s.g.ctx, info)
	if d.Reject != "" {
		r.Refuse(call.Cause{Code: d.Reject, Text: d.Why})
		return
	}
	if d.Meeting == "" {
		r.Refuse(call.Cause{Code: call.NotSupported, Text: "only a meeting can be moved to"})
		return
	}
	notify := r.Accept()
	outcome := s.move(d)
	if outcome.Code == call.NormalClearing {
		outcome = call.Cause{} // the terminal must not take it for a new call
	}
	notify(outcome)
}

// move takes the leg to another meeting; its terminal notices nothing but the
// company.
func (s *session) move(d route.Decision) call.Cause {
	c := claim{pin: d.PIN, hasPIN: true, create: d.Create, source: s.source()}
	p, verdict := s.g.enter(d.Meeting, &c)
	if p == nil {
		s.g.giveBack(&c)
		return refusal(verdict)
	}
	if s.tooPlain(p) {
		s.g.giveBack(&c)
		s.g.leave(p)
		return call.Cause{Code: call.EncryptionRequired}
	}
	return s.take(p)
}

// tooPlain reports a leg without encryption at a place in a meeting that requires it.
func (s *session) tooPlain(p *place) bool {
	return p.meeting.spec().Encryption == "require" && s.leg.Info().Encryption == "none"
}

// take changes the leg's place.
func (s *session) take(p *place) call.Cause {
	s.mu.Lock()
	old, partner, desk := s.place, s.partner, s.desk
	s.place, s.partner, s.desk = nil, nil, nil
	if s.state == StateLobby {
		s.state = StateActive
	}
	s.mu.Unlock()
	if desk != nil {
		desk.nudge() // it is not needed any more
	}
	s.release(old)
	if partner != nil {
		partner.mu.Lock()
		partner.partner = nil
		partner.mu.Unlock()
		partner.leg.Hangup(call.Cause{Code: call.Transferred})
	}
	if !s.sit(p) {
		return call.Cause{Code: call.Cancelled}
	}
	s.mediaChanged()
	return call.Cause{Code: call.NormalClearing}
}

// Transfer moves a call to another meeting of this gateway, or asks its
// terminal to call somewhere else (REFER).
func (g *Gateway) Transfer(ctx context.Context, id, target string) error {
	s, err := g.session(id)
	if err != nil {
		return err
	}
	if !strings.Contains(target, ":") {
		info := s.leg.Info()
		info.Called, info.CalledURI = target, target
		d := g.settings.Load().Rules.Decide(info, operator{g})
		if d.Meeting == "" {
			return fmt.Errorf("%w: no meeting %q", ErrBadTarget, target)
		}
		return g.moveLeg(s, d.Meeting, d.Create)
	}
	t, ok := s.leg.(call.Transferrer)
	if !ok {
		return fmt.Errorf("%w: this terminal cannot be transferred", ErrBadTarget)
	}
	return t.Transfer(ctx, target)
}

// userOf is the user part of a URI, or the text itself.
func userOf(uri string) string {
	if _, rest, ok := strings.Cut(uri, ":"); ok {
		uri = rest
	}
	user, _, _ := strings.Cut(uri, "@")
	user, _, _ = strings.Cut(user, ";")
	return user
}
