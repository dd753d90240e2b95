package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip/dialog"
)

// change is a re-INVITE or UPDATE of ours (RFC 3261 §14.1, RFC 3311 §5.1).
type change struct {
	can   media.Capabilities
	bare  bool // UPDATE without an offer: to refresh the session
	reply func(error)
	sent  bool
	tries int
}

// maxTries bounds how often a change is repeated after 491, 422 or 500.
const maxTries = 5

// errOverlap is returned when a change is asked for while one is under way.
var errOverlap = errors.New("another change of the session is under way")

// update is the gateway's wish for a new offer.
func (l *leg) update(wish wantUpdate) {
	if l.change != nil {
		wish.reply(errOverlap)
		return
	}
	l.change = &change{can: wish.can, reply: wish.reply}
	l.tryChange()
}

// sessionDue: the session timer fired (RFC 4028 §10).
func (l *leg) sessionDue() {
	if !l.session.Ours || l.overdue {
		l.hangup(call.Cause{Code: call.SessionExpired})
		return
	}
	l.overdue = true // unless a refresh succeeds before the session expires
	l.after(timerSession, l.session.ExpireAfter()-l.session.RefreshAfter())
	if l.change != nil {
		return // it refreshes as well
	}
	l.change = &change{can: l.can, bare: l.peer.update, reply: func(error) {}}
	l.tryChange()
}

// tryChange sends the change under way, once the way is free.
func (l *leg) tryChange() {
	c := l.change
	if c == nil || c.sent {
		return
	}
	if c.tries++; c.tries > maxTries {
		l.changeFailed(errOverlap)
		return
	}
	if l.sent != nil || l.neg.State() != dialog.Stable {
		l.after(timerGlare, l.e.cfg.T1)
		return
	}
	if c.bare {
		c.sent = true
		l.transact(l.call, func() *sipgo.Request { return l.refresher(sipgo.UPDATE, nil) }, l.changed)
		return
	}
	body, err := l.media.offer(c.can)
	if err == nil {
		err = l.neg.OfferSent()
	}
	if err != nil {
		l.media.rollback()
		l.changeFailed(err)
		return
	}
	c.sent = true
	l.transact(l.call, func() *sipgo.Request { return l.refresher(sipgo.INVITE, body) }, l.changed)
}

// refresher builds a request that refreshes target and session.
func (l *leg) refresher(method sipgo.RequestMethod, body []byte) *sipgo.Request {
	req := l.newRequest(method)
	add(req, "Allow", allowed)
	add(req, "Supported", "timer, norefersub") // no 100rel: nothing rings any more
	if interval := l.session.Interval; interval > 0 && l.peer.timer {
		role := dialog.Callee
		if l.session.Ours {
			role = dialog.Caller
		}
		add(req, "Session-Expires", dialog.SessionExpires{Interval: interval, Refresher: role}.String())
		add(req, "Min-SE", strconv.Itoa(int(l.minSE().Seconds())))
	}
	setBody(req, "application/sdp", body)
	return req
}

func (l *leg) minSE() time.Duration { return l.e.session().Floor() }

// changed is the final response to the change under way.
func (l *leg) changed(req *sipgo.Request, res *sipgo.Response, err error) {
	c := l.change
	if c == nil || l.ended {
		if err == nil && res.IsSuccess() && req.IsInvite() {
			l.sendAck(req.CSeq().SeqNo, "", nil)
		}
		return
	}
	c.sent = false
	switch {
	case err == nil && res.IsSuccess():
		l.changeTaken(c, req, res)
	case err != nil || res.StatusCode == 408 || res.StatusCode == 481:
		// The far side has lost the dialog (RFC 3261 §14.1, §12.2.1.2).
		l.undoOffer()
		l.change = nil
		c.reply(call.ErrEnded)
		l.hangup(call.Cause{Code: call.Timeout, Text: failureText(res, err)})
	case res.StatusCode == 491:
		l.undoOffer()
		l.after(timerGlare, l.glareWait())
	case res.StatusCode == 422:
		l.undoOffer()
		if asked, err := dialog.ParseSessionExpires(value(res, "min-se")); err == nil {
			l.session.Interval = max(l.session.Interval, asked.Interval)
		}
		l.tryChange()
	case res.StatusCode == 500 && value(res, "retry-after") != "":
		l.undoOffer()
		l.after(timerGlare, time.Duration(min(causeOf(500, res).RetryAfter, 10))*time.Second)
	case c.bare && (res.StatusCode == 405 || res.StatusCode == 501):
		l.peer.update, c.bare = false, false
		l.tryChange()
	default:
		l.undoOffer()
		l.changeFailed(fmt.Errorf("session change refused: %d %s", res.StatusCode, res.Reason))
	}
}

func (l *leg) undoOffer() {
	if l.neg.State() == dialog.LocalOffer {
		l.neg.Rejected()
		l.media.rollback()
	}
}

func (l *leg) changeFailed(err error) {
	l.change.reply(err)
	l.change = nil
}

func (l *leg) changeTaken(c *change, req *sipgo.Request, res *sipgo.Response) {
	if req.IsInvite() {
		l.sendAck(req.CSeq().SeqNo, "", nil)
	}
	l.learn(res)
	l.dlg.Refresh(res.Contact())
	l.change = nil
	if !c.bare {
		if err := l.takeAnswer(res); err != nil {
			c.reply(err)
			l.hangup(mediaCause(err))
			return
		}
		l.can = c.can
		l.negotiated(true)
	}
	l.refreshed(l.acceptTimer(res, l.session.Interval))
	c.reply(nil)
}

// glareWait is how long to wait after 491 (RFC 3261 §14.1), in units of 10 ms.
func (l *leg) glareWait() time.Duration {
	if l.dlg.Caller {
		return time.Duration(210+rand.IntN(191)) * 10 * time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}

func failureText(res *sipgo.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", res.StatusCode, res.Reason)
}

// newRequest builds a request of the dialog. A connection that is gone is no
// longer the way to the far side.
func (l *leg) newRequest(method sipgo.RequestMethod) *sipgo.Request {
	l.checkFlow()
	req := l.dlg.Request(method)
	add(req, "User-Agent", l.e.cfg.UserAgent)
	return req
}

func (l *leg) checkFlow() {
	if l.dlg.Flow == "" || l.dlg.Transport == "udp" {
		return
	}
	if _, open := l.e.flowTo(l.dlg.Transport, l.dlg.Flow); !open {
		l.dlg.Flow = ""
	}
}

// transact sends a request and hands the final response to done, on the leg's
// goroutine. A challenge is answered once.
func (l *leg) transact(ctx context.Context, build func() *sipgo.Request, done func(*sipgo.Request, *sipgo.Response, error)) {
	l.attempt(ctx, build, done, false)
}

func (l *leg) attempt(ctx context.Context, build func() *sipgo.Request, done func(*sipgo.Request, *sipgo.Response, error), challenged bool) {
	req := build()
	if l.auth != nil {
		if err := l.auth.Authorize(req); err != nil {
			l.log.Debug("request goes without credentials")
		}
	}
	then := func(res *sipgo.Response, err error) {
		if err == nil && !challenged && l.auth != nil && (res.StatusCode == 401 || res.StatusCode == 407) && l.auth.Challenge(res) == nil {
			l.attempt(ctx, build, done, true)
			return
		}
		done(req, res, err)
	}
	l.busy++
	l.e.wg.Add(1)
	go func() {
		defer l.e.wg.Done()
		cseq := req.CSeq().SeqNo
		res, err := l.e.roundTrip(ctx, req, func() { l.post(repeatAck{cseq}) })
		l.post(gotResult{func() { then(res, err) }})
	}()
}

// sendAck acknowledges a 2xx, and keeps the ACK for when that is repeated.
func (l *leg) sendAck(cseq uint32, contentType string, body []byte) {
	l.checkFlow()
	ack := l.dlg.Ack(cseq)
	setBody(ack, contentType, body)
	if l.auth != nil {
		_ = l.auth.Authorize(ack) // RFC 3261 §22.1: the same credentials
	}
	clear(l.acks) // one INVITE at a time
	l.acks[cseq] = ack
	l.writeAck(ack)
}

func (l *leg) writeAck(ack *sipgo.Request) {
	ctx, cancel := context.WithTimeout(l.life, 5*time.Second)
	defer cancel()
	if err := l.e.send(ctx, ack); err != nil {
		l.e.debugSend(err)
	}
}
