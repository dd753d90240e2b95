package sip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/digest"
)

// ErrRegistration is returned when a far registrar refuses.
var ErrRegistration = errors.New("registration refused")

const (
	registrationLife = 10 * time.Minute // asked for
	registrationTurn = 5 * time.Second  // for one exchange
	registrationPoor = 30 * time.Second // before the next attempt after a failure
)

// registration is a binding of ours at a far registrar (RFC 3261 §10.2).
type registration struct {
	e           *Endpoint
	path        path // request URI, next hop
	user        string
	auth        *digest.Session
	callID, tag string
	cseq        uint32
}

// Register registers user with a far registrar, a SIP URI, and keeps it
// registered until unregister, which says so to the registrar and returns when
// nothing of the registration runs any more. Calls to us come over the same
// socket or connection. Serve has to run, and waits in the end for unregister.
func (e *Endpoint) Register(ctx context.Context, registrar, user, password string) (unregister func(), err error) {
	var uri sipgo.Uri
	if err := sipgo.ParseUri(registrar, &uri); err != nil || uri.Host == "" {
		return nil, fmt.Errorf("%w: %q is no SIP URI", ErrTarget, registrar)
	}
	uri.User = "" // §10.2: the request URI names the domain alone
	to, err := e.pathTo(uri, "")
	if err != nil {
		return nil, err
	}
	r := &registration{e: e, path: to, user: user, auth: digest.NewSession(user, password), callID: newCallID(), tag: newCallID()}
	granted, err := r.exchange(ctx, registrationLife)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, call.ErrEnded
	}
	life, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		defer close(ended)
		r.keep(life, granted)
	}()
	return func() {
		end()
		<-ended
	}, nil
}

// keep refreshes the binding until life ends, then removes it.
func (r *registration) keep(life context.Context, granted time.Duration) {
	timer := time.NewTimer(granted / 2)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			granted, err := r.exchange(life, registrationLife)
			if err != nil {
				r.e.log.Warn("registration not refreshed", zap.String("registrar", r.path.address), zap.Error(err))
				granted = 2 * registrationPoor
			}
			timer.Reset(granted / 2)
		case <-life.Done():
			if _, err := r.exchange(context.Background(), 0); err != nil {
				r.e.log.Info("registration not removed", zap.String("registrar", r.path.address), zap.Error(err))
			}
			return
		}
	}
}

// exchange sends a REGISTER, again with an answer when challenged, and gives
// the life granted.
func (r *registration) exchange(ctx context.Context, life time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, registrationTurn)
	defer cancel()
	for range 3 { // unauthorized, authorized, and once more for a stale nonce
		req, err := r.request(ctx, life)
		if err != nil {
			return 0, err
		}
		res, err := r.e.roundTrip(ctx, req, func() {})
		switch {
		case err != nil:
			return 0, err
		case res.IsSuccess():
			r.auth.Accepted(res)
			return grantedBy(res, r.user, life), nil
		case res.StatusCode != 401 && res.StatusCode != 407:
			return 0, fmt.Errorf("%w: %d %s", ErrRegistration, res.StatusCode, res.Reason)
		}
		if err := r.auth.Challenge(res); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrRegistration, err)
		}
	}
	return 0, fmt.Errorf("%w: challenged again and again", ErrRegistration)
}

func (r *registration) request(ctx context.Context, life time.Duration) (*sipgo.Request, error) {
	e := r.e
	at, err := e.resolve(ctx, r.path.address, r.path.network, r.path.uri.IsEncrypted())
	if err != nil {
		return nil, err
	}
	r.cseq++
	req := sipgo.NewRequest(sipgo.REGISTER, r.path.uri)
	req.AppendHeader(dialog.Via(r.path.network))
	maxForwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	aor := sipgo.Uri{Scheme: "sip", User: r.user, Host: r.path.uri.Host}
	req.AppendHeader(&sipgo.FromHeader{Address: aor, Params: sipgo.HeaderParams{{K: "tag", V: r.tag}}})
	req.AppendHeader(&sipgo.ToHeader{Address: aor})
	callID := sipgo.CallIDHeader(r.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: r.cseq, MethodName: sipgo.REGISTER})
	contact := e.contact(r.user, r.path.network, at.Addr())
	req.AppendHeader(&contact)
	add(req, "Expires", strconv.Itoa(int(life.Seconds())))
	add(req, "User-Agent", e.cfg.UserAgent)
	setBody(req, "", nil)     // names the length, which streams need
	_ = r.auth.Authorize(req) // nothing is known before the first challenge
	req.SetTransport(sipgo.NetworkToUpper(r.path.network))
	req.SetDestination(r.path.address)
	return req, nil
}
