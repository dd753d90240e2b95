package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/roomgate/roomgate/directory"
)

// client is where a request comes from, and how it reached us.
type client struct {
	address netip.Addr
	origin  url.URL // scheme and host as the browser sees them
	trusted bool    // a good key was given
	key     directory.Key
}

type clientKey struct{}

// clientOf finds what identified and authenticate have noted.
func clientOf(ctx context.Context) client {
	c, _ := ctx.Value(clientKey{}).(client)
	return c
}

func (c client) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// identified notes who asks.
func (a *API) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(a.identify(r).in(r.Context())))
	})
}

func (a *API) identify(r *http.Request) client {
	c := client{address: peer(r), origin: url.URL{Scheme: "http", Host: r.Host}}
	if r.TLS != nil {
		c.origin.Scheme = "https"
	}
	if a.TrustedProxy(c.address) {
		c.address = a.forwarded(r, c.address)
		if proto := r.Header.Get("X-Forwarded-Proto"); proto == "http" || proto == "https" {
			c.origin.Scheme = proto
		}
		if host := r.Header.Get("X-Forwarded-Host"); host != "" && !strings.ContainsAny(host, ",/ ") {
			c.origin.Host = host
		}
	}
	if a.PublicURL != nil {
		if u := a.PublicURL(); u != nil {
			c.origin = url.URL{Scheme: u.Scheme, Host: u.Host}
		}
	}
	return c
}

// forwarded is the last address of X-Forwarded-For that is not a trusted proxy:
// what stands before it is the client's own claim.
func (a *API) forwarded(r *http.Request, from netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = hop.Unmap()
		if !a.TrustedProxy(from) {
			break
		}
	}
	return from
}

// peer is the address of the TCP connection.
func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
