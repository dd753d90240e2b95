package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip"
)

// shortSessions makes session timers that a test can wait for.
func shortSessions(c *sip.Config) {
	c.SessionExpires, c.MinSE = 2*time.Second, time.Second
}

// Both sides being well, refreshes keep a call up beyond its session interval.
func TestSessionIsRefreshed(t *testing.T) {
	tune := func(c *sip.Config) { c.SessionExpires, c.MinSE = 6*time.Second, time.Second } // given up after 4 s
	a, b := start(t, tune), start(t, tune)
	caller, callee := connect(t, a, b, "udp", phone)
	require.Never(t, func() bool {
		select {
		case <-caller.Done():
			return true
		case <-callee.Done():
			return true
		default:
			return false
		}
	}, 5*time.Second, 50*time.Millisecond)
}

// A far side that vanished is noticed when the session expires, whoever was to
// refresh it.
func TestSessionExpires(t *testing.T) {
	for name, refresher := range map[string]string{"theirs": "uac", "ours": "uas"} {
		t.Run(name, func(t *testing.T) {
			a := start(t, shortSessions)
			w := newWire(t, a)
			w.request("INVITE", 1, "application/sdp", wireSDP, "Supported: timer",
				"Allow: INVITE, ACK, BYE, UPDATE", "Session-Expires: 2;refresher="+refresher)
			leg := a.next()
			accepted := make(chan error, 1)
			go func() { accepted <- leg.Accept(within(t), phone) }()
			ok := w.final("1 INVITE")
			require.Equal(t, "2;refresher="+refresher, ok.header.Get("Session-Expires"))
			w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
			w.request("ACK", 1, "", "")
			require.NoError(t, <-accepted)
			if refresher == "uas" {
				update := w.expect("UPDATE")
				require.Equal(t, "2;refresher=uac", update.header.Get("Session-Expires"))
			}
			bye := w.expect("BYE")
			require.NotEmpty(t, bye.header.Get("Reason"))
			require.Equal(t, call.SessionExpired, await(t, leg, call.Ended).Cause.Code)
		})
	}
}

// A refresh by re-INVITE repeats the session description unchanged, and a
// re-INVITE that changes nothing is answered with the same description.
func TestUnchangedDescriptions(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.establish(a)
	var bodies []string
	for cseq := 2; cseq < 4; cseq++ {
		w.request("INVITE", cseq, "application/sdp", wireSDP)
		ok := w.final(fmt.Sprintf("%d INVITE", cseq))
		bodies = append(bodies, ok.body)
		w.request("ACK", cseq, "", "")
	}
	require.Equal(t, bodies[0], bodies[1])
	require.Contains(t, bodies[0], "m=audio ")
}

// Glare: an offer of theirs while ours is on the way gets 491, and 491 to ours
// makes us try again (RFC 3261 §14.1).
func TestGlareByHand(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg := w.establish(a)
	outcome := make(chan error, 1)
	go func() { outcome <- leg.Update(within(t), phone) }()
	ours := w.expect("INVITE")
	w.request("INVITE", 2, "application/sdp", wireSDP)
	require.Equal(t, 491, w.final("2 INVITE").status)
	w.branch--
	w.request("ACK", 2, "", "")
	w.respond(ours, 491, "Request Pending", "")
	w.expect("ACK")
	again := w.expect("INVITE")
	require.NotEqual(t, ours.header.Get("Cseq"), again.header.Get("Cseq"))
	w.respond(again, 200, "OK", strings.Replace(wireSDP, "o=- 1 1", "o=- 1 2", 1))
	w.expect("ACK")
	require.NoError(t, <-outcome)
}

// A re-INVITE that we refused, and one of ours that was refused, leave the call
// as it was.
func TestRefusedChange(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg := w.establish(a)
	before := leg.Info().Streams
	outcome := make(chan error, 1)
	go func() { outcome <- leg.Update(within(t), phone) }()
	w.respond(w.expect("INVITE"), 488, "Not Acceptable Here", "")
	require.Error(t, <-outcome)
	require.Equal(t, before, leg.Info().Streams)
	// 481 to it means that the far side has lost the call.
	go func() { outcome <- leg.Update(within(t), phone) }()
	for {
		r := w.expect("INVITE")
		if r.header.Get("Cseq") != "" {
			w.respond(r, 481, "Call/Transaction Does Not Exist", "")
			break
		}
	}
	require.ErrorIs(t, <-outcome, call.ErrEnded)
	await(t, leg, call.Ended)
}

// The ACK to a 2xx of ours is repeated when the 2xx is (RFC 3261 §13.2.2.4).
func TestAckIsRepeated(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	leg, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:w@%s", w.conn.LocalAddr()), Can: phone})
	require.NoError(t, err)
	req := w.expect("INVITE")
	w.respond(req, 200, "OK", wireSDP)
	first := w.expect("ACK")
	w.respond(req, 200, "OK", wireSDP)
	require.Equal(t, first, w.expect("ACK"))
	await(t, leg, call.Connected)
}

// Pictures are asked for by INFO where RTCP cannot (RFC 5168), both ways.
func TestPictureFastUpdate(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	w.request("INVITE", 1, "application/sdp", wireSDP+"m=video 30004 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"+
		"a=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n")
	leg := a.next()
	accepted := make(chan error, 1)
	go func() { accepted <- leg.Accept(within(t), room) }()
	ok := w.final("1 INVITE")
	w.to = tagOf.FindStringSubmatch(ok.header.Get("To"))[1]
	w.request("ACK", 1, "", "")
	require.NoError(t, <-accepted)
	var video media.Stream
	for _, s := range leg.Info().Streams {
		if s.Role == media.Main {
			video = s
		}
	}
	src := newSource(media.Main, video.Send)
	unpublish, err := leg.Publish(within(t), src)
	require.NoError(t, err)
	defer unpublish()
	w.request("INFO", 2, "application/media_control+xml",
		`<?xml version="1.0"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>`)
	require.Equal(t, 200, w.final("2 INFO").status)
	select {
	case <-src.keys:
	case <-time.After(patience):
		t.Fatal("no keyframe was asked for")
	}
}

// Silence ends a call, unless it is on hold.
func TestMediaTimeout(t *testing.T) {
	a := start(t, func(c *sip.Config) { c.MediaTimeout = 400 * time.Millisecond })
	w := newWire(t, a)
	leg := w.establish(a)
	w.request("INVITE", 2, "application/sdp", wireSDP+"a=sendonly\r\n")
	require.Equal(t, 200, w.final("2 INVITE").status)
	w.request("ACK", 2, "", "")
	await(t, leg, call.Held)
	require.Never(t, func() bool {
		select {
		case <-leg.Done():
			return true
		default:
			return false
		}
	}, 1200*time.Millisecond, 20*time.Millisecond)
	w.request("INVITE", 3, "application/sdp", wireSDP)
	require.Equal(t, 200, w.final("3 INVITE").status)
	w.request("ACK", 3, "", "")
	require.Equal(t, call.MediaTimeout, await(t, leg, call.Ended).Cause.Code)
	w.expect("BYE")
}

// Messages far beyond 1300 bytes pass over UDP in both directions, and an
// INVITE of ours that is so long goes over TCP where the target takes it
// (RFC 3261 §18.1.1).
func TestLongMessages(t *testing.T) {
	a := start(t, nil)
	w := newWire(t, a)
	padding := strings.Repeat("a=x-filler:"+strings.Repeat("z", 80)+"\r\n", 60)
	w.request("INVITE", 1, "application/sdp", wireSDP+padding)
	leg := a.next()
	require.NoError(t, leg.Hangup(call.Cause{Code: call.UserBusy}))
	require.Equal(t, 486, w.final("1 INVITE").status)

	// b listens on TCP and UDP at one port.
	b := start(t, func(c *sip.Config) {
		port := freePort(t)
		c.Listen = []sip.Listener{
			{Transport: "udp", Address: fmt.Sprintf("127.0.0.1:%d", port)}, {Transport: "tcp", Address: fmt.Sprintf("127.0.0.1:%d", port)},
		}
	})
	can := room
	for pt := uint8(98); pt < 118; pt++ {
		f := can.Video[0]
		f.PayloadType, f.H264.MaxMBPS = pt, uint32(pt)*1000
		can.Video = append(can.Video[:len(can.Video):len(can.Video)], f)
	}
	_, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:x@%s", b.address("udp")), Can: can})
	require.NoError(t, err)
	require.Equal(t, "tcp", b.next().Info().Remote.Transport)
	short, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:x@%s", b.address("udp")), Can: phone})
	require.NoError(t, err)
	require.Equal(t, "udp", b.next().Info().Remote.Transport)
	require.NoError(t, short.Hangup(call.Cause{Code: call.NormalClearing}))
	// Where TCP is refused, UDP carries it all the same.
	long, err := a.Dial(within(t), call.Target{Address: fmt.Sprintf("sip:x@%s", w.conn.LocalAddr()), Can: can})
	require.NoError(t, err)
	require.Contains(t, w.expect("INVITE").header.Get("Via"), "UDP")
	require.NoError(t, long.Hangup(call.Cause{Code: call.NormalClearing}))
}
