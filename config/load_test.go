package config_test

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const testdata = "../testdata/config"

// clearEnv takes every variable of ours out of the way of a test.
func clearEnv(t *testing.T) {
	t.Helper()
	t.Setenv("STATE_DIRECTORY", "")
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "ROOMGATE_") {
			t.Setenv(name, "")
		}
	}
}

// write puts a configuration into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "roomgate.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestDefaultsAlone(t *testing.T) {
	clearEnv(t)
	c, err := config.Load("")
	require.NoError(t, err)
	want := config.Default()
	want.DataDir = "data"
	assert.Empty(t, config.Changes(want, c))
	assert.True(t, c.Meetings.AutoCreate)
	assert.Empty(t, c.Files)
	assert.Empty(t, config.Validate(config.Default()))
}

func TestFileTurnsAutoCreateOff(t *testing.T) {
	clearEnv(t)
	c, err := config.Load(write(t, ""))
	require.NoError(t, err)
	assert.False(t, c.Meetings.AutoCreate)
	assert.Equal(t, config.Addresses{":5060"}, c.SIP.UDP)

	c, err = config.Load(write(t, "meetings: {auto_create: true}"))
	require.NoError(t, err)
	assert.True(t, c.Meetings.AutoCreate)
}

func TestFullFileSetsEveryKey(t *testing.T) {
	clearEnv(t)
	c, err := config.Load(filepath.Join(testdata, "full.yml"))
	require.NoError(t, err)
	want := config.Config{
		Listen: config.Listen{Address: netip.MustParseAddr("127.0.0.1")},
		Networks: []config.Network{
			{CIDR: netip.MustParsePrefix("10.0.0.0/8"), Address: netip.MustParseAddr("10.0.0.5"), DSCPAudio: 46, DSCPVideo: 34, DSCPSignalling: 24},
			{CIDR: netip.MustParsePrefix("::/0"), Interface: "eth0"},
		},
		SIP: config.SIP{
			UDP: config.Addresses{"127.0.0.1:6060", "[::1]:6060"},
			TCP: config.Addresses{"127.0.0.1:6060"},
			TLS: config.SIPTLS{
				Listen: config.Addresses{"127.0.0.1:6061"}, Cert: "cert.pem", Key: "key.pem",
				MinVersion: "1.3", Legacy: config.Addresses{"127.0.0.1:6062"},
			},
			Domain: "example.org", SessionTimer: 10 * time.Minute,
			Registration: config.Registration{MinExpires: 30 * time.Second, MaxExpires: 10 * time.Minute},
		},
		H323: config.H323{
			RAS: config.Addresses{"127.0.0.1:2719"}, Signalling: config.Addresses{"127.0.0.1:2720"},
			FastStart: "on", EarlyH245: true, MediaPort: 2776,
			Gatekeeper: config.Gatekeeper{
				ID: "example", Mode: "direct", Registration: "closed", Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				TimeToLive: 5 * time.Minute, CallBandwidth: 2048, TotalBandwidth: 100000,
				Neighbours: []config.Neighbour{{Name: "hue", Address: netip.MustParseAddrPort("192.0.2.1:1719"), Prefixes: []string{"84234"}, Strip: true}},
				Alternates: []config.Alternate{{Address: netip.MustParseAddrPort("192.0.2.2:2719"), ID: "backup", Priority: 1, Register: true}},
			},
			Register: config.Membership{
				Gatekeeper: netip.MustParseAddrPort("192.0.2.3:1719"), ID: "parent", Username: "gw", Password: "s3cret",
				Aliases: []string{"roomgate"}, Prefixes: []string{"88"},
			},
		},
		RTP: config.RTP{Ports: config.PortRange{Low: 30000, High: 31999}, Latching: "on", Encryption: "require", Timeout: 20 * time.Second},
		SFU: config.SFU{
			URL: "wss://sfu.example.org", APIKey: "devkey", APISecret: "a-secret-of-some-length", PhoneAudio: "g711",
			Address: netip.MustParseAddr("203.0.113.5"), Ports: config.SFUPorts{Signalling: 8880, UDP: 8882},
		},
		HTTP: config.HTTP{
			Listen:         config.Addresses{"127.0.0.1:9080"},
			TLS:            config.HTTPTLS{Listen: config.Addresses{"127.0.0.1:9443"}, Cert: "cert.pem", Key: "key.pem"},
			PublicURL:      "https://meet.example.org",
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("192.0.2.0/24")},
		},
		Database:     config.Database{URL: "postgres://roomgate@localhost/roomgate"},
		Video:        config.Video{Worker: "/usr/lib/roomgate/roomgate-video", Processes: 2, Simulcast: "off"},
		Meetings:     config.Meetings{AutoCreate: true, DefaultLayout: "speaker", MaxLegs: 40, EarlyJoin: 15 * time.Minute, LectureTurn: 5 * time.Second, Clock: "Asia/Ho_Chi_Minh", Chat: true, PhoneNumbers: []string{"+84 24 7100 0000"}},
		Lobby:        config.Lobby{Alias: []string{"lobby", "19001000"}, Language: "vi", Tries: 5, Names: "phones", Prompts: "/etc/roomgate/prompts"},
		Limits:       config.Limits{MaxCalls: 200, PerSource: 500, Registrations: 100, APIRequests: 600},
		DrainTimeout: 5 * time.Minute,
		Log:          config.Log{Level: "debug", Format: "json"},
		PhoneBook: config.PhoneBook{
			XML: true, LDAP: config.Addresses{"127.0.0.1:3890"}, LDAPS: config.Addresses{"127.0.0.1:6360"}, Base: "dc=hop,dc=vn",
			Open: []config.OpenPhoneBook{{CIDR: netip.MustParsePrefix("10.1.0.0/16"), Agency: "UBND"}},
		},
		LDAPSync: config.LDAPSync{
			URL: "ldap://dc1.example.org", StartTLS: true, CAFile: "/etc/roomgate/ca.pem", BindDN: "cn=reader,dc=example,dc=org", Password: "1234",
			Base: "ou=rooms,dc=example,dc=org", Schema: "ad", Filter: "(objectClass=room)", Agency: "UBND", Every: time.Hour, Delete: true,
			Attributes: config.LDAPAttributes{ID: "entryUUID", Name: "cn", Agency: "o", Site: "l", E164: "telephoneNumber", H323: "a", SIP: "b", Username: "uid", Password: "c", Owner: "d"},
		},
		Telemetry: config.Telemetry{OTLPEndpoint: "http://collector.example.org:4318", Sample: 25},
		Admin:     config.Admin{APIKey: "0123456789abcdef"},
		Accounts:  []config.Account{{Username: "room1", Password: "0123", Aliases: []string{"0012", "boardroom"}, Name: "Phòng họp 1"}},
		Trunks: []config.Trunk{{Name: "pstn", CIDRs: []netip.Prefix{
			netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"),
		}, Codecs: []string{"g729", "pcma"}, Lobby: true, Language: "en"}},
		DialRules: []config.DialRule{
			{Prefix: "+84", Trunk: "pstn", Protocol: "sip", Meeting: "room-$1"},
			{Pattern: `8(?P<room>\d+)`, Endpoint: "sip:${room}@10.0.0.9"},
			{Pattern: "0900.*", Reject: "forbidden"},
			{Pattern: "1900", Lobby: true, Language: "ask"},
		},
		DialPlan: config.DialPlan{Country: "LA", Policy: config.Policy{
			URL: "https://policy.example.org/route", Secret: "a-secret-of-16-chars", Timeout: time.Second, Fallback: "refuse",
		}},
		SecretKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		DataDir:   "/var/lib/roomgate",
		Files:     []string{filepath.Join(testdata, "full.yml"), "cert.pem", "key.pem"},
	}
	assert.Equal(t, want, *c)

	// The file is full: it differs from the defaults in every key but the
	// *_file ones, and meetings.auto_create, whose default depends on the file.
	changed := config.Changes(config.Default(), c)
	for _, key := range config.Keys() {
		if !strings.HasSuffix(key, "_file") && key != "meetings.auto_create" {
			assert.Contains(t, changed, key)
		}
	}
}

func TestInvalidFiles(t *testing.T) {
	clearEnv(t)
	files, err := filepath.Glob(filepath.Join(testdata, "invalid-*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := config.Load(file)
			var problems config.Problems
			require.True(t, errors.As(err, &problems), "%v", err)
			golden := strings.TrimSuffix(file, ".yml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), problems.Error()+"\n")
			for _, p := range problems {
				assert.Contains(t, p.Source, filepath.Base(file)+":", "every problem names the line")
			}
		})
	}
}

func TestLoadWithoutItsFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "missing.yaml"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestSecretsFromFiles(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	file := put("roomgate.yaml", "admin: {api_key_file: "+put("key", "0123456789abcdef\n")+"}\n"+
		"sfu: {embedded: false, url: ws://x, api_key_file: "+put("sfu", "k")+", api_secret_file: "+put("sfusecret", "s\r\n")+"}\n"+
		"database: {url_file: "+put("db", "postgres://db/x\n")+"}\n"+
		"accounts: [{username: a, password_file: "+put("password", " with space \n")+"}]\n")
	c, err := config.Load(file)
	require.NoError(t, err)
	assert.Equal(t, "0123456789abcdef", c.Admin.APIKey)
	assert.Equal(t, "k", c.SFU.APIKey)
	assert.Equal(t, "s", c.SFU.APISecret)
	assert.Equal(t, "postgres://db/x", c.Database.URL)
	assert.Equal(t, " with space ", c.Accounts[0].Password)
	assert.Len(t, c.Files, 6)

	_, err = config.Load(write(t, "admin: {api_key_file: "+put("empty", "\n")+"}\n"))
	assert.ErrorContains(t, err, "roomgate.yaml:1: admin.api_key_file: "+filepath.Join(dir, "empty")+" is empty")
}

// TestEveryFieldHasItsKey guards against a field without a tag, which
// could never be set.
func TestEveryFieldHasItsKey(t *testing.T) {
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			assert.NotEmpty(t, f.Tag.Get("key"), "%s.%s", typ, f.Name)
			inner := f.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && inner.PkgPath() == typ.PkgPath() && inner != reflect.TypeFor[config.PortRange]() {
				check(inner)
			}
		}
	}
	check(reflect.TypeFor[config.Config]())
}

// TestWhoMayRegister: by H.323 those who may call, unless the file says otherwise.
func TestWhoMayRegister(t *testing.T) {
	clearEnv(t)
	for text, want := range map[string]string{
		"": "open", "h323: {allow_direct: false}": "accounts", "h323: {allow_direct: false, gatekeeper: {registration: closed}}": "closed",
	} {
		c, err := config.Load(write(t, text))
		require.NoError(t, err)
		assert.Equal(t, want, c.H323.Gatekeeper.Registration, text)
	}
}
