package h245

import "net/netip"

// AddressOf writes an address; nil for none.
func AddressOf(a netip.AddrPort) *TransportAddress {
	switch ip := a.Addr().Unmap(); {
	case !ip.IsValid():
		return nil
	case ip.Is4():
		return &TransportAddress{UnicastAddress: &UnicastAddress{
			IPAddress: &UnicastAddressIPAddress{Network: ip.As4(), TSAPIdentifier: a.Port()}}}
	default:
		return &TransportAddress{UnicastAddress: &UnicastAddress{
			IP6Address: &UnicastAddressIP6Address{Network: ip.As16(), TSAPIdentifier: a.Port()}}}
	}
}

// Unicast reads an address. What cannot be sent to is the zero one: port or address zero,
// multicast, networks other than IP.
func (t *TransportAddress) Unicast() netip.AddrPort {
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
