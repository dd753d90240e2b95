package terminal

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
)

// registrarOf runs a gateway's SIP side with one account, room1:secret.
func registrarOf(t *testing.T, transport string) *sip.Endpoint {
	t.Helper()
	certificate, err := selfSigned()
	require.NoError(t, err)
	e, err := sip.New(sip.Config{
		Listen:      []sip.Listener{{Transport: transport, Address: "127.0.0.1:0"}},
		Accounts:    []sip.Account{{User: "room1", Password: "secret"}},
		Certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil },
		DialTLS:     &tls.Config{InsecureSkipVerify: true},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = e.Serve(ctx, func(l call.Leg) { _ = l.Hangup(call.Cause{Code: call.UserBusy}) })
	}()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	return e
}

// A terminal that registers is called over its registration.
func TestRegisterAndAnswer(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			e := registrarOf(t, transport)
			ready := make(chan string, 1)
			done := make(chan Report, 1)
			go func() {
				r, err := Run(ctx, Options{
					Register: fmt.Sprintf("room1:secret@%s", e.Addresses()[0].AddrPort), Listen: true, Address: "127.0.0.1",
					Transport: transport, Duration: 500 * time.Millisecond, AudioOnly: true,
					Ready: func(a string) { ready <- a },
				})
				assert.NoError(t, err)
				done <- r
			}()
			select {
			case <-ready:
			case r := <-done:
				t.Fatal(r.Cause)
			}
			require.Len(t, e.Registrations(), 1)
			p, err := Options{Call: "x@y", AudioOnly: true}.prepare()
			require.NoError(t, err)
			leg, err := e.Dial(ctx, call.Target{Address: "room1", Can: p.capabilities()})
			require.NoError(t, err)
			connected := false
			for ev := range leg.Events() {
				connected = connected || ev.Kind == call.Connected
			}
			assert.True(t, connected)
			assert.True(t, (<-done).Connected)
			assert.Empty(t, e.Registrations(), "it says when it goes")
		})
	}
}

func TestRegisterRefused(t *testing.T) {
	e := registrarOf(t, "udp")
	r, err := Run(context.Background(), Options{
		Register: fmt.Sprintf("room1:wrong@%s", e.Addresses()[0].AddrPort), Listen: true, Address: "127.0.0.1",
		Ready: func(string) { t.Error("ready without a registration") },
	})
	require.NoError(t, err)
	assert.False(t, r.Connected)
	assert.Contains(t, r.Cause, "registration")
	assert.False(t, r.OK())
}

// A call that nobody answers ends when its caller gives up.
func TestUnansweredCall(t *testing.T) {
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // the INVITE is there: enough
		_, _ = silent.Read(make([]byte, 4000))
		cancel()
	}()
	r, err := Run(ctx, Options{Call: fmt.Sprintf("demo@%s", silent.LocalAddr()), Address: "127.0.0.1"})
	require.NoError(t, err)
	assert.False(t, r.Connected)
	assert.Equal(t, string(call.Cancelled), r.Cause)
}

// A call that is refused is a report, not an error.
func TestRefusedCall(t *testing.T) {
	e := registrarOf(t, "udp")
	r, err := Run(context.Background(), Options{
		Call: fmt.Sprintf("demo@%s", e.Addresses()[0].AddrPort), Address: "127.0.0.1", Duration: time.Second,
	})
	require.NoError(t, err)
	assert.False(t, r.OK())
	assert.NotEmpty(t, r.Cause)
}
