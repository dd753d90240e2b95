package gateway

import (
	"cmp"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// claim is what a leg shows to be let into a meeting.
type claim struct {
	pin    string
	hasPIN bool   // was asked for it, or gave it; an empty one is that of a guest
	create bool   // the meeting may be made
	source string // who would be guessing, see session.source
	// trusted needs no PIN and waits for nobody: the API calls or moves the leg,
	// or a host has let it in.
	trusted bool

	wait     time.Duration // out: how long the answer to a wrong PIN is to take
	redeemed redeemed      // out: the code that was given for a PIN
}

// enter takes a place in a meeting, making meeting and bridge where needed, or
// tells what keeps the leg out. leave must be called for every place, and giveBack for
// a claim that is not tried any more.
func (g *Gateway) enter(alias string, c *claim) (*place, lobby.Verdict) {
	g.redeem(alias, c)
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.meetings[alias]
	if !ok || m.private {
		if !c.create || !directory.IsMeetingAlias(alias) {
			return nil, lobby.NoMeeting
		}
		m = g.addMeeting(MeetingSpec{Alias: alias}, true)
	}
	role, verdict := g.roleOf(m, c)
	if verdict == 0 && !c.trusted {
		verdict = m.outOfTime(g.in.Now(), g.settings.Load().EarlyJoin)
	}
	if verdict == 0 && role != call.RoleHost && !c.trusted {
		verdict = m.keepsOut()
	}
	limit := cmp.Or(m.spec().MaxLegs, g.settings.Load().MaxLegs)
	if verdict == 0 && limit > 0 && m.legs >= limit {
		verdict = lobby.Full
	}
	if verdict != 0 {
		return nil, verdict
	}
	g.occupy(m)
	p := &place{meeting: m, bridge: m.bridge, host: role == call.RoleHost}
	if p.host {
		m.hosts++
	}
	if m.spec().JoinMuted && !p.host {
		p.muted = true
		return p, lobby.InAndMuted
	}
	return p, lobby.In
}

// roleOf checks the PIN of a claim; needs g.mu.
func (g *Gateway) roleOf(m *meeting, c *claim) (role string, verdict lobby.Verdict) {
	role, err := roleFor(m.spec(), "", c.pin)
	asks := m.spec().HostPIN != "" && (m.spec().Lobby || m.spec().WaitForHost)
	switch {
	case c.redeemed.role != "":
		return c.redeemed.role, 0
	case c.trusted:
		return role, 0
	case (c.pin != "" || m.spec().GuestPIN != "") && g.guard.TurnedAway(c.source):
		return "", lobby.TooMany
	case err == nil && role == call.RoleGuest && asks && !c.hasPIN && m.spec().GuestPIN == "":
		return "", lobby.WantsHost
	case err == nil && (role == call.RoleHost || m.spec().GuestPIN != "" || c.pin == "" || m.spec().HostPIN == ""):
		return role, 0
	case !c.hasPIN:
		return "", lobby.WantsPIN
	}
	c.wait = g.guard.Failed(c.source, m.spec().Alias)
	g.log.Warn("wrong PIN", zap.String("meeting", m.spec().Alias), zap.String("source", c.source))
	return "", lobby.WrongPIN
}

// keepsOut is why a guest is not let in now; needs g.mu.
func (m *meeting) keepsOut() lobby.Verdict {
	switch {
	case m.spec().Locked:
		return lobby.Locked
	case m.spec().WaitForHost && m.hosts+m.browserHosts == 0:
		return lobby.WaitHost
	case m.spec().Lobby:
		return lobby.WaitAdmit
	}
	return 0
}

// refusal is the cause with which a verdict ends a call that is not in the lobby.
func refusal(v lobby.Verdict) call.Cause {
	switch v {
	case lobby.NoMeeting:
		return call.Cause{Code: call.UnknownAlias}
	case lobby.Full:
		return call.Cause{Code: call.UserBusy, Text: "the meeting is full"}
	case lobby.Locked:
		return call.Cause{Code: call.Rejected, Text: "the meeting is locked"}
	case lobby.WaitHost, lobby.WaitAdmit, lobby.WantsHost:
		return call.Cause{Code: call.Unavailable, Text: "a host has to come first"}
	case lobby.Denied:
		return call.Cause{Code: call.Rejected, Text: "a host has refused the call"}
	case lobby.WaitTime, lobby.NotYet:
		return call.Cause{Code: call.Unavailable, Text: ErrNotYet.Error()}
	case lobby.Ended:
		return call.Cause{Code: call.MeetingEnded}
	case 0:
		return call.Cause{Code: call.NormalClearing}
	}
	return call.Cause{Code: call.Rejected, Text: ErrPIN.Error()}
}

// source is who guesses PINs when this leg does: a caller of a trunk, a
// registered terminal, or an address.
func (s *session) source() string {
	r := s.leg.Info().Remote
	switch {
	case r.Trunk != "":
		return "trunk " + r.Trunk + " " + cmp.Or(r.Alias, s.id)
	case r.Registered:
		return "terminal " + r.Alias
	case r.Address.IsValid():
		return "address " + r.Address.Addr().Unmap().String()
	}
	return "call " + s.id
}
