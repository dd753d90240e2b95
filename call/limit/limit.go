// Package limit keeps strangers from using more than their share: a token
// bucket per source and a lock-out that grows with repeated failures. Both
// hold a bounded number of sources, forget the least recently seen first, and
// count an IPv6 host as its /64, since a host owns all of it.
package limit

import (
	"net/netip"
)

// Source is the unit that limits count: an IPv4 address or an IPv6 /64.
func Source(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() || !addr.IsValid() {
		return addr
	}
	prefix, _ := addr.Prefix(64) // cannot fail: an IPv6 address has 128 bits
	return prefix.Addr()
}

// allowed reports whether addr lies in one of the exempt networks.
func allowed(exempt []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range exempt {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
