package h323

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/alias"
)

// ErrTarget is wrapped by the refusals of a target that cannot be dialled.
var ErrTarget = errors.New("h323 target")

// signallingPort is the well-known call signalling port (H.225.0 appendix IV).
const signallingPort = 1720

// destination is a target taken apart: a host, or an alias to look up, or both.
type destination struct {
	alias, host string
}

// Dial implements call.Endpoint. Addresses are h323:alias@host[:port], h323:host,
// host##alias, or an alias that the directory finds. Alternatives are tried one after
// the other when nobody is there, or the one before is busy.
func (e *Endpoint) Dial(ctx context.Context, to call.Target) (call.Leg, error) {
	if cause := e.admit(false); cause != nil {
		return nil, fmt.Errorf("%w: %s", ErrTarget, cause)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []destination
	for _, address := range append([]string{to.Address}, to.Alternatives...) {
		d, err := e.parse(address)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	info := call.Info{
		Direction: call.Out, Called: list[0].alias, CalledURI: to.Address,
		Remote: call.Remote{Alias: list[0].alias, URI: to.Address},
	}
	var peer netip.Addr
	if literal(list[0].host) {
		at, err := address(ctx, list[0].host) // nothing is looked up
		if err != nil {
			return nil, err
		}
		peer, info.Remote.Address = at.Addr(), at
	} else {
		peer = netip.IPv4Unspecified() // known when a way is taken
	}
	l := e.newLeg(info, peer)
	l.can = to.Can
	l.out = &calling{target: to, tried: make(map[string]bool)}
	l.enter(l.calling)
	if !l.start() {
		return nil, call.ErrEnded
	}
	l.log.Info("leg created", zap.String("direction", "out"))
	l.post(placeCall{list})
	return l, nil
}

// parse reads an address to dial.
func (e *Endpoint) parse(text string) (d destination, err error) {
	scheme, rest, ok := strings.Cut(text, ":")
	if ok && strings.EqualFold(scheme, "h323") {
		rest, _, _ = strings.Cut(rest, ";")
		text = rest
	} else if ok && !strings.Contains(scheme, "@") && !strings.Contains(scheme, ".") && !strings.Contains(scheme, "[") {
		return d, fmt.Errorf("%w: %q has no scheme of ours", ErrTarget, text)
	}
	d.alias, d.host = alias.Split(text)
	if d.host == "" && looksLikeHost(d.alias) {
		d.alias, d.host = "", d.alias
	}
	if d.alias == "" && d.host == "" {
		return d, fmt.Errorf("%w: %q names nobody", ErrTarget, text)
	}
	return d, nil
}

// looksLikeHost tells an address from a name: an IP address, with or without a port.
func looksLikeHost(text string) bool {
	if literal(text) {
		return true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return strings.Contains(text, ".") && !strings.ContainsAny(text, " @#*") && !alias.IsNumber(strings.ReplaceAll(text, ".", ""))
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil && host != ""
}

// literal reports whether a host is an IP address, with or without a port.
func literal(host string) bool {
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// address resolves host[:port]. A name is looked up as a service (H.323 annex O),
// then as a host.
func address(ctx context.Context, host string) (netip.AddrPort, error) {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return at, nil
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return netip.AddrPortFrom(addr, signallingPort), nil
	}
	name, port := host, uint16(signallingPort)
	if h, p, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("%w: port of %q", ErrTarget, host)
		}
		name, port = h, uint16(n)
	} else if _, list, err := net.DefaultResolver.LookupSRV(ctx, "h323cs", "tcp", name); err == nil && len(list) > 0 {
		name, port = strings.TrimSuffix(list[0].Target, "."), list[0].Port
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(list) == 0 {
		return netip.AddrPort{}, fmt.Errorf("%w: host %q: %w", ErrTarget, name, err)
	}
	return netip.AddrPortFrom(list[0].Unmap(), port), nil
}

// ours reports whether host[:port] is where this endpoint listens.
func (e *Endpoint) ours(host string) bool {
	if !literal(host) {
		return false
	}
	at, err := address(context.Background(), host) // nothing is looked up
	if err != nil {
		return false
	}
	addr := at.Addr().Unmap()
	for _, a := range e.addresses {
		if a.Port() == at.Port() && (a.Addr() == addr || a.Addr().IsUnspecified() && e.towards(addr).Local == addr) {
			return true
		}
	}
	return false
}

// ways finds the ways to all destinations, best first.
func (e *Endpoint) ways(ctx context.Context, list []destination) (out []Way, cause call.Cause) {
	cause = call.Cause{Code: call.UnknownAlias}
	for _, d := range list {
		here := d.host == "" || d.alias != "" && e.ours(d.host)
		if here && e.cfg.Directory != nil {
			found, why := e.cfg.Directory.Find(ctx, d.alias)
			if h := e.home(); len(found) == 0 && why.Code == call.UnknownAlias && d.host == "" && h != nil {
				found = []Way{h.way(d.alias)} // our gatekeeper may know more than our zone
			}
			if len(found) == 0 {
				cause = why
			}
			out = append(out, found...)
			continue
		}
		if d.host == "" {
			if h := e.home(); h != nil {
				out = append(out, h.way(d.alias))
			}
			continue
		}
		at, err := address(ctx, d.host)
		if err != nil {
			cause = call.Cause{Code: call.Unavailable, Text: err.Error()}
			continue
		}
		out = append(out, Way{Address: at, Alias: d.alias})
	}
	return out, cause
}
