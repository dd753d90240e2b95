package h323_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
)

func normal() call.Cause { return call.Cause{Code: call.NormalClearing} }

// drain reads a leg to its end.
func drain(t testing.TB, l call.Leg) call.Cause { return await(t, l, call.Ended).Cause }

func TestSilentAndHalfOpenConnectionsAreClosed(t *testing.T) {
	a := start(t, func(c *h323.Config) { c.Timers.Silence = 50 * time.Millisecond })
	for _, says := range []string{"", "\x03", "\x03\x00\x00\x04", "\x03\x00\x00\x05X"} {
		r := dialRaw(t, a, "127.0.0.1")
		_, err := r.Write([]byte(says))
		require.NoError(t, err)
		if says == "\x03" {
			continue // a packet begun has longer; see transport
		}
		r.gone()
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	a := start(t, func(c *h323.Config) {
		c.Limits.ConnectionsPerSource, c.Limits.Silent, c.Limits.Connections = 3, 5, 100
	})
	var open []*raw
	for range 3 {
		open = append(open, dialRaw(t, a, "127.0.0.1"))
	}
	dialRaw(t, a, "127.0.0.1").gone()
	other := dialRaw(t, a, "127.0.0.2") // others are let in
	leg := other.calls(a, dialled(1), "88001")
	require.NoError(t, leg.Hangup(normal()))
	drain(t, leg)
	require.EqualValues(t, 1, a.Stats().Refused)
	for _, r := range append(open, other) {
		r.Close()
	}
	require.Eventually(t, func() bool { return a.Stats().Connections == 0 }, patience, 5*time.Millisecond)
}

func TestGarbageDisturbsNobody(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, b, a, phone)
	for _, says := range [][]byte{
		bytes.Repeat([]byte{0xFF}, 65531), bytes.Repeat([]byte{8, 2, 0, 1, 5}, 13106), {8}, {8, 2, 0, 1, 5}, {8, 2, 0, 1, 5, 0x7E, 0, 1, 5},
		append([]byte{8, 2, 0, 1, 5, 0x7E, 0xFF, 0xF0}, bytes.Repeat([]byte{5}, 0xFFF0)...),
	} {
		r := dialRaw(t, a, "127.0.0.1")
		for range 30 {
			packet := append([]byte{3, 0, byte((len(says) + 4) >> 8), byte(len(says) + 4)}, says...)
			if _, err := r.Write(packet); err != nil {
				break // it was closed, which is its right
			}
		}
		r.Close()
	}
	require.Eventually(t, func() bool { return a.Stats().Malformed > 5 }, patience, 5*time.Millisecond)
	exchangeAudio(t, caller, callee)
	hangUp(t, caller, callee)
}

func TestSetupThatCannotBeReadIsRefused(t *testing.T) {
	a := start(t, nil)
	r := dialRaw(t, a, "127.0.0.1")
	q := &q931.Message{Reference: q931.CallReference{Value: 9}, Type: q931.Setup}
	r.send(q.Marshal())
	m := r.next()
	require.Equal(t, q931.ReleaseComplete, m.Type())
	require.Equal(t, q931.CallReference{Value: 9, FromDestination: true}, m.Reference())
	require.Equal(t, call.BadRequest, m.Cause().Code)
}

func TestSeveralCallsOnOneConnection(t *testing.T) {
	a := start(t, nil)
	r := dialRaw(t, a, "127.0.0.1")
	one, two := dialled(1), dialled(2)
	first, second := r.calls(a, one, "1001"), r.calls(a, two, "1002")
	require.Equal(t, "1001", first.Info().Called)
	require.Equal(t, "1002", second.Info().Called)

	// A SETUP with a reference that is taken does not touch the call that has it.
	r.send(dialled(1).Setup(setupTo("1003"), callsig.Carry{}))
	status := r.await(q931.Status)
	require.Equal(t, uint16(1), status.Reference().Value)
	e, _ := status.Q931.Get(q931.CallStateID)
	state, err := q931.ParseOctet(e)
	require.NoError(t, err)
	require.EqualValues(t, callsig.IncomingProceeding, state)

	r.send(one.ReleaseComplete(normal(), callsig.Carry{}))
	require.Equal(t, call.Cancelled, drain(t, first).Code)
	require.NoError(t, second.Progress(within(t), call.Provisional{Ringing: true}))
	require.Equal(t, uint16(2), r.await(q931.Alerting).Reference().Value)

	again := r.calls(a, dialled(1), "1004") // the reference is free again
	require.NoError(t, again.Hangup(call.Cause{Code: call.UnknownAlias}))
	m := r.await(q931.ReleaseComplete)
	require.Equal(t, call.UnknownAlias, m.Cause().Code)
	require.True(t, m.Body().ReleaseComplete.Reason.CalledPartyNotRegistered)
	drain(t, again)
	require.NoError(t, second.Hangup(normal()))
	drain(t, second)
	r.gone() // the last call was over
}

func TestStrayMessages(t *testing.T) {
	a := start(t, nil)
	r := dialRaw(t, a, "127.0.0.1")
	c := dialled(7)
	leg := r.calls(a, c, "1001")

	// What belongs to no call.
	other := dialled(99)
	_, err := other.Setup(setupTo("x"), callsig.Carry{})
	require.NoError(t, err)
	r.send(other.Tunnel(callsig.Carry{}))
	m := r.next()
	require.Equal(t, q931.ReleaseComplete, m.Type())
	require.Equal(t, uint16(99), m.Reference().Value)
	inquiry := &q931.Message{Reference: q931.CallReference{Value: 98}, Type: q931.StatusInquiry}
	require.NoError(t, h225.Attach(inquiry, &h225.H323UserInformation{H323UUPDU: h225.H323UUPDU{
		H323MessageBody: h225.MessageBody{StatusInquiry: &h225.StatusInquiry{ProtocolIdentifier: h225.ProtocolIdentifier}},
	}}))
	r.send(inquiry.Marshal())
	require.Equal(t, q931.Status, r.next().Type())

	// Within the call: an inquiry is answered with the state, a flood of STATUS is
	// not answered at all, nor is what is answered already.
	for range 500 {
		r.send(c.Status(30))
		if payload, _ := c.Status(30); payload == nil {
			break // our own composer gives up earlier than we do
		}
	}
	flood := &q931.Message{Reference: q931.CallReference{Value: 7}, Type: q931.Status}
	flood.Set(q931.Cause{Value: 30}.Element())
	for range 1000 {
		r.send(flood.Marshal())
	}
	inquiry.Reference = q931.CallReference{Value: 7}
	r.send(inquiry.Marshal())
	m = r.next()
	require.Equal(t, q931.Status, m.Type())
	e, _ := m.Q931.Get(q931.CallStateID)
	state, err := q931.ParseOctet(e)
	require.NoError(t, err)
	require.EqualValues(t, callsig.IncomingProceeding, state)

	// A CONNECT from the caller does not belong anywhere.
	wrong := &q931.Message{Reference: q931.CallReference{Value: 7}, Type: q931.Connect}
	r.send(wrong.Marshal())
	require.Equal(t, q931.Status, r.next().Type())
	r.send(c.ReleaseComplete(normal(), callsig.Carry{}))
	require.Equal(t, call.Cancelled, drain(t, leg).Code)
}

func TestOverlappedSending(t *testing.T) {
	for name, last := range map[string]func(*raw, *callsig.Call){
		"sending complete": func(r *raw, c *callsig.Call) { r.send(c.Information("01", true, callsig.Carry{})) },
		"hash":             func(r *raw, c *callsig.Call) { r.send(c.Information("01#", false, callsig.Carry{})) },
		"no further digit": func(r *raw, c *callsig.Call) { r.send(c.Information("01", false, callsig.Carry{})) },
		"known":            func(r *raw, c *callsig.Call) { r.send(c.Information("01", false, callsig.Carry{})) },
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, func(c *h323.Config) {
				c.Timers.Overlap = time.Minute
				if name == "no further digit" {
					c.Timers.Overlap = 100 * time.Millisecond
				}
				if name == "known" {
					c.Complete = func(number string) bool { return number == "88001" }
				}
			})
			r := dialRaw(t, a, "127.0.0.1")
			c := dialled(3)
			payload, err := c.Setup(setupTo("88"), callsig.Carry{})
			require.NoError(t, err)
			r.send(overlapping(t, payload), nil)
			c.Take(r.await(q931.SetupAcknowledge).Type())
			r.send(c.Information("0", false, callsig.Carry{}))
			last(r, c)
			leg := a.next()
			require.Equal(t, "88001", leg.Info().Called)
			require.NoError(t, leg.Hangup(call.Cause{Code: call.UserBusy}))
			m := r.await(q931.ReleaseComplete)
			require.Equal(t, call.UserBusy, m.Cause().Code)
			drain(t, leg)
		})
	}
}

// overlapping makes a SETUP one whose number may go on.
func overlapping(t *testing.T, payload []byte) []byte {
	t.Helper()
	m, err := callsig.Parse(payload)
	require.NoError(t, err)
	yes := true
	m.Body().Setup.CanOverlapSend = &yes
	require.NoError(t, h225.Attach(m.Q931, m.UU))
	out, err := m.Q931.Marshal()
	require.NoError(t, err)
	return out
}

// A flood of SETUPs from one source is limited, and others call meanwhile.
func TestFloodOfSetups(t *testing.T) {
	a := start(t, func(c *h323.Config) { c.Limits.PerSource = 20 })
	b := start(t, func(c *h323.Config) { c.Listen = []string{"127.0.0.3:0"}; c.Network = from("127.0.0.3") })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := uint16(1); ctx.Err() == nil; n++ {
			conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).Dial("tcp", a.at().String())
			if err != nil {
				continue
			}
			payload, _ := dialled(n%1000+1).Setup(setupTo("flood"), callsig.Carry{})
			packet := append([]byte{3, 0, byte((len(payload) + 4) >> 8), byte(len(payload) + 4)}, payload...)
			_, _ = conn.Write(packet)
			conn.Close()
		}
	}()
	require.Eventually(t, func() bool { return a.Stats().Limited > 50 }, patience, time.Millisecond)
	caller, err := b.Dial(within(t), call.Target{Address: a.uri("88001"), Can: phone})
	require.NoError(t, err)
	var callee call.Leg
	for callee == nil {
		if l := a.next(); l.Info().Called == "88001" {
			callee = l
		} else {
			_ = l.Hangup(normal())
		}
	}
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	hangUp(t, caller, callee)
	cancel()
	<-done
	for {
		select {
		case l := <-a.calls:
			_ = l.Hangup(normal())
			continue
		case <-time.After(50 * time.Millisecond):
		}
		break
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name string
		tune func(*h323.Config)
		do   func(*agent)
		want call.CauseCode
	}{
		{"draining", nil, func(a *agent) { a.Drain() }, call.Congestion},
		{"not registered", func(c *h323.Config) { c.Direct = false }, nil, call.Unauthorized},
		{"admission", func(c *h323.Config) { c.Admit = func() *call.Cause { return &call.Cause{Code: call.UserBusy} } }, nil, call.UserBusy},
		{"too many", func(c *h323.Config) { c.Limits.Pending = 1 }, func(a *agent) {
			r := dialRaw(a.t, a, "127.0.0.1")
			leg := r.calls(a, dialled(1), "x")
			a.t.Cleanup(func() { _ = leg.Hangup(normal()) })
		}, call.Congestion},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := start(t, tc.tune), start(t, nil)
			if tc.do != nil {
				tc.do(a)
			}
			leg, err := b.Dial(within(t), call.Target{Address: a.uri("88001"), Can: phone})
			require.NoError(t, err)
			require.Equal(t, tc.want, drain(t, leg).Code)
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	defer l.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refuses := free.Addr().String()
	free.Close()
	b := start(t, func(c *h323.Config) { c.Timers.Setup = 50 * time.Millisecond })
	for target, want := range map[string]call.CauseCode{
		"h323:x@" + l.Addr().String(): call.Timeout,
		"h323:x@" + refuses:           call.Unavailable,
		"h323:nobody":                 call.UnknownAlias,
		"nobody":                      call.UnknownAlias,
	} {
		leg, err := b.Dial(within(t), call.Target{Address: target, Can: phone})
		require.NoError(t, err, target)
		assert.Equal(t, want, drain(t, leg).Code, target)
	}
	for _, bad := range []string{"", "sip:x@y", "h323:", "tel:123"} {
		_, err := b.Dial(within(t), call.Target{Address: bad, Can: phone})
		assert.ErrorIs(t, err, h323.ErrTarget, bad)
	}
}

// Calls one after another, and many at once, leave nothing behind: neither legs nor
// ports nor connections nor, by TestMain, goroutines.
func TestManyCallsLeaveNothing(t *testing.T) {
	a, b := start(t, fast), start(t, nil)
	const rounds, parallel = 25, 20
	done := make(chan error, parallel)
	for range parallel {
		go func() {
			for range rounds {
				if err := oneCall(a, b); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	answering := make(chan struct{})
	go func() {
		defer close(answering)
		for n := range rounds * parallel {
			l := <-b.calls
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if n%5 == 0 {
					_ = l.Hangup(call.Cause{Code: call.UserBusy})
				} else {
					_ = l.Accept(ctx, phone)
				}
				for range l.Events() {
				}
			}()
		}
	}()
	for range parallel {
		require.NoError(t, <-done)
	}
	<-answering
	require.Eventually(t, func() bool {
		return a.Calls() == 0 && b.Calls() == 0 && a.ports.Stats().InUse == 0 && b.ports.Stats().InUse == 0 && b.Stats().Connections == 0
	}, patience, 5*time.Millisecond)
}

func oneCall(a, b *agent) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := a.Dial(ctx, call.Target{Address: b.uri("88001"), Can: phone})
	if err != nil {
		return err
	}
	for ev := range l.Events() {
		switch ev.Kind {
		case call.Connected:
			_ = l.Hangup(normal())
		case call.Ended:
			if c := ev.Cause.Code; c != call.NormalClearing && c != call.UserBusy {
				return fmt.Errorf("ended: %s", ev.Cause)
			}
		}
	}
	return nil
}

// Limits are reloaded without touching calls.
func TestReloadOfLimits(t *testing.T) {
	a := start(t, func(c *h323.Config) { c.Limits.PerSource = 1 }) // and one more saved up
	r := dialRaw(t, a, "127.0.0.1")
	first := r.calls(a, dialled(1), "1")
	second := r.calls(a, dialled(2), "2")
	r.send(dialled(3).Setup(setupTo("3"), callsig.Carry{}))
	require.Equal(t, call.Congestion, r.await(q931.ReleaseComplete).Cause().Code)
	a.Reload(h323.Limits{PerSource: 100})
	third := r.calls(a, dialled(4), "4")
	for _, l := range []call.Leg{first, second, third} {
		require.NoError(t, l.Hangup(normal()))
		drain(t, l)
	}
}
