package h323_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/tpkt"
)

// FuzzCall gives a call in progress whatever messages: the leg ends when its caller
// has gone, and nothing of it is left.
//
//	input: +--------+---------+--------+---------+ ..
//	       | length | message | length | message |
//	       +--------+---------+--------+---------+
func FuzzCall(f *testing.F) {
	for _, c := range recordedCalls(f) {
		var input []byte
		for _, payload := range c.caller[1:] {
			input = binary.BigEndian.AppendUint16(input, uint16(len(payload)))
			input = append(input, payload...)
		}
		f.Add(input)
	}
	a := start(f, nil)
	setup, err := dialled(1).Setup(setupTo("88001"), callsig.Carry{Tunnelling: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		a := &agent{Endpoint: a.Endpoint, t: t, calls: a.calls, ports: a.ports}
		r := dialRaw(t, a, "127.0.0.1")
		r.send(setup, nil)
		leg := a.next()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			_ = leg.Accept(ctx, everything)
		}()
		silenced(r)
		for len(input) >= 2 {
			n := min(int(binary.BigEndian.Uint16(input)), len(input)-2)
			payload := append([]byte(nil), input[2:2+n]...)
			input = input[2+n:]
			if len(payload) >= 5 && payload[0] == 8 && payload[1] == 2 {
				payload[2], payload[3] = 0, 1 // of this call
			}
			packet, err := tpkt.Append(nil, payload)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Write(packet); err != nil {
				break // the call is over
			}
		}
		r.Close()
		_ = leg.Hangup(call.Cause{Code: call.NormalClearing}) // H.245 may hold it without signalling
		drain(t, leg)
		<-accepted
	})
}
