package main

import (
	"bytes"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/sip"
	"github.com/roomgate/roomgate/sip/edge"
)

// load reads a configuration from text.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "roomgate.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := config.Load(file)
	require.NoError(t, err)
	return c
}

// nobody is a world where every meeting may be made.
type nobody struct{}

func (nobody) MeetingExists(string) bool    { return false }
func (nobody) MayCreateMeeting(string) bool { return true }
func (nobody) TerminalExists(string) bool   { return false }

func (nobody) Permitted(call.Info, directory.Permission) bool { return true }
func (nobody) Stranger(call.Info) bool                        { return false }

// A trunk that names codecs has those, others have all but G.729.
func TestTrunkCodecs(t *testing.T) {
	s, err := gatewaySettings(load(t, "trunks: [{name: pstn, cidrs: [192.0.2.0/24], codecs: [g729, g7221, pcma]}, {name: pbx, cidrs: [192.0.3.0/24]}]"), nil, nil)
	require.NoError(t, err)
	var names []string
	for _, f := range s.TrunkAudio["pstn"] {
		names = append(names, f.String())
	}
	assert.Equal(t, []string{"G729/8000", "G7221/16000", "G7221/16000", "PCMA/8000"}, names)
	assert.NotContains(t, s.TrunkAudio, "pbx")
	for _, f := range capabilities().Audio {
		assert.NotEqual(t, media.G729, f.Codec)
	}
	assert.Len(t, capabilities().Audio, 9)
}

func TestDialRules(t *testing.T) {
	s, err := gatewaySettings(load(t, `
trunks: [{name: pstn, cidrs: [192.0.2.0/24]}]
dial_rules:
  - {prefix: "+84", trunk: pstn, meeting: room-$1}
  - {pattern: "8(?P<room>[0-9]+)", endpoint: "sip:${room}@10.0.0.9"}
  - {prefix: "f", reject: forbidden}
  - {prefix: "n", reject: not_found}
  - {prefix: "b", reject: busy}
  - {prefix: "u", reject: unavailable}
`), nil, []directory.Rule{{Meta: directory.Meta{ID: "r1"}, Prefix: "8", Meeting: "of-the-directory"}, {Prefix: "9", Meeting: "9-$1"}})
	require.NoError(t, err)
	for _, tc := range []struct {
		called, trunk string
		want          route.Decision
	}{
		{"+84123", "pstn", route.Decision{Meeting: "room-123", Create: true}},
		{"+84123", "", route.Decision{Meeting: "+84123", Create: true}},
		{"8001", "", route.Decision{Endpoint: "sip:001@10.0.0.9"}},
		{"95", "", route.Decision{Meeting: "9-5", Create: true}},
		{"fox", "", route.Decision{Reject: call.Rejected}},
		{"nobody", "", route.Decision{Reject: call.UnknownAlias}},
		{"bee", "", route.Decision{Reject: call.UserBusy}},
		{"upstairs", "", route.Decision{Reject: call.Unavailable}},
	} {
		got := s.Rules.Decide(call.Info{Called: tc.called, Remote: call.Remote{Trunk: tc.trunk}}, nobody{})
		got.Rule, got.Why = 0, ""
		assert.Equal(t, tc.want, got, tc.called)
	}
}

func TestSIPConfig(t *testing.T) {
	c := load(t, `
listen: {address: 127.0.0.1}
sip: {udp: [":5060", "[::1]:5060"], tcp: off, tls: {listen: ":5061", legacy: ":5062"}, domain: example.org, session_timer: 0s, allow_direct: false}
rtp: {latching: on, encryption: require, timeout: 30s}
limits: {max_calls: 7, per_source: 9, registrations: 3}
accounts: [{username: room1, password: secret, aliases: ["1001"], name: One}]
trunks: [{name: pstn, cidrs: [192.0.2.0/24]}]
`)
	s := sipConfig(c, nil, zap.NewNop())
	assert.Equal(t, []sip.Listener{
		{Transport: "udp", Address: "127.0.0.1:5060"}, {Transport: "udp", Address: "[::1]:5060"},
		{Transport: "tls", Address: "127.0.0.1:5061"}, {Transport: "tls", Address: "127.0.0.1:5062", Legacy: true},
	}, s.Listen)
	assert.Equal(t, []sip.Account{{User: "room1", Password: "secret", Aliases: []string{"1001"}, Name: "One"}}, s.Accounts)
	all := allTrunks(c, []directory.Trunk{{Name: "PSTN"}, {Name: "vnpt", MaxCalls: 3}})
	assert.Equal(t, []directory.Trunk{{Name: "pstn", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, {Name: "vnpt", MaxCalls: 3}}, all)
	assert.Equal(t, []string{"example.org"}, s.Domains)
	assert.False(t, s.Direct)
	assert.Negative(t, s.SessionExpires, "off")
	assert.Equal(t, sip.LatchOn, s.Latching)
	assert.Equal(t, sip.EncryptRequire, s.Encryption)
	assert.Equal(t, 30*time.Second, s.MediaTimeout)
	assert.Greater(t, s.Limits.Calls, 7)
	assert.Equal(t, 9, s.Limits.PerSource)
	assert.Equal(t, 3, s.Limits.Registrations)
	assert.Greater(t, sipLimits(config.Limits{}).Calls, 100000, "no limit")
}

func TestNetworks(t *testing.T) {
	n := newNetworks(load(t, `
networks:
  - {cidr: 0.0.0.0/0, address: 203.0.113.5}
  - {cidr: 10.0.0.0/8, address: 127.0.0.1, dscp_audio: 46, dscp_video: 34, dscp_signalling: 24}
  - {cidr: "::/0", interface: lo}
`).Networks)
	for _, tc := range []struct {
		peer string
		want sip.Network
	}{
		{"198.51.100.1", sip.Network{Advertised: netip.MustParseAddr("203.0.113.5")}}, // beyond a NAT
		{"10.1.2.3", sip.Network{Local: netip.MustParseAddr("127.0.0.1"), Advertised: netip.MustParseAddr("127.0.0.1"), AudioDSCP: 46, VideoDSCP: 34, SignallingDSCP: 24}},
		{"::ffff:10.1.2.3", sip.Network{Local: netip.MustParseAddr("127.0.0.1"), Advertised: netip.MustParseAddr("127.0.0.1"), AudioDSCP: 46, VideoDSCP: 34, SignallingDSCP: 24}},
	} {
		assert.Equal(t, tc.want, n.towards(netip.MustParseAddr(tc.peer)), tc.peer)
	}
	assert.Equal(t, "lo", n.towards(netip.MustParseAddr("2001:db8::1")).Interface)
	assert.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, n.advertised())
	assert.Equal(t, sip.Network{}, networks(nil).towards(netip.MustParseAddr("10.0.0.1")))
}

func TestGreeting(t *testing.T) {
	c := config.Default()
	c.DataDir = "data"
	var out bytes.Buffer
	greeting{config: c, address: "192.0.2.10", key: "rg_secret", selfie: true}.print(&out)
	for _, line := range []string{
		"http://localhost:8080/m/demo", "https://192.0.2.10:8443/m/demo   (self-signed", "sip:demo@192.0.2.10\n", "sips:demo@192.0.2.10\n",
		"bin/roomgate terminal --protocol sip --call demo@127.0.0.1\n", "rg_secret   (shown this once; its hash is kept in data)",
	} {
		assert.Contains(t, out.String(), line)
	}

	out.Reset()
	c.Meetings.AutoCreate = false
	c.SIP.UDP, c.SIP.TCP = config.Addresses{"[::1]:6060"}, nil
	greeting{config: c, address: "2001:db8::1"}.print(&out)
	assert.Contains(t, out.String(), "sip:MEETING@[2001:db8::1]:6060\n")
	assert.NotContains(t, out.String(), "API key")
	assert.NotContains(t, out.String(), "self-signed")
}

func TestSIPMessagesAreCounted(t *testing.T) {
	m := api.NewMetrics()
	for _, text := range []string{"INVITE sip:a SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", "SIP/2.0 x", "", "x"} {
		countSIP(m, edge.Record{In: true, Message: []byte(text)})
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{`{direction="in",kind="INVITE"} 1`, `{direction="in",kind="2xx"} 1`, `{direction="in",kind="other"} 3`} {
		assert.Contains(t, w.Body.String(), "roomgate_sip_messages_total"+line)
	}
}
