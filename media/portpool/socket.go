package portpool

import (
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// control sets the options of a socket between its making and its binding.
func (o Options) control(network, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = o.apply(int(fd), strings.HasSuffix(network, "6")) })
	if err != nil {
		return err
	}
	return failed
}

func (o Options) apply(fd int, v6 bool) error {
	if o.Interface != "" {
		if err := unix.BindToDevice(fd, o.Interface); err != nil {
			return fmt.Errorf("bind to interface %q: %w", o.Interface, err)
		}
	}
	if o.DSCP == 0 {
		return nil
	}
	if o.DSCP > 63 {
		return fmt.Errorf("dscp %d: want 0 to 63", o.DSCP)
	}
	// The code point is the upper six bits of the octet (RFC 2474 §3).
	class := int(o.DSCP) << 2
	var err error
	if v6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, class)
	} else {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, class)
	}
	if err != nil {
		return fmt.Errorf("dscp %d: %w", o.DSCP, err)
	}
	return nil
}
