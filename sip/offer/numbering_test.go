package offer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// numbers are the payload types of the first m-line, by codec and clock.
func numbers(t *testing.T, body []byte) map[string]uint8 {
	t.Helper()
	got := map[string]uint8{}
	for _, p := range parsed(t, string(body)).Sections[0].payloads {
		got[fmt.Sprintf("%s/%d", p.Codec, p.ClockRate)] = p.PayloadType
	}
	return got
}

func TestOfferedNumbers(t *testing.T) {
	audioOnly := func(formats ...media.Format) *Local {
		l := gateway()
		l.Encryption, l.Transport = Off, [4]Transport{{RTP: 20000}}
		l.Capabilities.Audio = formats
		return l
	}
	at := func(f media.Format, pt uint8) media.Format {
		f.PayloadType = pt
		return f
	}
	l16 := media.Format{Codec: "L16", ClockRate: 44100, Channels: 2}
	for _, tc := range []struct {
		name   string
		before []string // an offer of theirs
		ours   []media.Format
		want   map[string]uint8
	}{
		{"as proposed", nil, []media.Format{opus, pcma},
			map[string]uint8{"opus/48000": 107, "PCMA/8000": 8, "telephone-event/8000": 101, "telephone-event/48000": 96}},
		{"static numbers are known", nil, []media.Format{at(g722, 0), at(pcmu, 0), l16},
			map[string]uint8{"G722/8000": 9, "PCMU/8000": 0, "L16/44100": 10, "telephone-event/8000": 101, "telephone-event/44100": 96}},
		{"a proposal that is taken, or none", nil, []media.Format{at(opus, 101), at(g729, 101)},
			map[string]uint8{"opus/48000": 101, "G729/8000": 18, "telephone-event/8000": 96, "telephone-event/48000": 97}},
		{"theirs stay", []string{"m=audio 4000 RTP/AVP 8 120 107 96", "a=rtpmap:120 opus/48000/2", "a=rtpmap:107 iLBC/8000", "a=rtpmap:96 telephone-event/8000"}, []media.Format{opus, pcma},
			map[string]uint8{"opus/48000": 120, "PCMA/8000": 8, "telephone-event/8000": 96, "telephone-event/48000": 101}},
		{"a number they use for something else is avoided", []string{"m=audio 4000 RTP/AVP 8 107 101", "a=rtpmap:107 iLBC/8000", "a=rtpmap:101 speex/8000"}, []media.Format{opus, pcma},
			map[string]uint8{"opus/48000": 96, "PCMA/8000": 8, "telephone-event/8000": 97, "telephone-event/48000": 98}},
		{"their static number", []string{"m=audio 4000 RTP/AVP 0 8", "a=rtpmap:8 iLBC/8000"}, []media.Format{pcmu, pcma},
			map[string]uint8{"PCMU/8000": 0, "PCMA/8000": 96, "telephone-event/8000": 101}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			local := audioOnly(tc.ours...)
			var previous *State
			if tc.before != nil {
				previous = answered(t, session(tc.before...), local, nil).State
			}
			body, _, err := Offer(local, previous)
			require.NoError(t, err)
			strict(t, body)
			assert.Equal(t, tc.want, numbers(t, body))
		})
	}
}

// When every dynamic number has a meaning, one that is not in use takes another.
func TestOfferedNumbersRunOut(t *testing.T) {
	lines, maps := "m=audio 4000 RTP/AVP 8", []string{}
	for pt := firstDynamic; pt < maxFormats; pt++ {
		lines += fmt.Sprintf(" %d", pt)
		maps = append(maps, fmt.Sprintf("a=rtpmap:%d x%d/8000", pt, pt))
	}
	local := gateway()
	r := answered(t, session(append([]string{lines}, maps...)...), local, nil)
	body, _, err := Offer(local, r.State)
	require.NoError(t, err)
	strict(t, body)
	assert.Equal(t, map[string]uint8{"PCMA/8000": 8, "opus/48000": 96, "G722/8000": 9, "PCMU/8000": 0, "telephone-event/8000": 97, "telephone-event/48000": 98}, numbers(t, body))
}

// Codecs with a bit rate or channels of their own.
func TestOtherCodecs(t *testing.T) {
	local := gateway()
	g7221 := media.Format{Codec: media.G7221, PayloadType: 115, ClockRate: 32000, Bitrate: 48000}
	local.Capabilities.Audio = []media.Format{g7221, {Codec: "L16", ClockRate: 44100, Channels: 2}}
	r := answered(t, session("m=audio 4000 RTP/AVP 114 115", "a=rtpmap:114 G7221/16000", "a=rtpmap:115 g7221/32000", "a=fmtp:115 bitrate=48000"), local, nil)
	assert.Contains(t, string(r.State.Body()), "a=rtpmap:115 G7221/32000\r\na=fmtp:115 bitrate=48000\r\n")
	r = answered(t, session("m=audio 4000 RTP/AVP 11 10"), local, nil)
	assert.Contains(t, string(r.State.Body()), "m=audio 20000 RTP/AVP 10\r\na=rtpmap:10 L16/44100/2\r\n")
	_, _, err := Answer(parsed(t, session("m=audio 4000 RTP/AVP 11")), local, nil)
	assert.ErrorIs(t, err, ErrNoCommonMedia, "one channel is not two")
	_, _, err = Answer(parsed(t, session("m=audio 4000 RTP/AVP 101 13", "a=rtpmap:101 telephone-event/8000")), gateway(), nil)
	assert.ErrorIs(t, err, ErrNoCommonMedia, "events and noise are no codec")
}
