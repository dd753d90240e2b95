package sip

import (
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
)

// gotPrack acknowledges a reliable provisional response (RFC 3262 §3).
func (l *leg) gotPrack(ev gotRequest) {
	in := l.in
	if in == nil || !in.pending {
		l.e.respond(ev.tx, ev.req, 481)
		return
	}
	rack, err := dialog.ParseRAck(value(ev.req, "rack"))
	if err != nil {
		l.e.respond(ev.tx, ev.req, 400, "Warning", l.e.warning(399, err.Error(), ""))
		return
	}
	if err := in.reliable.Acknowledge(rack); err != nil {
		l.e.respond(ev.tx, ev.req, 481)
		return
	}
	l.stop(timerReliable)
	l.stop(timerPrack)
	in.unacked = nil
	in.settled = in.settled || in.carries
	if !l.prackBody(ev) {
		return
	}
	if in.waiting != nil {
		l.acceptNow()
		return
	}
	l.progressHeld()
}

// progressHeld sends the provisional response that waited for a PRACK.
func (l *leg) progressHeld() {
	held := l.in.held
	if held == nil {
		return
	}
	l.in.held = nil
	if err := l.progress(*held); err != nil {
		l.log.Debug("progress not passed on", zap.Error(err))
		return
	}
	if held.EarlyMedia != nil {
		l.Emit(call.Event{Kind: call.MediaChanged}) // whoever asked was told before this went out
	}
}

// prackBody answers the PRACK, and what it carries: the answer to the offer in
// our 1xx, or a new offer (RFC 3262 §5). False when the call is over.
func (l *leg) prackBody(ev gotRequest) bool {
	res := l.e.answer(ev.req, 200)
	switch {
	case l.neg.State() == dialog.LocalOffer:
		if err := l.takeAnswer(ev.req); err != nil {
			cause := mediaCause(err)
			l.e.respond(ev.tx, ev.req, cause.Code.Status(), l.e.causeHeaders(cause)...)
			l.reject(cause)
			return false
		}
		l.negotiated(false)
	case len(ev.req.Body()) > 0:
		body, r := l.answerOffer(ev)
		if r != nil {
			l.e.refuse(ev.tx, ev.req, r)
			return true
		}
		setBody(res, "application/sdp", body)
		l.negotiated(false)
	}
	if err := ev.tx.Respond(res); err != nil {
		l.e.debugSend(err)
	}
	return true
}
