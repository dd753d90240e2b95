package offer

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// answered answers an offer and fails the test if it cannot.
func answered(t testing.TB, body string, local *Local, previous *State) *Result {
	t.Helper()
	d := parsed(t, body)
	answer, r, err := Answer(d, local, previous)
	require.NoError(t, err)
	require.Empty(t, Check(d, parsed(t, string(answer))))
	return r
}

// RFC 3264 §6.1 and §8.4.
func TestAnswerDirections(t *testing.T) {
	for _, tc := range []struct {
		name   string
		lines  []string
		hold   bool
		answer media.Direction
		held   bool
	}{
		{"nothing said", nil, false, media.SendRecv, false},
		{"sendrecv", []string{"a=sendrecv"}, false, media.SendRecv, false},
		{"sendonly", []string{"a=sendonly"}, false, media.RecvOnly, true},
		{"recvonly", []string{"a=recvonly"}, false, media.SendOnly, false},
		{"inactive", []string{"a=inactive"}, false, media.Inactive, true},
		{"hold of RFC 2543", []string{"c=IN IP4 0.0.0.0"}, false, media.RecvOnly, true},
		{"hold of RFC 2543, sendrecv", []string{"c=IN IP4 0.0.0.0", "a=sendrecv"}, false, media.RecvOnly, true},
		{"hold of RFC 2543, sendonly", []string{"c=IN IP4 0.0.0.0", "a=sendonly"}, false, media.RecvOnly, true},
		{"hold of RFC 2543, inactive", []string{"c=IN IP4 0.0.0.0", "a=inactive"}, false, media.Inactive, true},
		{"hold of RFC 2543, recvonly", []string{"c=IN IP4 0.0.0.0", "a=recvonly"}, false, media.Inactive, true},
		{"hold over IPv6", []string{"c=IN IP6 ::"}, false, media.RecvOnly, true},
		{"we hold too: sendrecv", []string{"a=sendrecv"}, true, media.SendOnly, false},
		{"we hold too: sendonly", []string{"a=sendonly"}, true, media.Inactive, true},
		{"we hold too: recvonly", []string{"a=recvonly"}, true, media.SendOnly, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			local := gateway()
			local.Capabilities.Hold = tc.hold
			r := answered(t, session(append([]string{"m=audio 4000 RTP/AVP 8"}, tc.lines...)...), local, nil)
			m := r.Medium(media.Audio)
			assert.Equal(t, tc.answer, m.Stream.Direction)
			assert.Contains(t, string(r.State.Body()), "a="+tc.answer.String()+"\r\n")
			assert.Equal(t, tc.held, r.Held)
			hold := len(tc.lines) > 0 && strings.HasPrefix(tc.lines[0], "c=")
			assert.Equal(t, !hold, m.RTP.IsValid(), "nothing is sent to 0.0.0.0")
		})
	}
}

// The version moves by one when the body changes, and only then.
func TestVersions(t *testing.T) {
	local := gateway()
	offer := session("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000")
	r := answered(t, offer, local, nil)
	first := r.State.Body()
	assert.Contains(t, string(first), "o=- 1234 1 IN IP4 203.0.113.5\r\n")

	r = answered(t, offer, local, r.State)
	assert.Equal(t, string(first), string(r.State.Body()), "the same offer again")

	r = answered(t, strings.Replace(offer, "m=", "a=sendonly\r\nm=", 1), local, r.State)
	assert.Contains(t, string(r.State.Body()), "o=- 1234 2 ")

	local.Capabilities.Hold = true
	_, held, err := Offer(local, r.State)
	require.NoError(t, err)
	assert.Contains(t, string(held.Body()), "o=- 1234 3 ")

	local.Capabilities.Hold = false
	_, again, err := Offer(local, held.Rollback())
	require.NoError(t, err)
	assert.Contains(t, string(again.Body()), "o=- 1234 4 ", "the version of a refused offer is not used again")
	assert.Nil(t, (*State)(nil).Rollback())
	_, fresh, err := Offer(local, nil)
	require.NoError(t, err)
	assert.Nil(t, fresh.Rollback())
}

// Hold and resume of our own keep lines, payload types and keys.
func TestHoldAndResume(t *testing.T) {
	local := gateway()
	first := answered(t, session(
		"m=application 5000 UDP/BFCP *",
		"m=audio 4000 RTP/SAVP 96 8", "a=rtpmap:96 opus/48000/2", "a=crypto:3 AES_CM_128_HMAC_SHA1_32 "+inline(1, 30),
		"m=video 0 RTP/AVP 97",
		"m=video 4002 RTP/SAVP 120", "a=rtpmap:120 H264/90000", "a=fmtp:120 profile-level-id=428016;packetization-mode=1", "a=crypto:3 AES_CM_128_HMAC_SHA1_32 "+inline(2, 30),
	), local, nil)

	local.Capabilities.Hold = true
	body, offered, err := Offer(local, first.State)
	require.NoError(t, err)
	strict(t, body)
	d := parsed(t, string(body))
	require.Len(t, d.Sections, 4)
	assert.Equal(t, []int{0, 20000, 0, 20002}, []int{d.Sections[0].Port, d.Sections[1].Port, d.Sections[2].Port, d.Sections[3].Port})
	assert.Equal(t, media.SendOnly, d.Sections[1].Direction)
	assert.Equal(t, media.SendOnly, d.Sections[3].Direction)
	assert.Equal(t, "RTP/SAVP", d.Sections[1].Profile)
	assert.Equal(t, uint8(96), d.Sections[1].payloads[0].PayloadType, "Opus keeps the number they gave it")
	assert.Equal(t, uint8(120), d.Sections[3].payloads[0].PayloadType)
	assert.Equal(t, uint32(0x428016), d.Sections[3].payloads[0].H264.ProfileLevelID)
	keyOf := func(d *Description, i int) []byte { return d.Sections[i].cryptos(local.suites())[0].Keys[0].Key }
	assert.Equal(t, keyOf(parsed(t, string(first.State.Body())), 1), keyOf(d, 1))
	assert.Equal(t, AES128SHA32, d.Sections[1].cryptos(local.suites())[0].Suite)

	answer := session(
		"m=application 0 UDP/BFCP *",
		"m=audio 4000 RTP/SAVP 96", "a=rtpmap:96 opus/48000/2", "a=recvonly", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 "+inline(1, 30),
		"m=video 0 RTP/AVP 97",
		"m=video 4002 RTP/SAVP 120", "a=rtpmap:120 H264/90000", "a=fmtp:120 packetization-mode=1", "a=recvonly", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 "+inline(2, 30),
	)
	r, err := Complete(offered, parsed(t, answer), local)
	require.NoError(t, err)
	assert.Equal(t, media.SendOnly, r.Medium(media.Audio).Stream.Direction)
	assert.False(t, r.Held)
	assert.Equal(t, first.Medium(media.Audio).SRTP.Out.Keys, r.Medium(media.Audio).SRTP.Out.Keys)

	local.Capabilities.Hold = false
	body, _, err = Offer(local, r.State)
	require.NoError(t, err)
	assert.Equal(t, media.SendRecv, parsed(t, string(body)).Sections[1].Direction)
}

// Their key changes, ours stays; another suite means another key of ours; a
// line that was closed begins with new keys.
func TestKeysOverReInvites(t *testing.T) {
	local := gateway()
	offer := func(suite Suite, first byte, length int) string {
		return session("m=audio 4000 RTP/SAVP 8", "a=crypto:1 "+string(suite)+" "+inline(first, length))
	}
	r1 := answered(t, offer(AES128SHA80, 1, 30), local, nil)
	r2 := answered(t, offer(AES128SHA80, 2, 30), local, r1.State)
	assert.Equal(t, r1.Media[0].SRTP.Out, r2.Media[0].SRTP.Out)
	assert.NotEqual(t, r1.Media[0].SRTP.In, r2.Media[0].SRTP.In)
	assert.Equal(t, string(r1.State.Body()), string(r2.State.Body()))

	r3 := answered(t, offer(AES256GCM, 2, 44), local, r2.State)
	assert.NotEqual(t, r2.Media[0].SRTP.Out.Keys, r3.Media[0].SRTP.Out.Keys)

	closed := answered(t, session("m=audio 0 RTP/SAVP 8"), local, r1.State)
	assert.Empty(t, closed.Media)
	r4 := answered(t, offer(AES128SHA80, 1, 30), local, closed.State)
	assert.NotEqual(t, r1.Media[0].SRTP.Out.Keys, r4.Media[0].SRTP.Out.Keys)
}

// A re-INVITE may give other numbers to what is in use.
func TestPayloadTypesMayChange(t *testing.T) {
	local := gateway()
	r := answered(t, session("m=audio 4000 RTP/AVP 9 101", "a=rtpmap:101 telephone-event/8000"), local, nil)
	assert.Equal(t, uint8(101), r.Media[0].SendEvents.PayloadType)
	r = answered(t, session("m=audio 4000 RTP/AVP 9 96", "a=rtpmap:96 telephone-event/8000"), local, r.State)
	assert.Equal(t, uint8(96), r.Media[0].SendEvents.PayloadType)
	assert.Equal(t, uint8(96), r.Media[0].RecvEvents.PayloadType)
	r = answered(t, session("m=audio 4000 RTP/AVP 9"), local, r.State)
	assert.Zero(t, r.Media[0].SendEvents)
	assert.False(t, r.Media[0].Stream.Keypad)
}

// A line that either side refused can carry a stream again (RFC 3264 §8.1).
func TestRefusedLinesAreReused(t *testing.T) {
	local := gateway()
	local.Capabilities.Content = nil
	_, offered, err := Offer(local, nil)
	require.NoError(t, err)
	r, err := Complete(offered, parsed(t, session("m=audio 4000 RTP/AVP 8", "m=video 0 RTP/AVP 97")), local)
	require.NoError(t, err)
	require.Len(t, r.Media, 1)

	body, _, err := Offer(local, r.State)
	require.NoError(t, err)
	assert.Contains(t, string(body), "m=video 0 RTP/AVP 97 98 99\r\n", "an offer for hold does not ask again")

	local.Extend = true
	body, offered, err = Offer(local, r.State)
	require.NoError(t, err)
	d := parsed(t, string(body))
	require.Len(t, d.Sections, 2)
	assert.Equal(t, 20002, d.Sections[1].Port)
	r, err = Complete(offered, parsed(t, session("m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 packetization-mode=1")), local)
	require.NoError(t, err)
	assert.Len(t, r.Media, 2)

	local.Capabilities.Content = local.Capabilities.Video
	body, _, err = Offer(local, r.State)
	require.NoError(t, err)
	d = parsed(t, string(body))
	require.Len(t, d.Sections, 3, "content gets a line of its own")
	assert.Equal(t, "slides", d.Sections[2].Content)
}

// What we no longer want is closed in its place.
func TestOfferDropsVideo(t *testing.T) {
	local := gateway()
	r := answered(t, session("m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f", "m=audio 4000 RTP/AVP 8"), local, nil)
	local.Transport[media.Main] = Transport{}
	body, _, err := Offer(local, r.State)
	require.NoError(t, err)
	assert.Contains(t, string(body), "m=video 0 RTP/AVP 97\r\nm=audio 20000 RTP/AVP 8 ")
	local.Transport[media.Audio] = Transport{}
	_, _, err = Offer(local, r.State)
	assert.ErrorIs(t, err, ErrNoCommonMedia)
}

func TestAddresses(t *testing.T) {
	offer := session("m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::1", "m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f")
	local := gateway()
	local.Address = netip.MustParseAddr("2001:db8::5%eth0")
	local.Transport[media.Main] = Transport{Address: ourV4, RTP: 30000, RTCP: 30007}
	r := answered(t, offer, local, nil)
	body := string(r.State.Body())
	strict(t, r.State.Body())
	assert.Contains(t, body, "o=- 1234 1 IN IP6 2001:db8::5\r\n")
	assert.Contains(t, body, "c=IN IP6 2001:db8::5\r\nt=0 0\r\nm=audio 20000 ")
	assert.Contains(t, body, "m=video 30000 RTP/AVP 97\r\nc=IN IP4 203.0.113.5\r\n")
	assert.Contains(t, body, "a=rtcp:30007\r\n")
	assert.Equal(t, "[2001:db8::1]:4000", r.Media[0].RTP.String())

	_, _, err := Answer(parsed(t, offer), &Local{Capabilities: local.Capabilities, Transport: [4]Transport{{RTP: 4}}}, nil)
	assert.ErrorContains(t, err, "no address")
	_, _, err = Answer(parsed(t, session("m=audio 4000 RTP/AVP 8", "c=IN IP4 239.1.1.1")), local, nil)
	assert.ErrorIs(t, err, ErrNoCommonMedia, "nothing is sent to a group")
	_, _, err = Answer(parsed(t, strings.Replace(session("m=audio 4000 RTP/AVP 8"), "c=", "x=", 1)), local, nil)
	assert.ErrorIs(t, err, ErrNoCommonMedia, "nowhere to send")
}

// Handing a state out twice gives the same result twice.
func TestStatesAreNotChanged(t *testing.T) {
	r := answered(t, session("m=audio 4000 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "+inline(1, 30)), gateway(), nil)
	before := r.State.Body()
	for range 2 {
		local := gateway()
		local.Extend = true
		body, offered, err := Offer(local, r.State)
		require.NoError(t, err)
		_, err = Complete(offered, parsed(t, session("m=audio 0 RTP/SAVP 8")), local)
		require.ErrorIs(t, err, ErrNoCommonMedia)
		again, _, err := Offer(local, r.State)
		require.NoError(t, err)
		assert.Equal(t, len(body), len(again))
		assert.True(t, bytes.Equal(before, r.State.Body()))
	}
	_, err := Complete(r.State, parsed(t, session()), gateway())
	assert.ErrorIs(t, err, ErrNotOffered)
	_, err = Complete(nil, parsed(t, session()), gateway())
	assert.ErrorIs(t, err, ErrNotOffered)
}

// Slides that come by a re-INVITE get the role of their label.
func TestContentComesLater(t *testing.T) {
	body, _ := fixture(t, "POLY-X30-01.sdp")
	first := answered(t, string(body), gateway(), nil)
	require.Nil(t, first.Medium(media.Content))
	later := string(body) + "m=video 17340 RTP/AVP 110\r\na=rtpmap:110 H264/90000\r\na=fmtp:110 profile-level-id=428020;packetization-mode=1\r\na=content:slides\r\na=label:3\r\na=sendonly\r\n"
	second := answered(t, later, gateway(), first.State)
	content := second.Medium(media.Content)
	require.NotNil(t, content)
	assert.Equal(t, 4, content.Index)
	assert.Equal(t, media.RecvOnly, content.Stream.Direction)
	assert.Equal(t, "3", content.Label)
	assert.False(t, second.Held)
	assert.Contains(t, string(second.State.Body()), "o=- 1234 2 ")
	third := answered(t, string(body), gateway(), second.State)
	assert.Nil(t, third.Medium(media.Content), "the lines after those of the body are gone")
}

// A session may have no stream at all (RFC 3264 §5), or lose them all.
func TestNoStreams(t *testing.T) {
	r := answered(t, session(), gateway(), nil)
	assert.Empty(t, r.Media)
	assert.Equal(t, "none", r.Encryption())
	assert.False(t, r.Held)
	r = answered(t, session("m=audio 4000 RTP/AVP 8"), gateway(), r.State)
	r = answered(t, session("m=audio 0 RTP/AVP 8"), gateway(), r.State)
	assert.Empty(t, r.Media)
	_, _, err := Offer(gateway(), r.State)
	assert.ErrorIs(t, err, ErrNoCommonMedia, "there is nothing to repeat")
}

func TestNames(t *testing.T) {
	local := gateway()
	local.User, local.Name = "gate", "Phòng họp 1"
	body := string(answered(t, session("m=audio 4000 RTP/AVP 8"), local, nil).State.Body())
	assert.Contains(t, body, "o=gate 1234 1 IN IP4 203.0.113.5\r\ns=Phòng họp 1\r\n")
	local.User, local.Name = "a b", "x\r\na=inactive"
	body = string(answered(t, session("m=audio 4000 RTP/AVP 8"), local, nil).State.Body())
	assert.Contains(t, body, "o=- 1234 1 IN IP4 203.0.113.5\r\ns=-\r\n")
}
