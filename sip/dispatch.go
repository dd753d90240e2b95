package sip

import (
	"net/netip"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/google/uuid"

	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/registrar"
)

// What arrive writes beside a request, in its otherwise unused destination, for
// handle to read: the reader of the socket is the only place where the order of
// arrival is known, and where the request may be changed before the transaction
// layer shares it between goroutines.
const (
	fresh = "fresh" // outside of any dialog: its To tag is ours, given just now
	stale = "stale" // CSeq lower than one that arrived before
	given = "given" // an ACK that its leg has already
)

// arrive sees every message on the goroutine that read it.
func (e *Endpoint) arrive(m sipgo.Message) {
	req, ok := m.(*sipgo.Request)
	if !ok || req.To() == nil || req.CSeq() == nil {
		return
	}
	if e.deaf.Load() {
		req.SetTransport("none") // sipgo drops it: there is no way back
		return
	}
	if tag, has := req.To().Params.Get("tag"); !has || tag == "" {
		// One tag for all responses, the 487 that sipgo sends on CANCEL
		// included (RFC 3261 §8.2.6.2).
		req.To().Params.Add("tag", uuid.NewString())
		req.SetDestination(fresh)
		return
	}
	if req.IsCancel() {
		return
	}
	if req.IsAck() { // a BYE right behind it must not overtake it
		if l := e.legOf(req); l != nil && l.offer(gotRequest{req: req}) {
			req.SetDestination(given)
		}
		return
	}
	if l := e.legOf(req); l != nil && l.arrived(req.CSeq().SeqNo) != nil {
		req.SetDestination(stale)
	}
}

func (e *Endpoint) legOf(req *sipgo.Request) *leg {
	id, ok := dialog.IDOf(req)
	if !ok {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dialogs[id]
}

// handle takes a request that starts a transaction; it runs on a goroutine of
// its own.
func (e *Endpoint) handle(req *sipgo.Request, tx *sipgo.ServerTx) {
	if req.IsAck() {
		// The ACK to a 2xx is no transaction (RFC 3261 §17).
		tx.Terminate()
		if l := e.legOf(req); l != nil && req.MessageData.Destination() != given {
			l.post(gotRequest{req: req})
		}
		return
	}
	if req.MessageData.Destination() != fresh {
		e.handleInDialog(req, tx)
		return
	}
	switch req.Method {
	case sipgo.INVITE:
		e.handleInvite(req, tx)
	case sipgo.REGISTER:
		e.handleRegister(req, tx)
	case sipgo.OPTIONS:
		e.respondOptions(req, tx)
	case sipgo.CANCEL, sipgo.BYE, sipgo.PRACK, sipgo.UPDATE, sipgo.INFO, sipgo.NOTIFY:
		e.respond(tx, req, 481) // they need a call (RFC 3261 §9.2, §15.1.2)
	case sipgo.REFER:
		e.respond(tx, req, 403) // only within a call (RFC 3515 §2.4.2)
	case sipgo.SUBSCRIBE:
		e.handleSubscribe(req, tx)
	case sipgo.MESSAGE, sipgo.PUBLISH:
		e.respond(tx, req, 405, "Allow", allowed)
	default:
		e.respond(tx, req, 501, "Allow", allowed)
	}
}

func (e *Endpoint) handleInDialog(req *sipgo.Request, tx *sipgo.ServerTx) {
	l := e.legOf(req)
	switch {
	case l == nil && req.Method == sipgo.SUBSCRIBE:
		id, _ := dialog.IDOf(req)
		if s := e.subscriptions.find(id); s != nil {
			s.renew(req, tx)
			return
		}
		e.respond(tx, req, 481) // RFC 6665 §4.1.2.2
	case l == nil:
		e.respond(tx, req, 481)
	case req.MessageData.Destination() == stale:
		e.respond(tx, req, 500, "Retry-After", "1") // RFC 3261 §12.2.2
	case !l.post(gotRequest{req: req, tx: tx}):
		e.respond(tx, req, 481)
	}
}

// respondOptions answers as an INVITE would be, as far as that is known without
// one (RFC 3261 §11.2).
func (e *Endpoint) respondOptions(req *sipgo.Request, tx *sipgo.ServerTx) {
	if r := e.required(req); r != nil {
		e.refuse(tx, req, r)
		return
	}
	if e.draining.Load() {
		e.respond(tx, req, 503, "Retry-After", "30")
		return
	}
	res := e.answer(req, 200)
	describe(res)
	add(res, "Accept", accepted)
	add(res, "Accept-Encoding", "identity")
	add(res, "Accept-Language", "en, vi")
	if err := tx.Respond(res); err != nil {
		e.debugSend(err)
	}
}

// required refuses extensions we do not know (RFC 3261 §8.2.2.3).
func (e *Endpoint) required(req *sipgo.Request) *refusal {
	var unknown []string
	for _, t := range tokens(req, "require") {
		if !extensions[t] {
			unknown = append(unknown, t)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return refuse(420, "Unsupported", strings.Join(unknown, ", "), "Supported", supported)
}

func (e *Endpoint) handleRegister(req *sipgo.Request, tx *sipgo.ServerTx) {
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		e.respond(tx, req, 400)
		return
	}
	res := e.registrar.Handle(req, e.flow(req, tx, source))
	if res == nil {
		return
	}
	if err := tx.Respond(res); err != nil {
		e.debugSend(err)
	}
}

// flow is what a request came over.
func (e *Endpoint) flow(req *sipgo.Request, tx *sipgo.ServerTx, source netip.AddrPort) registrar.Flow {
	f := registrar.Flow{Transport: sipgo.NetworkToUpper(req.Transport()), Remote: source}
	if local, err := netip.ParseAddrPort(tx.Connection().LocalAddr().String()); err == nil {
		f.Local = local
	}
	return f
}
