package h245_test

import (
	"net/netip"
	"testing"

	"github.com/roomgate/roomgate/h323/h245"
)

func TestAddress(t *testing.T) {
	for _, text := range []string{"192.0.2.1:5000", "[2001:db8::1]:5001"} {
		a := netip.MustParseAddrPort(text)
		if got := h245.AddressOf(a).Unicast(); got != a {
			t.Errorf("%s comes back as %s", a, got)
		}
	}
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:5000")
	if got := h245.AddressOf(mapped); got.UnicastAddress.IPAddress == nil {
		t.Errorf("a mapped address is written as %+v", got.UnicastAddress)
	}
	if got := h245.AddressOf(netip.AddrPort{}); got != nil {
		t.Errorf("none is written as %+v", got)
	}
	for name, a := range map[string]*h245.TransportAddress{
		"none":         nil,
		"port zero":    h245.AddressOf(netip.MustParseAddrPort("192.0.2.1:0")),
		"address zero": h245.AddressOf(netip.MustParseAddrPort("0.0.0.0:5000")),
		"multicast":    {MulticastAddress: &h245.MulticastAddress{IPAddress: &h245.MulticastAddressIPAddress{}}},
		"a group":      h245.AddressOf(netip.MustParseAddrPort("224.0.0.1:5000")),
		"IPX":          {UnicastAddress: &h245.UnicastAddress{IPXAddress: &h245.UnicastAddressIPXAddress{}}},
	} {
		if got := a.Unicast(); got.IsValid() {
			t.Errorf("%s is read as %s", name, got)
		}
	}
	routed := &h245.TransportAddress{UnicastAddress: &h245.UnicastAddress{
		IPSourceRouteAddress: &h245.UnicastAddressIPSourceRouteAddress{Network: [4]byte{192, 0, 2, 1}, TSAPIdentifier: 9}}}
	if got := routed.Unicast(); got != netip.MustParseAddrPort("192.0.2.1:9") {
		t.Errorf("a source route is read as %s", got)
	}
}
