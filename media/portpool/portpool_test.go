package portpool

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var (
	loopback  = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
	noon      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func pool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	p, err := New(cfg)
	require.NoError(t, err)
	return p
}

func TestParseRange(t *testing.T) {
	low, high, err := ParseRange(" 20000 - 29999 ")
	require.NoError(t, err)
	require.Equal(t, [2]uint16{20000, 29999}, [2]uint16{low, high})
	for _, bad := range []string{"", "20000", "a-b", "5-5", "9-3", "0-100", "1-70000", "1-2-3", "-5"} {
		_, _, err := ParseRange(bad)
		require.Error(t, err, bad)
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for _, cfg := range []Config{
		{}, {Low: 10, High: 10}, {Low: 11, High: 12}, {Low: 10, High: 20, Quarantine: -1},
	} {
		_, err := New(cfg)
		require.Error(t, err)
	}
}

func TestPairIsEvenAndOddAndBound(t *testing.T) {
	for _, local := range []netip.Addr{loopback, loopback6, netip.MustParseAddr("::ffff:127.0.0.1")} {
		p := pool(t, Config{Low: 44001, High: 44008}) // 44002/3, 44004/5, 44006/7
		pair, err := p.Pair(local, Options{DSCP: 46})
		require.NoError(t, err)
		port := pair.Addr.Port()
		require.Zero(t, port%2)
		require.Equal(t, int(port), pair.RTP.LocalAddr().(*net.UDPAddr).Port)
		require.Equal(t, int(port)+1, pair.RTCP.LocalAddr().(*net.UDPAddr).Port)
		_, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(pair.Addr))
		require.ErrorIs(t, err, errInUse)
		require.Equal(t, Stats{Capacity: 3, InUse: 1, Taken: 1}, p.Stats())
		require.NoError(t, pair.Close())
		require.NoError(t, pair.Close(), "idempotent")
		require.Equal(t, Stats{Capacity: 3, Taken: 1}, p.Stats())
	}
}

func TestDSCPIsSet(t *testing.T) {
	p := pool(t, Config{Low: 44010, High: 44019})
	for _, tc := range []struct {
		local       netip.Addr
		level, name int
	}{{loopback, unix.IPPROTO_IP, unix.IP_TOS}, {loopback6, unix.IPPROTO_IPV6, unix.IPV6_TCLASS}} {
		pair, err := p.Pair(tc.local, Options{DSCP: 34, ReadBuffer: 1 << 16})
		require.NoError(t, err)
		raw, err := pair.RTCP.SyscallConn()
		require.NoError(t, err)
		var class int
		require.NoError(t, raw.Control(func(fd uintptr) { class, err = unix.GetsockoptInt(int(fd), tc.level, tc.name) }))
		require.NoError(t, err)
		require.Equal(t, 34<<2, class)
		require.NoError(t, pair.Close())
	}
	_, err := p.Pair(loopback, Options{DSCP: 64})
	require.ErrorContains(t, err, "dscp 64")
	_, err = p.Pair(loopback, Options{Interface: "no-such-interface"})
	require.ErrorContains(t, err, "no-such-interface")
	_, err = p.Pair(netip.Addr{}, Options{})
	require.Error(t, err)
	_, err = p.Pair(netip.MustParseAddr("192.0.2.1"), Options{})
	require.Error(t, err, "not an address of this host")
	require.False(t, errors.Is(err, ErrExhausted))
	require.Zero(t, p.Stats().InUse, "nothing is lost by a failure")
}

func TestQuarantineKeepsAPortOutOfUse(t *testing.T) {
	now := noon
	p := pool(t, Config{Low: 44020, High: 44023, Quarantine: 10 * time.Second, Now: func() time.Time { return now }})
	one, err := p.Pair(loopback, Options{})
	require.NoError(t, err)
	two, err := p.Pair(loopback, Options{})
	require.NoError(t, err)
	_, err = p.Pair(loopback, Options{})
	require.ErrorIs(t, err, ErrExhausted)
	require.NoError(t, one.Close())
	_, err = p.Pair(loopback, Options{})
	require.ErrorIs(t, err, ErrExhausted, "the port rests")
	require.Equal(t, Stats{Capacity: 2, InUse: 1, Resting: 1, Taken: 2, Refused: 2}, p.Stats())
	now = now.Add(9 * time.Second)
	require.NoError(t, two.Close())
	now = now.Add(time.Second)
	again, err := p.Pair(loopback, Options{})
	require.NoError(t, err)
	require.Equal(t, one.Addr, again.Addr)
	other, err := p.Pair(loopback6, Options{})
	require.NoError(t, err, "another address has its own ports")
	require.NoError(t, again.Close())
	require.NoError(t, other.Close())
}

func TestTheLongestRestedPortComesFirst(t *testing.T) {
	p := pool(t, Config{Low: 44030, High: 44039})
	var order []uint16
	for range 10 {
		pair, err := p.Pair(loopback, Options{})
		require.NoError(t, err)
		order = append(order, pair.Addr.Port())
		require.NoError(t, pair.Close())
	}
	require.Equal(t, order[:5], order[5:])
}

func TestPortsOfOthersArePassedOver(t *testing.T) {
	p := pool(t, Config{Low: 44040, High: 44043})
	squatter, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice(), Port: 44041})
	require.NoError(t, err)
	defer squatter.Close()
	for range 4 {
		pair, err := p.Pair(loopback, Options{})
		require.NoError(t, err)
		require.Equal(t, uint16(44042), pair.Addr.Port())
		require.NoError(t, pair.Close())
	}
	require.NotZero(t, p.Stats().Conflicts)
}

func TestTCPPorts(t *testing.T) {
	p := pool(t, Config{Low: 44050, High: 44051, Quarantine: time.Hour})
	a, err := p.Listen(loopback, Options{})
	require.NoError(t, err)
	b, err := p.Listen(loopback, Options{})
	require.NoError(t, err)
	require.NotEqual(t, a.Port(), b.Port())
	_, err = p.Listen(loopback, Options{})
	require.ErrorIs(t, err, ErrExhausted)
	pair, err := p.Pair(loopback, Options{})
	require.NoError(t, err, "udp ports are others")
	conn, err := net.Dial("tcp", a.Port().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	for _, c := range []interface{ Close() error }{a, a, b, pair} {
		require.NoError(t, c.Close())
	}
	_, err = p.Listen(netip.Addr{}, Options{})
	require.Error(t, err)
}

func TestLocalAddressesAreBounded(t *testing.T) {
	p := pool(t, Config{Low: 44060, High: 44061})
	for i := range maxAddresses {
		pair, err := p.Pair(netip.AddrFrom4([4]byte{127, 1, byte(i), 1}), Options{})
		require.NoError(t, err)
		require.NoError(t, pair.Close())
	}
	_, err := p.Pair(loopback, Options{})
	require.ErrorIs(t, err, ErrTooManyAddresses)
}

func TestManyAtOnceLeaveNothingBehind(t *testing.T) {
	p := pool(t, Config{Low: 44100, High: 44299})
	before := openFiles(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 50 {
				pair, err := p.Pair(loopback, Options{})
				if err == nil {
					err = pair.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, uint64(1000), p.Stats().Taken)
	require.Zero(t, p.Stats().InUse)
	require.LessOrEqual(t, openFiles(t), before)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
