package sip

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/edge"
	"github.com/roomgate/roomgate/sip/offer"
)

// inviteKey recognises an INVITE that reached us twice over different paths
// (RFC 3261 §8.2.2.2).
type inviteKey struct {
	callID, fromTag string
	cseq            uint32
}

// invitation is an INVITE that passed all checks.
type invitation struct {
	req     *sipgo.Request
	tx      *sipgo.ServerTx
	source  netip.AddrPort
	remote  call.Remote
	called  string // in place of the user of the Request-URI
	legacy  bool
	offer   *offer.Description // nil: offerless
	expires *dialog.SessionExpires
	minSE   dialog.SessionExpires
}

// handleInvite takes an INVITE outside of a dialog, in the order of RFC 3261
// §8.2: what it asks for, who asks, what it carries.
func (e *Endpoint) handleInvite(req *sipgo.Request, tx *sipgo.ServerTx) {
	inv := &invitation{req: req, tx: tx}
	var err error
	if inv.source, err = netip.ParseAddrPort(req.Source()); err != nil {
		e.respond(tx, req, 400)
		return
	}
	for _, check := range []func(*invitation) *refusal{
		e.checkShape, e.checkIdentity, e.checkBody, e.checkTimer, e.checkLoad,
	} {
		if r := check(inv); r != nil {
			e.refuse(tx, req, r)
			return
		}
	}
	l, r := e.newIncoming(inv)
	if r != nil {
		e.refuse(tx, req, r)
		return
	}
	if take := e.incoming.Load(); take != nil {
		(*take)(l) // on the goroutine of this request
	}
}

func (e *Endpoint) checkShape(inv *invitation) *refusal {
	req := inv.req
	switch strings.ToLower(req.Recipient.Scheme) {
	case "sip", "sips", "tel", "":
	default:
		return refuse(416)
	}
	if req.Contact() == nil || req.Contact().Address.Host == "" {
		return refuse(400, "Warning", e.warning(399, "", "INVITE needs a Contact"))
	}
	return e.required(req)
}

// checkIdentity finds out who calls: a trusted trunk by its address, a
// registered terminal by its connection or its digest, or anybody where direct
// calls are let in.
func (e *Endpoint) checkIdentity(inv *invitation) *refusal {
	req := inv.req
	from := req.From()
	network := sipgo.NetworkToLower(req.Transport())
	inv.remote = call.Remote{
		Alias: from.Address.User, Name: from.DisplayName, URI: from.Address.Addr(),
		Address: inv.source, Transport: network,
		UserAgent: value(req, "user-agent"),
	}
	inv.remote.Product = product(inv.remote.UserAgent)
	if f, ok := e.edge.Flow(edge.Transport(sipgo.NetworkToUpper(network)), req.Source()); ok {
		inv.legacy = f.LegacyTLS
	}
	if t, ok := e.trunkOf(inv.source.Addr()); ok {
		if t.Challenge {
			return e.authenticate(inv, t.Username)
		}
		return e.fromTrunk(inv, t)
	}
	if network != "udp" { // a connection cannot be forged
		if b, ok := e.registrar.Sender(e.flow(req, inv.tx, inv.source)); ok {
			e.registered(&inv.remote, b.Account)
			return nil
		}
	}
	claims := req.GetHeader("authorization") != nil ||
		e.registrar.Known(from.Address.User) && (e.ours(from.Address.Host) || sameHost(from.Address.Host, req.Recipient.Host)) ||
		e.mayBeTrunk(req)
	if !claims && e.cfg.Direct {
		return nil
	}
	return e.authenticate(inv, "")
}

func sameHost(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "[]"), strings.Trim(b, "[]"))
}

func (e *Endpoint) registered(r *call.Remote, account string) {
	r.Registered = true
	r.Alias = account
	if a, ok := e.known.Account(account); ok {
		if r.Name == "" {
			r.Name = a.Name
		}
		for _, alias := range a.Aliases {
			// A terminal may call under any of its names.
			if alias == userOf(r.URI) {
				r.Alias = alias
			}
		}
	}
}

func userOf(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	return user
}

// authenticate checks digest credentials (RFC 3261 §22): those of an account or of a
// trunk, or only those of one user where that is given.
func (e *Endpoint) authenticate(inv *invitation, only string) *refusal {
	source := inv.source.Addr()
	user, err := e.digest.Verify(inv.req, false)
	if wait := e.lockout.Locked(source, user); wait > 0 {
		return refuse(403, "Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	switch {
	case err == nil && only != "" && user != only:
		e.lockout.Failed(source, user)
		return refuse(403)
	case err == nil:
		e.lockout.Succeeded(source, user)
		if _, account := e.known.Account(user); !account || only != "" {
			t, ok := e.trunkByDigest(user)
			if !ok { // it was taken away meanwhile
				return refuse(403)
			}
			return e.fromTrunk(inv, t)
		}
		e.registered(&inv.remote, user)
		return nil
	case errors.Is(err, digest.ErrMalformed), errors.Is(err, digest.ErrMismatch):
		return refuse(400, "Warning", e.warning(399, err.Error(), ""))
	case errors.Is(err, digest.ErrRefused):
		if wait := e.lockout.Failed(source, user); wait > 0 {
			e.log.Warn("source locked out", zap.Stringer("source", source), zap.Duration("for", wait))
		}
	}
	return &refusal{status: 401, headers: e.digest.Challenge(false, errors.Is(err, digest.ErrStale))}
}

// checkBody reads the offer (RFC 3261 §8.2.3).
func (e *Endpoint) checkBody(inv *invitation) *refusal {
	if r := e.checkEncoding(inv.req); r != nil {
		return r
	}
	body := inv.req.Body()
	if len(body) == 0 {
		return nil
	}
	var err error
	if inv.offer, err = offer.Parse(body, contentType(inv.req)); err != nil {
		return e.badBody(err)
	}
	return nil
}

func (e *Endpoint) checkEncoding(req *sipgo.Request) *refusal {
	for _, t := range tokens(req, "content-encoding", "e") {
		if t != "identity" {
			return refuse(415, "Accept-Encoding", "identity")
		}
	}
	return nil
}

func (e *Endpoint) badBody(err error) *refusal {
	if errors.Is(err, offer.ErrNoSDP) {
		return refuse(415, "Accept", "application/sdp, multipart/mixed")
	}
	return refuse(488, "Warning", e.warning(399, err.Error(), ""))
}

func contentType(m sipgo.Message) string {
	type typed interface {
		ContentType() *sipgo.ContentTypeHeader
	}
	if t, ok := m.(typed); ok && t.ContentType() != nil {
		return t.ContentType().Value()
	}
	return ""
}

// checkTimer reads the session timer (RFC 4028 §9).
func (e *Endpoint) checkTimer(inv *invitation) *refusal {
	var r *refusal
	inv.expires, inv.minSE, r = e.readTimer(inv.req)
	if r != nil {
		return r
	}
	_, _, _, err := dialog.AnswerTimer(inv.expires, inv.minSE.Interval, supports(inv.req, "timer"), e.session())
	return tooBrief(err)
}

func (e *Endpoint) readTimer(req *sipgo.Request) (expires *dialog.SessionExpires, minSE dialog.SessionExpires, r *refusal) {
	if s := value(req, "session-expires", "x"); s != "" {
		se, err := dialog.ParseSessionExpires(s)
		if err != nil {
			return nil, minSE, refuse(400, "Warning", e.warning(399, err.Error(), ""))
		}
		expires = &se
	}
	if s := value(req, "min-se"); s != "" {
		var err error
		if minSE, err = dialog.ParseSessionExpires(s); err != nil {
			return nil, minSE, refuse(400, "Warning", e.warning(399, "Min-SE: "+err.Error(), ""))
		}
	}
	return expires, minSE, nil
}

func tooBrief(err error) *refusal {
	var brief dialog.TooBrief
	if errors.As(err, &brief) {
		return refuse(422, "Min-SE", strconv.Itoa(int(brief.MinSE.Seconds())))
	}
	return nil
}

func (e *Endpoint) session() dialog.SessionPolicy {
	return dialog.SessionPolicy{Interval: e.cfg.SessionExpires, MinSE: e.cfg.MinSE}
}

// checkLoad refuses what is more than we can hold.
func (e *Endpoint) checkLoad(inv *invitation) *refusal {
	cause := e.admit(true)
	if cause == nil {
		return nil
	}
	return refuse(cause.Code.Status(), e.causeHeaders(*cause)...)
}

// admit asks whether one more call may be set up.
func (e *Endpoint) admit(incoming bool) *call.Cause {
	if e.draining.Load() {
		return &call.Cause{Code: call.Draining, RetryAfter: 30}
	}
	limits := e.limits.Load()
	e.mu.Lock()
	calls, pending := e.active, e.pending
	crowded := len(e.legs) >= 2*limits.Calls // ended, but BYE is not answered yet
	e.mu.Unlock()
	if crowded || calls >= limits.Calls || incoming && pending >= limits.Pending {
		return &call.Cause{Code: call.Congestion, RetryAfter: 5}
	}
	if e.cfg.Admit != nil {
		return e.cfg.Admit()
	}
	return nil
}

// alias is the name dialled: the user part of the Request-URI, unescaped, or
// the number of a tel URI.
func alias(uri sipgo.Uri) string {
	if strings.EqualFold(uri.Scheme, "tel") {
		number, _, _ := strings.Cut(uri.Raw(), ";")
		return number
	}
	user := uri.User
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	user, _, _ = strings.Cut(user, ";") // user parameters such as phone-context
	return user
}
