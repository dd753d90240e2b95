package offer

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// vendorOffers says for every offer of a real product what a right answer
// agrees on, m-line by m-line ("-": port zero).
var vendorOffers = []struct {
	file    string
	skipped int // lines that cannot be read
	lines   []string
}{
	{"ARCOR-IAD-01.sip", 0, []string{
		"audio PCMA=8 sendrecv 192.168.100.219:5002 20ms dtmf=102/8000",
	}},
	{"AUDIOCODES-MEDIANT-01.sip", 0, []string{ // the SDP part is found by its type
		"audio PCMU=0 recvonly 192.0.2.11:7232 20ms dtmf=101/8000",
		"-",
	}},
	{"BARESIP-01.sip", 0, []string{ // mode 1 stands second
		"audio G722=9 sendrecv 192.168.1.1:7574 20ms dtmf=101/8000",
		"video H264=97 sendrecv 192.168.1.1:37772 42e01f/1 nack pli",
	}},
	{"CISCO-CE-01.sip", 0, []string{ // plain RTP: the fingerprint is that of the IX line
		"audio opus=114 sendrecv 192.168.1.155:2332 20ms dtmf=101/8000 max=128000",
		"video H264=126 sendrecv 192.168.1.155:2364 428016/1 fs=8160 max=5820000 pli fir tmmbr",
		"- bfcp 2439 UDP/BFCP role=cs conf=1 user=18 floor=2[12] actpass",
		"content H264=126 sendrecv 192.168.1.155:2354 428016/1 fs=32400 max=5820000 pli fir tmmbr",
		"- h224 2392",
		"- ix 2455",
	}},
	{"CISCO-CMS-01.sip", 0, []string{
		"audio opus=108 sendrecv 192.0.2.11:34904 20ms dtmf=101/8000 max=256000",
		"video H264=116 sendrecv 192.0.2.11:34906 42800d/1 fs=8160 max=1744000 pli fir",
		"content H264=116 sendrecv 192.0.2.11:34908 42800d/1 fs=32400 max=1940000 pli fir",
		"- bfcp 34912 UDP/BFCP role=cs conf=1 user=14 floor=2[12]",
		"- h224 34913",
		"- ix 34910",
	}},
	{"CISCO-CUCM-04.sdp", 0, []string{ // Main profile, taken by our High
		"audio G722=9 sendrecv 10.210.2.40:16556 20ms dtmf=101/8000 max=64000",
		"video H264=97 sendrecv 10.210.2.40:16558 4d001f/0 max=2250000",
		"- other",
	}},
	{"CISCO-CUCM-05.sdp", 0, []string{ // media to c=, not to o=
		"audio PCMU=0 sendrecv 198.51.100.5:31182 srtp=1/AES_CM_128_HMAC_SHA1_80 20ms dtmf=101/8000",
	}},
	{"CISCO-E20-01.sip", 0, []string{ // crypto 1 is UNENCRYPTED_SRTCP
		"audio G722=9 sendrecv 10.44.10.2:2326 srtp=0/AES_CM_128_HMAC_SHA1_80 20ms dtmf=101/8000 max=64000",
		"video H264=98 sendrecv 10.44.10.2:2328 srtp=0/AES_CM_128_HMAC_SHA1_80 42800d/1 fs=1344 max=1117440 pli",
		"- bfcp 5070 UDP/BFCP role=cs conf=1 user=2 floor=2[12] actpass",
		"content H264=98 sendrecv 10.44.10.2:2330 srtp=0/AES_CM_128_HMAC_SHA1_80 42800d/1 fs=1344 max=1117440 pli",
		"- h224 2332",
	}},
	{"CISCO-EXPRESSWAY-01.sip", 0, []string{ // 96 to 98 mean other codecs on each line
		"audio opus=100 sendrecv 192.0.2.11:58952 srtp=1/AES_CM_128_HMAC_SHA1_80 20ms dtmf=101/8000 max=128000",
		"video H264=98 sendrecv 192.0.2.11:59366 srtp=1/AES_CM_128_HMAC_SHA1_80 428016/1 fs=8160 max=1862400 pli fir tmmbr",
		"content H264=97 sendrecv 192.0.2.11:57964 srtp=1/AES_CM_128_HMAC_SHA1_80 428016/1 fs=8160 max=1862400 pli fir tmmbr",
		"- bfcp 58624 UDP/BFCP role=cs conf=1 user=106 floor=2[12]",
		"- h224 59638",
		"- ix 55154",
	}},
	{"CISCO-JABBER-01.sdp", 0, []string{ // a camera is missing: we send only
		"audio opus=114 sendrecv 10.66.87.207:16390 20ms dtmf=101/8000 max=3984000",
		"video H264=126 sendonly 10.66.87.207:16398 42e01f/1 fs=3601 max=3880000 pli fir tmmbr",
		"content H264=126 sendrecv 10.66.87.207:16394 42e01f/1 fs=3601 max=3880000 pli fir tmmbr",
		"- bfcp 5904 UDP/BFCP role=cs conf=3 user=3 floor=2[12] actpass",
		"- h224 39878",
	}},
	{"CISCO-WEBEXAPP-01.sdp", 0, []string{ // H264-SVC before H264; b=AS:0 is no limit
		"audio opus=101 sendrecv 10.35.132.106:20538 20ms max=64000 mux",
		"video H264=117 sendrecv 10.35.132.106:20986 420016/1 fs=3840 max=4000000 pli tmmbr mux",
	}},
	{"CISCO-WEBEXAPP-02.sdp", 0, []string{
		"audio opus=101 sendonly 10.224.204.44:20764 srtp=1/AES_CM_128_HMAC_SHA1_80 20ms max=64000 mux",
	}},
	{"CLARENT-C5CM-01.sip", 0, []string{ // a=SendRecv
		"audio PCMA=8 sendrecv 192.0.2.12:40376 20ms",
	}},
	{"FREESWITCH-01.sdp", 0, []string{
		"audio PCMA=8 sendrecv 192.0.2.21:60706 20ms dtmf=101/8000 mux",
	}},
	{"HEXMEET-VE660-01.sdp", 0, []string{ // no audio of ours; all on one port
		"-",
		"video H264=99 sendrecv 172.20.0.204:50000 srtp=1/AES_256_CM_HMAC_SHA1_80 640014/1 fs=3840 max=993280 pli fir rtcp=172.20.0.204:50000",
		"- bfcp 50000 UDP/BFCP role=cs conf=1 user=2 floor=1[3] actpass",
		"content H264=99 sendrecv 172.20.0.204:50000 srtp=1/AES_256_CM_HMAC_SHA1_80 640016/1 fs=8192 max=993280 pli fir rtcp=172.20.0.204:50000",
		"- h224 50000",
	}},
	{"ITALTEL-IMSS-01.sip", 0, []string{ // payload type 8 without a=rtpmap
		"audio PCMA=8 sendrecv 192.0.2.11:15580 30ms dtmf=102/8000",
	}},
	{"MICROSOFT-SKYPEBUSINESS-01.txt", 0, []string{ // the second part; 117 is stereo
		"audio G722=9 sendrecv 192.0.2.13:59224 srtp=2/AES_CM_128_HMAC_SHA1_80 20ms dtmf=101/8000 max=99964000 mux",
	}},
	{"NERO-SIPPS-01.sip", 0, []string{
		"audio PCMU=0 sendrecv 192.168.1.2:30000 20ms",
	}},
	{"ORACLE-OCSBC-02.sip", 0, []string{ // payload type 0 on an application line
		"audio G722=9 sendrecv 198.51.100.10:16384 20ms dtmf=101/8000 max=2032000",
		"video H264=126 sendrecv 198.51.100.10:16386 428016/1 fs=8160 max=1984000 pli",
		"- bfcp 16388 UDP/BFCP role=c conf=0 user=0",
		"content H264=126 sendonly 198.51.100.10:16390 428016/1 fs=32400 max=1984000 pli",
		"- other",
	}},
	{"PJSIP-01.sdp", 0, []string{
		"audio G722=9 sendrecv 192.0.2.11:40000 20ms dtmf=96/8000 max=64000",
		"video H264=97 sendrecv 192.0.2.11:40002 42e01e/1 max=256000",
	}},
	{"POLY-VIASBC-01.sdp", 0, []string{ // telephone-event stands first
		"audio G722=9 sendrecv 192.168.0.10:27448 20ms dtmf=101/8000",
		"video H264=110 sendrecv 192.168.0.10:29688 42801f/1 fs=8192 fir tmmbr",
		"- bfcp 0 UDP/BFCP role= conf=0 user=0",
		"- bfcp 22164 TCP/BFCP role=cs conf=1 user=2 floor=1[3] actpass",
	}},
	{"POLY-X30-01.sdp", 0, []string{ // LPR stands first; FIR without PLI
		"audio G722=9 sendrecv 192.168.0.104:17326 20ms dtmf=101/8000 max=1008000",
		"video H264=110 sendrecv 192.168.0.104:17328 42801f/1 fs=8192 max=993280 fir tmmbr",
		"- h224 17332",
		"- bfcp 17324 TCP/BFCP role=cs conf=1 user=2 floor=1[3] actpass",
	}},
	{"POLY-X30-02.sdp", 0, []string{
		"audio G722=9 sendrecv 192.168.0.35:23166 20ms dtmf=101/8000",
		"video H264=110 sendrecv 192.168.0.35:22334 42801f/1 fs=8192 max=4096000 fir tmmbr",
		"- h224 21486",
		"- bfcp 23748 UDP/BFCP role=cs conf=1 user=2 floor=1[3] actpass",
	}},
	{"POLYCOM-GROUP500-01.sdp", 3, []string{ // three lines broken in the middle
		"audio G722=9 sendrecv 192.0.2.11:49242 20ms dtmf=101/8000 max=1008000",
		"video H264=110 sendrecv 192.0.2.11:49244 42801f/1 fs=8192 max=993280 fir",
		"- h224 49248",
		"- bfcp 38660 UDP/BFCP role=cs conf=0 user=0 actpass",
	}},
	{"POLYCOM-RPDESKTOP-01.sdp", 0, []string{
		"audio G722=9 sendrecv 10.250.54.130:1024 srtp=1/AES_CM_128_HMAC_SHA1_80 20ms dtmf=119/8000 max=880000",
		"video H264=110 sendrecv 10.250.54.130:1026 srtp=1/AES_CM_128_HMAC_SHA1_80 42801f/1 max=869120 pli fir tmmbr",
		"- bfcp 1032 UDP/BFCP role=cs conf=0 user=0 actpass",
		"- h224 1030",
	}},
	{"RADVISION-SCOPIA-01.sdp", 0, []string{ // 4DE028 is Constrained Baseline
		"audio G722=9 sendrecv 192.168.11.9:16618 20ms dtmf=101/8000 max=2032000",
		"video H264=97 sendrecv 192.168.11.9:12348 4de01f/0 max=1986560",
		"- other",
	}},
	{"TWILIO-TRUNK-01.sip", 0, []string{
		"audio PCMU=0 sendrecv 10.0.13.72:40150 20ms dtmf=101/8000",
	}},
	{"TWILIO-TRUNK-02.sdp", 0, []string{ // opus with events at 8000 Hz
		"audio opus=107 sendrecv 172.18.155.180:19534 srtp=1/AES_CM_128_HMAC_SHA1_80 20ms dtmf=101/8000",
	}},
	{"UNKNOWN-42801F-01.sdp", 0, []string{ // media to c=, not to o=
		"audio PCMU=0 sendrecv 192.0.2.12:60802 20ms dtmf=101/8000 max=984000",
		"video H264=96 sendrecv 192.0.2.12:60804 42801f/0 fs=3840 max=910000 pli fir tmmbr",
		"- h224 60806",
		"- other",
		"- bfcp 60812 TCP/BFCP role=c conf=0 user=0 active",
	}},
}

func TestVendorOffers(t *testing.T) {
	for _, tc := range vendorOffers {
		t.Run(tc.file, func(t *testing.T) {
			d := described(t, tc.file)
			assert.Equal(t, tc.skipped, d.Skipped)
			body, r, err := Answer(d, gateway(), nil)
			require.NoError(t, err)
			assert.Equal(t, tc.lines, facts(r, len(d.Sections)))
			strict(t, body)
			answer, err := Parse(body, "application/sdp")
			require.NoError(t, err)
			assert.Empty(t, Check(d, answer))
			golden(t, tc.file, body)
		})
	}
}

// golden compares an answer with the file that holds it.
func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", strings.TrimSuffix(name, filepath.Ext(name))+".sdp")
	if *update {
		require.NoError(t, os.WriteFile(path, body, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(body))
}

// Offers with nothing that we can do.
func TestVendorOffersRefused(t *testing.T) {
	for _, file := range []string{
		"CISCO-CUCM-01.sip",    // G.729 only
		"CISCO-CUCM-02.sdp",    // G.729 only
		"HEXMEET-NGMCU-01.sdp", // a codec of its own, and H.265
	} {
		_, _, err := Answer(described(t, file), gateway(), nil)
		assert.ErrorIs(t, err, ErrNoCommonMedia, file)
	}
}

func TestVendorsEveryFileHasARow(t *testing.T) {
	rows := map[string]bool{
		"CISCO-CUCM-01.sip": true, "CISCO-CUCM-02.sdp": true, "HEXMEET-NGMCU-01.sdp": true, // above
		"GATEWAY-LIVEKITSIP-01.sdp": true, "GATEWAY-LIVEKITSIP-02.sdp": true, // TestCheckGateways
		"ORACLE-OCSBC-01.sip": true, "ORACLE-OCSBC-03.sip": true, // no SDP: TestVendorsWithoutSDP
		"ASTERISK-MEDIACONTROL-01.txt": true, "PJSIP-MEDIACONTROL-01.txt": true,
	}
	for _, tc := range vendorOffers {
		rows[tc.file] = true
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, e := range entries {
			switch filepath.Ext(e.Name()) {
			case ".sdp", ".sip", ".txt":
				assert.True(t, rows[e.Name()], "%s has no expected outcome", e.Name())
			}
		}
	}
}

func TestVendorsWithoutSDP(t *testing.T) {
	for _, file := range []string{"ORACLE-OCSBC-01.sip", "ORACLE-OCSBC-03.sip"} {
		_, err := Parse(fixture(t, file))
		assert.ErrorIs(t, err, ErrNoSDP, file)
	}
	for _, file := range []string{"ASTERISK-MEDIACONTROL-01.txt", "PJSIP-MEDIACONTROL-01.txt"} {
		body, _ := fixture(t, file)
		_, err := Parse(body, "application/media_control+xml")
		assert.ErrorIs(t, err, ErrNoSDP, file)
	}
}

// g729 is a codec that only some tests can do.
var g729 = media.Format{Codec: "G729", PayloadType: 18, ClockRate: 8000}

// vendorAnswers are answers of real products to an offer of ours.
func TestVendorAnswers(t *testing.T) {
	for _, tc := range []struct {
		file   string
		after  string // an earlier offer of theirs, so that our m-lines stand as theirs do
		adjust func(*Local)
		lines  []string
	}{
		{file: "ARCOR-IAD-01.sip", lines: []string{
			"audio PCMA=8 sendrecv 192.168.100.219:5002 20ms dtmf=102/8000",
		}},
		{file: "CISCO-CUCM-01.sip", adjust: withG729, lines: []string{
			"audio G729=18 sendrecv 10.16.169.162:18402 20ms dtmf=101/8000 max=8000", "-", "-",
			"- bfcp 0 UDP/BFCP role= conf=0 user=0", "- h224 0", "- ix 0",
		}},
		{file: "CISCO-CUCM-02.sdp", adjust: withG729, lines: []string{ // TIAS before AS
			"audio G729=18 sendrecv 192.0.2.12:24632 20ms dtmf=101/8000 max=8000",
		}},
		{file: "CISCO-CUCM-04.sdp", adjust: baselineOnly, lines: []string{ // a profile never offered
			"audio G722=9 sendrecv 10.210.2.40:16556 20ms dtmf=101/8000 max=64000",
			"video H264=97 sendrecv 10.210.2.40:16558 4d0028/0 max=2250000",
			"- other",
		}},
		{file: "FREESWITCH-01.sdp", lines: []string{ // RTCP on the RTP port, though we did not offer it
			"audio PCMA=8 sendrecv 192.0.2.21:60706 20ms dtmf=101/8000 rtcp=192.0.2.21:60706",
		}},
		{file: "FREESWITCH-01.sdp", adjust: func(l *Local) { l.Mux = true }, lines: []string{
			"audio PCMA=8 sendrecv 192.0.2.21:60706 20ms dtmf=101/8000 mux",
		}},
		{file: "HEXMEET-VE660-01.sdp", after: "CISCO-E20-01.sip", lines: []string{ // the suite in use, tag 3 in four lines
			"-",
			"video H264=99 sendrecv 172.20.0.204:50000 recv=100 srtp=3/AES_CM_128_HMAC_SHA1_80 640014/1 fs=3840 max=993280 pli fir rtcp=172.20.0.204:50000",
			"- bfcp 50000 UDP/BFCP role=cs conf=1 user=2 floor=1[3] actpass",
			"content H264=99 sendrecv 172.20.0.204:50000 recv=100 srtp=3/AES_CM_128_HMAC_SHA1_80 640016/1 fs=8192 max=993280 pli fir rtcp=172.20.0.204:50000",
			"- h224 50000",
		}},
		{file: "ORACLE-OCSBC-02.sip", after: "CISCO-CE-01.sip", lines: []string{ // two payload types back
			"audio G722=9 sendrecv 198.51.100.10:16384 20ms dtmf=101/8000 max=2032000",
			"video H264=126 sendrecv 198.51.100.10:16386 428016/1 fs=8160 max=1984000 pli",
			"- bfcp 16388 UDP/BFCP role=c conf=0 user=0",
			"content H264=126 sendonly 198.51.100.10:16390 428016/1 fs=32400 max=1984000 pli",
			"- other",
		}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			local := gateway()
			if tc.adjust != nil {
				tc.adjust(local)
			}
			var previous *State
			if tc.after != "" {
				_, r, err := Answer(described(t, tc.after), local, nil)
				require.NoError(t, err)
				previous = r.State
			}
			_, offered, err := Offer(local, previous)
			require.NoError(t, err)
			answer := described(t, tc.file)
			r, err := Complete(offered, answer, local)
			require.NoError(t, err)
			assert.Equal(t, tc.lines, facts(r, len(answer.Sections)))
		})
	}
	t.Run("nothing in common", func(t *testing.T) {
		_, offered, err := Offer(gateway(), nil)
		require.NoError(t, err)
		_, err = Complete(offered, described(t, "HEXMEET-NGMCU-01.sdp"), gateway())
		assert.ErrorIs(t, err, ErrNoCommonMedia)
	})
}

func withG729(l *Local) { l.Capabilities.Audio = append(l.Capabilities.Audio, g729) }

func baselineOnly(l *Local) { l.Capabilities.Video = []media.Format{baseMode1, baseMode0} }

// What the far side announced about its pictures goes to whoever decodes them.
func TestVendorParameterSets(t *testing.T) {
	_, r, err := Answer(described(t, "CISCO-CUCM-04.sdp"), gateway(), nil)
	require.NoError(t, err)
	m := r.Medium(media.Main)
	assert.Equal(t, "\x00\x00\x00\x01\x67\x4d\x00\x28\x1a\x59\x50\x0a\x00\xb7\x20"+
		"\x00\x00\x00\x01\x68\x43\x6e\x3c\x80", m.Stream.Recv.H264.ParameterSets)
	assert.Empty(t, m.Stream.Send.H264.ParameterSets)
}

// The key of a line with an MKI is found, its length kept.
func TestVendorMKI(t *testing.T) {
	_, r, err := Answer(described(t, "MICROSOFT-SKYPEBUSINESS-01.txt"), gateway(), nil)
	require.NoError(t, err)
	in := r.Medium(media.Audio).SRTP.In.Keys[0]
	assert.Equal(t, []byte{1}, in.MKI)
	assert.Equal(t, uint64(1)<<31, in.Lifetime)
}

// What is kept of the lines that are refused for now.
func TestVendorApplications(t *testing.T) {
	_, r, err := Answer(described(t, "CISCO-CE-01.sip"), gateway(), nil)
	require.NoError(t, err)
	require.Len(t, r.Applications, 3)
	bfcp := r.Applications[0]
	assert.Equal(t, Application{
		Index: 2, Kind: BFCPLine, Profile: "UDP/BFCP", Address: netip.MustParseAddrPort("192.168.1.155:2439"),
		Setup: "actpass", Connection: "new",
		BFCP: &BFCP{Client: true, Server: true, ConferenceID: 1, UserID: 18, Versions: []uint8{2, 1}, Floors: []Floor{{ID: 2, Labels: []string{"12"}}}},
	}, bfcp)
	assert.Equal(t, uint8(100), r.Applications[1].PayloadType)
	assert.Equal(t, "actpass", r.Applications[2].Setup)
}
