package sip

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/google/uuid"

	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/edge"
)

// branch is one INVITE of an outgoing call, with its repetitions after a
// challenge.
type branch struct {
	path
	callID, tag string
	cseq        uint32
	interval    time.Duration // Session-Expires asked for; 0: none
	minSE       time.Duration

	request      *sipgo.Request // the INVITE under way; set before its first response
	abort        context.CancelFunc
	early        map[string]*early // by the far side's tag
	proceeding   bool              // a 1xx came: CANCEL may be sent
	cancelWanted bool
	cancelled    bool
	over         bool
	passed       bool // of a trunk: it said nothing, and the next host is tried
	trying       bool // of a trunk: it said 100, and no more yet
	retries      int
}

// early is a dialog that a 1xx created.
type early struct {
	dlg      *dialog.Dialog
	reliable dialog.ReliableReceiver
	answered bool // offer and answer were exchanged reliably
}

// Patience with names and connections, before anything was sent.
const (
	resolvePatience = 5 * time.Second
	reachPatience   = 10 * time.Second
	tcpPatience     = 700 * time.Millisecond // of the attempt to use TCP for a long INVITE
)

func newCallID() string { return uuid.NewString() }

// invite sends the branch's INVITE, the first time or again.
func (l *leg) invite(b *branch) {
	b.cseq++
	b.proceeding = false
	req := l.buildInvite(b)
	ctx, abort := context.WithCancel(l.life)
	b.abort = abort
	l.e.wg.Add(1)
	go func() {
		defer l.e.wg.Done()
		defer abort()
		l.runBranch(ctx, b, req)
	}()
}

// buildInvite makes the request, but for what depends on the address resolved.
func (l *leg) buildInvite(b *branch) *sipgo.Request {
	e := l.e
	req := sipgo.NewRequest(sipgo.INVITE, b.uri)
	req.AppendHeader(dialog.Via(b.network))
	for _, r := range b.routes {
		req.AppendHeader(&sipgo.RouteHeader{Address: *r.Clone()})
	}
	maxForwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	from, who := l.callerHeaders(b)
	req.AppendHeader(from)
	to := *b.uri.Clone()
	to.UriParams, to.Port = nil, b.uri.Port
	req.AppendHeader(&sipgo.ToHeader{Address: to})
	callID := sipgo.CallIDHeader(b.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: b.cseq, MethodName: sipgo.INVITE})
	for _, h := range who {
		req.AppendHeader(h)
	}
	describe(req)
	if e.cfg.Reliable == ReliableRequired {
		add(req, "Require", "100rel")
	}
	if b.interval > 0 {
		add(req, "Session-Expires", strconv.Itoa(int(b.interval.Seconds())))
		add(req, "Min-SE", strconv.Itoa(int(b.minSE.Seconds())))
	}
	add(req, "User-Agent", e.cfg.UserAgent)
	setBody(req, "application/sdp", l.out.body)
	if l.auth != nil {
		_ = l.auth.Authorize(req) // nothing is known before the first challenge
	}
	req.SetTransport(sipgo.NetworkToUpper(b.network))
	req.SetDestination(b.address)
	if b.network == "udp" && b.local.IsValid() {
		req.Laddr = sipgo.Addr{IP: b.local.Addr().AsSlice(), Port: int(b.local.Port())}
	}
	return req
}

// identity is the From of a call: a URI as it is, a bare name at our domain.
func (e *Endpoint) identity(from string, local Network) sipgo.Uri {
	var uri sipgo.Uri
	if strings.Contains(from, ":") && sipgo.ParseUri(from, &uri) == nil && uri.Host != "" {
		return uri
	}
	user, host, _ := strings.Cut(from, "@")
	if user == "" {
		user = "roomgate"
	}
	if host == "" {
		host = hostOf(local.Advertised)
		if len(e.cfg.Domains) > 0 {
			host = e.cfg.Domains[0]
		}
	}
	return sipgo.Uri{Scheme: "sip", User: user, Host: host}
}

// runBranch carries the INVITE transaction until its final response.
func (l *leg) runBranch(ctx context.Context, b *branch, req *sipgo.Request) {
	tx, err := l.reach(ctx, b, req)
	if err != nil {
		l.post(gotBranch{b: b, err: err})
		return
	}
	// 2xx that come after the first: repeated, or of another fork (RFC 6026 §7.2).
	tx.OnRetransmission(func(res *sipgo.Response) {
		if res.IsSuccess() && !l.post(gotBranch{b: b, res: res}) {
			l.e.refuseLate(req, res)
		}
	})
	for {
		select {
		case res := <-tx.Responses():
			if !l.post(gotBranch{b: b, res: res}) || !res.IsProvisional() {
				return
			}
		case <-tx.Done():
			l.post(gotBranch{b: b, err: tx.Err()})
			return
		case <-ctx.Done():
			tx.Terminate()
			l.post(gotBranch{b: b, err: ctx.Err()})
			return
		}
	}
}

// reach finds the address, opens the connection and sends the INVITE.
func (l *leg) reach(ctx context.Context, b *branch, req *sipgo.Request) (*sipgo.ClientTx, error) {
	e := l.e
	waiting, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	to, err := e.resolve(waiting, b.address, b.network, b.uri.IsEncrypted())
	if err != nil {
		return nil, err
	}
	if b.free && e.tcpFor(waiting, to, req) {
		req.SetTransport("TCP")
		req.Via().Transport = "TCP"
		req.Laddr = sipgo.Addr{}
	}
	contact := e.contact(req.From().Address.User, sipgo.NetworkToLower(req.Transport()), to.Addr())
	if l.out.target.Focus {
		focused(&contact)
	}
	req.AppendHeader(&contact)
	// prepare resolves anew, so that TLS sees the name it has to verify.
	if err := e.prepare(waiting, req); err != nil {
		return nil, err
	}
	b.request = req
	return e.transactions.Request(ctx, req)
}

// tcpFor reports whether a request is too long for a datagram and its target
// takes TCP (RFC 3261 §18.1.1).
func (e *Endpoint) tcpFor(ctx context.Context, to netip.AddrPort, req *sipgo.Request) bool {
	const longest = 1300
	if len(req.String()) <= longest {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, tcpPatience)
	defer cancel()
	return e.edge.Dial(ctx, edge.TCP, to, nil) == nil
}

// cancel sends CANCEL once a 1xx came (RFC 3261 §9.1).
func (l *leg) cancel(b *branch) {
	if b.cancelled {
		return
	}
	if !b.proceeding {
		b.cancelWanted = true
		return
	}
	b.cancelled = true
	invite := b.request
	req := sipgo.NewRequest(sipgo.CANCEL, invite.Recipient)
	req.AppendHeader(invite.Via().Clone()) // the same branch
	sipgo.CopyHeaders("Route", invite, req)
	maxForwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	for _, name := range []string{"From", "To", "Call-ID"} {
		sipgo.CopyHeaders(name, invite, req)
	}
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: b.cseq, MethodName: sipgo.CANCEL})
	req.SetBody(nil)
	req.SetTransport(invite.MessageData.Transport())
	req.SetDestination(invite.MessageData.Destination())
	req.Laddr = invite.Laddr
	l.busy++
	l.e.wg.Add(1)
	go func() {
		defer l.e.wg.Done()
		if _, err := l.e.roundTrip(l.life, req, func() {}); err != nil {
			l.e.debugSend(err)
		}
		l.post(gotResult{func() {}})
	}()
}

// refusedBy takes a final response other than 2xx.
func (l *leg) refusedBy(b *branch, res *sipgo.Response) {
	if !l.ended && l.out.winner == nil && !b.cancelled && b.retries < maxTries && l.again(b, res) {
		b.retries++
		l.invite(b)
		return
	}
	b.over = true
	if h := l.out.hunt; h != nil && !failsOver(res.StatusCode) {
		h.settled = true
	}
	if res.IsRedirection() && !l.ended && l.out.winner == nil {
		l.redirect(res)
	}
	if best := l.out.best; best == nil || rank(res.StatusCode) < rank(best.StatusCode) {
		l.out.best = res
	}
	l.branchLost()
}

// again reports whether the INVITE is to be sent once more, with credentials
// (RFC 3261 §22) or a longer session interval (RFC 4028 §7.4).
func (l *leg) again(b *branch, res *sipgo.Response) bool {
	switch res.StatusCode {
	case 401, 407:
		return l.auth != nil && l.auth.Challenge(res) == nil
	case 422:
		asked, err := dialog.ParseSessionExpires(value(res, "min-se"))
		if err != nil || asked.Interval <= b.minSE {
			return false
		}
		b.minSE = asked.Interval
		b.interval = max(b.interval, asked.Interval)
		return true
	}
	return false
}

// redirect follows the contacts of a 3xx, best first (RFC 3261 §8.1.3.4).
func (l *leg) redirect(res *sipgo.Response) {
	type contact struct {
		uri sipgo.Uri
		q   float64
	}
	var contacts []contact
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*sipgo.ContactHeader)
		if !ok || c.Address.Host == "" {
			continue
		}
		q := 1.0
		if s, ok := c.Params.Get("q"); ok {
			if v, err := strconv.ParseFloat(s, 64); err == nil {
				q = v
			}
		}
		contacts = append(contacts, contact{*c.Address.Clone(), q})
	}
	slices.SortStableFunc(contacts, func(a, b contact) int { return int(1000 * (b.q - a.q)) })
	for _, c := range contacts {
		if way, err := l.e.pathTo(c.uri, l.out.target.Via); err == nil {
			l.fork(way)
		}
	}
}

// rank orders refusals: the one that tells most comes first (RFC 3261 §16.7
// step 6): 6xx, then what a person or a terminal said, then failures of the way.
func rank(status int) int {
	switch {
	case status >= 600:
		return 0
	case status == 408 || status == 487 || status == 503:
		return 4
	case status >= 500:
		return 3
	case status >= 400:
		return 1
	}
	return 2
}
