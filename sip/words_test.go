package sip

import (
	"testing"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
)

func TestProduct(t *testing.T) {
	for agent, want := range map[string]string{
		"PolycomRealPresenceGroup500/6.2.1": "Poly RealPresence Group 500",
		"Polycom/4.2.2 (HDX 7000 HD)":       "Polycom 4.2.2",
		"TANDBERG/529 (ce9.8.0.8d32d7f)":    "TANDBERG 529",
		"Cisco-CUCM11.5":                    "Cisco CUCM 11.5",
		"baresip v1.1.0 (x86_64/Linux)":     "baresip v1.1.0",
		"Linphone/3.12.0 (belle-sip/1.6.3)": "Linphone 3.12.0",
		"Yealink VC880 63.345.0.60":         "Yealink VC880",
		"Huawei TE30 V600R006":              "Huawei TE30",
		"LifeSize Icon 600":                 "Lifesize Icon",
		"AVer EVC300":                       "AVer EVC300",
		"something nobody knows":            "",
		"":                                  "",
		"Sony PCS-XG77":                     "Sony PCS-XG77",
		"Avaya XT Series":                   "Avaya XT",
		"Asterisk PBX 18.9.0":               "Asterisk PBX",
		"roomgate":                          "roomgate",
	} {
		require.Equal(t, want, product(agent), agent)
	}
}
func TestAlias(t *testing.T) {
	for in, want := range map[string]string{
		"sip:88001@host": "88001", "sip:h%E1%BB%99i@host": "hội", "tel:+8424;phone-context=x": "+8424",
		"sip:+8424;phone-context=vn@host": "+8424", "sip:host": "",
	} {
		var uri sipgo.Uri
		require.NoError(t, sipgo.ParseUri(in, &uri))
		require.Equal(t, want, alias(uri), in)
	}
}

func TestCauseOf(t *testing.T) {
	for _, tc := range []struct {
		status int
		header []string
		want   call.Cause
	}{
		{486, nil, call.Cause{Code: call.UserBusy, Text: "486 x"}},
		{503, []string{"Retry-After", "30 (busy)"}, call.Cause{Code: call.Congestion, RetryAfter: 30, Text: "503 x"}},
		{480, []string{"Reason", `SIP;cause=480, Q.850;cause=1`, "Reason", `Q.850;cause=18;text="no answer"`},
			call.Cause{Code: call.NoAnswer, Text: "480 x"}},
		{500, []string{"Reason", "Q.850; cause=17"}, call.Cause{Code: call.UserBusy, Text: "500 x"}},
		{404, []string{"Reason", "Q.850;cause=17"}, call.Cause{Code: call.UnknownAlias, Text: "404 x"}},
		{488, []string{"Warning", `305 a "no"`}, call.Cause{Code: call.IncompatibleMedia, Text: `488 x: 305 a "no"`}},
	} {
		res := sipgo.NewResponse(tc.status, "x")
		for i := 0; i < len(tc.header); i += 2 {
			add(res, tc.header[i], tc.header[i+1])
		}
		require.Equal(t, tc.want, causeOf(tc.status, res))
	}
}

func TestReferTarget(t *testing.T) {
	for in, want := range map[string]string{
		"<sip:a@b>": "sip:a@b", `"A" <sip:a@b?Replaces=x>;p=1`: "sip:a@b?Replaces=x", "sip:a@b;x=1": "sip:a@b", "": "", "<>": "",
	} {
		require.Equal(t, want, referTarget(in), in)
	}
	require.Equal(t, 486, fragmentStatus([]byte("SIP/2.0 486 Busy Here\r\n")))
	require.Zero(t, fragmentStatus([]byte("HTTP/1.1 200 OK")))
	require.Zero(t, fragmentStatus(nil))
}
