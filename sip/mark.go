package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mark sets the DSCP of a signalling socket by the network of its address: the
// one it is bound to, or connects to.
func (e *Endpoint) mark(network, address string, raw syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil // a name: nothing is configured for it
	}
	dscp := e.cfg.Network(at.Addr().Unmap().WithZone("")).SignallingDSCP
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
