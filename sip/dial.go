package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip/dialog"
	"github.com/roomgate/roomgate/sip/digest"
	"github.com/roomgate/roomgate/sip/hunt"
	"github.com/roomgate/roomgate/sip/offer"
	"github.com/roomgate/roomgate/sip/registrar"
)

// path is one way to a target: a Request-URI and the next hop.
type path struct {
	uri     sipgo.Uri
	routes  []sipgo.Uri
	network string
	address string // host:port of the next hop
	local   netip.AddrPort
	// flow: the next hop is where a terminal registered from, so requests of
	// the dialog take the same way (RFC 5626 §5.3).
	flow bool
	// free: neither URI nor flow name a transport, so a long INVITE may go over
	// TCP (RFC 3261 §18.1.1).
	free bool
	host hunt.Host // of a trunk
}

// ErrTarget is wrapped by the refusals of a target that cannot be dialled.
var ErrTarget = errors.New("sip target")

// Dial implements call.Endpoint. A target that is known and not registered
// gives a leg that ends with Unavailable, an alias that nobody has one that
// ends with UnknownAlias.
func (e *Endpoint) Dial(ctx context.Context, to call.Target) (call.Leg, error) {
	if cause := e.admit(false); cause != nil {
		return nil, fmt.Errorf("%w: %s", ErrTarget, cause)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	word := to.Encryption
	if word == "" {
		word = string(e.cfg.Encryption)
	}
	policy, ok := offer.ParsePolicy(word)
	if !ok {
		return nil, fmt.Errorf("%w: encryption %q", ErrTarget, word)
	}
	if to.Trunk != "" {
		return e.dialTrunk(to, policy)
	}
	var paths []path
	refused := call.Cause{Code: call.UnknownAlias}
	for _, address := range append([]string{to.Address}, to.Alternatives...) {
		found, cause, err := e.paths(address, to.Via)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && cause.Code == call.Unavailable {
			refused = cause
		}
		paths = append(paths, found...)
	}
	return e.dial(to, paths, policy, refused, nil)
}

func (e *Endpoint) dial(to call.Target, paths []path, policy offer.Policy, refused call.Cause, trunk *hunting) (call.Leg, error) {
	info := call.Info{Direction: call.Out, CalledURI: to.Address, Called: userOf(to.Address)}
	if info.Called == "" {
		info.Called = to.Address
	}
	info.Remote = call.Remote{Alias: info.Called, URI: to.Address, Trunk: to.Trunk}
	peer := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if len(paths) > 0 {
		info.Remote.Transport = paths[0].network
		ctx, cancel := context.WithTimeout(context.Background(), resolvePatience)
		defer cancel()
		at, err := e.peerOf(ctx, paths[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTarget, err)
		}
		info.Remote.Address, peer = at, at.Addr()
	}
	l := e.newLeg(info, peer, policy)
	l.can = to.Can
	l.out = &calling{target: to, visited: make(map[string]bool), hunt: trunk}
	if to.Username != "" {
		l.auth = digest.NewSession(to.Username, to.Password)
	}
	l.state = l.calling
	if len(paths) > 0 && !e.cfg.DelayedOffer {
		body, err := l.media.offer(to.Can)
		if err != nil {
			l.media.close()
			return nil, err
		}
		_ = l.neg.OfferSent() // nothing was negotiated before
		l.out.body = body
	}
	l.post(placeCall{paths, refused})
	if !l.start() {
		l.media.close()
		return nil, call.ErrEnded
	}
	l.log.Info("leg created", zap.String("direction", "out"), zap.Int("branches", len(paths)))
	return l, nil
}

// paths are the ways to an address: a URI, or an alias of our registrar. None
// without an error means that the cause stands against it.
func (e *Endpoint) paths(address, via string) ([]path, call.Cause, error) {
	scheme, _, isURI := strings.Cut(address, ":")
	if !isURI {
		found, cause := e.registeredPaths(address)
		return found, cause, nil
	}
	var uri sipgo.Uri
	switch strings.ToLower(scheme) {
	case "sip", "sips":
		if err := sipgo.ParseUri(address, &uri); err != nil || uri.Host == "" {
			return nil, call.Cause{}, fmt.Errorf("%w: %q is no SIP URI", ErrTarget, address)
		}
		if via == "" && e.ours(uri.Host) && e.registrar.Known(uri.User) {
			found, cause := e.registeredPaths(uri.User)
			return found, cause, nil
		}
	case "tel":
		if via == "" {
			return nil, call.Cause{}, fmt.Errorf("%w: %q needs a trunk", ErrTarget, address)
		}
		number, _, _ := strings.Cut(address[len("tel:"):], ";")
		uri = sipgo.Uri{Scheme: "sip", User: number, UriParams: sipgo.HeaderParams{{K: "user", V: "phone"}}}
	default:
		return nil, call.Cause{}, fmt.Errorf("%w: %q has no scheme of ours", ErrTarget, address)
	}
	p, err := e.pathTo(uri, via)
	if err != nil {
		return nil, call.Cause{}, err
	}
	return []path{p}, call.Cause{}, nil
}

// pathTo goes straight to a URI or through an outbound proxy.
func (e *Endpoint) pathTo(uri sipgo.Uri, via string) (path, error) {
	next := uri
	p := path{uri: uri}
	if via != "" {
		if err := sipgo.ParseUri(via, &next); err != nil || next.Host == "" {
			return p, fmt.Errorf("%w: outbound proxy %q is no SIP URI", ErrTarget, via)
		}
		if !next.UriParams.Has("lr") {
			next.UriParams = append(next.UriParams.Clone(), sipgo.HeaderKV{K: "lr"})
		}
		p.routes = []sipgo.Uri{next}
		if p.uri.Host == "" { // a number: the proxy's domain is its home
			p.uri.Host, p.uri.Port = next.Host, next.Port
		}
	}
	p.uri.Headers = nil // RFC 3261 §19.1.5: not ours to send
	p.network = dialog.TransportOf(next, "")
	p.free = p.network == "udp" && !next.UriParams.Has("transport")
	p.address = dialog.HostPort(next)
	return p, nil
}

// registeredPaths are the bindings of an alias, all forked to.
func (e *Endpoint) registeredPaths(alias string) ([]path, call.Cause) {
	bindings := e.registrar.Lookup(alias)
	if len(bindings) == 0 {
		if e.registrar.Known(alias) {
			return nil, call.Cause{Code: call.Unavailable, Text: "not registered"}
		}
		return nil, call.Cause{Code: call.UnknownAlias}
	}
	var out []path
	seen := make(map[string]bool)
	for _, b := range bindings {
		if len(out) == maxBranches {
			break
		}
		if b.Instance != "" && seen[b.Instance] {
			continue // another flow of a terminal that is called already
		}
		seen[b.Instance] = true
		if p, ok := pathToBinding(b); ok {
			out = append(out, p)
		}
	}
	return out, call.Cause{Code: call.Unavailable}
}

func pathToBinding(b registrar.Binding) (path, bool) {
	r := b.Reach()
	p := path{network: strings.ToLower(r.Transport), address: r.Address.String(), local: r.Local, flow: true}
	if err := sipgo.ParseUri(r.RequestURI, &p.uri); err != nil {
		return p, false
	}
	for _, h := range r.Headers {
		var uri sipgo.Uri
		if err := sipgo.ParseUri(referTarget(h), &uri); err != nil {
			return p, false
		}
		p.routes = append(p.routes, uri)
	}
	return p, true
}

// refuseLate ends a dialog that a 2xx created after its leg was gone.
func (e *Endpoint) refuseLate(invite *sipgo.Request, res *sipgo.Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		d, err := dialog.FromResponse(invite, res)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), resolvePatience)
		defer cancel()
		if err := e.send(ctx, d.Ack(invite.CSeq().SeqNo)); err != nil {
			e.debugSend(err)
			return
		}
		if _, err := e.roundTrip(ctx, d.Request(sipgo.BYE), func() {}); err != nil {
			e.debugSend(err)
		}
	}()
}
