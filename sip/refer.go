package sip

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
)

var (
	errTransferSilent = errors.New("transfer: no outcome was reported")
	errTransferring   = errors.New("transfer: another one is under way")
)

// referral is a REFER of the far side (RFC 3515).
type referral struct {
	ev         gotRequest
	id         string // of the subscription, its CSeq
	subscribed bool   // NOTIFYs are wanted (RFC 4488)
	notifying  bool   // one is not answered yet
	next       func() // the one behind it
}

// referPatience is how long the gateway may think about a REFER: its
// transaction ends after 32 s.
const referPatience = 20 * time.Second

// gotRefer asks the gateway to connect the far side elsewhere.
func (l *leg) gotRefer(ev gotRequest) {
	targets := ev.req.GetHeaders("refer-to")
	targets = append(targets, ev.req.GetHeaders("r")...)
	switch {
	case len(targets) != 1: // RFC 3515 §2.4.1
		l.e.respond(ev.tx, ev.req, 400, "Warning", l.e.warning(399, "", "exactly one Refer-To is needed"))
		return
	case l.in != nil && l.in.pending, l.referral != nil:
		l.e.respond(ev.tx, ev.req, 500, "Retry-After", "5")
		return
	}
	to := referTarget(targets[0].Value())
	if to == "" {
		l.e.respond(ev.tx, ev.req, 400, "Warning", l.e.warning(399, "", "Refer-To holds no URI"))
		return
	}
	r := &referral{
		ev: ev, id: strconv.FormatUint(uint64(ev.req.CSeq().SeqNo), 10),
		subscribed: !strings.EqualFold(value(ev.req, "refer-sub"), "false"),
	}
	l.referral = r
	l.after(timerRefer, referPatience)
	l.Emit(call.Event{Kind: call.Referred, Refer: &call.Refer{
		To: to,
		Accept: func() func(call.Cause) {
			l.post(wantReferAnswer{r: r, accept: true})
			return func(c call.Cause) { l.post(wantNotify{r, c}) }
		},
		Refuse: func(c call.Cause) { l.post(wantReferAnswer{r: r, cause: c}) },
	}})
}

// referTarget is the URI in a Refer-To, without its header parameters.
func referTarget(v string) string {
	if _, rest, ok := strings.Cut(v, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return strings.TrimSpace(uri)
	}
	uri, _, _ := strings.Cut(v, ";")
	return strings.TrimSpace(uri)
}

// answerRefer is the gateway's decision.
func (l *leg) answerRefer(w wantReferAnswer) {
	r := w.r
	if r == nil || l.referral != r {
		return // decided already
	}
	l.referral = nil
	l.stop(timerRefer)
	if !w.accept {
		l.e.refuse(r.ev.tx, r.ev.req, refuse(w.cause.Code.Status(), l.e.causeHeaders(w.cause)...))
		return
	}
	status := 202
	if !r.subscribed {
		status = 200
	}
	res := l.e.answer(r.ev.req, status)
	res.AppendHeader(l.dlg.Contact.Clone())
	if !r.subscribed {
		add(res, "Refer-Sub", "false")
	}
	if err := r.ev.tx.Respond(res); err != nil {
		l.e.debugSend(err)
	}
	if r.subscribed { // RFC 3515 §2.4.4: at once
		l.notifyStatus(r, "SIP/2.0 100 Trying", "active;expires=60")
	}
}

// notify reports how an accepted REFER went. Without a cause the call itself
// was moved and goes on: a final answer would make the far side hang it up
// (RFC 5589 §6.1), so the subscription ends without one.
func (l *leg) notify(r *referral, cause call.Cause) {
	if !r.subscribed {
		return
	}
	status := "SIP/2.0 200 OK"
	switch cause.Code {
	case call.NormalClearing:
	case "":
		status = "SIP/2.0 100 Trying"
	default:
		code := cause.Code.Status()
		status = fmt.Sprintf("SIP/2.0 %d %s", code, reasons[code])
	}
	l.notifyStatus(r, status, "terminated;reason=noresource")
}

// notifyStatus sends one NOTIFY after the other: they would overtake each other.
func (l *leg) notifyStatus(r *referral, status, subscription string) {
	if r.notifying {
		r.next = func() { l.notifyStatus(r, status, subscription) }
		return
	}
	r.notifying = true
	l.transact(l.call, func() *sipgo.Request {
		req := l.newRequest(sipgo.NOTIFY)
		add(req, "Event", "refer;id="+r.id)
		add(req, "Subscription-State", subscription)
		setBody(req, "message/sipfrag;version=2.0", []byte(status+"\r\n"))
		return req
	}, func(*sipgo.Request, *sipgo.Response, error) {
		r.notifying = false
		if next := r.next; next != nil && !l.ended {
			r.next = nil
			next()
		}
	})
}

// transfer is a REFER of ours.
type transfer struct{ reply func(error) }

func (t *transfer) finish(err error) { t.reply(err) }

// transferPatience is how long the outcome of a transfer is waited for.
const transferPatience = 2 * time.Minute

// refer sends the far side elsewhere.
func (l *leg) refer(wish wantTransfer) {
	if l.transfer != nil {
		wish.reply(errTransferring)
		return
	}
	l.transfer = &transfer{wish.reply}
	l.transact(l.call, func() *sipgo.Request {
		req := l.newRequest(sipgo.REFER)
		add(req, "Refer-To", "<"+wish.target+">")
		add(req, "Referred-By", "<"+l.dlg.Local.Address.Addr()+">")
		return req
	}, func(_ *sipgo.Request, res *sipgo.Response, err error) {
		t := l.transfer
		switch {
		case t == nil:
		case err != nil:
			l.transfer = nil
			t.finish(err)
		case !res.IsSuccess():
			l.transfer = nil
			t.finish(fmt.Errorf("transfer refused: %d %s", res.StatusCode, res.Reason))
		case strings.EqualFold(value(res, "refer-sub"), "false"):
			l.transfer = nil
			t.finish(nil) // no outcome will be told (RFC 4488)
		default:
			l.after(timerTransfer, transferPatience)
		}
	})
}

// gotNotify is the progress of a transfer of ours (RFC 3515 §2.4.5).
func (l *leg) gotNotify(ev gotRequest) {
	event, _, _ := strings.Cut(value(ev.req, "event", "o"), ";")
	t := l.transfer
	switch {
	case !strings.EqualFold(strings.TrimSpace(event), "refer"):
		l.e.respond(ev.tx, ev.req, 489)
		return
	case t == nil:
		l.e.respond(ev.tx, ev.req, 481)
		return
	}
	l.e.respond(ev.tx, ev.req, 200)
	status := fragmentStatus(ev.req.Body())
	ended := strings.HasPrefix(strings.ToLower(value(ev.req, "subscription-state")), "terminated")
	switch {
	case status >= 200 && status < 300:
		t.finish(nil)
	case status >= 300:
		t.finish(fmt.Errorf("transfer failed: %d", status))
	case ended:
		t.finish(errTransferSilent)
	default:
		return
	}
	l.transfer = nil
	l.stop(timerTransfer)
}

// fragmentStatus is the status of a message/sipfrag body (RFC 3420), 0 if none.
func fragmentStatus(body []byte) int {
	line, _, _ := strings.Cut(string(body), "\n")
	f := strings.Fields(line)
	if len(f) < 2 || !strings.EqualFold(f[0], "SIP/2.0") {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}
