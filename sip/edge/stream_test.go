package edge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomgate/roomgate/call/limit"
	"github.com/stretchr/testify/require"
)

func TestSegments(t *testing.T) {
	s := newStack(t, Config{})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	t.Run("byte by byte", func(t *testing.T) {
		conn := dialTCP(t, l.Addr(), nil)
		for _, b := range options() {
			_, err := conn.Write([]byte{b})
			require.NoError(t, err)
		}
		require.Equal(t, reached, status(receive(t, conn)))
	})
	t.Run("several in one", func(t *testing.T) {
		conn := dialTCP(t, l.Addr(), nil)
		before := s.edge.Stats().Accepted
		_, err := conn.Write(bytes.Join([][]byte{options(), options(), crlf, options()}, nil))
		require.NoError(t, err)
		s.settle(t, func(now Stats) bool { return now.Accepted == before+3 })
	})
	t.Run("bad between good", func(t *testing.T) {
		conn := dialTCP(t, l.Addr(), nil)
		bad := bytes.Replace(options(), []byte("CSeq: 1"), []byte("CSeq: x"), 1)
		require.Equal(t, 400, status(exchange(t, conn, bad)))
		require.Equal(t, reached, status(exchange(t, conn, options())))
	})
}

// body pads a request to about size bytes.
func withBody(size int) []byte {
	body := strings.Repeat("x", size)
	o := bytes.Replace(options("Content-Type: text/plain"), []byte("Content-Length: 0"), fmt.Appendf(nil, "Content-Length: %d", size), 1)
	return append(o, body...)
}

func TestLargeMessages(t *testing.T) {
	s := newStack(t, Config{})
	tcp := s.serve(s.edge.ListenTCP("[::1]:0"))
	udp := s.serve(s.edge.ListenUDP("[::1]:0"))
	for _, c := range []struct {
		size     int
		tcp, udp int
	}{{1400, reached, reached}, {40000, reached, reached}, {65000, reached, reached}, {65600, 513, 0}, {1 << 20, 513, 0}} {
		t.Run(fmt.Sprint(c.size), func(t *testing.T) {
			conn := dialTCP(t, tcp.Addr(), nil)
			require.Equal(t, c.tcp, status(exchange(t, conn, withBody(c.size))))
			if c.udp == 0 {
				return
			}
			u := dialUDP(t, udp.Addr())
			require.Equal(t, c.udp, status(exchange(t, u, withBody(c.size))))
			require.Len(t, s.last().Body(), c.size)
		})
	}
}

func dialUDP(t *testing.T, to netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestKeepalives(t *testing.T) {
	s := newStack(t, Config{})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	conn := dialTCP(t, l.Addr(), nil)
	buf := make([]byte, 16)
	for range 3 {
		_, err := conn.Write(endOfHeaders)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		n, err := conn.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "\r\n", string(buf[:n]))
	}
	_, err := conn.Write(crlf) // a pong is not answered
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(exchange(t, conn, options()), []byte("SIP/2.0 ")))

	u := dialUDP(t, s.serve(s.edge.ListenUDP("127.0.0.1:0")).Addr())
	for _, nothing := range []string{"\r\n\r\n", "\x00", "\r\n"} {
		_, err := u.Write([]byte(nothing))
		require.NoError(t, err)
	}
	require.Equal(t, reached, status(exchange(t, u, options())))
	require.Equal(t, uint64(6), s.edge.Stats().Keepalives)
}

func TestSlowAndSilentPeers(t *testing.T) {
	s := newStack(t, Config{FirstTimeout: 50 * time.Millisecond, MessageTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	for name, first := range map[string][]byte{
		"silent": nil, "slow": []byte("OPTIONS sip:a@b SIP/2.0\r\n"), "idle": options(), "half a ping": []byte("\r"),
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialTCP(t, l.Addr(), nil)
			_, err := conn.Write(first)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
			_, err = io.Copy(io.Discard, conn)
			require.NoError(t, err, "closed by the edge, in time")
		})
	}
	s.settle(t, func(now Stats) bool { return now.Slow == 4 && now.Connections == 0 })
}

func TestConnectionsAreBounded(t *testing.T) {
	s := newStack(t, Config{Connections: 3, ConnectionsPerSource: 2})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	from := func(host string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
		conn, err := d.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	first := from("127.0.0.2")
	require.Equal(t, reached, status(exchange(t, first, options())))
	require.Equal(t, reached, status(exchange(t, from("127.0.0.2"), options())))
	closed := func(conn net.Conn) {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err)
		require.False(t, errors.Is(err, io.ErrNoProgress))
	}
	closed(from("127.0.0.2"))
	require.Equal(t, reached, status(exchange(t, from("127.0.0.3"), options())))
	closed(from("127.0.0.4"))
	require.NoError(t, first.Close())
	s.settle(t, func(now Stats) bool { return now.Connections == 2 && now.Turned == 2 })
	require.Equal(t, reached, status(exchange(t, from("127.0.0.4"), options())))
}

func TestFlowsAndHooks(t *testing.T) {
	var mu sync.Mutex
	var records []Record
	closed := make(chan Flow, 8)
	s := newStack(t, Config{
		Tap: func(r Record) {
			mu.Lock()
			defer mu.Unlock()
			r.Message = bytes.Clone(r.Message)
			records = append(records, r)
		},
		Closed: func(f Flow) { closed <- f },
	})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	conn := dialTCP(t, l.Addr(), nil)
	request := options()
	require.Equal(t, reached, status(exchange(t, conn, request)))
	remote := conn.LocalAddr().String()
	f, ok := s.edge.Flow(TCP, remote)
	require.True(t, ok)
	require.Equal(t, remote, f.Remote.String())
	require.False(t, f.LegacyTLS)
	recorded := func(n int) {
		require.Eventually(t, func() bool { // an answer is recorded after it went out
			mu.Lock()
			defer mu.Unlock()
			return len(records) == n
		}, 10*time.Second, time.Millisecond)
	}
	recorded(2)
	bad := bytes.Replace(options(), []byte("sip:demo"), []byte("x:demo"), 1)
	require.Equal(t, 416, status(exchange(t, conn, bad)))

	s.edge.Drop(TCP, remote)
	require.Equal(t, remote, (<-closed).Remote.String())
	_, ok = s.edge.Flow(TCP, remote)
	require.False(t, ok)
	recorded(4)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, request, records[0].Message, "as on the wire")
	require.True(t, records[0].In)
	require.Equal(t, reached, status(records[1].Message))
	require.False(t, records[1].In)
	require.Equal(t, 416, records[2].Refused)
	require.Equal(t, 416, status(records[3].Message))
}

func TestRateIsTakenBeforeParsing(t *testing.T) {
	allowed := netip.MustParseAddr("127.0.0.1")
	s := newStack(t, Config{Allow: func(a netip.Addr) bool { return a == allowed }})
	udp := s.serve(s.edge.ListenUDP("127.0.0.1:0"))
	other, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}, net.UDPAddrFromAddrPort(udp.Addr()))
	require.NoError(t, err)
	defer func() { _ = other.Close() }()
	for range 10 {
		_, err := other.Write(options())
		require.NoError(t, err)
	}
	require.Equal(t, reached, status(exchange(t, dialUDP(t, udp.Addr()), options())))
	s.settle(t, func(now Stats) bool { return now.Limited == 10 && now.Accepted == 1 })
}

// TestConnectionsWaitTheirTurn: over a connection nothing is lost for being
// over the share, and a source without any share does not hold us up.
func TestConnectionsWaitTheirTurn(t *testing.T) {
	rate := limit.NewRate(limit.RateConfig{PerSecond: 50, Burst: 1})
	blocked := netip.MustParseAddr("127.0.0.9")
	s := newStack(t, Config{Allow: func(a netip.Addr) bool { return a != blocked && rate.Allow(a) }})
	l := s.serve(s.edge.ListenTCP("127.0.0.1:0"))
	conn := dialTCP(t, l.Addr(), nil)
	_, err := conn.Write(bytes.Join([][]byte{options(), options(), options(), options()}, nil))
	require.NoError(t, err)
	s.settle(t, func(now Stats) bool { return now.Accepted == 4 && now.Limited > 0 })
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IP(blocked.AsSlice())}}
	silent, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	_, err = silent.Write(options())
	require.NoError(t, err)
	s.settle(t, func(now Stats) bool { return now.Connections == 2 })
	require.NoError(t, silent.Close())
}

// TestGenerations: the stack forgets sources, and nothing is lost when one
// generation follows the other.
func TestGenerations(t *testing.T) {
	s := newStack(t, Config{})
	l, err := s.edge.ListenUDP("127.0.0.1:0")
	require.NoError(t, err)
	l.udp.most, l.udp.linger = 5, 20*time.Millisecond
	s.serve(l, nil)
	for range 50 {
		require.Equal(t, reached, status(exchange(t, dialUDP(t, l.Addr()), options())))
	}
	pool := s.server.TransportLayer().Pool("UDP")
	require.Eventually(t, func() bool { return pool.Size() <= 3*l.udp.most }, patience, time.Millisecond, "sources are forgotten")
}

func TestSTUN(t *testing.T) {
	s := newStack(t, Config{})
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		conn := dialUDP(t, s.serve(s.edge.ListenUDP(host)).Addr())
		request := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, "transaction!"...)
		_, err := conn.Write(request)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		buf := make([]byte, 100)
		n, err := conn.Read(buf)
		require.NoError(t, err)
		answer := buf[:n]
		require.Equal(t, []byte{1, 1}, answer[:2])
		require.Equal(t, request[4:20], answer[4:20])
		port := (int(answer[26])<<8 | int(answer[27])) ^ 0x2112
		local := addrPort(conn.LocalAddr())
		require.Equal(t, int(local.Port()), port)
		ip := bytes.Clone(answer[28:])
		for i := range ip {
			ip[i] ^= request[4+i]
		}
		mapped, ok := netip.AddrFromSlice(ip)
		require.True(t, ok)
		require.Equal(t, local.Addr(), mapped)
	}
}
