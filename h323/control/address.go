package control

import (
	"net/netip"

	"github.com/roomgate/roomgate/h323/h245"
)

// transportAddress writes an address as H.245 has it; nil for none.
func transportAddress(a netip.AddrPort) *h245.TransportAddress {
	switch ip := a.Addr().Unmap(); {
	case !ip.IsValid():
		return nil
	case ip.Is4():
		return &h245.TransportAddress{UnicastAddress: &h245.UnicastAddress{
			IPAddress: &h245.UnicastAddressIPAddress{Network: ip.As4(), TSAPIdentifier: a.Port()}}}
	default:
		return &h245.TransportAddress{UnicastAddress: &h245.UnicastAddress{
			IP6Address: &h245.UnicastAddressIP6Address{Network: ip.As16(), TSAPIdentifier: a.Port()}}}
	}
}

// readAddress reads an address. What cannot be sent to is invalid: port or address zero,
// multicast, networks other than IP.
func readAddress(t *h245.TransportAddress) netip.AddrPort {
	if t == nil || t.UnicastAddress == nil {
		return netip.AddrPort{}
	}
	var a netip.AddrPort
	switch u := t.UnicastAddress; {
	case u.IPAddress != nil:
		a = netip.AddrPortFrom(netip.AddrFrom4(u.IPAddress.Network), u.IPAddress.TSAPIdentifier)
	case u.IP6Address != nil:
		a = netip.AddrPortFrom(netip.AddrFrom16(u.IP6Address.Network).Unmap(), u.IP6Address.TSAPIdentifier)
	case u.IPSourceRouteAddress != nil:
		a = netip.AddrPortFrom(netip.AddrFrom4(u.IPSourceRouteAddress.Network), u.IPSourceRouteAddress.TSAPIdentifier)
	}
	if a.Port() == 0 || a.Addr().IsUnspecified() || a.Addr().IsMulticast() {
		return netip.AddrPort{}
	}
	return a
}
