package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/directory/invite"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// Meetings that are planned are open from a while before they start until they end, and
// call their invitees when they start.

// Errors of Extend.
var (
	ErrNotHeld = errors.New("the meeting is not held now")
	ErrNoEnd   = errors.New("the meeting has no end that could be later")
)

// Invitations remembers, for all nodes, whom meetings have called when they started.
type Invitations interface {
	// Take claims who is to be called now, most of them at once; open is false when
	// nobody is left to be called.
	Take(ctx context.Context, meeting string, starts time.Time, targets []string, most int) (calls []invite.Call, open bool, err error)
	// Done notes what came of a call: again is when to try once more, zero: never.
	Done(ctx context.Context, meeting string, starts time.Time, c invite.Call, again time.Time) error
}

const (
	// musicBefore is how long before a meeting opens a caller may wait in the lobby.
	musicBefore = 30 * time.Minute
	// invitesFor is how long after the start invitees are still called for the first
	// time; whoever has been called may be tried again until the end.
	invitesFor = 10 * time.Minute
	// Of each meeting so many invitees are called at a time.
	invitesAtOnce = 20
	invitesEvery  = 2 * time.Second
	// An invitee who does not answer is called so often, with pauses that double.
	mostInvites = 3
	firstInvite = 30 * time.Second
	// inviteRings is how long an invitee's phone rings, and placeInvite how long the call
	// may take to be placed: together less than invite.Patience, after which another node
	// calls.
	inviteRings = 90 * time.Second
	placeInvite = time.Minute
	// mostExtended bounds how long a meeting is held.
	mostExtended = 7 * 24 * time.Hour
)

// timetable is where a meeting stands in its plan; guarded by Gateway.mu.
type timetable struct {
	of    *MeetingSpec // whose plan was looked at
	next  calendar.Occurrence
	some  bool      // there is one
	until time.Time // when it has to be looked at again; zero: never

	held    calendar.Occurrence // that was last seen to be held
	invited time.Time           // the start whose invitees have all been called
	asked   time.Time           // when they were last looked at
}

// occasion is the time that a meeting is held at a moment, or the next one; false when
// it is not planned, or will not be held again. Needs Gateway.mu.
func (m *meeting) occasion(now time.Time) (calendar.Occurrence, bool) {
	spec := m.asked.Load()
	if spec.Plan.None() {
		return calendar.Occurrence{}, false
	}
	if spec.Extended.Holds(now, 0) {
		return spec.Extended, true
	}
	t := &m.times
	if t.of != spec || !t.until.IsZero() && !now.Before(t.until) {
		t.of = spec
		t.next, t.some = spec.Plan.At(now)
		t.until = t.next.Ends
	}
	return t.next, t.some
}

// outOfTime is why a meeting cannot be entered now; 0: it can. Needs Gateway.mu.
func (m *meeting) outOfTime(now time.Time, early time.Duration) lobby.Verdict {
	if m.spec().Plan.None() {
		return 0
	}
	o, some := m.occasion(now)
	switch {
	case !some:
		return lobby.Ended
	case o.Holds(now, early):
		return 0
	case o.Holds(now, early+musicBefore):
		return lobby.WaitTime
	}
	return lobby.NotYet
}

// outOfTime tells a browser the same.
func (g *Gateway) outOfTime(alias string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.meetings[alias]
	if m == nil {
		return nil
	}
	switch m.outOfTime(g.in.Now(), g.settings.Load().EarlyJoin) {
	case 0:
		return nil
	case lobby.Ended:
		return ErrOver
	}
	return ErrNotYet
}

// pace is how a meeting stands to its end.
type pace uint8

const (
	noPlan pace = iota // or not begun
	isHeld
	endsSoon // in a minute
	isOver   // just now
)

// heldUntil follows the plan; needs Gateway.mu. A meeting that somebody was called into
// outside of its times has no end.
func (m *meeting) heldUntil(now time.Time) pace {
	if m.spec().Plan.None() {
		m.times.held = calendar.Occurrence{}
		return noPlan
	}
	held := &m.times.held
	o, some := m.occasion(now)
	if some && o.Holds(now, 0) {
		if !o.Starts.Equal(held.Starts) || o.Ends.After(held.Ends) {
			m.warned = false
		}
		*held = o
		if o.Ends.Sub(now) <= warning {
			return endsSoon
		}
		return isHeld
	}
	if held.Ends.IsZero() {
		return noPlan
	}
	*held = calendar.Occurrence{}
	return isOver
}

// lasts is how long a meeting without a plan may go on; 0: for ever. Needs Gateway.mu.
func (m *meeting) lasts() time.Duration {
	last := m.spec().MaxDuration
	if x := m.spec().Extended; last > 0 && x.Ends.After(m.began) {
		last = max(last, x.Ends.Sub(m.began))
	}
	return last
}

// Extend lets a meeting that is held now go on for longer than was planned, and tells
// until when.
func (g *Gateway) Extend(ctx context.Context, alias string, by time.Duration) (time.Time, error) {
	g.mu.Lock()
	m, ok := g.meetings[alias]
	if !ok || m.private {
		g.mu.Unlock()
		return time.Time{}, ErrNoMeeting
	}
	x, err := m.extended(g.in.Now(), g.settings.Load().EarlyJoin)
	g.mu.Unlock()
	if err != nil {
		return time.Time{}, err
	}
	x.Ends = x.Ends.Add(by)
	if x.Ends.Sub(x.Starts) > mostExtended {
		return time.Time{}, fmt.Errorf("%w: it would be held for more than a week", ErrBadMeeting)
	}
	if _, err := g.ChangeMeeting(ctx, alias, func(s *MeetingSpec) { s.Extended = x }); err != nil {
		return time.Time{}, err
	}
	g.mu.Lock()
	m.warned = false
	g.mu.Unlock()
	return x.Ends, nil
}

// extended is the time that is held now; needs Gateway.mu.
func (m *meeting) extended(now time.Time, early time.Duration) (calendar.Occurrence, error) {
	if !m.spec().Plan.None() {
		if o, some := m.occasion(now); some && o.Holds(now, early) {
			return o, nil
		}
		return calendar.Occurrence{}, ErrNotHeld
	}
	switch last := m.lasts(); {
	case last == 0:
		return calendar.Occurrence{}, ErrNoEnd
	case m.began.IsZero():
		return calendar.Occurrence{}, ErrNotHeld
	default:
		return calendar.Occurrence{Starts: m.began, Ends: m.began.Add(last)}, nil
	}
}

// wanted is whom a meeting calls.
type wanted struct {
	m        *meeting
	alias    string
	starts   time.Time
	invitees []directory.Invitee
}

// callInvitees calls whom the meetings that have started invite.
func (g *Gateway) callInvitees(ctx context.Context) {
	if g.in.Invitations == nil || g.Draining() {
		return
	}
	now := g.in.Now()
	var list []wanted
	g.mu.Lock()
	for alias, m := range g.meetings {
		if len(m.spec().Invitees) == 0 || m.private || now.Sub(m.times.asked) < invitesEvery {
			continue
		}
		o, some := m.occasion(now)
		if some && o.Holds(now, 0) && !m.times.invited.Equal(o.Starts) {
			m.times.asked = now
			list = append(list, wanted{m, alias, o.Starts, m.spec().Invitees})
		}
	}
	g.mu.Unlock()
	for _, w := range list {
		g.callWanted(ctx, w, now)
	}
}

func (g *Gateway) callWanted(ctx context.Context, w wanted, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	targets, byTarget := make([]string, 0, len(w.invitees)), map[string]directory.Invitee{}
	for _, v := range w.invitees {
		targets = append(targets, v.Target)
		byTarget[v.Target] = v
	}
	calls, open, err := g.in.Invitations.Take(ctx, w.alias, w.starts, targets, invitesAtOnce)
	if err != nil {
		g.log.Warn("invitees are not called now", zap.String("meeting", w.alias), zap.Error(err))
		return
	}
	if !open {
		g.mu.Lock()
		w.m.times.invited = w.starts
		g.mu.Unlock()
	}
	for _, c := range calls {
		late := c.Attempt == 1 && now.Sub(w.starts) > invitesFor
		if late || g.isThere(w.alias, c.Target) {
			g.log.Info("an invitee is not called", zap.String("meeting", w.alias), zap.String("target", c.Target), zap.Bool("late", late))
			g.settle(w, c, call.Cause{})
			continue
		}
		g.invite(w, c, byTarget[c.Target])
	}
}

// invite calls one invitee.
func (g *Gateway) invite(w wanted, c invite.Call, v directory.Invitee) {
	if !g.begin() {
		return
	}
	g.log.Info("an invitee is called", zap.String("meeting", w.alias), zap.String("target", v.Target), zap.Int("attempt", c.Attempt))
	go func() {
		defer g.wait.Done()
		ctx, cancel := context.WithTimeout(g.ctx, placeInvite)
		defer cancel()
		d := &dialled{
			rings:   inviteRings,
			req:     DialRequest{Target: v.Target, Meeting: w.alias, Name: v.Name, Digits: v.Digits},
			outcome: func(cause call.Cause) { g.settle(w, c, cause) },
		}
		if _, err := g.dial(ctx, d); err != nil {
			g.log.Info("an invitee was not called", zap.String("meeting", w.alias), zap.String("target", v.Target), zap.Error(err))
			g.settle(w, c, call.Cause{Code: call.Failure})
		}
	}()
}

// settle notes what came of calling an invitee; a cause without code: the answer.
func (g *Gateway) settle(w wanted, c invite.Call, cause call.Cause) {
	var again time.Time
	switch cause.Code {
	case call.UserBusy, call.NoAnswer, call.Unavailable, call.Timeout, call.Congestion, call.Failure:
		if c.Attempt < mostInvites {
			again = g.in.Now().Add(firstInvite << (c.Attempt - 1))
		}
	case call.Draining: // this node stops: another calls at once
		again = g.in.Now()
	}
	if !g.begin() {
		return // another node, or this one when it is back, tries again
	}
	go func() {
		defer g.wait.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(g.ctx), 10*time.Second) // it is noted also when the gateway stops
		defer cancel()
		if err := g.in.Invitations.Done(ctx, w.alias, w.starts, c, again); err != nil {
			g.log.Warn("what came of calling an invitee is not kept", zap.String("meeting", w.alias), zap.String("target", c.Target), zap.Error(err))
		}
	}()
}

// isThere reports whether an invitee has come by itself, at this node.
func (g *Gateway) isThere(alias, target string) bool {
	g.mu.Lock()
	m := g.meetings[alias]
	g.mu.Unlock()
	for _, s := range g.living() {
		if m == nil || !s.inMeeting(m) {
			continue
		}
		r := s.leg.Info().Remote
		if target == r.Alias || target == r.URI || g.sameEndpoint(target, r.Alias) {
			return true
		}
	}
	return false
}

// sameEndpoint reports two names of one endpoint of the directory.
func (g *Gateway) sameEndpoint(a, b string) bool {
	if g.in.Directory == nil || b == "" {
		return false
	}
	first, ok := g.in.Directory.ByAlias(a)
	if !ok {
		return false
	}
	second, ok := g.in.Directory.ByAlias(b)
	return ok && first.ID == second.ID
}
