package sip_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
)

func TestConfigIsChecked(t *testing.T) {
	udp := []sip.Listener{{Transport: "udp", Address: "127.0.0.1:0"}}
	for name, c := range map[string]sip.Config{
		"no listener":             {},
		"unknown transport":       {Listen: []sip.Listener{{Transport: "sctp", Address: "127.0.0.1:0"}}},
		"tls without certificate": {Listen: []sip.Listener{{Transport: "tls", Address: "127.0.0.1:0"}}},
		"session below minimum":   {Listen: udp, SessionExpires: time.Second},
	} {
		_, err := sip.New(c)
		require.ErrorIs(t, err, sip.ErrConfig, name)
	}
	for name, c := range map[string]sip.Config{
		"address":           {Listen: []sip.Listener{{Transport: "udp", Address: "192.0.2.1:5060"}}},
		"one account twice": {Listen: udp, Accounts: []sip.Account{{User: "a"}, {User: "b", Aliases: []string{"a"}}}},
	} {
		_, err := sip.New(c)
		require.Error(t, err, name)
	}
	e, err := sip.New(sip.Config{Listen: udp})
	require.NoError(t, err)
	require.NotZero(t, e.Addresses()[0].Port())
	e.Close()
	again, err := sip.New(sip.Config{Listen: []sip.Listener{{Transport: "udp", Address: e.Addresses()[0].String()}}})
	require.NoError(t, err, "Close gives the port back")
	again.Close()
}

// A target that refuses connections ends the call at once.
func TestRefusedConnection(t *testing.T) {
	a := start(t, nil)
	leg, err := a.Dial(context.Background(), call.Target{
		Address: fmt.Sprintf("sip:x@127.0.0.1:%d;transport=tcp", freePort(t)), Can: phone})
	require.NoError(t, err)
	require.Equal(t, call.Timeout, await(t, leg, call.Ended).Cause.Code)
}

// The network a peer belongs to decides which of our addresses it is told, in
// Contact, Via and SDP, and how packets to it are marked.
func TestNetworks(t *testing.T) {
	marked := make(chan int, 1)
	a := start(t, func(c *sip.Config) {
		c.Listen = []sip.Listener{{Transport: "udp", Address: "127.0.0.1:0"}}
		c.Network = func(peer netip.Addr) sip.Network {
			if peer.IsLoopback() {
				return sip.Network{Local: netip.MustParseAddr("127.0.0.1"), Advertised: netip.MustParseAddr("203.0.113.7"), SignallingDSCP: 24}
			}
			return sip.Network{}
		}
	})
	w := newWire(t, a)
	raw, err := w.conn.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		require.NoError(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1))
	}))
	leg, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:w@%s", w.conn.LocalAddr()), Can: phone})
	require.NoError(t, err)
	buf, oob := make([]byte, 4096), make([]byte, 64)
	require.NoError(t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	n, oobn, _, _, err := w.conn.ReadMsgUDP(buf, oob)
	require.NoError(t, err)
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	require.NoError(t, err)
	for _, m := range messages {
		if m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_TOS {
			marked <- int(m.Data[0]) >> 2
		}
	}
	require.Equal(t, 24, <-marked)
	message := string(buf[:n])
	require.Contains(t, message, "Via: SIP/2.0/UDP 203.0.113.7:")
	require.Contains(t, message, "Contact: <sip:roomgate@203.0.113.7:")
	require.Contains(t, message, "c=IN IP4 203.0.113.7\r\n")
	require.NoError(t, leg.Hangup(call.Cause{Code: call.NormalClearing}))
}

// TLS below 1.2 is for listeners that say so, and their legs are flagged.
func TestLegacyTLS(t *testing.T) {
	cert, roots := certificate(t)
	a := start(t, func(c *sip.Config) {
		c.Listen = []sip.Listener{{Transport: "tls", Address: "127.0.0.1:0"}, {Transport: "tls", Address: "127.0.0.1:0", Legacy: true}}
		c.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
	})
	old := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, ServerName: "127.0.0.1"}
	_, err := tls.Dial("tcp", a.Addresses()[0].AddrPort.String(), old)
	require.Error(t, err)
	conn, err := tls.Dial("tcp", a.Addresses()[1].AddrPort.String(), old)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "INVITE sip:88001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKold;rport\r\n"+
		"From: <sip:o@127.0.0.1>;tag=o\r\nTo: <sip:88001@127.0.0.1>\r\nCall-ID: old\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"+
		"Contact: <sip:o@%s;transport=tls>\r\nContent-Length: 0\r\n\r\n", conn.LocalAddr().(*net.TCPAddr))
	require.NoError(t, err)
	leg := a.next()
	require.True(t, leg.Info().LegacyTLS)
	require.NoError(t, leg.Hangup(call.Cause{Code: call.Rejected}))
}
