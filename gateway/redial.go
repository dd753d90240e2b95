package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/layout"
)

// Calls out that the network lost are made again, with growing pauses and a bound. A
// call that anybody hung up, here or there, is not.

// dialled is where a call out stands in that.
type dialled struct {
	req      DialRequest
	attempt  int    // 0: the first
	replaces string // the call that was lost
	screen   screen // that it had
	// outcome is told once what came of the call: no code means the answer. Nil: nobody
	// asks.
	outcome func(call.Cause)
	rings   time.Duration // at most; 0: as long as calls do
}

// Redial is what is shown of it.
type Redial struct {
	Attempt  int       // in a row, counted from 1; 0: none was needed
	Most     int       // attempts
	Next     time.Time // zero: this one is it
	Replaces string    // the call before
}

// redial is a call that waits to be made again.
type redial struct {
	dialled
	most int
	at   time.Time
	last Call
}

// screen is what a leg that was lost was shown, so that the next one is shown it again.
type screen struct {
	layout layout.Kind
	pinned string
}

// Pauses between attempts, which double. A call that held for steadyCall counts as
// made: attempts begin anew.
const (
	firstRedial = 2 * time.Second
	lastRedial  = time.Minute
	steadyCall  = time.Minute
	// mostRedials bounds how many calls wait.
	mostRedials = 1000
)

func redialPause(attempt int) time.Duration {
	return min(firstRedial<<min(attempt-1, 10), lastRedial)
}

// check refuses what the API lets through to those who use the gateway otherwise.
func (r *DialRequest) check() error {
	switch {
	case r.Rate != 0 && (r.Rate < directory.LeastRate || r.Rate > directory.MostRate):
		return fmt.Errorf("%w: %d kbit/s is not between %d and %d", ErrBadTarget, r.Rate, directory.LeastRate, directory.MostRate)
	case !directory.ParseDigits(r.Digits):
		return fmt.Errorf("%w: digits are 0-9, *, #, A-D and the comma", ErrBadTarget)
	case r.Redials != nil && (*r.Redials < 0 || *r.Redials > directory.MostRedials):
		return fmt.Errorf("%w: at most %d redials", ErrBadTarget, directory.MostRedials)
	}
	if _, ok := layout.Parse(r.Layout); !ok && r.Layout != "" {
		return fmt.Errorf("%w: layout %q", ErrBadTarget, r.Layout)
	}
	return nil
}

// connected follows a call out that was answered.
func (s *session) connected() {
	t := s.terms()
	s.mu.Lock()
	p, first := s.place, !s.sent
	s.sent = true
	s.mu.Unlock()
	if p != nil {
		s.apply(p) // the answer may have told that it is an MCU
	}
	if first {
		s.dialOn(t.Digits)
	}
}

// lostBy reports whether the network and nobody's wish ended a call; again: it was an
// attempt to make one that had been lost.
func lostBy(c call.Cause, again bool) bool {
	switch c.Code {
	case call.MediaTimeout, call.Timeout, call.SessionExpired, call.Congestion, call.Failure:
		return true
	case call.Unavailable, call.NoAnswer, call.UserBusy: // it may not have noticed
		return again
	}
	return false
}

// callAgain arranges for a lost call to be made again. What it returns tells of it.
func (s *session) callAgain(cause call.Cause, p *place) (tell func()) {
	tell = func() {}
	s.mu.Lock()
	d, most := s.dialled, s.agreed.Redials
	s.mu.Unlock()
	if d == nil || p == nil || most == 0 {
		return tell
	}
	answered := s.leg.Info().Answered
	again := d.attempt > 0
	if answered.IsZero() && !again || !lostBy(cause, again && answered.IsZero()) {
		return tell
	}
	r := &redial{dialled: *d, most: most}
	if !answered.IsZero() && s.g.in.Now().Sub(answered) >= steadyCall {
		r.attempt = 0
	}
	r.replaces, r.last = s.id, *s.view()
	s.mu.Lock()
	r.screen = screen{s.layout, s.pinned}
	s.mu.Unlock()
	return func() { s.g.schedule(r) }
}

// schedule has a call made again after a pause, or gives it up.
func (g *Gateway) schedule(r *redial) {
	r.attempt++
	g.mu.Lock()
	wait := r.attempt <= r.most && !g.closed && !g.draining.Load() && len(g.redials) < mostRedials
	if wait {
		r.at = g.in.Now().Add(redialPause(r.attempt))
		g.redials[r.replaces] = r
	}
	g.mu.Unlock()
	log := g.log.With(zap.String("leg", r.replaces), zap.String("meeting", r.req.Meeting))
	if !wait {
		log.Info("a lost call is not made again", zap.Int("attempts", r.attempt-1))
		return
	}
	log.Info("a lost call is made again", zap.Int("attempt", r.attempt), zap.Time("at", r.at))
	g.events.publish(Event{Kind: EventCallRedial, Call: r.view(), Meeting: r.req.Meeting})
}

// view is how the call is shown meanwhile.
func (r *redial) view() *Call {
	c := r.last
	c.State, c.Meeting, c.Media = StateRedialling, r.req.Meeting, nil
	c.Redial = &Redial{Attempt: r.attempt, Most: r.most, Next: r.at}
	return &c
}

// redialling lists what waits.
func (g *Gateway) redialling() []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]Call, 0, len(g.redials))
	for _, r := range g.redials {
		list = append(list, *r.view())
	}
	return list
}

// takeRedial takes one out; nil: there is none.
func (g *Gateway) takeRedial(id string) *redial {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.redials[id]
	delete(g.redials, id)
	return r
}

// forgetRedials drops those of a meeting that has ended.
func (g *Gateway) forgetRedials(alias string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, r := range g.redials {
		if r.req.Meeting == alias {
			delete(g.redials, id)
		}
	}
}

// redialDue makes the calls whose time has come.
func (g *Gateway) redialDue(ctx context.Context) {
	now := g.in.Now()
	var due []*redial
	g.mu.Lock()
	for id, r := range g.redials {
		if g.draining.Load() || !now.Before(r.at) {
			delete(g.redials, id)
			due = append(due, r)
		}
	}
	g.mu.Unlock()
	slices.SortFunc(due, func(a, b *redial) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.replaces, b.replaces)) })
	for _, r := range due {
		if g.Draining() || !g.stillMeets(ctx, r.req.Meeting) || !g.begin() {
			continue
		}
		go func() {
			defer g.wait.Done()
			ctx, cancel := context.WithTimeout(g.ctx, time.Minute)
			defer cancel()
			d := r.dialled
			if _, err := g.dial(ctx, &d); err != nil {
				g.log.Info("a lost call was not made again", zap.String("leg", r.replaces), zap.Error(err))
				g.schedule(r)
			}
		}()
	}
}

// stillMeets reports whether a meeting is worth calling somebody into: it exists, or
// browsers are in it.
func (g *Gateway) stillMeets(ctx context.Context, alias string) bool {
	if _, err := g.Meeting(alias); err == nil {
		return true
	}
	if g.in.Admin == nil || !g.MayCreateMeeting(alias) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	rows, err := g.in.Admin.Participants(ctx, alias)
	return err == nil && slices.ContainsFunc(rows, func(p call.Participant) bool { return !p.Hidden })
}
