package sip

import (
	"fmt"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/offer"
)

// calling is the set-up of an outgoing call: the UAC side of an INVITE and its
// forks (RFC 3261 §13.2).
type calling struct {
	target   call.Target
	body     []byte // our offer; nil: the far side offers
	branches []*branch
	visited  map[string]bool // URIs tried, against loops of redirects
	best     *sipgo.Response // of the refusals
	failure  error           // where there was no response at all
	winner   *branch
	rang     bool
	early    *early // whose media is heard before the answer
	hunt     *hunting
}

// Bounds on what a far side can make us do.
const (
	maxBranches = 10
	maxEarly    = 8 // early dialogs of a branch
)

// placeCall is the first event of an outgoing leg.
type placeCall struct {
	paths   []path
	refused call.Cause // when there are none
}

// calling: no 2xx has come yet.
func (l *leg) calling(ev event) {
	switch ev := ev.(type) {
	case placeCall:
		l.place(ev)
	case gotBranch:
		l.branch(ev)
	case wantHangup:
		l.giveUp(ev.cause)
	case gotRequest:
		l.earlyRequest(ev)
	case gotMedia:
		l.mediaEvent(ev)
	case gotTimer:
		if l.current(ev) {
			l.callingTimer(ev.kind)
		}
	default:
		l.unexpected(ev)
	}
}

func (l *leg) callingTimer(k timerKind) {
	switch k {
	case timerAnswer:
		code := call.Timeout
		if l.out.rang {
			code = call.NoAnswer
		}
		l.giveUp(call.Cause{Code: code})
	case timerHunt:
		l.passOver()
	}
}

func (l *leg) place(p placeCall) {
	if len(p.paths) == 0 {
		l.end(p.refused)
		l.enter(l.closing)
		return
	}
	timeout := l.out.target.Timeout
	if timeout <= 0 {
		timeout = l.e.cfg.AnswerTimeout
	}
	l.after(timerAnswer, timeout)
	if l.out.hunt != nil {
		l.out.hunt.rest = p.paths
		l.tryNext()
		return
	}
	for _, way := range p.paths {
		l.fork(way)
	}
}

// fork starts one more branch, unless it was tried.
func (l *leg) fork(way path) {
	id := way.uri.String() + " " + way.address
	if l.out.visited[id] || len(l.out.branches) >= maxBranches {
		return
	}
	l.out.visited[id] = true
	b := &branch{
		path: way, callID: newCallID(), tag: sipgo.GenerateTagN(16), early: make(map[string]*early),
		minSE: l.minSE(), interval: l.e.cfg.SessionExpires,
	}
	l.out.branches = append(l.out.branches, b)
	l.e.cfg.Trace.Bind(traceKey(b.callID), l.Info().ID)
	l.invite(b)
}

// giveUp cancels every branch and ends the call.
func (l *leg) giveUp(cause call.Cause) {
	l.end(cause)
	l.cancelBranches(nil)
	l.enter(l.closing)
}

// cancelBranches cancels what still rings, but for one branch (RFC 3261 §9.1).
func (l *leg) cancelBranches(except *branch) {
	if l.out == nil {
		return
	}
	for _, b := range l.out.branches {
		if b != except && !b.over {
			l.cancel(b)
		}
	}
	if l.branchesOpen() {
		l.after(timerCancel, 64*l.e.cfg.T1)
	}
}

func (l *leg) branchesOpen() bool {
	if l.out == nil {
		return false
	}
	for _, b := range l.out.branches {
		if !b.over {
			return true
		}
	}
	return false
}

// abandonBranches gives up on INVITEs that were cancelled and never got a final
// response (RFC 3261 §9.1).
func (l *leg) abandonBranches() {
	for _, b := range l.out.branches {
		if !b.over && b.abort != nil {
			b.abort()
		}
	}
}

// branch takes a response to an INVITE, in any state: 2xx come late too.
func (l *leg) branch(ev gotBranch) {
	b, res := ev.b, ev.res
	switch {
	case ev.err != nil:
		b.over = true
		l.unheard(b, ev.err)
		if l.out.failure == nil {
			l.out.failure = ev.err
		}
		l.branchLost()
	case res.IsProvisional():
		l.heard(b, res)
		l.provisional(b, res)
	case res.IsSuccess():
		b.over = true
		l.heard(b, res)
		l.answeredBy(b, res)
	default:
		l.heard(b, res)
		l.refusedBy(b, res)
	}
}

// provisional takes a 1xx (RFC 3261 §13.2.2.1, RFC 3262 §4).
func (l *leg) provisional(b *branch, res *sipgo.Response) {
	b.proceeding = true
	if b.cancelWanted {
		b.cancelWanted = false
		l.cancel(b)
	}
	if res.StatusCode == 100 || l.ended || l.out.winner != nil {
		return
	}
	d := l.earlyDialog(b, res)
	if d == nil {
		return
	}
	if l.dlg == nil {
		l.dlg = d.dlg
	}
	if rseq, err := strconv.ParseUint(value(res, "rseq"), 10, 32); err == nil && hasToken(res, "100rel", "require") {
		if !d.reliable.Receive(uint32(rseq)) {
			return
		}
		l.prack(b, d, res, uint32(rseq))
	} else if len(res.Body()) > 0 && l.out.body != nil {
		l.hearEarly(d, res, false)
	}
	if res.StatusCode == 180 && !l.out.rang {
		l.out.rang = true
		l.Emit(call.Event{Kind: call.Ringing})
	}
}

// earlyDialog finds or makes the early dialog a 1xx belongs to; nil for those
// that create none.
func (l *leg) earlyDialog(b *branch, res *sipgo.Response) *early {
	tag, _ := res.To().Params.Get("tag")
	if d := b.early[tag]; d != nil {
		d.dlg.Refresh(res.Contact())
		return d
	}
	if tag == "" || len(b.early) >= maxEarly {
		return nil
	}
	dlg, err := dialog.FromResponse(b.request, res)
	if err != nil || !l.register(dlg.ID) {
		return nil
	}
	l.routeBack(dlg, b, res)
	d := &early{dlg: dlg}
	b.early[tag] = d
	return d
}

// routeBack says where requests of a dialog that we started go: a terminal that
// registered is reached over its flow, one behind a translator at its source.
func (l *leg) routeBack(d *dialog.Dialog, b *branch, res *sipgo.Response) {
	if len(d.Routes) > 0 {
		return
	}
	source := sourceOf(res)
	if b.path.flow || d.Transport != "udp" && sameTransport(d) || source.IsValid() && dialog.BehindNAT(d.Target, nil, source) {
		d.Flow = b.request.MessageData.Destination()
	}
}

// sameTransport reports whether the target can be reached over the connection
// that the INVITE went out on.
func sameTransport(d *dialog.Dialog) bool {
	return dialog.TransportOf(d.Target, d.Transport) == d.Transport
}

// hearEarly puts the SDP of a 1xx into force, from the first dialog that has one.
func (l *leg) hearEarly(d *early, res *sipgo.Response, reliable bool) {
	if l.out.early != nil && l.out.early != d || d.answered {
		return
	}
	description, err := offer.Parse(res.Body(), contentType(res))
	if err == nil {
		err = l.media.preview(description)
	}
	if err != nil {
		l.log.Debug("early media not understood")
		return
	}
	first := l.out.early == nil
	l.out.early, d.answered = d, reliable
	if reliable { // the answer of this dialog; the offer stays open for others
		_ = l.neg.AnswerReceived()
		l.media.settlePreview()
	}
	l.negotiated(false)
	if first {
		l.Emit(call.Event{Kind: call.EarlyMedia})
	}
}

// prack acknowledges a reliable 1xx; an offer in it is answered there.
func (l *leg) prack(b *branch, d *early, res *sipgo.Response, rseq uint32) {
	var body []byte
	if len(res.Body()) > 0 {
		if l.out.body != nil {
			l.hearEarly(d, res, true)
		} else if answer, err := l.answerLate(res); err == nil {
			body, d.answered, l.out.early = answer, true, d
			l.negotiated(false)
			l.Emit(call.Event{Kind: call.EarlyMedia})
		}
	}
	rack := dialog.RAck{RSeq: rseq, CSeq: res.CSeq().SeqNo, Method: sipgo.INVITE}.String()
	d.dlg.Follow(b.cseq)
	l.transact(l.call, func() *sipgo.Request {
		req := d.dlg.Request(sipgo.PRACK)
		add(req, "RAck", rack)
		add(req, "User-Agent", l.e.cfg.UserAgent)
		setBody(req, "application/sdp", body)
		return req
	}, func(*sipgo.Request, *sipgo.Response, error) {})
}

// answerLate answers the offer that came in a response to our offerless INVITE.
func (l *leg) answerLate(res *sipgo.Response) ([]byte, error) {
	description, err := offer.Parse(res.Body(), contentType(res))
	if err != nil {
		return nil, err
	}
	return l.describeMedia(description, l.out.target.Can)
}

// answeredBy takes a 2xx: the first one wins (RFC 3261 §13.2.2.4).
func (l *leg) answeredBy(b *branch, res *sipgo.Response) {
	if l.ended || l.out.winner != nil {
		l.refuseAnswer(b, res)
		return
	}
	tag, _ := res.To().Params.Get("tag")
	d := b.early[tag]
	if d == nil {
		dlg, err := dialog.FromResponse(b.request, res)
		if err != nil {
			l.giveUp(call.Cause{Code: call.BadRequest, Text: err.Error()})
			return
		}
		d = &early{dlg: dlg}
		l.register(dlg.ID)
	}
	l.out.winner, l.dlg = b, d.dlg
	d.dlg.SetRoutes(res)
	d.dlg.Refresh(res.Contact())
	d.dlg.Follow(b.cseq)
	l.routeBack(d.dlg, b, res)
	l.learn(res)
	l.stop(timerAnswer)
	l.cancelBranches(b)
	body, err := l.settle(d, res)
	l.sendAck(res.CSeq().SeqNo, "application/sdp", body)
	l.enter(l.talking)
	if err != nil {
		l.hangup(mediaCause(err))
		return
	}
	l.Change(func(info *call.Info) { info.Answered = time.Now() })
	if value(res, "session-expires", "x") != "" || b.interval > 0 {
		l.refreshed(l.acceptTimer(res, b.interval))
	}
	l.connected()
}

// settle takes the answer in a 2xx, or answers the offer in it.
func (l *leg) settle(d *early, res *sipgo.Response) ([]byte, error) {
	if l.out.body == nil {
		if d.answered {
			return nil, nil
		}
		return l.answerLate(res)
	}
	if d.answered || len(res.Body()) == 0 && l.out.early == d {
		l.media.keepPreview()
		if l.neg.State() == dialog.LocalOffer {
			return nil, l.neg.AnswerReceived()
		}
		return nil, nil
	}
	return nil, l.takeAnswer(res)
}

// refuseAnswer ends a dialog nobody wants: ACK, then BYE.
func (l *leg) refuseAnswer(b *branch, res *sipgo.Response) {
	if l.out.winner == b && l.dlg != nil {
		if tag, _ := res.To().Params.Get("tag"); tag == l.dlg.ID.Remote {
			l.unexpected(repeatAck{res.CSeq().SeqNo})
			return
		}
	}
	d, err := dialog.FromResponse(b.request, res)
	if err != nil {
		return
	}
	l.routeBack(d, b, res)
	l.writeAck(d.Ack(res.CSeq().SeqNo))
	l.transact(l.life, func() *sipgo.Request { return d.Request(sipgo.BYE) },
		func(*sipgo.Request, *sipgo.Response, error) {})
}

// earlyRequest is a request within an early dialog.
func (l *leg) earlyRequest(ev gotRequest) {
	id, _ := dialog.IDOf(ev.req)
	for _, b := range l.out.branches {
		if d := b.early[id.Remote]; d != nil && d.dlg.ID == id {
			l.dlg = d.dlg
		}
	}
	if l.dlg == nil {
		if ev.tx != nil {
			l.e.respond(ev.tx, ev.req, 481)
		}
		return
	}
	l.request(ev)
}

// branchLost ends the call when no branch is left, and no host of a trunk.
func (l *leg) branchLost() {
	if l.ended || l.out.winner != nil || l.branchesLive() || l.tryNext() {
		return
	}
	cause := call.Cause{Code: call.Timeout}
	switch {
	case l.out.best != nil:
		cause = causeOf(l.out.best.StatusCode, l.out.best)
	case l.out.failure != nil:
		cause.Text = fmt.Sprint(l.out.failure)
	}
	l.giveUp(cause) // hosts of a trunk that were passed over may still be due
}
