package offer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Answers of other gateways that are wrong.
func TestCheckGateways(t *testing.T) {
	for _, tc := range []struct {
		offer, answer string
		want          []string
	}{
		{"POLY-X30-01.sdp", "GATEWAY-LIVEKITSIP-01.sdp", []string{
			"session: 2 m-lines answer 4 (RFC 3264 §6)",
		}},
		{"POLY-VIASBC-01.sdp", "GATEWAY-LIVEKITSIP-02.sdp", []string{
			"session: 5 m-lines answer 4 (RFC 3264 §6)",
			"session: o= is that of the offer (RFC 4566 §5.2)",
			"m-line 3: video answers application (RFC 3264 §6)",
		}},
		{"RADVISION-SCOPIA-01.sdp", "CISCO-CUCM-04.sdp", []string{
			"m-line 1: profile-level-id 4d0028 answers 4de028 (RFC 6184 §8.2.2)",
		}},
		{"POLY-X30-01.sdp", "POLY-X30-01.sdp", []string{
			"session: o= is that of the offer (RFC 4566 §5.2)",
		}},
	} {
		var got []string
		for _, v := range Check(described(t, tc.offer), described(t, tc.answer)) {
			got = append(got, v.String())
		}
		assert.Equal(t, tc.want, got, tc.answer)
	}
}

// One mistake at a time.
func TestCheckFinds(t *testing.T) {
	offer := session(
		"m=audio 4000 RTP/SAVP 9 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-11", "a=sendonly",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "+inline(1, 30), "a=crypto:2 AES_CM_128_HMAC_SHA1_32 "+inline(2, 30),
		"m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1", "a=rtcp-fb:* nack pli",
		"m=video 0 RTP/AVP 98",
	)
	answer := strings.Replace(session(
		"m=audio 5000 RTP/SAVP 9 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-11", "a=recvonly",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "+inline(3, 30),
		"m=video 5002 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01e;packetization-mode=1", "a=rtcp-fb:* nack pli",
		"m=video 0 RTP/AVP 98",
	), "o=- 1", "o=- 2", 1)
	assert.Empty(t, Check(parsed(t, offer), parsed(t, answer)))
	for _, tc := range []struct {
		name, old, new, want string
	}{
		{"profile", "m=audio 5000 RTP/SAVP", "m=audio 5000 RTP/SAVPF", "profile RTP/SAVPF answers RTP/SAVP"},
		{"refused line opened", "m=video 0", "m=video 5004", "answered with 5004"},
		{"direction", "a=recvonly", "a=sendrecv", "sendrecv answers sendonly"},
		{"codec", "5000 RTP/SAVP 9", "5000 RTP/SAVP 8", "PCMA/8000 was not offered"},
		{"meaning", "a=rtpmap:97 H264", "a=rtpmap:97 VP8", "offered as H264"},
		{"events only", "RTP/SAVP 9 101", "RTP/SAVP 101", "no codec"},
		{"events", "a=fmtp:101 0-11", "a=fmtp:101 0-15", "events 0-15 answer 0-11"},
		{"mode", "packetization-mode=1", "packetization-mode=0", "packetization-mode 0 answers 1"},
		{"level", "42e01e", "42e020", "level of 42e020"},
		{"suite", "crypto:1 AES_CM_128_HMAC_SHA1_80", "crypto:1 AES_CM_128_HMAC_SHA1_32", "crypto 1 AES_CM_128_HMAC_SHA1_32 was not offered"},
		{"key of the offer", inline(3, 30), inline(1, 30), "the key is that of the offer"},
		{"broken key", inline(3, 30), "inline:AAAA", "unusable key"},
		{"no key", "a=crypto", "a=x-crypto", "a secure profile without keys"},
		{"two keys", "m=video 5002", "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " + inline(4, 30) + "\r\nm=video 5002", "2 crypto lines"},
		{"feedback", "nack pli", "ccm fir", "rtcp-fb * ccm fir was not offered"},
		{"mux", "a=recvonly", "a=recvonly\r\na=rtcp-mux", "rtcp-mux was not offered"},
		{"reduced size", "a=recvonly", "a=recvonly\r\na=rtcp-rsize", "rtcp-rsize was not offered"},
		{"bundle", "t=0 0", "t=0 0\r\na=group:BUNDLE 0 1", "group BUNDLE was not offered"},
		{"time", "t=0 0", "t=1 0", "t= differs"},
		{"address", "c=IN IP4 192.0.2.1", "x=", "no address to send to"},
		{"fingerprint", "a=recvonly", "a=recvonly\r\na=setup:active\r\na=fingerprint:" + gateway().Fingerprint.String(), "DTLS was not offered"},
		{"setup", "a=recvonly", "a=recvonly\r\na=setup:actpass\r\na=fingerprint:" + gateway().Fingerprint.String(), "setup actpass answers"},
		{"no format", "m=video 0 RTP/AVP 98", "m=video 0 RTP/AVP", "no format"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			broken := strings.Replace(answer, tc.old, tc.new, 1)
			assert.NotEqual(t, answer, broken)
			var texts []string
			for _, v := range Check(parsed(t, offer), parsed(t, broken)) {
				texts = append(texts, v.String())
			}
			assert.Contains(t, strings.Join(texts, "\n"), tc.want)
		})
	}
}
