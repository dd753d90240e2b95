package gatekeeper

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h225"
)

// serve runs a gatekeeper on a port of loopback.
func serve(t testing.TB, change func(*Config)) (s *Server, at netip.AddrPort) {
	t.Helper()
	c := Config{ID: "gk"}
	c.Signalling = func(netip.Addr) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1720") }
	c.RAS = func(netip.Addr) netip.AddrPort { return at }
	if change != nil {
		change(&c)
	}
	s, err := Listen(c, []string{"127.0.0.1:0"}, false)
	require.NoError(t, err)
	at = s.Addresses()[0]
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return s, at
}

// TestServer registers over real UDP, and finds the registration in the store when the
// server has ended.
func TestServer(t *testing.T) {
	store := NewMemory()
	t.Run("serve", func(t *testing.T) {
		s, at := serve(t, func(c *Config) { c.Store = store })
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
		require.NoError(t, err)
		defer conn.Close()
		local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		d := newDevice("127.0.0.1", "room")
		d.ras = local
		m := &h225.RASMessage{RegistrationRequest: d.rrq()}
		m.RegistrationRequest.RequestSeqNum = 7
		pdu, err := m.Marshal()
		require.NoError(t, err)
		_, err = conn.Write(pdu)
		require.NoError(t, err)
		buffer := make([]byte, 1500)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		n, err := conn.Read(buffer)
		require.NoError(t, err)
		answer, err := h225.ParseRAS(buffer[:n])
		require.NoError(t, err)
		require.Equal(t, "RCF", outcome(answer))
		require.Equal(t, local, s.Registrations()[0].Path.Remote)
	})
	kept, err := store.All(context.Background())
	require.NoError(t, err)
	require.Len(t, kept, 1)
}
