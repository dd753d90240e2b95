package offer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// sirens are the modes of G.722.1 in our order of preference.
var sirens = []media.Format{
	{Codec: media.G7221, PayloadType: 115, ClockRate: 32000, Bitrate: 48000},
	{Codec: media.G7221, PayloadType: 114, ClockRate: 32000, Bitrate: 32000},
	{Codec: media.G7221, PayloadType: 113, ClockRate: 32000, Bitrate: 24000},
	{Codec: media.G7221, PayloadType: 102, ClockRate: 16000, Bitrate: 32000},
	{Codec: media.G7221, PayloadType: 103, ClockRate: 16000, Bitrate: 24000},
}

func sirensOf(list ...media.Format) *Local {
	local := gateway()
	local.Capabilities.Audio = list
	return local
}

// Room systems offer G.722.1 several times, told apart by the bit rate alone
// (RFC 5577): the best of ours that they have is answered, under their
// number and with its rate.
func TestG7221OfRoomSystems(t *testing.T) {
	for _, tc := range []struct {
		file string
		ours []media.Format
		pt   uint8
		rate int
	}{
		{"POLYCOM-RPDESKTOP-01.sdp", sirens, 115, 48000},
		{"POLYCOM-RPDESKTOP-01.sdp", sirens[1:], 114, 32000},
		{"POLYCOM-RPDESKTOP-01.sdp", sirens[2:], 113, 24000},
		{"POLYCOM-RPDESKTOP-01.sdp", sirens[3:], 102, 32000},
		{"POLYCOM-RPDESKTOP-01.sdp", sirens[4:], 101, 24000},
		{"POLYCOM-GROUP500-01.sdp", sirens[1:], 102, 32000},
		{"POLY-X30-01.sdp", sirens, 115, 48000},
		{"RADVISION-SCOPIA-01.sdp", sirens, 113, 48000},
		{"CISCO-CMS-01.sip", sirens, 109, 48000},
		{"CISCO-CMS-01.sip", sirens[2:], 111, 24000},
		{"CISCO-CE-01.sip", sirens, 104, 32000},
		{"CISCO-E20-01.sip", sirens[4:], 103, 24000},
		{"CISCO-EXPRESSWAY-01.sip", sirens, 98, 32000},
		{"CISCO-JABBER-01.sdp", sirens[4:], 105, 24000},
	} {
		body, r, err := Answer(described(t, tc.file), sirensOf(tc.ours...), nil)
		require.NoError(t, err, tc.file)
		strict(t, body)
		s := r.Media[0].Stream
		for _, f := range []media.Format{s.Send, s.Recv} {
			assert.Equal(t, media.G7221, f.Codec, tc.file)
			assert.Equal(t, tc.pt, f.PayloadType, tc.file)
			assert.Equal(t, tc.rate, f.Bitrate, tc.file)
		}
	}
}

// A rate that neither has, or no rate at all, is not taken: nothing else says
// what the payloads are. Nor is the SIREN of MSN, which is another codec.
func TestG7221NotTaken(t *testing.T) {
	for name, lines := range map[string][]string{
		"other rate": {"a=rtpmap:115 G7221/32000", "a=fmtp:115 bitrate=28000"},
		"no rate":    {"a=rtpmap:115 G7221/32000"},
		"no number":  {"a=rtpmap:115 G7221/32000", "a=fmtp:115 bitrate=48000kbps"},
		"wrong mode": {"a=rtpmap:115 G7221/16000", "a=fmtp:115 bitrate=48000"},
		"SIREN":      {"a=rtpmap:115 SIREN/16000", "a=fmtp:115 bitrate=16000"},
	} {
		_, _, err := Answer(parsed(t, session(append([]string{"m=audio 4000 RTP/AVP 115"}, lines...)...)), sirensOf(sirens...), nil)
		assert.ErrorIs(t, err, ErrNoCommonMedia, name)
	}
}

// All are offered, each with its rate; an answer that leaves the rate out means
// the one of its number.
func TestG7221Offered(t *testing.T) {
	body, state, err := Offer(sirensOf(sirens...), nil)
	require.NoError(t, err)
	strict(t, body)
	for _, line := range []string{
		"a=rtpmap:115 G7221/32000\r\n", "a=fmtp:115 bitrate=48000\r\n", "a=fmtp:114 bitrate=32000\r\n", "a=fmtp:113 bitrate=24000\r\n",
		"a=rtpmap:102 G7221/16000\r\n", "a=fmtp:102 bitrate=32000\r\n", "a=fmtp:103 bitrate=24000\r\n",
	} {
		assert.Contains(t, string(body), line)
	}
	assert.Equal(t, 1, strings.Count(string(body), "telephone-event"), "only at 8000 Hz")
	assert.Contains(t, string(body), "a=rtpmap:101 telephone-event/8000\r\n")
	answer := parsed(t, session("m=audio 4000 RTP/AVP 113", "a=rtpmap:113 G7221/32000"))
	r, err := Complete(state, answer, sirensOf(sirens...))
	require.NoError(t, err)
	assert.Equal(t, 24000, r.Media[0].Stream.Send.Bitrate)
	assert.Equal(t, 24000, r.Media[0].Stream.Recv.Bitrate)
}

// Packets hold whole frames of 20 ms.
func TestG7221Ptime(t *testing.T) {
	for asked, want := range map[string]int{"10": 20, "20": 20, "30": 20, "40": 40, "50": 40, "60": 60, "100": 60} {
		r := answered(t, session("m=audio 4000 RTP/AVP 115", "a=rtpmap:115 G7221/32000", "a=fmtp:115 bitrate=48000", "a=ptime:"+asked), sirensOf(sirens...), nil)
		assert.Equal(t, time.Duration(want)*time.Millisecond, r.Media[0].Stream.Send.Ptime, asked)
	}
}
