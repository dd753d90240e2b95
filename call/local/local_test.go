package local_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/roomgate/roomgate/call/local"
)

func TestTowards(t *testing.T) {
	loopback, nat := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("203.0.113.9")
	peer := netip.MustParseAddr("127.0.0.5")
	var none local.Networks
	require.Equal(t, local.Network{Local: loopback, Advertised: loopback}, none.Towards(peer))
	six := none.Towards(netip.IPv6Loopback())
	require.Equal(t, netip.IPv6Loopback(), six.Local)

	some := local.Networks(func(at netip.Addr) local.Network {
		require.Equal(t, peer, at, "the peer comes without its clothes")
		return local.Network{Advertised: nat, AudioDSCP: 46}
	})
	got := some.Towards(netip.MustParseAddr("::ffff:127.0.0.5"))
	require.Equal(t, local.Network{Local: loopback, Advertised: nat, AudioDSCP: 46}, got)
}

func TestMark(t *testing.T) {
	n := local.Networks(func(netip.Addr) local.Network { return local.Network{SignallingDSCP: 24} })
	for address, option := range map[string]struct{ level, name int }{
		"127.0.0.1:0": {unix.IPPROTO_IP, unix.IP_TOS},
		"[::1]:0":     {unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
	} {
		config := net.ListenConfig{Control: n.Mark}
		l, err := config.Listen(context.Background(), "tcp", address)
		require.NoError(t, err)
		raw, err := l.(syscall.Conn).SyscallConn()
		require.NoError(t, err)
		class := 0
		require.NoError(t, raw.Control(func(fd uintptr) { class, err = unix.GetsockoptInt(int(fd), option.level, option.name) }))
		require.NoError(t, err)
		require.Equal(t, 24<<2, class, address)
		require.NoError(t, l.Close())
	}
}
