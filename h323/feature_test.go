package h323_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/q931"
	"github.com/roomgate/roomgate/media"
)

// stream is what stands in a role.
func stream(l call.Leg, r media.Role) media.Stream {
	for _, s := range l.Info().Streams {
		if s.Role == r {
			return s
		}
	}
	return media.Stream{Role: r}
}

func TestRingingAndNames(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), From: "8401", FromName: "Phòng họp", Can: phone})
	require.NoError(t, err)
	callee := b.next()
	require.Equal(t, "8401", callee.Info().Remote.Alias)
	require.Equal(t, "Phòng họp", callee.Info().Remote.Name)
	require.NoError(t, callee.Progress(within(t), call.Provisional{Ringing: true}))
	await(t, caller, call.Ringing)
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	hangUp(t, callee, caller)
}

func TestCallerGivesUp(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), Can: phone})
	require.NoError(t, err)
	callee := b.next()
	require.NoError(t, caller.Hangup(call.Cause{Code: call.Cancelled}))
	require.Equal(t, call.Cancelled, drain(t, callee).Code)
	require.ErrorIs(t, callee.Accept(within(t), phone), call.ErrEnded)
	drain(t, caller)
}

func TestNoAnswer(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), Can: phone, Timeout: 100 * time.Millisecond})
	require.NoError(t, err)
	callee := b.next()
	require.NoError(t, callee.Progress(within(t), call.Provisional{Ringing: true}))
	require.Equal(t, call.NoAnswer, drain(t, caller).Code)
	drain(t, callee)
}

// With nothing in common the call is refused, and both sides know why.
func TestNoCommonMedia(t *testing.T) {
	for _, way := range ways[:4] {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel() // each waits for its timer
			brief := func(c *h323.Config) { c.Timers.Control = time.Second }
			tune := func(f func(*h323.Config)) func(*h323.Config) {
				if f == nil {
					return brief
				}
				return both(f, brief)
			}
			a, b := start(t, tune(way.caller)), start(t, tune(way.callee))
			pcmu := media.Capabilities{Audio: phone.Audio[:1]}
			pcma := media.Capabilities{Audio: phone.Audio[1:]}
			caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), Can: pcmu})
			require.NoError(t, err)
			callee := b.next()
			require.ErrorIs(t, callee.Accept(within(t), pcma), call.ErrNoCommonMedia)
			require.Equal(t, call.IncompatibleMedia, drain(t, callee).Code)
			require.Equal(t, call.IncompatibleMedia, drain(t, caller).Code)
		})
	}
}

func TestEarlyMedia(t *testing.T) {
	a, b := start(t, fast), start(t, nil)
	caller, err := a.Dial(within(t), call.Target{Address: b.uri("88001"), Can: phone})
	require.NoError(t, err)
	callee := b.next()
	require.NoError(t, callee.Progress(within(t), call.Provisional{EarlyMedia: &phone}))
	await(t, caller, call.EarlyMedia)
	exchangeAudio(t, callee, caller)
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	exchangeAudio(t, caller, callee)
	hangUp(t, caller, callee)
}

func TestHoldAndResume(t *testing.T) {
	for _, way := range ways[:2] {
		t.Run(way.name, func(t *testing.T) {
			a, b := start(t, way.caller), start(t, way.callee)
			caller, callee := connect(t, a, b, room)
			hold := room
			hold.Hold = true
			require.NoError(t, caller.Update(within(t), hold))
			await(t, callee, call.Held)
			require.True(t, callee.Info().Held)
			require.False(t, stream(callee, media.Audio).Direction.Sends())
			require.NoError(t, caller.Update(within(t), room))
			await(t, callee, call.Resumed)
			require.Eventually(t, func() bool {
				return stream(callee, media.Audio).Direction == media.SendRecv && stream(caller, media.Audio).Direction == media.SendRecv
			}, patience, time.Millisecond)
			exchangeAudio(t, callee, caller)
			exchangeAudio(t, caller, callee)
			hangUp(t, caller, callee)
		})
	}
}

// Digits go as telephone events where those were agreed on, else by H.245.
func TestDigits(t *testing.T) {
	silent := phone
	silent.Keypad = false
	for name, can := range map[string]media.Capabilities{"rfc 4733": phone, "user input": silent} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, nil), start(t, nil)
			caller, callee := connect(t, a, b, can)
			require.Equal(t, can.Keypad, stream(caller, media.Audio).Keypad)
			require.NoError(t, caller.(call.DigitSender).SendDigits(within(t), "1#"))
			require.Equal(t, '1', await(t, callee, call.Keypad).Digit)
			require.Equal(t, '#', await(t, callee, call.Keypad).Digit)
			hangUp(t, caller, callee)
		})
	}
}

// The far side is asked for a picture by H.245, and told what we can take.
func TestPicturesAndBitrates(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, room)
	camera := newSource(media.Main, stream(caller, media.Main).Send)
	limits := make(chan int, 16)
	unpublish, err := caller.Publish(within(t), &limited{camera, limits})
	require.NoError(t, err)
	defer unpublish()
	w := <-camera.attach
	<-camera.keys // the first picture
	var track media.Track
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(0); track == nil; n++ {
		select {
		case got := <-callee.Tracks():
			if got.Role() == media.Main {
				track = got
			}
		case <-tick.C:
			require.NoError(t, w.WriteRTP(picture(n)))
		}
	}
	track.RequestKeyframe()
	select {
	case <-camera.keys:
	case <-time.After(patience):
		t.Fatal("nobody asked for a picture")
	}
	track.(media.BitrateTaker).TakeBitrate(300_000)
	deadline := time.After(patience)
	for {
		select {
		case bps := <-limits:
			if bps != 300_000 {
				continue // what was agreed on at first
			}
		case <-deadline:
			t.Fatal("the bound was not told")
		}
		break
	}
	require.NotEqual(t, 300_000, caller.Info().MaxVideo, "what was agreed on stands")
	hangUp(t, caller, callee)
}

// limited is a source that can be told how much to send.
type limited struct {
	*source
	limits chan int
}

func (l *limited) TakeBitrate(bps int) { l.limits <- bps }

// A call that is forwarded before it is answered goes on elsewhere.
func TestForwardedCall(t *testing.T) {
	a, c := start(t, nil), start(t, nil)
	r := listenRaw(t)
	caller, err := a.Dial(within(t), call.Target{Address: "h323:first@" + r.at(), Can: phone})
	require.NoError(t, err)
	b := r.accept()
	m := b.await(q931.Setup)
	answer := callsig.Incoming(m, rawType)
	b.send(answer.Facility(callsig.FacilityOptions{
		Reason: h225.FacilityReason{CallForwarded: true}, Address: c.at(), Aliases: []h225.AliasAddress{alias.Of("second")},
	}, callsig.Carry{}))
	require.Equal(t, q931.ReleaseComplete, b.await(q931.ReleaseComplete).Type())
	callee := c.next()
	require.Equal(t, "second", callee.Info().Called)
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	hangUp(t, caller, callee)
}

// A loop of forwarding ends.
func TestForwardingLoop(t *testing.T) {
	a := start(t, nil)
	r := listenRaw(t)
	caller, err := a.Dial(within(t), call.Target{Address: "h323:x@" + r.at(), Can: phone})
	require.NoError(t, err)
	b := r.accept()
	answer := callsig.Incoming(b.await(q931.Setup), rawType)
	b.send(answer.Facility(callsig.FacilityOptions{
		Reason: h225.FacilityReason{RouteCallToGatekeeper: true}, Aliases: []h225.AliasAddress{alias.Of("x")}, Address: r.addr(),
	}, callsig.Carry{}))
	require.NotEmpty(t, drain(t, caller).Code)
}

func TestTransferAndText(t *testing.T) {
	a, b, c := start(t, nil), start(t, nil), start(t, nil)
	caller, callee := connect(t, a, b, phone)
	require.NoError(t, callee.(call.TextShower).ShowText(within(t), "Bạn đã bị tắt tiếng"))
	require.NoError(t, callee.(call.Transferrer).Transfer(within(t), c.uri("88002")))
	refer := await(t, caller, call.Referred).Refer
	require.Equal(t, c.uri("88002"), refer.To)
	refer.Refuse(call.Cause{Code: call.Rejected})

	// Another wish, which is granted: the call goes on, whatever comes of it.
	require.Eventually(t, func() bool {
		require.NoError(t, callee.(call.Transferrer).Transfer(within(t), c.uri("88003")))
		select {
		case ev := <-caller.Events():
			refer = ev.Refer
			return ev.Kind == call.Referred
		case <-time.After(10 * time.Millisecond):
			return false
		}
	}, patience, time.Millisecond)
	require.Equal(t, c.uri("88003"), refer.To)
	refer.Accept()(call.Cause{Code: call.UserBusy})
	exchangeAudio(t, caller, callee)
	hangUp(t, caller, callee)
}

// When one way fails, the next is tried.
func TestAlternatives(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	busy := start(t, func(c *h323.Config) { c.Admit = func() *call.Cause { return &call.Cause{Code: call.UserBusy} } })
	caller, err := a.Dial(within(t), call.Target{
		Address: "h323:x@127.0.0.1:1", Alternatives: []string{busy.uri("y"), b.uri("z")}, Can: phone,
	})
	require.NoError(t, err)
	callee := b.next()
	require.Equal(t, "z", callee.Info().Called)
	require.NoError(t, callee.Accept(within(t), phone))
	await(t, caller, call.Connected)
	hangUp(t, caller, callee)
}

// FACILITY startH245 with call reference 0, as Huawei's VP9650 sends it: the call is
// found by its identifier, and a connection is opened to the address in it.
func TestStartH245WithoutReference(t *testing.T) {
	a := start(t, separate)
	r := dialRaw(t, a, "127.0.0.1")
	ear := listenRaw(t)
	c := dialled(4)
	r.send(c.Setup(setupTo("88001"), callsig.Carry{}))
	leg := a.next()
	go func() { _ = leg.Accept(within(t), phone) }()
	m := r.await(q931.Connect)
	c.Take(m.Type())
	require.True(t, m.H245Address.IsValid(), "nowhere to connect to")
	require.False(t, *m.Tunnelling)
	zero := *c
	zero.Reference = 0
	r.send(zero.Facility(callsig.FacilityOptions{Reason: h225.FacilityReason{StartH245: true}}, callsig.Carry{H245Address: ear.addr()}))
	control := ear.accept()
	require.NoError(t, control.SetReadDeadline(time.Now().Add(patience)))
	_, err := control.reader.Next()
	require.NoError(t, err, "no H.245 on the connection")
	require.NoError(t, leg.Hangup(normal()))
	drain(t, leg)
}

// A caller whose connection breaks before the answer has given up.
func TestConnectionBreaksBeforeTheAnswer(t *testing.T) {
	a := start(t, nil)
	r := dialRaw(t, a, "127.0.0.1")
	leg := r.calls(a, dialled(5), "88001")
	r.Close()
	require.Equal(t, call.Cancelled, drain(t, leg).Code)
}

// The far side may close the signalling connection after CONNECT when H.245 has its
// own: the call goes on, and ends with H.245.
func TestSignallingIsClosedAfterConnect(t *testing.T) {
	a := start(t, separate)
	r := dialRaw(t, a, "127.0.0.1")
	c := dialled(6)
	r.send(c.Setup(setupTo("88001"), callsig.Carry{}))
	leg := a.next()
	accepted := make(chan error, 1)
	go func() { accepted <- leg.Accept(within(t), phone) }()
	h := r.control(r.await(q931.Connect).H245Address, phone)
	await(t, leg, call.Connected)
	require.NoError(t, <-accepted)
	r.Close()
	require.Eventually(t, func() bool { return a.Stats().Connections == 0 }, patience, time.Millisecond)
	require.NoError(t, leg.(call.DigitSender).SendDigits(within(t), "5"), "the call is over")
	require.Equal(t, media.SendRecv, stream(leg, media.Audio).Direction)
	require.ErrorContains(t, leg.(call.TextShower).ShowText(within(t), "x"), "not established")
	h.close()
	require.Equal(t, call.NormalClearing, drain(t, leg).Code)
}

// A terminal that says endSession and then nothing more has hung up.
func TestEndSessionWithoutRelease(t *testing.T) {
	a := start(t, separate)
	r := dialRaw(t, a, "127.0.0.1")
	c := dialled(6)
	r.send(c.Setup(setupTo("88001"), callsig.Carry{}))
	leg := a.next()
	go func() { _ = leg.Accept(within(t), phone) }()
	h := r.control(r.await(q931.Connect).H245Address, phone)
	await(t, leg, call.Connected)
	h.close()
	require.Equal(t, q931.ReleaseComplete, r.await(q931.ReleaseComplete).Type())
	require.Equal(t, call.NormalClearing, drain(t, leg).Code)
}
