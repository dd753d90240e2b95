package sip_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/sip"
)

// BenchmarkSetUp is a call with digest from INVITE to ACK and its end, caller
// and gateway both in this process, with media sockets on both sides.
func BenchmarkSetUp(b *testing.B) {
	gateway := start(b, withAccounts)
	caller := start(b, func(c *sip.Config) { c.Limits.Calls = 100000 })
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case l := <-gateway.calls:
				_ = l.Accept(context.Background(), phone)
			case <-stop:
				return
			}
		}
	}()
	target := call.Target{Address: gateway.uri("88001", "udp"), From: "hall@rooms.example", Username: "hall", Password: "secret", Can: phone}
	b.ReportAllocs()
	for b.Loop() {
		leg, err := caller.Dial(context.Background(), target)
		require.NoError(b, err)
		for ev := range leg.Events() {
			if ev.Kind == call.Connected {
				_ = leg.Hangup(call.Cause{Code: call.NormalClearing})
			}
		}
	}
}
