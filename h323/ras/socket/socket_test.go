package socket_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/h323/ras"
	"github.com/roomgate/roomgate/h323/ras/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open serves sockets that answer every datagram with itself.
func open(t *testing.T, discovery bool, addresses ...string) (*socket.Set, <-chan ras.Path) {
	t.Helper()
	s, err := socket.Open(addresses, discovery)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	paths, ended := make(chan ras.Path, 8), make(chan error, 1)
	go func() {
		ended <- s.Serve(ctx, func(from ras.Path, pdu []byte) {
			s.Send(from, pdu)
			paths <- from
		})
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return s, paths
}

// TestAnswersFromWhereTheQuestionWent: on a host with several addresses the answer has
// the source that the terminal, and the translators on the way, expect.
func TestAnswersFromWhereTheQuestionWent(t *testing.T) {
	for _, c := range []struct{ listen, to, from string }{
		{":0", "127.0.0.9", "127.0.0.5"},
		{":0", "::1", "::1"},
		{"0.0.0.0:0", "127.0.0.9", "127.0.0.5"},
		{"127.0.0.9:0", "127.0.0.9", "127.0.0.5"},
		{"[::1]:0", "::1", "::1"},
	} {
		t.Run(c.listen+" "+c.to, func(t *testing.T) {
			s, paths := open(t, false, c.listen)
			port := s.Addresses()[0].Port()
			from := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.from), 0))
			// A connected socket hears only the address that it sends to.
			conn, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.to), port)))
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write([]byte("who"))
			require.NoError(t, err)
			buffer := make([]byte, 16)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
			n, err := conn.Read(buffer)
			require.NoError(t, err)
			require.Equal(t, "who", string(buffer[:n]))
			path := <-paths
			require.Equal(t, conn.LocalAddr().(*net.UDPAddr).AddrPort(), path.Remote)
			require.Equal(t, netip.AddrPortFrom(netip.MustParseAddr(c.to), port), path.Local)
		})
	}
}

func TestBusyPort(t *testing.T) {
	s, err := socket.Open([]string{"127.0.0.1:0"}, false)
	require.NoError(t, err)
	defer s.Close()
	_, err = socket.Open([]string{s.Addresses()[0].String()}, false)
	require.ErrorContains(t, err, "address already in use")
}

// TestGroup: a search in the group is heard, and answered from the socket of RAS.
func TestGroup(t *testing.T) {
	s, paths := open(t, true, "127.0.0.1:0")
	if len(s.Warnings) > 0 {
		t.Skipf("no multicast here: %v", s.Warnings)
	}
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(socket.Group))
	if err != nil {
		t.Skipf("no route to a group here: %v", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("who")); err != nil {
		t.Skipf("no route to a group here: %v", err)
	}
	select {
	case path := <-paths:
		require.True(t, path.Multicast)
	case <-time.After(2 * time.Second):
		t.Skip("the system does not send a group's datagrams back")
	}
}
