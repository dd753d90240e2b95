package main

import (
	"cmp"
	"net"
	"net/netip"
	"slices"

	"github.com/roomgate/roomgate/call/local"
	"github.com/roomgate/roomgate/config"
)

// networks finds how we look towards a peer. The most specific one wins.
type networks []config.Network

func newNetworks(list []config.Network) networks {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b config.Network) int { return cmp.Compare(b.CIDR.Bits(), a.CIDR.Bits()) })
	return sorted
}

// towards serves the stacks.
func (n networks) towards(peer netip.Addr) local.Network {
	peer = peer.Unmap().WithZone("")
	for _, c := range n {
		if !c.CIDR.Contains(peer) {
			continue
		}
		out := local.Network{
			Interface: c.Interface,
			AudioDSCP: uint8(c.DSCPAudio), VideoDSCP: uint8(c.DSCPVideo), SignallingDSCP: uint8(c.DSCPSignalling),
		}
		onHost := interfaceAddress(c.Interface, peer.Is4())
		out.Local, out.Advertised = onHost, onHost
		if c.Address.IsValid() {
			out.Advertised = c.Address
			if isLocal(c.Address) {
				out.Local = c.Address
			}
		}
		return out
	}
	return local.Network{}
}

// advertised lists the first address of each family that the networks show,
// for the media of the embedded meeting server.
func (n networks) advertised() []netip.Addr {
	var out []netip.Addr
	for _, c := range n {
		known := func(a netip.Addr) bool { return a.Is4() == c.Address.Is4() }
		if c.Address.IsValid() && !slices.ContainsFunc(out, known) {
			out = append(out, c.Address)
		}
	}
	return out
}

// shows reports whether an address is one that we show to somebody.
func (n networks) shows(a netip.Addr) bool {
	return slices.ContainsFunc(n, func(c config.Network) bool { return c.Address == a })
}

// interfaceAddress is the first address of a family on an interface; invalid
// when there is none.
func interfaceAddress(name string, v4 bool) netip.Addr {
	if name == "" {
		return netip.Addr{}
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}
	}
	addresses, err := i.Addrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a.String())
		if addr := p.Addr().Unmap(); err == nil && addr.Is4() == v4 && !addr.IsLinkLocalUnicast() {
			return addr
		}
	}
	return netip.Addr{}
}

// isLocal reports whether an address is one of this host's, rather than of a
// NAT before it.
func isLocal(a netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, local := range addresses {
		if p, err := netip.ParsePrefix(local.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	return false
}
