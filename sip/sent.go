package sip

import (
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/offer"
)

// sentOK is a 2xx of ours to an INVITE. It is repeated until the ACK comes,
// whatever the transport (RFC 3261 §13.3.1.4).
type sentOK struct {
	tx       *sipgo.ServerTx
	res      *sipgo.Response
	cseq     uint32
	interval time.Duration
	answer   bool        // the ACK carries the answer to our offer
	bye      *call.Cause // hang up as soon as it is acknowledged
}

// sendOK sends a 2xx and watches over it. An error means that the INVITE was
// cancelled in the same instant, or its connection is gone.
func (l *leg) sendOK(tx *sipgo.ServerTx, req *sipgo.Request, res *sipgo.Response, answer bool) error {
	if err := tx.Respond(res); err != nil {
		// The transaction keeps what it was given last for retransmission: after
		// a CANCEL that has to be the 487 again.
		_ = tx.Respond(l.e.answer(req, 487))
		return err
	}
	l.strayAcks = tx.Acks()
	l.sent = &sentOK{tx: tx, res: res, cseq: req.CSeq().SeqNo, interval: l.e.cfg.T1, answer: answer}
	l.after(timerRetransmit, l.sent.interval)
	l.after(timerAck, 64*l.e.cfg.T1)
	return nil
}

// sentTimer runs while an ACK is due.
func (l *leg) sentTimer(k timerKind) {
	if l.sent == nil {
		return
	}
	switch k {
	case timerRetransmit: // T1 doubling up to T2
		if err := l.sent.tx.Respond(l.sent.res); err != nil {
			l.e.debugSend(err)
		}
		l.sent.interval = min(2*l.sent.interval, 8*l.e.cfg.T1)
		l.after(timerRetransmit, l.sent.interval)
	case timerAck: // the dialog is confirmed, the session ends with a BYE
		l.stop(timerRetransmit)
		cause := call.Cause{Code: call.Timeout, Text: "no ACK"}
		if l.sent.bye != nil {
			cause = *l.sent.bye
		}
		l.sent = nil
		if l.in != nil && l.in.waiting != nil {
			l.in.waiting.reply(call.ErrEnded)
		}
		l.hangup(cause)
	}
}

// acknowledged takes an ACK.
func (l *leg) acknowledged(ack *sipgo.Request) {
	sent := l.sent
	if sent == nil || ack.CSeq() == nil || ack.CSeq().SeqNo != sent.cseq {
		return // of an earlier 2xx, or repeated
	}
	l.stop(timerRetransmit)
	l.stop(timerAck)
	l.sent = nil
	if sent.bye != nil {
		l.sendBye(*sent.bye)
		return
	}
	if !sent.answer {
		return
	}
	err := l.takeAnswer(ack)
	if err == nil {
		l.negotiated(l.in == nil || l.in.waiting == nil)
		return
	}
	cause := mediaCause(err)
	if l.in != nil && l.in.waiting != nil {
		l.in.waiting.reply(call.ErrNoCommonMedia)
	}
	l.hangup(cause)
}

// takeAnswer reads the answer to our offer out of a message.
func (l *leg) takeAnswer(m sipgo.Message) error {
	description, err := offer.Parse(m.Body(), contentType(m))
	if err == nil {
		err = l.media.complete(description)
	}
	if err != nil {
		l.neg.Rejected()
		l.media.rollback()
		return err
	}
	if l.neg.State() == dialog.Stable {
		return nil // another fork had answered reliably before this one won
	}
	return l.neg.AnswerReceived()
}

// unexpected answers what no state has a use for.
func (l *leg) unexpected(ev event) {
	switch ev := ev.(type) {
	case wantProgress:
		ev.reply(call.ErrEnded)
	case wantAccept:
		ev.reply(call.ErrEnded)
	case wantUpdate:
		ev.reply(errNotNow)
	case wantTransfer:
		ev.reply(errNotNow)
	case wantText:
		ev.reply(errNotNow)
	case wantDigit:
		ev.reply(errNotNow)
	case wantContent: // the far side may want to present before its ACK comes
		if l.ended || l.dlg == nil {
			ev.reply(errNotNow)
			return
		}
		ev.do(ev.reply)
	case gotFloor: // it may speak before the ACK comes
		l.floorEvent(ev)
	case gotBranch:
		l.branch(ev)
	case repeatAck:
		if ack := l.acks[ev.cseq]; ack != nil {
			l.writeAck(ack)
		}
	case gotMedia, gotCamera, gotTimer, gotCancel, wantKeyframe, wantReferAnswer, wantNotify:
	}
}

// closing: the call is over for the gateway; transactions end.
func (l *leg) closing(ev event) {
	switch ev := ev.(type) {
	case gotRequest:
		l.lateRequest(ev)
	case gotTimer:
		if l.current(ev) {
			if ev.kind == timerCancel {
				l.abandonBranches()
			} else {
				l.sentTimer(ev.kind)
			}
		}
	default:
		l.unexpected(ev)
	}
}

// lateRequest answers requests after the end (RFC 3261 §15.1.2).
func (l *leg) lateRequest(ev gotRequest) {
	switch {
	case ev.req.IsAck():
		l.acknowledged(ev.req)
	case ev.req.Method == sipgo.BYE: // BYE crossing BYE
		l.e.respond(ev.tx, ev.req, 200)
	default:
		l.e.respond(ev.tx, ev.req, 481)
	}
}

// over reports that nothing is left to do.
func (l *leg) over() bool {
	return l.ended && l.busy == 0 && l.sent == nil && !l.branchesOpen()
}
