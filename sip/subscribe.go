package sip

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/conference"
	"github.com/roomgate/roomgate/sip/dialog"
)

// Subscriptions to the event package of conferences (RFC 4575, RFC 6665).

// Conferences tells who is in a meeting.
type Conferences interface {
	// Conference is the meeting of an alias as somebody may see it. allowed is false
	// for those who may not; nil: there is no such meeting, or no more.
	Conference(ctx context.Context, alias string, asks call.Remote) (m *conference.Meeting, allowed bool)
}

// Bounds of subscriptions.
const (
	mostSubscriptions = 500
	mostPerSource     = 20
	longestExpires    = time.Hour
	shortestExpires   = time.Minute
	notifyTime        = 32 * time.Second // 64*T1
)

// subscription is one subscriber's dialog. Its goroutine, run, owns what is below the
// line.
type subscription struct {
	e      *Endpoint
	alias  string
	asks   call.Remote
	source netip.Addr
	event  string // with its id
	wakes  chan renewal

	dlg     *dialog.Dialog
	until   time.Time
	version uint32
	told    *conference.Meeting
}

// renewal is a SUBSCRIBE within the dialog.
type renewal struct {
	lasts    time.Duration
	contact  *sipgo.ContactHeader
	answered <-chan struct{} // the NOTIFY comes after the answer (RFC 6665 §4.2.1.2)
}

// subscriptions are those of an endpoint.
type subscriptions struct {
	mu   sync.Mutex
	list map[dialog.ID]*subscription
}

func (s *subscriptions) find(id dialog.ID) *subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[id]
}

// enter adds one; false when there are too many.
func (s *subscriptions) enter(sub *subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := 0
	for _, other := range s.list {
		if other.source == sub.source {
			same++
		}
	}
	if len(s.list) >= mostSubscriptions || same >= mostPerSource {
		return false
	}
	if s.list == nil {
		s.list = map[dialog.ID]*subscription{}
	}
	s.list[sub.dlg.ID] = sub
	return true
}

func (s *subscriptions) leave(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.list, sub.dlg.ID)
}

// handleSubscribe takes a SUBSCRIBE outside of a dialog (RFC 6665 §4.2.1).
func (e *Endpoint) handleSubscribe(req *sipgo.Request, tx *sipgo.ServerTx) {
	inv := &invitation{req: req, tx: tx}
	var err error
	if inv.source, err = netip.ParseAddrPort(req.Source()); err != nil {
		e.respond(tx, req, 400)
		return
	}
	lasts, r := e.checkSubscribe(inv)
	if r != nil {
		e.refuse(tx, req, r)
		return
	}
	tag, _ := req.To().Params.Get("tag")
	contact := e.contact(req.Recipient.User, sipgo.NetworkToLower(req.Transport()), inv.source.Addr())
	focused(&contact)
	d, err := dialog.FromInvite(req, tag, contact)
	if err != nil {
		e.respond(tx, req, 400)
		return
	}
	route(d, req, tx, inv.source)
	s := &subscription{
		e: e, alias: alias(req.Recipient), asks: inv.remote, source: inv.source.Addr(), event: value(req, "event", "o"),
		wakes: make(chan renewal, 4), dlg: d, until: time.Now().Add(lasts),
	}
	if !e.subscriptions.enter(s) {
		e.respond(tx, req, 503, "Retry-After", "30")
		return
	}
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.wg.Add(1)
	}
	e.mu.Unlock()
	if closed {
		e.subscriptions.leave(s)
		e.respond(tx, req, 503)
		return
	}
	s.accept(req, tx, lasts)
	go s.run()
}

// checkSubscribe refuses what cannot be had, in the order of RFC 3261 §8.2.
func (e *Endpoint) checkSubscribe(inv *invitation) (time.Duration, *refusal) {
	name, _, _ := strings.Cut(value(inv.req, "event", "o"), ";")
	if !strings.EqualFold(strings.TrimSpace(name), conference.Package) || e.cfg.Conferences == nil {
		return 0, refuse(489, "Allow-Events", conference.Package) // RFC 6665 §4.2.1.1
	}
	for _, check := range []func(*invitation) *refusal{e.checkShape, e.checkIdentity} {
		if r := check(inv); r != nil {
			return 0, r
		}
	}
	lasts, ok := expiresOf(inv.req)
	if !ok {
		return 0, refuse(423, "Min-Expires", strconv.Itoa(int(shortestExpires.Seconds())))
	}
	if takes := tokens(inv.req, "accept"); len(takes) > 0 && !accepts(takes) {
		return 0, refuse(406, "Accept", conference.ContentType)
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolvePatience)
	defer cancel()
	switch m, allowed := e.cfg.Conferences.Conference(ctx, alias(inv.req.Recipient), inv.remote); {
	case !allowed:
		return 0, refuse(403)
	case m == nil:
		return 0, refuse(404)
	}
	return lasts, nil
}

func accepts(takes []string) bool {
	for _, t := range takes {
		if t = mediaType(t); t == conference.ContentType || t == "*/*" || t == "application/*" {
			return true
		}
	}
	return false
}

// expiresOf is how long a subscription is to last; 0 ends it, or asks once.
func expiresOf(req *sipgo.Request) (time.Duration, bool) {
	text := value(req, "expires")
	if text == "" {
		return longestExpires, true // RFC 4575 §3.3
	}
	n, err := strconv.ParseUint(text, 10, 32)
	lasts := min(time.Duration(n)*time.Second, longestExpires)
	return lasts, err == nil && (lasts == 0 || lasts >= shortestExpires)
}

// accept answers a SUBSCRIBE.
func (s *subscription) accept(req *sipgo.Request, tx *sipgo.ServerTx, lasts time.Duration) {
	res := s.e.answer(req, 200)
	res.AppendHeader(s.dlg.Contact.Clone())
	add(res, "Expires", strconv.Itoa(int(lasts.Seconds())))
	if err := tx.Respond(res); err != nil {
		s.e.debugSend(err)
	}
}

// renew takes a SUBSCRIBE within the dialog.
func (s *subscription) renew(req *sipgo.Request, tx *sipgo.ServerTx) {
	lasts, ok := expiresOf(req)
	if !ok {
		s.e.respond(tx, req, 423, "Min-Expires", strconv.Itoa(int(shortestExpires.Seconds())))
		return
	}
	answered := make(chan struct{})
	defer close(answered)
	select {
	case s.wakes <- renewal{lasts, req.Contact(), answered}:
		s.accept(req, tx, lasts)
	default:
		s.e.respond(tx, req, 500, "Retry-After", "5")
	}
}

// run tells the subscriber of its meeting until it is over, the time is, or the
// subscriber does not answer.
func (s *subscription) run() {
	defer s.e.wg.Done()
	defer s.e.subscriptions.leave(s)
	tick := time.NewTicker(s.e.cfg.ConferenceEvery)
	defer tick.Stop()
	reason := s.runInner(tick.C)
	s.e.log.Debug("subscription ended", zap.String("meeting", s.alias), zap.String("reason", reason))
}

func (s *subscription) runInner(tick <-chan time.Time) string {
	if !s.tell(true) {
		return "it does not answer"
	}
	for {
		if !time.Now().Before(s.until) {
			s.finish("timeout") // RFC 6665 §4.2.2
			return "expired"
		}
		select {
		case r := <-s.wakes:
			<-r.answered
			s.until = time.Now().Add(r.lasts)
			s.dlg.Refresh(r.contact)
			if r.lasts > 0 && !s.tell(true) { // §4.2.1.2: the whole state at once
				return "it does not answer"
			}
		case <-tick:
			if !s.tell(false) {
				return "it does not answer, or the meeting is over"
			}
		case <-s.e.closing.Done():
			s.finish("deactivated")
			return "the endpoint closes"
		}
	}
}

// tell sends the state, whole or what changed; false: it is over.
func (s *subscription) tell(whole bool) bool {
	ctx, cancel := context.WithTimeout(s.e.closing, notifyTime)
	defer cancel()
	m, allowed := s.e.cfg.Conferences.Conference(ctx, s.alias, s.asks)
	switch {
	case !allowed:
		s.finish("rejected")
		return false
	case m == nil:
		s.finish("noresource")
		return false
	}
	m.Entity = s.dlg.Local.Address.Addr()
	var body []byte
	var err error
	if whole || s.told == nil {
		body, err = conference.Full(m, s.version+1)
	} else {
		body, err = conference.Changed(s.told, m, s.version+1)
	}
	if err != nil || body == nil {
		return err == nil
	}
	s.version++
	s.told = m
	left := max(int(time.Until(s.until).Round(time.Second).Seconds()), 0)
	state := "active;expires=" + strconv.Itoa(left)
	if left == 0 { // it asked once
		state = "terminated;reason=timeout"
	}
	return s.notify(ctx, state, body) && left > 0
}

// finish says that no more will come.
func (s *subscription) finish(reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.e.cfg.Farewell)
	defer cancel()
	s.notify(ctx, "terminated;reason="+reason, nil)
}

// notify sends a NOTIFY; false when the subscription is not known there any more, or
// nobody answers (RFC 6665 §4.2.2).
func (s *subscription) notify(ctx context.Context, state string, body []byte) bool {
	req := s.dlg.Request(sipgo.NOTIFY)
	if req.GetHeader("Contact") == nil {
		req.AppendHeader(s.dlg.Contact.Clone())
	}
	add(req, "Event", s.event)
	add(req, "Subscription-State", state)
	add(req, "User-Agent", s.e.cfg.UserAgent)
	setBody(req, conference.ContentType, body)
	res, err := s.e.roundTrip(ctx, req, func() {})
	if err != nil {
		s.e.debugSend(err)
		return false
	}
	return res.IsSuccess() || res.StatusCode == 500 || res.StatusCode == 503
}
