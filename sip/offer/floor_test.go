package offer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// floorControl gives a side floor control over the transport that an offer wants.
func floorControl(l *Local, d *Description) *Local {
	l.Floor = &LocalFloor{Transport: "UDP/BFCP", Port: 20006, Client: true, Server: true, Conference: 4711, User: 5, Floor: 1}
	if d != nil {
		l.Floor.Transport = d.WantsFloor()
	}
	return l
}

func floorFacts(g *FloorAgreement) string {
	if g == nil {
		return "-"
	}
	role := "client"
	if g.Server {
		role = "server"
	}
	text := fmt.Sprintf("%d %s %s %s conf=%d user=%d floors=%v", g.Index, g.Transport, g.Remote, role, g.Conference, g.User, g.Floors)
	if g.Active {
		text += " active"
	}
	if g.Renew {
		text += " renew"
	}
	return text
}

// attributesOf are the a= lines of an m-line, without those that do not matter here.
func attributesOf(t *testing.T, body string, index int) string {
	t.Helper()
	var list []string
	for _, a := range parsed(t, body).Session.MediaDescriptions[index].Attributes {
		list = append(list, a.Key+":"+a.Value)
	}
	return strings.Join(list, " ")
}

func TestVendorFloors(t *testing.T) {
	for _, tc := range []struct{ file, want, says string }{
		{"CISCO-CE-01.sip", "2 UDP/BFCP 192.168.1.155:2439 server conf=4711 user=5 floors=[2]",
			"floorctrl:s-only setup:passive connection:new bfcpver:2 1 confid:4711 userid:5 floorid:2 mstrm:12"},
		{"CISCO-CMS-01.sip", "3 UDP/BFCP 192.0.2.11:34912 server conf=4711 user=5 floors=[2]",
			"floorctrl:s-only setup:passive connection:new bfcpver:2 1 confid:4711 userid:5 floorid:2 mstrm:12"},
		{"ORACLE-OCSBC-02.sip", "2 UDP/BFCP 198.51.100.10:16388 server conf=4711 user=5 floors=[1]",
			"floorctrl:s-only setup:passive connection:new bfcpver:2 1 confid:4711 userid:5 floorid:1 mstrm:12"},
		{"POLY-VIASBC-01.sdp", "", "mstrm:3"},
		{"POLY-X30-01.sdp", "", "mstrm:3"}, // no line has that label yet
		{"POLY-X30-02.sdp", "", "mstrm:3"},
		{"POLYCOM-GROUP500-01.sdp", "", "floorctrl:s-only"},
		{"POLYCOM-RPDESKTOP-01.sdp", "", "floorid:1 mstrm:2"},
		{"HEXMEET-VE660-01.sdp", "", "floorid:1 mstrm:3"},
		{"UNKNOWN-42801F-01.sdp", "", "setup:passive"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			d := described(t, tc.file)
			local := floorControl(gateway(), d)
			body, r, err := Answer(d, local, nil)
			require.NoError(t, err)
			require.Empty(t, Check(d, parsed(t, string(body))))
			strict(t, body)
			require.NotNil(t, r.Floor)
			if tc.want != "" {
				assert.Equal(t, tc.want, floorFacts(r.Floor))
			}
			assert.Contains(t, attributesOf(t, string(body), r.Floor.Index), tc.says)
			assert.True(t, r.Floor.Server)
		})
	}
}

// Of two floor control lines the open one is taken, the other stays closed.
func TestTwoFloorLines(t *testing.T) {
	d := described(t, "POLY-VIASBC-01.sdp")
	require.Equal(t, "TCP/BFCP", d.WantsFloor())
	body, r, err := Answer(d, floorControl(gateway(), d), nil)
	require.NoError(t, err)
	answer := parsed(t, string(body))
	require.Equal(t, 3, r.Floor.Index)
	assert.Zero(t, answer.Sections[2].Port)
	assert.Equal(t, 20006, answer.Sections[3].Port)
}

func TestFloorRoles(t *testing.T) {
	for _, tc := range []struct {
		offered        string
		client, server bool
		want           string
	}{
		{"a=floorctrl:c-only", true, true, "s-only"},
		{"a=floorctrl:c-s", true, true, "s-only"},
		{"a=floorctrl:c-only s-only", true, true, "s-only"},
		{"", true, true, "s-only"},
		{"a=floorctrl:s-only", true, true, "c-only"},
		{"a=floorctrl:c-s", true, false, "c-only"},
		{"a=floorctrl:c-only", true, false, ""},
		{"a=floorctrl:s-only", false, true, ""},
	} {
		local := floorControl(gateway(), nil)
		local.Floor.Client, local.Floor.Server = tc.client, tc.server
		r := answered(t, session("m=audio 4000 RTP/AVP 8", "m=application 5000 UDP/BFCP *", tc.offered, "a=confid:8", "a=userid:9", "a=floorid:3 mstrm:4"), local, nil)
		if tc.want == "" {
			assert.Nil(t, r.Floor, tc.offered)
			continue
		}
		require.NotNil(t, r.Floor, tc.offered)
		assert.Contains(t, string(r.State.Body()), "a=floorctrl:"+tc.want+"\r\n", tc.offered)
		if tc.want == "c-only" {
			assert.Equal(t, "1 UDP/BFCP 192.0.2.1:5000 client conf=8 user=9 floors=[3]", floorFacts(r.Floor))
			assert.NotContains(t, string(r.State.Body()), "a=confid")
		}
	}
}

// Who connects over TCP (RFC 4145 §4).
func TestFloorSetup(t *testing.T) {
	for offered, active := range map[string]bool{"a=setup:actpass": false, "a=setup:active": false, "a=setup:passive": true, "a=x:y": false} {
		local := floorControl(gateway(), nil)
		local.Floor.Transport = "TCP/BFCP"
		r := answered(t, session("m=audio 4000 RTP/AVP 8", "m=application 5000 TCP/BFCP *", offered), local, nil)
		assert.Equal(t, active, r.Floor.Active, offered)
		word := "a=setup:passive"
		if active {
			word = "a=setup:active"
		}
		assert.Contains(t, string(r.State.Body()), word)
	}
}

func TestFloorOverTLS(t *testing.T) {
	local := floorControl(gateway(), nil)
	local.Floor.Transport = "TCP/TLS/BFCP"
	r := answered(t, session("m=audio 4000 RTP/AVP 8", "m=application 5000 TCP/TLS/BFCP *", "a=setup:actpass", "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("0B:", 32), ":")), local, nil)
	require.Len(t, r.Floor.Fingerprints, 1)
	assert.Contains(t, attributesOf(t, string(r.State.Body()), 1), "fingerprint:sha-256 0A:")
	assert.Equal(t, "none", r.Encryption(), "the fingerprint is not that of the media")
}

// Two of us agree: who offers is the server where both could be.
func TestFloorRoundTrip(t *testing.T) {
	for _, transport := range FloorTransports {
		a, b := floorControl(gateway(), nil), floorControl(gateway(), nil)
		b.Rand, b.ID = keys(2), 5678
		a.Floor.Transport, b.Floor.Transport = transport, transport
		b.Floor.Server = false // a terminal
		resultA, resultB := roundTrip(t, transport, a, b, nil, nil)
		require.NotNil(t, resultA.Floor)
		require.NotNil(t, resultB.Floor)
		assert.True(t, resultA.Floor.Server)
		assert.False(t, resultB.Floor.Server)
		assert.Equal(t, []any{uint32(4711), uint16(5), []uint16{1}}, []any{resultB.Floor.Conference, resultB.Floor.User, resultB.Floor.Floors})
		assert.NotEqual(t, resultA.Floor.Active, resultB.Floor.Active)
		// Within the dialog nothing changes, whoever offers.
		againA, againB := roundTrip(t, transport, a, b, resultA.State, resultB.State)
		assert.Equal(t, floorFacts(resultA.Floor), floorFacts(againA.Floor))
		assert.Equal(t, floorFacts(resultB.Floor), floorFacts(againB.Floor))
		againB, againA = roundTrip(t, transport, b, a, againB.State, againA.State)
		assert.Equal(t, floorFacts(resultA.Floor), floorFacts(againA.Floor))
		assert.Equal(t, floorFacts(resultB.Floor), floorFacts(againB.Floor))
	}
}

// A terminal of Poly names a label in its first offer and has no line with it: when
// we add the slides by re-INVITE they get that label, and when it does they are
// known by it.
func TestSlidesByReInvite(t *testing.T) {
	first := described(t, "POLY-X30-01.sdp")
	local := floorControl(gateway(), first)
	_, r, err := Answer(first, local, nil)
	require.NoError(t, err)
	require.Nil(t, r.Medium(media.Content))

	local.Extend = true
	body, _, err := Offer(local, r.State)
	require.NoError(t, err)
	strict(t, body)
	offer := parsed(t, string(body))
	require.Len(t, offer.Sections, len(first.Sections)+1)
	slides := offer.Sections[len(first.Sections)]
	assert.Equal(t, "slides", slides.Content)
	assert.Equal(t, "3", slides.Label)

	again := session("m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 109", "a=rtpmap:109 H264/90000", "a=content:main",
		"m=application 5000 TCP/BFCP *", "a=floorctrl:c-s", "a=floorid:1 m-stream:3",
		"m=video 4004 RTP/AVP 109", "a=rtpmap:109 H264/90000", "a=label:3")
	d := parsed(t, again)
	r = answered(t, again, floorControl(gateway(), d), nil)
	require.NotNil(t, r.Medium(media.Content))
	assert.Equal(t, 3, r.Medium(media.Content).Index)
}
