package sip

import (
	"cmp"
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/offer"
)

// answering is the set-up of an incoming call: the UAS side of an INVITE
// (RFC 3261 §13.3).
type answering struct {
	*invitation
	key     inviteKey
	pending bool // counted among the unanswered
	stands  bool // the ACK has come

	last     *sipgo.Response // provisional, repeated each minute
	reliable dialog.ReliableSender
	interval time.Duration // of its retransmissions
	unacked  *sipgo.Response
	carries  bool              // the unacknowledged 1xx carries SDP
	held     *call.Provisional // goes out once that one is acknowledged

	early   []byte      // SDP of a 183
	settled bool        // offer and answer are exchanged: the 2xx carries none
	waiting *wantAccept // for a PRACK, then for the ACK
}

// newIncoming makes the leg of an INVITE that passed the checks.
func (e *Endpoint) newIncoming(inv *invitation) (*leg, *refusal) {
	req := inv.req
	network := sipgo.NetworkToLower(req.Transport())
	tag, _ := req.To().Params.Get("tag")
	d, err := dialog.FromInvite(req, tag, e.contact(req.Recipient.User, network, inv.source.Addr()))
	if err != nil {
		return nil, refuse(400, "Warning", e.warning(399, err.Error(), ""))
	}
	route(d, req, inv.tx, inv.source)
	policy, _ := offer.ParsePolicy(string(e.cfg.Encryption))
	l := e.newLeg(call.Info{
		Direction: call.In, Called: cmp.Or(inv.called, alias(req.Recipient)), CalledURI: req.Recipient.String(),
		Remote: inv.remote, LegacyTLS: inv.legacy,
	}, inv.source.Addr(), policy)
	fromTag, _ := req.From().Params.Get("tag")
	l.in = &answering{
		invitation: inv, pending: true,
		key: inviteKey{string(*req.CallID()), fromTag, req.CSeq().SeqNo},
	}
	e.cfg.Trace.Bind(traceKey(string(*req.CallID())), l.Info().ID)
	l.dlg, l.state = d, l.ringing
	l.learn(req)
	_ = l.arrived(req.CSeq().SeqNo)

	e.mu.Lock()
	if e.invites[l.in.key] != nil {
		e.mu.Unlock()
		return nil, refuse(482) // merged, RFC 3261 §8.2.2.2
	}
	e.invites[l.in.key] = l
	e.pending++
	e.mu.Unlock()
	l.register(d.ID)

	cancelled := make(chan struct{})
	l.cancelled = cancelled
	cancel := sync.OnceFunc(func() { close(cancelled) })
	// Under the transaction's lock, so that it may do nothing else. When the
	// CANCEL is there already, sipgo may say so both ways.
	if !inv.tx.OnCancel(func(*sipgo.Request) { cancel() }) {
		cancel()
	}
	l.strayAcks = inv.tx.Acks()
	if err := inv.tx.Respond(e.answer(req, 100)); err != nil {
		e.debugSend(err)
	}
	if !l.start() {
		l.leavePending()
		return nil, refuse(503, e.causeHeaders(call.Cause{Code: call.Draining})...)
	}
	l.log.Info("leg created", zap.String("direction", "in"), zap.String("transport", network),
		zap.String("product", inv.remote.Product))
	return l, nil
}

// route says where requests of a dialog that the far side started go: over its
// connection, or to its source where a translator stands between.
func route(d *dialog.Dialog, req *sipgo.Request, tx *sipgo.ServerTx, source netip.AddrPort) {
	if local, err := netip.ParseAddrPort(tx.Connection().LocalAddr().String()); err == nil && d.Transport == "udp" {
		d.Bind = sipgo.Addr{IP: local.Addr().AsSlice(), Port: int(local.Port())}
	}
	if len(d.Routes) > 0 {
		return
	}
	if d.Transport != "udp" || dialog.BehindNAT(d.Target, req.Via(), source.Addr()) {
		d.Flow = source.String()
	}
}

// ringing: the INVITE has no final response yet.
func (l *leg) ringing(ev event) {
	switch ev := ev.(type) {
	case wantProgress:
		ev.reply(l.progress(ev.p))
	case wantAccept:
		l.accept(ev)
	case wantFocus:
		focused(&l.dlg.Contact)
	case wantHangup:
		l.reject(ev.cause)
	case gotCancel: // RFC 3261 §9.2; sipgo has sent the 487
		l.end(call.Cause{Code: call.Cancelled})
		l.enter(l.closing)
	case gotRequest:
		l.request(ev)
	case gotTimer:
		if l.current(ev) {
			l.ringingTimer(ev.kind)
		}
	default:
		l.unexpected(ev)
	}
}

func (l *leg) ringingTimer(k timerKind) {
	in := l.in
	switch k {
	case timerReliable: // RFC 3262 §3: doubling from T1
		if in.unacked != nil {
			l.respondInvite(in.unacked)
			in.interval *= 2
			l.after(timerReliable, in.interval)
		}
	case timerPrack: // RFC 3262 §3: 64*T1 without PRACK ends the INVITE by 5xx
		l.reject(call.Cause{Code: call.Timeout, Text: "no PRACK"})
	case timerRinging: // RFC 3261 §13.3.1.1
		if in.last != nil && in.unacked == nil {
			l.respondInvite(in.last)
			l.after(timerRinging, time.Minute)
		}
	}
}

func (l *leg) respondInvite(res *sipgo.Response) {
	if err := l.in.tx.Respond(res); err != nil {
		l.e.debugSend(err)
	}
}

// progress sends 180 or 183, reliably where both sides can (RFC 3262).
func (l *leg) progress(p call.Provisional) error {
	in := l.in
	if in.reliable.Pending() { // one at a time (RFC 3262 §3): the latest waits, and early media is not forgotten
		if in.held != nil && p.EarlyMedia == nil {
			p.EarlyMedia = in.held.EarlyMedia
		}
		in.held = &p
		return nil
	}
	status := 183
	if p.Ringing && p.EarlyMedia == nil {
		status = 180
	}
	reliable := l.reliable()
	res := l.e.answer(in.req, status)
	res.AppendHeader(l.dlg.Contact.Clone())
	describe(res)
	carries := false
	if p.EarlyMedia != nil && !in.settled && (in.offer != nil || reliable) {
		body, err := l.describeMedia(in.offer, *p.EarlyMedia)
		if err != nil {
			return err
		}
		in.early, carries = body, true
		setBody(res, "application/sdp", body)
		l.negotiated(false)
	}
	if reliable {
		rseq, _ := in.reliable.Next(in.req.CSeq().SeqNo)
		add(res, "Require", "100rel")
		add(res, "RSeq", strconv.FormatUint(uint64(rseq), 10))
		in.unacked, in.carries, in.interval = res, carries, l.e.cfg.T1
		l.after(timerReliable, in.interval)
		l.after(timerPrack, 64*l.e.cfg.T1)
	}
	in.last = res
	l.respondInvite(res)
	l.after(timerRinging, time.Minute)
	return nil
}

// reliable reports whether provisional responses of this call are reliable.
func (l *leg) reliable() bool {
	req := l.in.req
	switch l.e.cfg.Reliable {
	case ReliableOff:
		return hasToken(req, "100rel", "require")
	default:
		return supports(req, "100rel")
	}
}

// describeMedia answers the offer, or offers when there was none.
func (l *leg) describeMedia(remote *offer.Description, can media.Capabilities) ([]byte, error) {
	l.can = can
	if remote != nil {
		if l.neg.State() == dialog.Idle {
			if err := l.neg.OfferReceived(); err != nil {
				return nil, err
			}
		}
		body, err := l.media.answer(remote, can)
		if err != nil {
			l.neg.Rejected()
			return nil, err
		}
		return body, l.neg.AnswerSent()
	}
	body, err := l.media.offer(can)
	if err != nil {
		return nil, err
	}
	return body, l.neg.OfferSent()
}

// accept sends the 2xx; the wish is fulfilled by the ACK.
func (l *leg) accept(wish wantAccept) {
	in := l.in
	if in.waiting != nil {
		wish.reply(errors.New("already accepted"))
		return
	}
	in.waiting = &wish
	if in.reliable.Pending() && in.carries {
		return // RFC 3262 §5: not before the PRACK to a 1xx with SDP
	}
	l.acceptNow()
}

func (l *leg) acceptNow() {
	in := l.in
	wish := in.waiting
	body := in.early
	if in.settled {
		body = nil // RFC 6337 §2.2: the answer went out reliably
	} else if body == nil || in.offer == nil {
		var err error
		if body, err = l.describeMedia(in.offer, wish.can); err != nil {
			cause := mediaCause(err)
			if cause.Code == call.IncompatibleMedia {
				err = call.ErrNoCommonMedia
			}
			wish.reply(err)
			l.reject(cause)
			return
		}
	}
	l.can = wish.can
	res := l.e.answer(in.req, 200)
	res.AppendHeader(l.dlg.Contact.Clone())
	describe(res)
	add(res, "Accept", accepted)
	timer, h, require, err := dialog.AnswerTimer(in.expires, in.minSE.Interval, l.peer.timer, l.e.session())
	if err != nil {
		wish.reply(err)
		l.reject(call.Cause{Code: call.BadRequest, Text: err.Error()})
		return
	}
	l.timerHeaders(res, h, require)
	setBody(res, "application/sdp", body)
	in.reliable.Abandon()
	for _, k := range []timerKind{timerReliable, timerPrack, timerRinging} {
		l.stop(k)
	}
	if err := l.sendOK(in.tx, in.req, res, l.neg.State() == dialog.LocalOffer); err != nil {
		wish.reply(call.ErrEnded)
		l.end(call.Cause{Code: call.Cancelled})
		l.enter(l.closing)
		return
	}
	l.session = timer
	l.leavePending()
	l.negotiated(false)
	l.Change(func(info *call.Info) { info.Answered = time.Now() })
	l.enter(l.answered)
}

// reject sends a final response other than 2xx.
func (l *leg) reject(cause call.Cause) {
	l.in.reliable.Abandon()
	l.e.refuse(l.in.tx, l.in.req, refuse(cause.Code.Status(), l.e.causeHeaders(cause)...))
	if l.in.waiting != nil {
		l.in.waiting.reply(call.ErrEnded)
	}
	l.end(cause)
	l.enter(l.closing)
}

// answered: the 2xx is sent, the ACK has not come (RFC 3261 §13.3.1.4).
func (l *leg) answered(ev event) {
	switch ev := ev.(type) {
	case gotCancel: // too late (RFC 3261 §9.2): the 2xx stands
	case wantHangup: // BYE waits for the ACK (RFC 3261 §15)
		l.in.waiting.reply(call.ErrEnded)
		l.sent.bye = &ev.cause
		l.end(ev.cause)
		l.enter(l.closing)
	case wantAccept:
		ev.reply(errors.New("already accepted"))
	case gotRequest:
		l.request(ev)
		if l.sent == nil && !l.ended {
			l.confirmed()
		}
	case gotTimer:
		if l.current(ev) {
			l.sentTimer(ev.kind)
		}
	default:
		l.unexpected(ev)
	}
}

// confirmed: the ACK has come.
func (l *leg) confirmed() {
	l.in.stands = true
	l.in.waiting.reply(nil)
	l.startSession()
	l.enter(l.talking)
	l.connected()
}

func (l *leg) enter(s state) { l.state = s }
