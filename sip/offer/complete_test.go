package offer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// completed reads an answer to our usual offer, which is
// audio 107 9 8 0 101 96, video 97 98 99, content 97 98 99.
func completed(t *testing.T, lines ...string) *Result {
	t.Helper()
	local := gateway()
	_, offered, err := Offer(local, nil)
	require.NoError(t, err)
	r, err := Complete(offered, parsed(t, session(lines...)), local)
	require.NoError(t, err)
	return r
}

func TestCompleteTolerates(t *testing.T) {
	const h264 = "a=rtpmap:97 H264/90000"
	for _, tc := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"codecs never offered",
			[]string{"m=audio 4000 RTP/AVP 18 115 8", "a=rtpmap:115 G7221/32000"},
			[]string{"audio PCMA=8 sendrecv 192.0.2.1:4000 20ms"}},
		{"several codecs, ours decide",
			[]string{"m=audio 4000 RTP/AVP 0 8 9 101", "a=rtpmap:101 telephone-event/8000"},
			[]string{"audio G722=9 sendrecv 192.0.2.1:4000 20ms dtmf=101/8000"}},
		{"numbers of their own",
			[]string{"m=audio 4000 RTP/AVP 120 121", "a=rtpmap:120 opus/48000/2", "a=rtpmap:121 telephone-event/48000"},
			[]string{"audio opus=120 sendrecv 192.0.2.1:4000 recv=107 20ms dtmf=121/48000"}},
		{"no a=rtpmap: the number is ours",
			[]string{"m=audio 4000 RTP/AVP 107 101"},
			[]string{"audio opus=107 sendrecv 192.0.2.1:4000 20ms dtmf=101/8000"}},
		{"more m-lines than offered",
			[]string{"m=audio 4000 RTP/AVP 8", "m=video 0 RTP/AVP 97", "m=video 0 RTP/AVP 97", "m=application 5000 UDP/BFCP *", "a=floorid:1 m-stream:3"},
			[]string{"audio PCMA=8 sendrecv 192.0.2.1:4000 20ms", "-", "-", "- bfcp 5000 UDP/BFCP role= conf=0 user=0 floor=1[3]"}},
		{"a line of another kind",
			[]string{"m=audio 4000 RTP/AVP 8", "m=application 4002 RTP/AVP 97", h264},
			[]string{"audio PCMA=8 sendrecv 192.0.2.1:4000 20ms", "- other"}},
		{"another profile",
			[]string{"m=audio 4000 RTP/AVPF 8"},
			[]string{"audio PCMA=8 sendrecv 192.0.2.1:4000 20ms"}},
		{"audio refused, video taken",
			[]string{"m=audio 0 RTP/AVP 8", "m=video 4002 RTP/AVP 97", h264, "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1", "a=rtcp-fb:* nack pli"},
			[]string{"-", "video H264=97 sendrecv 192.0.2.1:4002 42e01f/1 pli"}},
		{"the camera replaced by slides",
			[]string{"m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 97", h264, "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1", "a=content:slides"},
			[]string{"audio PCMA=8 sendrecv 192.0.2.1:4000 20ms", "video H264=97 sendrecv 192.0.2.1:4002 42e01f/1"}},
		{"feedback that was not offered",
			[]string{"m=audio 0 RTP/AVP 8", "m=video 4002 RTP/AVP 97", h264, "a=fmtp:97 packetization-mode=1", "a=rtcp-fb:97 nack", "a=rtcp-fb:97 goog-remb", "a=rtcp-fb:97 ccm fir tmmbr"},
			[]string{"-", "video H264=97 sendrecv 192.0.2.1:4002 42000a/1 nack fir tmmbr"}},
		{"held from the start",
			[]string{"m=audio 4000 RTP/AVP 8", "c=IN IP4 0.0.0.0"},
			[]string{"audio PCMA=8 recvonly invalid AddrPort 20ms rtcp=invalid AddrPort"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := completed(t, tc.lines...)
			assert.Equal(t, tc.want, facts(r, len(tc.want)))
		})
	}
}

// Whoever answers with a number of its own may send under it, too.
func TestCompleteReceives(t *testing.T) {
	r := completed(t, "m=audio 4000 RTP/AVP 120 121 13", "a=rtpmap:120 opus/48000/2", "a=rtpmap:121 telephone-event/48000")
	m := r.Medium(media.Audio)
	for pt, want := range map[uint8]string{107: "opus/48000/2", 9: "G722/8000", 8: "PCMA/8000", 101: "telephone-event/8000", 96: "telephone-event/48000", 120: "opus/48000", 121: "telephone-event/48000"} {
		f, ok := m.Format(pt)
		assert.True(t, ok, pt)
		if pt != 120 {
			assert.Equal(t, want, f.String())
		}
	}
	_, ok := m.Format(13)
	assert.False(t, ok, "comfort noise is none of our capabilities")
	assert.Equal(t, uint32(48000), m.RecvEvents.ClockRate)
	assert.Equal(t, uint8(96), m.RecvEvents.PayloadType)
}

func TestComfortNoise(t *testing.T) {
	local := gateway()
	local.Capabilities.Audio = []media.Format{pcma, cn}
	r := answered(t, session("m=audio 4000 RTP/AVP 8 13 118", "a=rtpmap:118 CN/16000"), local, nil)
	require.NotNil(t, r.Media[0].ComfortNoise)
	assert.Equal(t, uint8(13), r.Media[0].ComfortNoise.PayloadType)
	assert.Nil(t, answered(t, session("m=audio 4000 RTP/AVP 8 118", "a=rtpmap:118 CN/16000"), local, nil).Media[0].ComfortNoise)
	body, _, err := Offer(local, nil)
	require.NoError(t, err)
	assert.NotContains(t, string(body), "CN/8000")
}

func TestPtime(t *testing.T) {
	for _, tc := range []struct {
		codec string
		lines []string
		want  time.Duration
	}{
		{"8", nil, 20},
		{"8", []string{"a=ptime:30"}, 30},
		{"8", []string{"a=ptime:30", "a=maxptime:20"}, 20},
		{"8", []string{"a=maxptime:10"}, 10},
		{"8", []string{"a=ptime:200"}, 60},
		{"8", []string{"a=ptime:5"}, 10},
		{"8", []string{"a=ptime:25"}, 20},
		{"8", []string{"a=ptime:x"}, 20},
		{"8", []string{"a=ptime:NaN"}, 20},
		{"107", []string{"a=rtpmap:107 opus/48000/2", "a=ptime:30"}, 20},
		{"107", []string{"a=rtpmap:107 opus/48000/2", "a=ptime:40"}, 40},
		{"107", []string{"a=rtpmap:107 opus/48000/2", "a=ptime:60"}, 60},
		{"107", []string{"a=rtpmap:107 opus/48000/2", "a=ptime:10"}, 10},
	} {
		r := answered(t, session(append([]string{"m=audio 4000 RTP/AVP " + tc.codec}, tc.lines...)...), gateway(), nil)
		assert.Equal(t, tc.want*time.Millisecond, r.Media[0].Stream.Send.Ptime, "%s %v", tc.codec, tc.lines)
		assert.Equal(t, 20*time.Millisecond, r.Media[0].Stream.Recv.Ptime)
	}
}

func TestMaxSend(t *testing.T) {
	for _, tc := range []struct {
		session, line string
		audio, video  int
	}{
		{"", "", 0, 0},
		{"b=AS:0\r\n", "b=TIAS:0\r\n", 0, 0},
		{"b=AS:1000\r\n", "", 984_000, 970_000},
		{"b=CT:1000\r\n", "", 984_000, 970_000},
		{"b=CT:1000\r\nb=AS:500\r\n", "", 484_000, 485_000},
		{"b=TIAS:800000\r\nb=AS:500\r\n", "", 800_000, 800_000},
		{"b=AS:1000\r\n", "b=TIAS:64000\r\n", 64_000, 64_000},
		{"b=TIAS:64000\r\n", "b=AS:1000\r\n", 64_000, 64_000},
		{"", "b=AS:8\r\n", 6000, 7760},
		{"b=AS:99999999999\r\n", "b=TIAS:999999999999\r\n", 0, 0},
	} {
		for kind, want := range map[string]int{"audio": tc.audio, "video": tc.video} {
			body := "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\n" + tc.session + "m=" + kind + " 4000 RTP/AVP 8\r\n" + tc.line
			role := media.Main
			if kind == "audio" {
				role = media.Audio
			}
			assert.Equal(t, want, parsed(t, body).Sections[0].maxSend(role), "%s %q %q", kind, tc.session, tc.line)
		}
	}
}

func TestEvents(t *testing.T) {
	for text, want := range map[string]EventSet{
		"": AllEvents, "0-15": AllEvents, "0-16": AllEvents, "0-15,32": AllEvents, "0-11": 0x0fff,
		"0-9,11": 0x0bff, "events=0-3": 0x000f, "x": AllEvents, "9-2": AllEvents, " 1 , 3 - 4 ": 0x001a,
	} {
		assert.Equal(t, want, readEvents(text), text)
	}
	for _, text := range []string{"0-15", "0-11", "0-9,11", "1,3-4"} {
		assert.Equal(t, text, readEvents(text).String())
	}
	// One at 48000 and one at 8000: that of the codec's clock.
	both := []string{"a=rtpmap:107 opus/48000/2", "a=rtpmap:101 telephone-event/48000", "a=rtpmap:102 telephone-event/8000", "a=rtpmap:103 telephone-event/16000/1"}
	for line, want := range map[string]uint8{"107 101 102": 101, "107 102 101": 101, "8 101 102": 102, "9 101 102": 102, "8 101 103": 101, "107 103": 103, "107 102 103": 102} {
		r := answered(t, session(append([]string{"m=audio 4000 RTP/AVP " + line}, both...)...), gateway(), nil)
		assert.Equal(t, want, r.Media[0].SendEvents.PayloadType, line)
	}
}

func TestOpusParameters(t *testing.T) {
	for text, want := range map[string]media.OpusFormat{
		"": {},
		"maxplaybackrate=16000;maxaveragebitrate=64000;stereo=1;useinbandfec=1;usedtx=1": {InbandFEC: true, DTX: true, Stereo: true, MaxAverage: 64000, MaxPlaybackRate: 16000},
	} {
		assert.Equal(t, want, readOpus(text))
		assert.Equal(t, text, writeOpus(want))
	}
	assert.Equal(t, media.OpusFormat{MaxAverage: 510000, MaxPlaybackRate: 8000}, readOpus(" maxaveragebitrate=9999999; maxplaybackrate=1;sprop-stereo=1;stereo=2"))
}
