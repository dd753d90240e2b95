package terminal

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/h323"
)

// openH323 binds an H.323 endpoint and serves it.
func (p *prepared) openH323(ctx context.Context) (*line, error) {
	cfg := h323.Config{
		Listen: []string{p.bindAddress()}, Aliases: []string{p.User}, Terminal: true, Direct: true,
		FastStart: h323.FastStart(p.FastStart), EarlyH245: p.EarlyH245,
		Ports: p.Ports, Encryption: h323.Encryption(p.Encryption), Latching: h323.LatchOff,
		Camera: p.abilities(), Product: vendors[p.Vendor].userAgent, Log: p.Logger.Named("h323"),
		Impair: p.impair(),
	}
	cfg.Traversal.Client, cfg.Traversal.Tunnel = p.Traversal != "", p.Traversal == "h460.17"
	if p.Tunnel == "off" {
		cfg.Tunnelling = h323.TunnelOff
	}
	if addr, err := netip.ParseAddr(p.bindHost); err == nil {
		cfg.Network = func(netip.Addr) local.Network { return local.Network{Local: addr} }
	}
	endpoint, err := h323.New(cfg)
	if err != nil {
		return nil, err
	}
	return serve(ctx, endpoint, fmt.Sprintf("h323:%s@%s", p.User, endpoint.Addresses()[0])), nil
}
