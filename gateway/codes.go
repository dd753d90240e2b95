package gateway

import (
	"context"
	"crypto/subtle"
	"time"

	"go.uber.org/zap"
)

// Codes are what lets somebody into a meeting once, in place of a PIN; see
// directory/code. Meetings are named by alias.
type Codes interface {
	Look(ctx context.Context, meeting, digits string) (role string, err error)
	Use(ctx context.Context, meeting, digits, by string) (role string, err error)
	Return(ctx context.Context, meeting, digits, by string) error
}

// codeTime bounds what the database may take to look at a code.
const codeTime = 3 * time.Second

// redeemed is a code that was used up for a claim.
type redeemed struct {
	meeting, digits, by string
	role                string // "": there is none
}

// mayBeCode reports what is no PIN of a meeting, and so may be a code.
func (g *Gateway) mayBeCode(spec MeetingSpec, pin string) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	return g.in.Codes != nil && pin != "" && !same(pin, spec.HostPIN) && !same(pin, spec.GuestPIN)
}

// redeem uses up the code that a claim shows, if it is one. Whoever waits goes on with
// the one that they have used.
func (g *Gateway) redeem(alias string, c *claim) {
	if has := c.redeemed; has.role != "" && (has.meeting != alias || has.digits != c.pin) {
		g.giveBack(c) // another meeting was keyed, or another code
	}
	if c.redeemed.role != "" || c.trusted || c.pin == "" || g.guard.TurnedAway(c.source) {
		return
	}
	m, err := g.Meeting(alias)
	if err != nil || !g.mayBeCode(m.MeetingSpec, c.pin) {
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, codeTime)
	defer cancel()
	r := redeemed{meeting: alias, digits: c.pin, by: newID()}
	if r.role, err = g.in.Codes.Use(ctx, alias, c.pin, r.by); err != nil {
		g.log.Warn("a code was not looked at", zap.String("meeting", alias), zap.Error(err))
		return
	}
	c.redeemed = r
}

// giveBack makes the code of a claim good again that let nobody in.
func (g *Gateway) giveBack(c *claim) {
	r := c.redeemed
	c.redeemed = redeemed{}
	if r.role == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(g.ctx), codeTime)
	defer cancel()
	if err := g.in.Codes.Return(ctx, r.meeting, r.digits, r.by); err != nil {
		g.log.Warn("a code is used up, and nobody has come in by it", zap.String("meeting", r.meeting), zap.Error(err))
	}
}

// roleOfBrowser is the role that a PIN or a code gives. With by the code is used up.
func (g *Gateway) roleOfBrowser(ctx context.Context, spec MeetingSpec, asked, pin, by string) (role string, code bool, err error) {
	if g.mayBeCode(spec, pin) {
		ctx, cancel := context.WithTimeout(ctx, codeTime)
		defer cancel()
		if by == "" {
			role, err = g.in.Codes.Look(ctx, spec.Alias, pin)
		} else {
			role, err = g.in.Codes.Use(ctx, spec.Alias, pin, by)
		}
		if err != nil || role != "" {
			return role, err == nil, err
		}
	}
	role, err = roleFor(spec, asked, pin)
	return role, false, err
}
