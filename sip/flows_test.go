package sip_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip"
)

// Every cause an incoming call is refused with arrives as the same cause.
func TestRefusals(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	for _, want := range []call.Cause{
		{Code: call.Rejected}, {Code: call.UnknownAlias}, {Code: call.Unavailable}, {Code: call.UserBusy},
		{Code: call.IncompatibleMedia}, {Code: call.Congestion, RetryAfter: 17}, {Code: call.Failure},
	} {
		t.Run(string(want.Code), func(t *testing.T) {
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
			require.NoError(t, err)
			callee := b.next()
			require.NoError(t, callee.Hangup(want))
			got := await(t, caller, call.Ended).Cause
			require.Equal(t, want.Code, got.Code, got.Text)
			require.Equal(t, want.RetryAfter, got.RetryAfter)
			require.Equal(t, want.Code, await(t, callee, call.Ended).Cause.Code)
		})
	}
}

func TestCancelBeforeAnswer(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			a, b := start(t, nil), start(t, nil)
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", transport), Can: phone})
			require.NoError(t, err)
			callee := b.next()
			require.NoError(t, callee.Progress(within(t), call.Provisional{Ringing: true}))
			await(t, caller, call.Ringing)
			require.NoError(t, caller.Hangup(call.Cause{Code: call.NormalClearing}))
			require.Equal(t, call.Cancelled, await(t, callee, call.Ended).Cause.Code)
			await(t, caller, call.Ended)
			require.ErrorIs(t, callee.Accept(within(t), phone), call.ErrEnded)
		})
	}
}

// A caller that gives up while the answer is on its way must end with a call
// that both know to be over, whichever came first.
func TestCancelRacesAnswer(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	for range 40 {
		caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
		require.NoError(t, err)
		callee := b.next()
		accepted := make(chan error, 1)
		go func() { accepted <- callee.Accept(within(t), phone) }()
		require.NoError(t, caller.Hangup(call.Cause{Code: call.NormalClearing}))
		await(t, caller, call.Ended)
		<-accepted
		for ev := range callee.Events() {
			if ev.Kind == call.Ended {
				require.Contains(t, []call.CauseCode{call.Cancelled, call.NormalClearing}, ev.Cause.Code)
			}
		}
	}
	require.Eventually(t, func() bool { return a.Calls() == 0 && b.Calls() == 0 }, patience, 10*time.Millisecond)
}

func TestHoldAndResume(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, "udp", phone)
	hold := phone
	hold.Hold = true
	require.NoError(t, caller.Update(within(t), hold))
	await(t, callee, call.Held)
	require.True(t, callee.Info().Held)
	require.Equal(t, media.RecvOnly, callee.Info().Streams[0].Direction, "hold is answered recvonly")
	require.NoError(t, caller.Update(within(t), phone))
	await(t, callee, call.Resumed)
	require.Equal(t, media.SendRecv, callee.Info().Streams[0].Direction)
	exchangeAudio(t, caller, callee)
	exchangeAudio(t, callee, caller)
}

// The callee may offer too, and both at once must come to an end by themselves
// (RFC 3261 §14.1).
func TestGlare(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, "udp", phone)
	require.NoError(t, callee.Update(within(t), phone))
	outcome := make(chan error, 2)
	go func() { outcome <- caller.Update(within(t), phone) }()
	go func() { outcome <- callee.Update(within(t), phone) }()
	require.NoError(t, <-outcome)
	require.NoError(t, <-outcome)
	exchangeAudio(t, caller, callee)
}

func TestVideoCall(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, "tcp", room)
	require.Len(t, callee.Info().Streams, 2)
	require.Equal(t, media.G722, callee.Info().Streams[0].Send.Codec)
	require.Equal(t, media.H264, caller.Info().Streams[1].Send.Codec)
	src := newSource(media.Main, callee.Info().Streams[1].Send)
	unpublish, err := callee.Publish(within(t), src)
	require.NoError(t, err)
	unpublish()
	unpublish()
	require.NotEmpty(t, caller.(call.StatsReporter).Stats())
	// Taking video away closes it on both sides.
	require.NoError(t, caller.Update(within(t), media.Capabilities{Audio: room.Audio, Keypad: true}))
	await(t, callee, call.MediaChanged)
	require.Len(t, callee.Info().Streams, 1)
}

func TestEarlyMedia(t *testing.T) {
	for name, policy := range map[string]sip.Reliable{"plain": sip.ReliableOff, "reliable": sip.ReliableSupported} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, nil), start(t, func(c *sip.Config) { c.Reliable = policy })
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
			require.NoError(t, err)
			callee := b.next()
			require.NoError(t, callee.Progress(within(t), call.Provisional{EarlyMedia: &phone}))
			await(t, caller, call.EarlyMedia)
			exchangeAudio(t, callee, caller)
			require.NoError(t, callee.Accept(within(t), phone))
			await(t, caller, call.Connected)
			exchangeAudio(t, caller, callee)
		})
	}
}

func TestDelayedOffer(t *testing.T) {
	a, b := start(t, func(c *sip.Config) { c.DelayedOffer = true }), start(t, nil)
	for _, early := range []bool{false, true} {
		caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
		require.NoError(t, err)
		callee := b.next()
		if early { // our offer goes out in a reliable 183, the answer comes in PRACK
			require.NoError(t, callee.Progress(within(t), call.Provisional{EarlyMedia: &phone}))
			await(t, caller, call.EarlyMedia)
		}
		require.NoError(t, callee.Accept(within(t), phone))
		await(t, caller, call.Connected)
		exchangeAudio(t, caller, callee)
		exchangeAudio(t, callee, caller)
		require.NoError(t, callee.Hangup(call.Cause{Code: call.MeetingEnded}))
		await(t, caller, call.Ended)
	}
}

func TestDigits(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	without := phone
	without.Keypad = false
	for name, can := range map[string]media.Capabilities{"events": phone, "info": without} {
		t.Run(name, func(t *testing.T) {
			caller, callee := connect(t, a, b, "udp", can)
			require.Equal(t, can.Keypad, caller.Info().Streams[0].Keypad)
			require.NoError(t, caller.(call.DigitSender).SendDigits(within(t), "12#"))
			for _, want := range "12#" {
				require.Equal(t, want, await(t, callee, call.Keypad).Digit)
			}
		})
	}
}

func TestTransfer(t *testing.T) {
	for name, outcome := range map[string]call.Cause{
		"reached": {Code: call.NormalClearing}, "busy": {Code: call.UserBusy},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, nil), start(t, nil)
			caller, callee := connect(t, a, b, "udp", phone)
			result := make(chan error, 1)
			go func() { result <- callee.(call.Transferrer).Transfer(within(t), "sip:88002@example.com") }()
			refer := await(t, caller, call.Referred).Refer
			require.Equal(t, "sip:88002@example.com", refer.To)
			refer.Accept()(outcome)
			err := <-result
			require.Equal(t, outcome.Code == call.NormalClearing, err == nil, "%v", err)
		})
	}
	t.Run("moved", func(t *testing.T) { // the call goes on, which is no outcome
		a, b := start(t, nil), start(t, nil)
		caller, callee := connect(t, a, b, "udp", phone)
		result := make(chan error, 1)
		go func() { result <- callee.(call.Transferrer).Transfer(within(t), "sip:88002@example.com") }()
		await(t, caller, call.Referred).Refer.Accept()(call.Cause{})
		require.ErrorContains(t, <-result, "no outcome")
		exchangeAudio(t, caller, callee)
	})
	t.Run("refused", func(t *testing.T) {
		a, b := start(t, nil), start(t, nil)
		caller, callee := connect(t, a, b, "udp", phone)
		result := make(chan error, 1)
		go func() { result <- callee.(call.Transferrer).Transfer(within(t), "sip:88002@example.com") }()
		await(t, caller, call.Referred).Refer.Refuse(call.Cause{Code: call.Rejected})
		require.Error(t, <-result)
	})
}

func TestShowText(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, _ := connect(t, a, b, "udp", phone)
	require.NoError(t, caller.(call.TextShower).ShowText(within(t), "Xin chào"))
}

// Encryption is a policy of either side: what one requires and the other does
// not do ends with a cause that says so.
func TestEncryptionPolicy(t *testing.T) {
	a := start(t, nil)
	b := start(t, func(c *sip.Config) { c.Encryption = sip.EncryptRequire })
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
	require.NoError(t, err)
	callee := b.next()
	require.Error(t, callee.Accept(within(t), phone))
	require.Equal(t, call.EncryptionRequired, await(t, callee, call.Ended).Cause.Code)
	require.Equal(t, call.IncompatibleMedia, await(t, caller, call.Ended).Cause.Code)

	caller, err = a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone, Encryption: "require"})
	require.NoError(t, err)
	callee = b.next()
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	require.Equal(t, "srtp", callee.Info().Encryption)
	exchangeAudio(t, caller, callee)
}

// What one call needs may be stricter than the policy of the endpoint.
func TestCapabilitiesRequireEncryption(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone, Encryption: "off"})
	require.NoError(t, err)
	callee := b.next()
	strict := phone
	strict.Encryption = "require"
	require.Error(t, callee.Accept(within(t), strict))
	require.Equal(t, call.EncryptionRequired, await(t, callee, call.Ended).Cause.Code)
	require.Equal(t, call.IncompatibleMedia, await(t, caller, call.Ended).Cause.Code)
}

func TestNobodyAnswers(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	for _, ring := range []bool{true, false} {
		caller, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone, Timeout: 300 * time.Millisecond})
		require.NoError(t, err)
		callee := b.next()
		want := call.Timeout
		if ring {
			want = call.NoAnswer
			require.NoError(t, callee.Progress(within(t), call.Provisional{Ringing: true}))
		}
		require.Equal(t, want, await(t, caller, call.Ended).Cause.Code)
		require.Equal(t, call.Cancelled, await(t, callee, call.Ended).Cause.Code)
	}
}

func TestDialRefusesNonsense(t *testing.T) {
	a := start(t, nil)
	for _, address := range []string{"sip:", "sip:@", "http://x", "tel:+841234", "sip:x@[::1"} {
		_, err := a.Dial(context.Background(), call.Target{Address: address, Can: phone})
		require.ErrorIs(t, err, sip.ErrTarget, address)
	}
	leg, err := a.Dial(context.Background(), call.Target{Address: "nobody", Can: phone})
	require.NoError(t, err)
	require.Equal(t, call.UnknownAlias, await(t, leg, call.Ended).Cause.Code)
}

func TestDrainAndLimits(t *testing.T) {
	a := start(t, nil)
	b := start(t, func(c *sip.Config) { c.Limits.Calls = 1 })
	first, _ := connect(t, a, b, "udp", phone)
	second, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
	require.NoError(t, err)
	cause := await(t, second, call.Ended).Cause
	require.Equal(t, call.Congestion, cause.Code)
	require.Positive(t, cause.RetryAfter)
	b.Drain()
	require.NoError(t, first.Hangup(call.Cause{Code: call.NormalClearing}))
	require.Eventually(t, func() bool { return b.Calls() == 0 }, patience, 5*time.Millisecond)
	third, err := a.Dial(within(t), call.Target{Address: b.uri("x", "udp"), Can: phone})
	require.NoError(t, err)
	require.Equal(t, call.Congestion, await(t, third, call.Ended).Cause.Code)
}

// Stopping an endpoint ends its calls with a BYE.
func TestShutdownSaysGoodbye(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, "udp", phone)
	a.stop()
	require.Equal(t, call.Draining, await(t, caller, call.Ended).Cause.Code)
	await(t, callee, call.Ended)
	_, err := a.Dial(context.Background(), call.Target{Address: b.uri("x", "udp"), Can: phone})
	require.Error(t, err)
	require.True(t, errors.Is(err, sip.ErrTarget) || errors.Is(err, call.ErrEnded))
}
