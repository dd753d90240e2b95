package h323_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h460"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/h323/tpkt"
)

// hidden is a directory of terminals that connect for their calls; what is announced to
// them goes to a test.
type hidden struct {
	endpoint  *h323.Endpoint
	announced chan h460.IncomingCall
	err       error
}

func (h *hidden) Caller(netip.AddrPort, string, [16]byte) (string, bool) { return "", false }

func (h *hidden) Over([16]byte) {}

func (h *hidden) Find(_ context.Context, name string) ([]h323.Way, call.Cause) {
	return []h323.Way{h.endpoint.Behind(name, netip.MustParseAddrPort("127.0.0.9:1719"), func(_ context.Context, data []h225.GenericData) error {
		in, found, err := h460.ReadIncomingCall(data)
		if err == nil && found {
			h.announced <- in
		}
		return h.err
	})}, call.Cause{}
}

func startHiding(t *testing.T) (*agent, *hidden) {
	t.Helper()
	h := &hidden{announced: make(chan h460.IncomingCall, 10)}
	a := start(t, func(c *h323.Config) {
		c.Directory = h
		c.Timers.Setup = 300 * time.Millisecond
	})
	h.endpoint = a.Endpoint
	return a, h
}

// greeting is a first message as a terminal may form it.
func greeting(t *testing.T, callID [16]byte, reference q931.CallReference, reason h225.FacilityReason) []byte {
	t.Helper()
	message, err := h460.Greeting(callID)
	require.NoError(t, err)
	q, err := q931.Parse(message)
	require.NoError(t, err)
	u, err := h225.FromQ931(q)
	require.NoError(t, err)
	q.Reference = reference
	u.H323UUPDU.H323MessageBody.Facility.Reason = reason
	require.NoError(t, h225.Attach(q, u))
	message, err = q.Marshal()
	require.NoError(t, err)
	return message
}

// The SETUP comes on the connection that a terminal opens for it, however its first
// message is formed: an RMX 2000 numbers it, others give other reasons.
func TestGreetings(t *testing.T) {
	for _, c := range []struct {
		name      string
		reference q931.CallReference
		reason    h225.FacilityReason
	}{
		{"as written", q931.CallReference{}, h225.FacilityReason{UndefinedReason: true}},
		{"numbered", q931.CallReference{Value: 77}, h225.FacilityReason{UndefinedReason: true}},
		{"numbered, of the called side", q931.CallReference{Value: 77, FromDestination: true}, h225.FacilityReason{UndefinedReason: true}},
		{"forwardedElements", q931.CallReference{}, h225.FacilityReason{ForwardedElements: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, h := startHiding(t)
			l, err := a.Dial(within(t), call.Target{Address: "room", Can: phone})
			require.NoError(t, err)
			in := <-h.announced
			require.Equal(t, a.at(), in.Address)
			terminal := dialRaw(t, a, "127.0.0.9")
			terminal.send(greeting(t, in.CallID, c.reference, c.reason), nil)
			setup := terminal.await(q931.Setup)
			require.Equal(t, in.CallID, *setup.CallID)
			far, ok := h460.ReadMedia(h460.InSet(setup.Features, h460.MediaTraversal))
			require.True(t, ok)
			require.Equal(t, h460.MediaFeature{Multiplexes: true, Server: true}, far)
			require.NoError(t, l.Hangup(call.Cause{Code: call.Cancelled}))
			await(t, l, call.Ended)
		})
	}
}

// A greeting of no call is of no use, and a call nobody connects for ends.
func TestNobodyConnects(t *testing.T) {
	a, h := startHiding(t)
	l, err := a.Dial(within(t), call.Target{Address: "room", Can: phone})
	require.NoError(t, err)
	in := <-h.announced
	stranger := dialRaw(t, a, "127.0.0.9")
	other := in.CallID
	other[0]++
	stranger.send(greeting(t, other, q931.CallReference{}, h225.FacilityReason{UndefinedReason: true}), nil)
	require.Equal(t, call.Timeout, await(t, l, call.Ended).Cause.Code)

	h.err = context.DeadlineExceeded // not even RAS reaches it
	l, err = a.Dial(within(t), call.Target{Address: "room", Can: phone})
	require.NoError(t, err)
	require.Equal(t, call.Timeout, await(t, l, call.Ended).Cause.Code)
	// One that comes too late finds nobody.
	terminal := dialRaw(t, a, "127.0.0.9")
	terminal.send(greeting(t, in.CallID, q931.CallReference{}, h225.FacilityReason{UndefinedReason: true}), nil)
	require.Eventually(t, func() bool { return a.Stats().Stray >= 2 }, patience, time.Millisecond)
}

// A Tandberg announces a call twice: we connect once.
func TestCallAnnouncedTwice(t *testing.T) {
	a := start(t, func(c *h323.Config) { c.Traversal.Client = true })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	in := h460.IncomingCall{Address: netip.MustParseAddrPort(listener.Addr().String()), CallID: [16]byte{1}}
	for range 3 {
		require.NoError(t, a.CallBack(within(t), in))
	}
	in.CallID[0]++ // another call
	require.NoError(t, a.CallBack(within(t), in))
	require.NoError(t, listener.(*net.TCPListener).SetDeadline(time.Now().Add(200*time.Millisecond)))
	for want := byte(1); ; want++ {
		conn, err := listener.Accept()
		if err != nil {
			require.Equal(t, byte(3), want, "two connections for two calls")
			break
		}
		payload, err := tpkt.NewReader(conn).Next()
		require.NoError(t, err)
		m, err := q931.Parse(payload)
		require.NoError(t, err)
		u, err := h225.FromQ931(m)
		require.NoError(t, err)
		id, ok := h460.ReadGreeting(u)
		require.True(t, ok)
		require.Equal(t, want, id[0])
		require.NoError(t, conn.Close())
	}
	require.NoError(t, listener.Close())
	require.Error(t, a.CallBack(within(t), h460.IncomingCall{Address: in.Address, CallID: [16]byte{9}}), "nobody listens")
}

// RAS in call signalling where nobody takes it is passed over.
func TestTunnelledRASOfNoUse(t *testing.T) {
	a := start(t, nil)
	terminal := dialRaw(t, a, "127.0.0.1")
	terminal.send(h460.TunnelRAS([]byte{1, 2, 3}))
	terminal.send(h460.TunnelRAS([]byte{1, 2, 3}))
	// The connection serves calls all the same.
	caller, callee := connect(t, start(t, nil), a, phone)
	hangUp(t, caller, callee)
	require.Zero(t, a.Stats().Stray)
}
