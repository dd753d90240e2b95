package sip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/offer"
)

// hunting is a call that goes over a trunk: its hosts are tried one after the other
// until one takes it (RFC 3263 §4.3).
type hunting struct {
	line    *line
	rest    []path // hosts not tried yet
	settled bool   // a host has answered for the called one: no other is tried
}

// dialTrunk places a call over a trunk.
func (e *Endpoint) dialTrunk(to call.Target, policy offer.Policy) (call.Leg, error) {
	l := e.lineOf(to.Trunk)
	if l == nil {
		return nil, fmt.Errorf("%w: the trunk %s has no way out", ErrTarget, to.Trunk)
	}
	if to.Address == "" || strings.ContainsAny(to.Address, "@<>\" \r\n") {
		return nil, fmt.Errorf("%w: %q is no number", ErrTarget, to.Address)
	}
	var paths []path
	for _, h := range l.pool.Order(time.Now()) {
		domain, port := l.domain(h)
		uri := sipgo.Uri{Scheme: "sip", User: to.Address, Host: domain, Port: port}
		if h.Transport == "tcp" || h.Transport == "tls" {
			uri.UriParams = append(uri.UriParams, sipgo.HeaderKV{K: "transport", V: h.Transport})
		}
		if strings.HasPrefix(to.Address, "+") { // RFC 3261 §19.1.1
			uri.UriParams = append(uri.UriParams, sipgo.HeaderKV{K: "user", V: "phone"})
		}
		paths = append(paths, path{uri: uri, network: h.Transport, address: l.address(h), host: h})
	}
	return e.dial(to, paths, policy, call.Cause{Code: call.Unavailable, Text: "no target of the trunk has an address"}, &hunting{line: l})
}

// peerOf is where a call goes first.
func (e *Endpoint) peerOf(ctx context.Context, p path) (netip.AddrPort, error) {
	if p.host.At.IsValid() {
		return p.host.At, nil
	}
	return e.resolve(ctx, p.address, p.network, false)
}

// tryNext calls the next host of a trunk; false when there is none, or none is to be
// called any more.
func (l *leg) tryNext() bool {
	h := l.out.hunt
	if h == nil || h.settled || len(h.rest) == 0 {
		return false
	}
	for _, b := range l.out.branches {
		for _, d := range b.early {
			if d.answered {
				return false // offer and answer are exchanged, the offer cannot go elsewhere
			}
		}
	}
	way := h.rest[0]
	h.rest = h.rest[1:]
	if t := l.out.target; t.Username != "" {
		l.auth = digest.NewSession(t.Username, t.Password) // hosts challenge each for itself
	}
	l.Change(func(info *call.Info) { info.Remote.Address, info.Remote.Transport = way.host.At, way.network })
	l.log.Info("calls a target of the trunk", zap.String("trunk", h.line.name), zap.Stringer("target", way.host.At))
	l.fork(way)
	if len(h.rest) > 0 {
		l.after(timerHunt, h.line.out.Patience)
	}
	return true
}

// tryingPatience is how much longer than one that says nothing a host is waited for
// that has said 100 (Trying) and no more: it has the call, but may have lost it
// since. Telephone networks are heard of (180, 183) within a few seconds.
const tryingPatience = 5

// heard notes what a host of a trunk has said to a call.
func (l *leg) heard(b *branch, res *sipgo.Response) {
	h := l.out.hunt
	if h == nil {
		return
	}
	switch {
	case b.passed:
	case res.StatusCode != 100:
		b.trying = false
		l.stop(timerHunt)
	case !b.trying && len(h.rest) > 0:
		b.trying = true
		l.after(timerHunt, tryingPatience*h.line.out.Patience)
	}
	switch {
	case res.IsProvisional():
	case failsOver(res.StatusCode):
		h.line.failed(b.host, fmt.Sprintf("%d %s", res.StatusCode, res.Reason), restOf(res))
	default:
		h.line.answered(b.host, 0)
	}
}

// unheard notes that a host of a trunk cannot be reached.
func (l *leg) unheard(b *branch, err error) {
	if h := l.out.hunt; h != nil && !l.ended && !b.passed && !b.cancelled && !b.cancelWanted {
		h.line.failed(b.host, err.Error(), 0)
	}
}

// passOver leaves a host that says nothing, or nothing but 100, for the next one. Should it take the call
// after all before that one does, it has it.
func (l *leg) passOver() {
	for _, b := range l.out.branches {
		if !b.over && !b.passed && (!b.proceeding || b.trying) {
			b.passed = true
			l.out.hunt.line.failed(b.host, "no answer to a call", 0)
			l.cancel(b)
		}
	}
	l.tryNext()
}

// branchesLive reports whether somebody still may take the call.
func (l *leg) branchesLive() bool {
	for _, b := range l.out.branches {
		if !b.over && !b.passed {
			return true
		}
	}
	return false
}

// callerHeaders says who calls: From, and what those who are trusted are told besides
// (RFC 3323, RFC 3325).
func (l *leg) callerHeaders(b *branch) (from *sipgo.FromHeader, more []sipgo.Header) {
	e, t := l.e, l.out.target
	from = &sipgo.FromHeader{
		DisplayName: quotable(t.FromName), Address: e.identity(t.From, l.media.net),
		Params: sipgo.HeaderParams{{K: "tag", V: b.tag}},
	}
	if t.Trunk == "" {
		return from, nil
	}
	host := t.Domain
	if host == "" && t.Username != "" { // the carrier knows its customers at its own domain
		host = b.uri.Host
	}
	if host != "" {
		from.Address.Host, from.Address.Port = host, 0
	}
	for _, h := range []struct {
		name string
		who  call.Identity
	}{{"P-Asserted-Identity", t.Asserted}, {"P-Preferred-Identity", t.Preferred}} {
		if h.who.User == "" {
			continue
		}
		uri := sipgo.Uri{Scheme: "sip", User: h.who.User, Host: from.Address.Host}
		if strings.HasPrefix(h.who.User, "+") {
			uri.UriParams = sipgo.HeaderParams{{K: "user", V: "phone"}}
		}
		value := "<" + uri.String() + ">"
		if h.who.Name != "" {
			value = `"` + quotable(h.who.Name) + `" ` + value
		}
		more = append(more, sipgo.NewHeader(h.name, value))
	}
	if t.Anonymous {
		from.DisplayName, from.Address = "Anonymous", sipgo.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}
		more = append(more, sipgo.NewHeader("Privacy", "id"))
	}
	return from, more
}
