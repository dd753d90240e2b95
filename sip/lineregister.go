package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/hunt"
)

// Waits after failures: doubling from Outbound.Retry to the longest (RFC 5626 §4.5).
// Who is refused for good, by a wrong password for one, waits the longest at once: to
// ask again and again is how accounts are locked.
const longestRetry = 30 * time.Minute

// refusedError is a final answer of a registrar other than 2xx and 5xx.
type refusedError struct{ status int }

func (r refusedError) Error() string { return fmt.Sprintf("refused with %d", r.status) }

// register keeps the line registered until it ends, then says so to the registrar.
func (l *line) register() {
	bindings := map[string]*binding{}
	var at *binding // where we are registered
	failures := 0
	for {
		wait, next := l.enrol(bindings, at, &failures)
		if next != nil && at != nil && next != at {
			l.leave(at)
		}
		at = next
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.life.Done():
			timer.Stop()
			if at != nil {
				l.leave(at)
			}
			return
		}
	}
}

// enrol registers with the first host that takes us, the one that has us first, and
// says when it is to be done again.
func (l *line) enrol(bindings map[string]*binding, at *binding, failures *int) (wait time.Duration, taken *binding) {
	hosts := l.pool.Order(time.Now())
	if at != nil {
		hosts = append([]hunt.Host{at.host}, hosts...)
	}
	failed := errors.New("no target has an address")
	for i, h := range hosts {
		if i > 0 && at != nil && h == at.host {
			continue
		}
		b := bindings[h.At.String()+h.Transport]
		if b == nil {
			b = &binding{line: l, host: h, auth: digest.NewSession(l.out.Username, l.out.Password), callID: newCallID(), tag: newCallID()}
			bindings[h.At.String()+h.Transport] = b
		}
		granted, err := b.exchange(l.life, l.out.Expires)
		if err == nil {
			*failures = 0
			l.registered(b, granted)
			return granted / 2, b
		}
		failed = err
		if l.life.Err() != nil {
			return 0, at
		}
		l.log.Warn("not registered", zap.Stringer("registrar", h.At), zap.Error(err))
	}
	*failures++
	wait = l.out.Retry << min(*failures-1, 16)
	if errors.As(failed, new(refusedError)) || errors.Is(failed, digest.ErrWrongPassword) {
		wait = longestRetry
	}
	wait = min(wait, longestRetry)
	wait -= time.Duration(rand.Int64N(int64(wait)/2 + 1)) // not all at once
	l.unregistered(failed, wait)
	return wait, nil
}

func (l *line) registered(b *binding, granted time.Duration) {
	now := time.Now()
	l.mu.Lock()
	was := l.registration
	l.registration = Registration{State: Registered, Target: b.host.At.String(), Expires: now.Add(granted), Next: now.Add(granted / 2)}
	l.mu.Unlock()
	if was.State != Registered || was.Target != b.host.At.String() {
		l.log.Info("registered", zap.Stringer("registrar", b.host.At), zap.Duration("for", granted))
		l.tell(LineEvent{Trunk: l.name, Up: true})
	}
}

func (l *line) unregistered(err error, wait time.Duration) {
	l.mu.Lock()
	was := l.registration.State
	l.registration.State = Failing
	if errors.As(err, new(refusedError)) || errors.Is(err, digest.ErrWrongPassword) {
		l.registration.State = Refused
	}
	l.registration.Error, l.registration.Next, l.registration.Target = err.Error(), time.Now().Add(wait), ""
	changed := was != l.registration.State
	l.mu.Unlock()
	if changed {
		l.tell(LineEvent{Trunk: l.name, Error: err.Error()})
	}
}

// leave removes a binding.
func (l *line) leave(b *binding) {
	ctx, cancel := context.WithTimeout(context.Background(), l.e.cfg.Farewell)
	defer cancel()
	if _, err := b.exchange(ctx, 0); err != nil {
		l.log.Info("registration not removed", zap.Stringer("registrar", b.host.At), zap.Error(err))
	}
	l.mu.Lock()
	if l.registration.State == Registered && l.registration.Target == b.host.At.String() {
		l.registration = Registration{State: Registering}
	}
	l.mu.Unlock()
}

// binding is ours at one registrar (RFC 3261 §10.2): Call-ID and CSeq go on while the
// process lives.
type binding struct {
	line        *line
	host        hunt.Host
	auth        *digest.Session
	callID, tag string
	cseq        uint32
}

// exchange sends a REGISTER, again with an answer when challenged or with a longer
// life when asked to (RFC 3261 §10.2.8), and gives the life granted. Below 0 it asks
// only which bindings there are (§10.2.3).
func (b *binding) exchange(ctx context.Context, life time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, registrationTurn)
	defer cancel()
	for range 4 {
		res, err := b.line.e.roundTrip(ctx, b.request(life), func() {})
		switch {
		case err != nil:
			return 0, err
		case res.IsSuccess():
			b.auth.Accepted(res)
			return grantedBy(res, b.line.out.Username, life), nil
		case res.StatusCode == 401, res.StatusCode == 407:
			if err := b.auth.Challenge(res); err != nil {
				return 0, err
			}
		case res.StatusCode == 423:
			least, _ := strconv.Atoi(value(res, "min-expires"))
			if life <= 0 || time.Duration(least)*time.Second <= life {
				return 0, refusedError{423}
			}
			life = time.Duration(least) * time.Second
		case failsOver(res.StatusCode):
			return 0, fmt.Errorf("%d %s", res.StatusCode, res.Reason)
		default:
			return 0, refusedError{res.StatusCode}
		}
	}
	return 0, errors.New("challenged again and again")
}

func (b *binding) request(life time.Duration) *sipgo.Request {
	l := b.line
	domain, port := l.domain(b.host)
	b.cseq++
	req := l.request(sipgo.REGISTER, sipgo.Uri{Scheme: "sip", Host: domain, Port: port}, b.host)
	aor := sipgo.Uri{Scheme: "sip", User: l.out.Username, Host: domain}
	req.AppendHeader(&sipgo.FromHeader{Address: aor, Params: sipgo.HeaderParams{{K: "tag", V: b.tag}}})
	req.AppendHeader(&sipgo.ToHeader{Address: aor})
	callID := sipgo.CallIDHeader(b.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: b.cseq, MethodName: sipgo.REGISTER})
	if life >= 0 {
		contact := l.e.contact(l.out.Username, b.host.Transport, b.host.At.Addr())
		req.AppendHeader(&contact)
		add(req, "Expires", strconv.Itoa(int(life.Seconds())))
	}
	_ = b.auth.Authorize(req) // nothing is known before the first challenge
	return req
}

// grantedBy is the life of the contact of a user in the answer (RFC 3261 §10.2.4).
func grantedBy(res *sipgo.Response, user string, asked time.Duration) time.Duration {
	seconds := 0
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sipgo.ContactHeader); ok && c.Address.User == user {
			text, _ := c.Params.Get("expires")
			seconds, _ = strconv.Atoi(text)
		}
	}
	if seconds == 0 {
		seconds, _ = strconv.Atoi(value(res, "Expires"))
	}
	if seconds <= 0 {
		return asked
	}
	return max(time.Duration(seconds)*time.Second, 10*time.Second)
}
