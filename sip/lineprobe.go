package sip

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/hunt"
)

// probePatience is how long a target may take to answer OPTIONS.
const probePatience = 5 * time.Second

// probe asks every host once.
func (l *line) probe() {
	ctx, cancel := context.WithTimeout(l.life, min(probePatience, l.out.Probe))
	defer cancel()
	var wait sync.WaitGroup
	for _, s := range l.pool.States() {
		if !s.At.IsValid() {
			continue
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			start := time.Now()
			err := l.options(ctx, s.Host)
			switch {
			case l.life.Err() != nil:
			case err != nil:
				l.failed(s.Host, err.Error(), 0)
			default:
				l.answered(s.Host, time.Since(start))
			}
		}()
	}
	wait.Wait()
}

// options asks a host whether it takes calls. Any answer will do, also that it knows
// no OPTIONS or wants a password, but for those that say that it cannot.
func (l *line) options(ctx context.Context, h hunt.Host) error {
	domain, port := l.domain(h)
	req := l.request(sipgo.OPTIONS, sipgo.Uri{Scheme: "sip", Host: domain, Port: port}, h)
	user := l.out.Username
	from := l.e.identity(user, l.e.local(h.At.Addr()))
	req.AppendHeader(&sipgo.FromHeader{Address: from, Params: sipgo.HeaderParams{{K: "tag", V: sipgo.GenerateTagN(16)}}})
	req.AppendHeader(&sipgo.ToHeader{Address: sipgo.Uri{Scheme: "sip", Host: domain}})
	callID := sipgo.CallIDHeader(newCallID())
	req.AppendHeader(&callID)
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: 1, MethodName: sipgo.OPTIONS})
	contact := l.e.contact(user, h.Transport, h.At.Addr())
	req.AppendHeader(&contact)
	add(req, "Accept", "application/sdp")
	res, err := l.e.roundTrip(ctx, req, func() {})
	if ctx.Err() != nil && err != nil {
		return fmt.Errorf("no answer to OPTIONS within %s", min(probePatience, l.out.Probe))
	}
	if err != nil {
		return err
	}
	switch res.StatusCode {
	case 408, 502, 503, 504:
		return fmt.Errorf("%d %s", res.StatusCode, res.Reason)
	}
	return nil
}

// request begins one outside of a dialog to a host.
func (l *line) request(method sipgo.RequestMethod, uri sipgo.Uri, h hunt.Host) *sipgo.Request {
	req := sipgo.NewRequest(method, uri)
	req.AppendHeader(dialog.Via(h.Transport))
	maxForwards := sipgo.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	add(req, "User-Agent", l.e.cfg.UserAgent)
	setBody(req, "", nil) // names the length, which streams need
	req.SetTransport(sipgo.NetworkToUpper(h.Transport))
	req.SetDestination(l.address(h))
	return req
}

func (l *line) answered(h hunt.Host, rtt time.Duration) {
	if l.pool.Answered(h, rtt, time.Now()) {
		l.log.Info("a target is up", zap.Stringer("target", h.At))
		l.tell(LineEvent{Trunk: l.name, Target: h.At.String(), Up: true})
	}
}

func (l *line) failed(h hunt.Host, why string, rest time.Duration) {
	if l.pool.Failed(h, why, rest, time.Now()) {
		l.log.Warn("a target is down", zap.Stringer("target", h.At), zap.String("why", why))
		l.tell(LineEvent{Trunk: l.name, Target: h.At.String(), Error: why})
	}
}

func (l *line) tell(ev LineEvent) {
	if l.e.cfg.OnLine != nil {
		l.e.cfg.OnLine(ev)
	}
}

// failsOver reports a final answer after which the next host is tried: what says that
// this one cannot (RFC 3263 §4.3, RFC 3261 §21.5), not what the called one says.
func failsOver(status int) bool { return status == 408 || status >= 500 && status < 600 }

// restOf is how long a host wants to be left alone.
func restOf(res *sipgo.Response) time.Duration {
	if res.StatusCode != 503 {
		return 0
	}
	text, _, _ := strings.Cut(value(res, "retry-after"), ";")
	text, _, _ = strings.Cut(text, " ")
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, 10*time.Minute)
}
