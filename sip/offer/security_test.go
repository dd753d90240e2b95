package offer

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// Lines of an offer as their security goes.
var (
	sdesLine      = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + inline(1, 30)
	uselessLine   = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + inline(1, 30) + " UNENCRYPTED_SRTP"
	printLine     = "a=fingerprint:" + gateway().Fingerprint.String()
	actpassLine   = "a=setup:actpass"
	errEncryption = &EncryptionRequiredError{}
)

func TestAnswerPolicies(t *testing.T) {
	for _, tc := range []struct {
		name, profile string
		lines         []string
		// what each policy makes of it: none, srtp, dtls-srtp, or an error
		off, prefer, require string
	}{
		{"plain", "RTP/AVP", nil, "none", "none", "required"},
		{"plain with feedback", "RTP/AVPF", nil, "none", "none", "required"},
		{"secure", "RTP/SAVP", []string{sdesLine}, "nothing", "srtp", "srtp"},
		{"secure with feedback", "RTP/SAVPF", []string{sdesLine}, "nothing", "srtp", "srtp"},
		{"secure without keys", "RTP/SAVP", nil, "nothing", "nothing", "nothing"},
		{"secure with a useless key", "RTP/SAVP", []string{uselessLine}, "nothing", "nothing", "nothing"},
		{"best effort", "RTP/AVP", []string{sdesLine}, "none", "srtp", "srtp"},
		{"best effort with a useless key", "RTP/AVP", []string{uselessLine}, "none", "none", "required"},
		{"DTLS", "UDP/TLS/RTP/SAVPF", []string{printLine, actpassLine}, "nothing", "dtls-srtp", "dtls-srtp"},
		{"DTLS on RTP/SAVP", "RTP/SAVP", []string{printLine, actpassLine}, "nothing", "dtls-srtp", "dtls-srtp"},
		{"DTLS without a fingerprint", "UDP/TLS/RTP/SAVP", []string{actpassLine}, "nothing", "nothing", "nothing"},
		{"keys have no place in DTLS", "UDP/TLS/RTP/SAVP", []string{sdesLine}, "nothing", "nothing", "nothing"},
		{"both, over TLS", "RTP/SAVP", []string{sdesLine, printLine, actpassLine}, "nothing", "srtp", "srtp"},
		{"opportunistic DTLS", "RTP/AVP", []string{printLine, actpassLine}, "none", "dtls-srtp", "dtls-srtp"},
		{"no handshake to be had", "RTP/SAVP", []string{printLine, "a=setup:holdconn"}, "nothing", "nothing", "nothing"},
		{"not RTP over UDP", "TCP/RTP/AVP", nil, "nothing", "nothing", "nothing"},
	} {
		for policy, want := range map[Policy]string{Off: tc.off, Prefer: tc.prefer, Require: tc.require} {
			t.Run(tc.name+"/"+policy.String(), func(t *testing.T) {
				local := gateway()
				local.Encryption = policy
				offer := parsed(t, session(append([]string{"m=audio 4000 " + tc.profile + " 8"}, tc.lines...)...))
				body, r, err := Answer(offer, local, nil)
				switch want {
				case "required":
					assert.ErrorAs(t, err, &errEncryption)
					return
				case "nothing":
					assert.ErrorIs(t, err, ErrNoCommonMedia)
					return
				}
				require.NoError(t, err)
				assert.Empty(t, Check(offer, parsed(t, string(body))))
				assert.Equal(t, want, r.Media[0].Stream.Encryption)
				assert.Equal(t, want, r.Encryption())
				assert.Equal(t, tc.profile, r.Media[0].Profile)
				assert.Contains(t, string(body), "m=audio 20000 "+tc.profile+" 8\r\n")
				assert.Equal(t, want == "srtp", strings.Contains(string(body), "a=crypto:"))
				assert.Equal(t, want == "dtls-srtp", strings.Contains(string(body), "a=fingerprint:"))
			})
		}
	}
}

func TestParsePolicy(t *testing.T) {
	for _, p := range []Policy{Off, Prefer, Require} {
		got, ok := ParsePolicy(p.String())
		assert.True(t, ok)
		assert.Equal(t, p, got)
	}
	_, ok := ParsePolicy("always")
	assert.False(t, ok)
}

// Two lines for one stream: one is answered, the other refused.
func TestDualLines(t *testing.T) {
	secure := []string{"m=audio 4000 RTP/SAVP 8", sdesLine}
	plain := []string{"m=audio 4002 RTP/AVP 8"}
	video := func(profile string, lines ...string) []string {
		return append([]string{"m=video 4004 " + profile + " 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f"}, lines...)
	}
	slides := "a=content:slides"
	for _, tc := range []struct {
		name   string
		policy Policy
		blocks [][]string
		want   []string // role of each line, "" refused
	}{
		{"prefer, secure first", Prefer, [][]string{secure, plain}, []string{"audio", ""}},
		{"prefer, plain first", Prefer, [][]string{plain, secure}, []string{"", "audio"}},
		{"require", Require, [][]string{plain, secure}, []string{"", "audio"}},
		{"off", Off, [][]string{secure, plain}, []string{"", "audio"}},
		{"two alike", Prefer, [][]string{plain, plain}, []string{"audio", ""}},
		{"video twice", Prefer, [][]string{plain, video("RTP/AVP"), video("RTP/SAVP", sdesLine)}, []string{"audio", "", "video"}},
		{"video and slides twice", Prefer, [][]string{plain, video("RTP/AVP"), video("RTP/SAVP", sdesLine), video("RTP/AVP", slides), video("RTP/SAVP", slides, sdesLine)},
			[]string{"audio", "", "video", "", "content"}},
		{"video twice with floor control", Off, [][]string{{"m=application 9 UDP/BFCP *"}, video("RTP/AVP"), video("RTP/SAVP", sdesLine)}, []string{"", "video", ""}},
		{"second video is content with floor control", Off, [][]string{{"m=application 9 UDP/BFCP *"}, video("RTP/AVP"), video("RTP/AVP")}, []string{"", "video", "content"}},
		{"second video without floor control", Off, [][]string{video("RTP/AVP"), video("RTP/AVP")}, []string{"video", ""}},
		{"the label under floor control is content", Off, [][]string{{"m=application 9 UDP/BFCP *", "a=floorid:1 m-stream:3"}, video("RTP/AVP", "a=label:1"), video("RTP/AVP", "a=label:3")}, []string{"", "video", "content"}},
		{"slides stand first", Off, [][]string{video("RTP/AVP", slides), video("RTP/AVP", "a=content:main")}, []string{"content", "video"}},
		{"a refused first line", Off, [][]string{{"m=video 0 RTP/AVP 97"}, video("RTP/AVP")}, []string{"", "video"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var lines []string
			for _, b := range tc.blocks {
				lines = append(lines, b...)
			}
			local := gateway()
			local.Encryption = tc.policy
			r := answered(t, session(lines...), local, nil)
			got := make([]string, len(tc.want))
			for _, m := range r.Media {
				got[m.Index] = m.Stream.Role.String()
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// What the camera's line carries stays the main video, whatever it says later.
func TestRolesStay(t *testing.T) {
	video := func(lines ...string) string {
		return session(append([]string{"m=video 4004 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f"}, lines...)...)
	}
	r := answered(t, video(), gateway(), nil)
	assert.NotNil(t, r.Medium(media.Main))
	r = answered(t, video("a=content:slides"), gateway(), r.State)
	assert.NotNil(t, r.Medium(media.Main), "slides in place of the camera")
	r = answered(t, video("a=content:slides"), gateway(), nil)
	assert.NotNil(t, r.Medium(media.Content))
}

// The roles of a handshake stay over re-INVITEs (RFC 8842 §5.3).
func TestHandshakeRoles(t *testing.T) {
	offer := func(setup string) string {
		return session("m=audio 4000 UDP/TLS/RTP/SAVPF 8", printLine, setup)
	}
	for setup, active := range map[string]bool{"a=setup:actpass": true, "a=setup:passive": true, "a=setup:active": false, "a=x": true} {
		local := gateway()
		r := answered(t, offer(setup), local, nil)
		assert.Equal(t, active, r.Media[0].DTLS.Active, setup)
		assert.Equal(t, []Fingerprint{local.Fingerprint}, r.Media[0].DTLS.Fingerprints)
		r = answered(t, offer("a=setup:actpass"), local, r.State)
		assert.Equal(t, active, r.Media[0].DTLS.Active, "%s, then actpass", setup)

		body, offered, err := Offer(local, r.State)
		require.NoError(t, err)
		assert.Contains(t, string(body), "UDP/TLS/RTP/SAVPF")
		assert.Contains(t, string(body), "a=setup:actpass\r\n")
		r, err = Complete(offered, parsed(t, offer("a=setup:active")), local)
		require.NoError(t, err)
		assert.False(t, r.Media[0].DTLS.Active)
		_, err = Complete(offered, parsed(t, session("m=audio 4000 RTP/AVP 8")), local)
		assert.ErrorIs(t, err, ErrNoCommonMedia, "an answer without a fingerprint")
	}
	t.Run("fingerprint of the session", func(t *testing.T) {
		body := strings.Replace(session("m=audio 4000 RTP/SAVP 8"), "t=0 0", "t=0 0\r\n"+printLine+"\r\n"+actpassLine, 1)
		assert.NotNil(t, answered(t, body, gateway(), nil).Media[0].DTLS)
	})
	t.Run("of the session, on RTP/AVP", func(t *testing.T) {
		body := strings.Replace(session("m=audio 4000 RTP/AVP 8"), "t=0 0", "t=0 0\r\n"+printLine+"\r\n"+actpassLine, 1)
		assert.Nil(t, answered(t, body, gateway(), nil).Media[0].DTLS, "it may belong to another line")
	})
	t.Run("both, signalling open to all", func(t *testing.T) {
		local := gateway()
		local.Secure = false
		r := answered(t, session("m=audio 4000 RTP/SAVP 8", sdesLine, printLine, actpassLine), local, nil)
		assert.NotNil(t, r.Media[0].DTLS)
	})
}

// What our first offers say, and what each answer makes of it.
func TestOfferPolicies(t *testing.T) {
	type outcome struct{ answer, want string }
	plain := "m=audio 4000 RTP/AVP 8"
	var (
		keyedAVP  = plain + "\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 " + inline(1, 30)
		keyedSAVP = "m=audio 4000 RTP/SAVP 8\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 " + inline(1, 30)
		otherTag  = "m=audio 4000 RTP/SAVP 8\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 " + inline(1, 30)
		useless   = "m=audio 4000 RTP/SAVP 8\r\n" + uselessLine
	)
	for _, tc := range []struct {
		name     string
		policy   Policy
		secure   bool
		profile  string
		keys     bool
		outcomes []outcome
	}{
		{"off", Off, true, "RTP/AVP", false, []outcome{{plain, "none"}, {keyedAVP, "none"}, {keyedSAVP, "nothing"}}},
		{"prefer over UDP", Prefer, false, "RTP/AVP", false, []outcome{{plain, "none"}, {keyedSAVP, "nothing"}}},
		{"prefer over TLS", Prefer, true, "RTP/AVP", true, []outcome{{plain, "none"}, {keyedAVP, "srtp"}, {keyedSAVP, "srtp"}, {otherTag, "srtp"}, {useless, "nothing"}}},
		{"require", Require, true, "RTP/SAVP", true, []outcome{{plain, "required"}, {keyedAVP, "srtp"}, {keyedSAVP, "srtp"}, {useless, "required"}}},
		{"require over UDP", Require, false, "RTP/SAVP", true, []outcome{{keyedSAVP, "srtp"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			local := gateway()
			local.Encryption, local.Secure = tc.policy, tc.secure
			body, offered, err := Offer(local, nil)
			require.NoError(t, err)
			strict(t, body)
			assert.Contains(t, string(body), "m=audio 20000 "+tc.profile+" 107 9 8 0 101 96\r\n")
			assert.Equal(t, tc.keys, strings.Contains(string(body), "a=crypto:4 AES_CM_128_HMAC_SHA1_80 "))
			golden(t, "OFFER-"+strings.ReplaceAll(tc.name, " ", "-")+".sdp", body)
			for _, o := range tc.outcomes {
				r, err := Complete(offered, parsed(t, session(o.answer)), local)
				var required *EncryptionRequiredError
				switch {
				case err == nil:
					assert.Equal(t, o.want, r.Encryption(), o.answer)
				case errors.As(err, &required):
					assert.Equal(t, o.want, "required", o.answer)
				default:
					assert.ErrorIs(t, err, ErrNoCommonMedia)
					assert.Equal(t, o.want, "nothing", o.answer)
				}
			}
		})
	}
}
