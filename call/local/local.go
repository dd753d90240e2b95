// Package local is about our end of a conversation: which of our addresses a peer
// sees, and how packets to it are marked. SIP and H.323 share it.
package local

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Network is how we look towards a peer.
type Network struct {
	// Local is the address sockets are bound to; invalid follows the routing
	// table.
	Local netip.Addr
	// Advertised stands in Contact, Via and SDP, and in the addresses of H.323;
	// invalid means Local.
	Advertised netip.Addr
	// Interface binds media sockets to a network interface; "" means any.
	Interface string
	// DSCP of audio and video packets, 0 to 63; 0 leaves them alone.
	AudioDSCP, VideoDSCP uint8
	// SignallingDSCP marks connections to this network, and the listeners bound
	// to an address of it; one bound to all addresses is marked by the network
	// of the unspecified address.
	SignallingDSCP uint8
}

// Networks finds how we look towards a peer; nil follows the routing table.
type Networks func(peer netip.Addr) Network

// Towards is the network of a peer, complete with addresses.
func (n Networks) Towards(peer netip.Addr) Network {
	peer = peer.Unmap()
	var out Network
	if n != nil {
		out = n(peer.WithZone(""))
	}
	if !out.Local.IsValid() {
		out.Local = source(peer)
	}
	if !out.Advertised.IsValid() {
		out.Advertised = out.Local
	}
	return out
}

// source asks the routing table; no packet is sent.
func source(peer netip.Addr) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, 9)))
	if err != nil {
		if peer.Is4() || peer.Is4In6() {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return netip.IPv6Loopback()
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone("")
}

// Mark sets the DSCP of a signalling socket by the network of its address: the
// one it is bound to, or connects to. It serves net.ListenConfig.Control and
// net.Dialer.Control.
func (n Networks) Mark(network, address string, raw syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || n == nil {
		return nil // a name: nothing is configured for it
	}
	dscp := n(at.Addr().Unmap().WithZone("")).SignallingDSCP
	if dscp == 0 {
		return nil
	}
	class := int(dscp) << 2 // the upper six bits of the octet (RFC 2474 §3)
	var failed error
	err = raw.Control(func(fd uintptr) {
		if strings.HasSuffix(network, "6") {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, class)
			return
		}
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, class)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("dscp %d of signalling: %w", dscp, err)
	}
	return nil
}
