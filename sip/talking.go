package sip

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media/dtmf"
	"github.com/roomgate/roomgate/media/rtpconn"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/offer"
)

// errNotNow is returned for wishes that need an established call.
var errNotNow = errors.New("call is not established")

// talking: the dialog is confirmed.
func (l *leg) talking(ev event) {
	switch ev := ev.(type) {
	case gotRequest:
		l.request(ev)
	case wantHangup:
		l.hangup(ev.cause)
	case wantUpdate:
		l.update(ev)
	case wantTransfer:
		l.refer(ev)
	case wantText:
		l.message(ev)
	case wantDigit:
		l.sendDigit(ev)
	case wantKeyframe:
		l.askPicture()
	case wantReferAnswer:
		l.answerRefer(ev)
	case wantNotify:
		l.notify(ev.r, ev.cause)
	case wantContent:
		ev.do(ev.reply)
	case gotCamera:
		l.Emit(call.Event{Kind: call.CameraCommand, Camera: ev.m})
	case gotMedia:
		l.mediaEvent(ev)
	case gotTimer:
		if l.current(ev) {
			l.talkingTimer(ev.kind)
		}
	default:
		l.unexpected(ev)
	}
}

func (l *leg) talkingTimer(k timerKind) {
	switch k {
	case timerSession:
		l.sessionDue()
	case timerGlare:
		l.tryChange()
	case timerTransfer:
		if l.transfer != nil {
			l.transfer.finish(errTransferSilent)
			l.transfer = nil
		}
	case timerRefer:
		l.answerRefer(wantReferAnswer{r: l.referral, cause: call.Cause{Code: call.Rejected}})
	case timerCancel:
		l.abandonBranches()
	default:
		l.sentTimer(k)
	}
}

func (l *leg) mediaEvent(ev gotMedia) {
	switch ev.ev.Kind {
	case rtpconn.Keypad:
		if ev.ev.Digit == '!' {
			return // a hook flash is no key
		}
		if l.keys.Press(ev.ev.Digit, dtmf.FromMedia, time.Now()) {
			l.Emit(call.Event{Kind: call.Keypad, Digit: ev.ev.Digit})
		}
	case rtpconn.TimedOut:
		if l.silent() {
			l.hangup(call.Cause{Code: call.MediaTimeout})
		}
	case rtpconn.SecurityFailed:
		l.hangup(call.Cause{Code: call.IncompatibleMedia, Text: ev.ev.Err.Error()})
	}
}

// silent reports whether no medium that is to receive does: a camera that is
// switched off must not end a call whose sound flows.
func (l *leg) silent() bool {
	now := time.Now()
	for _, s := range l.Stats() {
		if !s.Sent && !s.LastSeen.IsZero() && now.Sub(s.LastSeen) < l.e.cfg.MediaTimeout {
			return false
		}
	}
	return true
}

// hangup sends BYE and ends the call.
func (l *leg) hangup(cause call.Cause) {
	l.sent = nil
	l.sendBye(cause)
	l.end(cause)
	l.enter(l.closing)
}

func (l *leg) sendBye(cause call.Cause) {
	l.transact(l.life, func() *sipgo.Request {
		bye := l.newRequest(sipgo.BYE)
		add(bye, "Reason", "Q.850;cause="+strconv.Itoa(cause.Code.Q850())+`;text="`+quotable(string(cause.Code))+`"`)
		return bye
	}, func(*sipgo.Request, *sipgo.Response, error) {})
}

// request takes a request within the dialog.
func (l *leg) request(ev gotRequest) {
	if ev.req.IsAck() {
		l.acknowledged(ev.req)
		return
	}
	if r := l.e.required(ev.req); r != nil && ev.req.Method != sipgo.BYE {
		l.e.refuse(ev.tx, ev.req, r)
		return
	}
	switch ev.req.Method {
	case sipgo.BYE:
		l.gotBye(ev)
	case sipgo.INVITE:
		l.gotInvite(ev)
	case sipgo.UPDATE:
		l.gotUpdate(ev)
	case sipgo.PRACK:
		l.gotPrack(ev)
	case sipgo.INFO:
		l.gotInfo(ev)
	case sipgo.REFER:
		l.gotRefer(ev)
	case sipgo.NOTIFY:
		l.gotNotify(ev)
	case sipgo.OPTIONS:
		l.e.respondOptions(ev.req, ev.tx)
	case sipgo.MESSAGE:
		l.e.respond(ev.tx, ev.req, 200)
	case sipgo.CANCEL:
		l.e.respond(ev.tx, ev.req, 481)
	case sipgo.SUBSCRIBE, sipgo.PUBLISH, sipgo.REGISTER:
		l.e.respond(ev.tx, ev.req, 405, "Allow", allowed)
	default:
		l.e.respond(ev.tx, ev.req, 501, "Allow", allowed)
	}
}

// gotBye ends the call (RFC 3261 §15.1.2); an INVITE that is not answered yet
// gets 487.
func (l *leg) gotBye(ev gotRequest) {
	l.e.respond(ev.tx, ev.req, 200)
	cause := call.Cause{Code: call.NormalClearing}
	if v, ok := q850(ev.req); ok {
		cause.Code = call.FromQ850(v)
	}
	if l.in != nil && l.in.pending {
		l.e.respond(l.in.tx, l.in.req, 487)
	}
	if l.in != nil && l.in.waiting != nil {
		l.in.waiting.reply(call.ErrEnded)
	}
	l.sent = nil
	l.cancelBranches(nil)
	l.end(cause)
	l.enter(l.closing)
}

// refuseOffer answers an overlapping offer (RFC 3261 §14.2).
func (l *leg) refuseOffer(ev gotRequest, err error) {
	if errors.Is(err, dialog.ErrGlare) {
		l.e.respond(ev.tx, ev.req, 491)
		return
	}
	l.e.respond(ev.tx, ev.req, 500, "Retry-After", strconv.Itoa(rand.IntN(10)+1))
}

// gotInvite is a re-INVITE (RFC 3261 §14.2).
func (l *leg) gotInvite(ev gotRequest) {
	if l.in != nil && !l.in.stands || l.out != nil && l.out.winner == nil {
		l.refuseOffer(ev, dialog.ErrBusy) // the first INVITE is not over
		return
	}
	if l.change != nil && l.change.sent {
		l.refuseOffer(ev, dialog.ErrGlare)
		return
	}
	res, timer, ok := l.exchange(ev, true)
	if !ok {
		return
	}
	l.sent = nil // an ACK that got lost is implied by a newer INVITE
	if err := l.sendOK(ev.tx, ev.req, res, l.neg.State() == dialog.LocalOffer); err != nil {
		l.neg.Rejected()
		l.media.rollback()
		return
	}
	l.refreshed(timer)
}

// gotUpdate is UPDATE, with an offer or to refresh (RFC 3311 §5.2).
func (l *leg) gotUpdate(ev gotRequest) {
	if len(ev.req.Body()) > 0 && l.in != nil && l.in.pending && l.neg.State() != dialog.Stable {
		err := error(dialog.ErrBusy)
		if l.neg.State() == dialog.LocalOffer {
			err = dialog.ErrGlare
		}
		l.refuseOffer(ev, err)
		return
	}
	res, timer, ok := l.exchange(ev, false)
	if !ok {
		return
	}
	if err := ev.tx.Respond(res); err != nil {
		l.e.debugSend(err)
	}
	if l.in == nil || !l.in.pending {
		l.refreshed(timer)
	}
}

// exchange answers the offer in a target refresh request, or offers in the
// answer to an INVITE without one, and builds the 2xx. When it fails, the
// refusal was sent and the session stands as it was.
func (l *leg) exchange(ev gotRequest, invite bool) (*sipgo.Response, dialog.SessionTimer, bool) {
	req := ev.req
	none := dialog.SessionTimer{}
	expires, minSE, r := l.e.readTimer(req)
	if r == nil {
		r = l.e.checkEncoding(req)
	}
	timer, h, require, err := dialog.AnswerTimer(expires, minSE.Interval, l.peer.timer || supports(req, "timer"), l.e.session())
	if r == nil {
		r = tooBrief(err)
	}
	if r != nil {
		l.e.refuse(ev.tx, req, r)
		return nil, none, false
	}
	var body []byte
	switch {
	case len(req.Body()) > 0:
		body, r = l.answerOffer(ev)
	case invite:
		body, r = l.offerAnew()
	}
	if r != nil {
		l.e.refuse(ev.tx, req, r)
		return nil, none, false
	}
	l.learn(req)
	l.dlg.Refresh(req.Contact())
	res := l.e.answer(req, 200)
	res.AppendHeader(l.dlg.Contact.Clone())
	describe(res)
	l.timerHeaders(res, h, require)
	setBody(res, "application/sdp", body)
	if len(req.Body()) > 0 {
		l.negotiated(true)
	}
	return res, timer, true
}

func (l *leg) answerOffer(ev gotRequest) ([]byte, *refusal) {
	description, err := offer.Parse(ev.req.Body(), contentType(ev.req))
	if err != nil {
		return nil, l.e.badBody(err)
	}
	if err := l.neg.OfferReceived(); err != nil {
		if errors.Is(err, dialog.ErrGlare) {
			return nil, refuse(491)
		}
		return nil, refuse(500, "Retry-After", strconv.Itoa(rand.IntN(10)+1))
	}
	body, err := l.media.answer(description, l.can)
	if err != nil {
		l.neg.Rejected()
		cause := mediaCause(err)
		return nil, refuse(cause.Code.Status(), l.e.causeHeaders(cause)...)
	}
	_ = l.neg.AnswerSent() // the offer was taken above
	return body, nil
}

// offerAnew offers what was negotiated before (RFC 3261 §14.2).
func (l *leg) offerAnew() ([]byte, *refusal) {
	if err := l.neg.OfferSent(); err != nil {
		return nil, refuse(491)
	}
	body, err := l.media.offer(l.can)
	if err != nil {
		l.neg.Rejected()
		return nil, refuse(500)
	}
	return body, nil
}
