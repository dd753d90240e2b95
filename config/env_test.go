package config_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config"
)

func TestEnvironmentWinsOverTheFile(t *testing.T) {
	clearEnv(t)
	file := write(t, "log: {level: warn, format: json}\nsip: {udp: ':1'}\n")
	t.Setenv("ROOMGATE_LOG_LEVEL", "debug")
	t.Setenv("ROOMGATE_SIP_UDP", ":5070, [::1]:5071")
	t.Setenv("ROOMGATE_SIP_TLS_LISTEN", "off")
	t.Setenv("ROOMGATE_SIP_ALLOW_DIRECT", "false")
	t.Setenv("ROOMGATE_RTP_PORTS", "40000-40999")
	t.Setenv("ROOMGATE_DRAIN_TIMEOUT", "90s")
	t.Setenv("ROOMGATE_LIMITS_MAX_CALLS", "7")
	t.Setenv("ROOMGATE_LISTEN_ADDRESS", "::1")
	t.Setenv("ROOMGATE_HTTP_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1")
	t.Setenv("ROOMGATE_TRUNKS", `[{"name":"pstn","cidrs":["192.0.2.0/24"]}]`)
	t.Setenv("ROOMGATE_ACCOUNTS", "- username: room1\n  password: 0123\n  aliases: [1001, 1002]\n")

	c, err := config.Load(file)
	require.NoError(t, err)
	assert.Equal(t, "debug", c.Log.Level)
	assert.Equal(t, "json", c.Log.Format)
	assert.Equal(t, config.Addresses{"[::1]:5070", "[::1]:5071"}, c.SIP.UDP)
	assert.Empty(t, c.SIP.TLS.Listen)
	assert.False(t, c.SIP.AllowDirect)
	assert.Equal(t, config.PortRange{Low: 40000, High: 40999}, c.RTP.Ports)
	assert.Equal(t, 90*time.Second, c.DrainTimeout)
	assert.Equal(t, 7, c.Limits.MaxCalls)
	assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}, c.HTTP.TrustedProxies)
	assert.Equal(t, []config.Trunk{{Name: "pstn", CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}, c.Trunks)
	assert.Equal(t, []config.Account{{Username: "room1", Password: "0123", Aliases: []string{"1001", "1002"}}}, c.Accounts)
}

// TestEveryKeyIsBound sets each key, one by one, to a value of a wrong type or
// to itself, and looks for the variable's name in what comes of it.
func TestEveryKeyIsBound(t *testing.T) {
	clearEnv(t)
	wrong := map[string]string{
		"sip.allow_direct": "perhaps", "h323.allow_direct": "perhaps", "h323.tunnelling": "perhaps", "h323.early_h245": "perhaps", "sfu.embedded": "perhaps", "meetings.auto_create": "perhaps",
		"meetings.clock": "Asia/Sai_Gon", "sip.domain": "a b", "http.public_url": "x", "sfu.url": "x", "database.url": "x://y", "admin.api_key": "x",
		"sip.tls.cert": "x", "sip.tls.key": "x", "http.tls.cert": "x", "http.tls.key": "x",
	}
	free := map[string]func(*config.Config) string{
		"h323.gatekeeper.id":            func(c *config.Config) string { return c.H323.Gatekeeper.ID },
		"h323.register.id":              func(c *config.Config) string { return c.H323.Register.ID },
		"h323.register.username":        func(c *config.Config) string { return c.H323.Register.Username },
		"h323.register.password":        func(c *config.Config) string { return c.H323.Register.Password },
		"h323.register.aliases":         func(c *config.Config) string { return c.H323.Register.Aliases[0] },
		"ldap_sync.ca_file":             func(c *config.Config) string { return c.LDAPSync.CAFile },
		"ldap_sync.bind_dn":             func(c *config.Config) string { return c.LDAPSync.BindDN },
		"ldap_sync.password":            func(c *config.Config) string { return c.LDAPSync.Password },
		"ldap_sync.base":                func(c *config.Config) string { return c.LDAPSync.Base },
		"ldap_sync.filter":              func(c *config.Config) string { return c.LDAPSync.Filter },
		"ldap_sync.agency":              func(c *config.Config) string { return c.LDAPSync.Agency },
		"ldap_sync.attributes.id":       func(c *config.Config) string { return c.LDAPSync.Attributes.ID },
		"ldap_sync.attributes.name":     func(c *config.Config) string { return c.LDAPSync.Attributes.Name },
		"ldap_sync.attributes.agency":   func(c *config.Config) string { return c.LDAPSync.Attributes.Agency },
		"ldap_sync.attributes.site":     func(c *config.Config) string { return c.LDAPSync.Attributes.Site },
		"ldap_sync.attributes.e164":     func(c *config.Config) string { return c.LDAPSync.Attributes.E164 },
		"ldap_sync.attributes.h323":     func(c *config.Config) string { return c.LDAPSync.Attributes.H323 },
		"ldap_sync.attributes.sip":      func(c *config.Config) string { return c.LDAPSync.Attributes.SIP },
		"ldap_sync.attributes.username": func(c *config.Config) string { return c.LDAPSync.Attributes.Username },
		"ldap_sync.attributes.password": func(c *config.Config) string { return c.LDAPSync.Attributes.Password },
		"ldap_sync.attributes.owner":    func(c *config.Config) string { return c.LDAPSync.Attributes.Owner },
		"video.worker":                  func(c *config.Config) string { return c.Video.Worker },
		"lobby.alias":                   func(c *config.Config) string { return c.Lobby.Alias[0] },
		"lobby.prompts":                 func(c *config.Config) string { return c.Lobby.Prompts },
		"data_dir":                      func(c *config.Config) string { return c.DataDir },
		"sfu.api_key":                   func(c *config.Config) string { return c.SFU.APIKey },
		"sfu.api_secret":                func(c *config.Config) string { return c.SFU.APISecret },
	}
	seen := map[string]string{}
	for _, key := range config.Keys() {
		name := config.EnvName(key)
		assert.Empty(t, seen[name], "%s and %s share a variable", key, seen[name])
		seen[name] = key
		t.Run(name, func(t *testing.T) {
			if get, ok := free[key]; ok {
				t.Setenv(name, "anything")
				c, err := config.Load("")
				require.NoError(t, err)
				assert.Equal(t, "anything", get(c))
				return
			}
			value := wrong[key]
			if value == "" {
				value = "[nonsense"
			}
			t.Setenv(name, value)
			_, err := config.Load("")
			assert.ErrorContains(t, err, name+": "+key+": ")
		})
	}
}

func TestStrangeVariablesAreNamed(t *testing.T) {
	clearEnv(t)
	t.Setenv("ROOMGATE_SERVICE_HOST", "10.0.0.1")
	c, err := config.Load("")
	require.NoError(t, err)
	assert.Contains(t, c.Warnings, "environment variable ROOMGATE_SERVICE_HOST is not a key of the configuration")
}

// A password that would be read on its way is warned of.
func TestPasswordsInTheClear(t *testing.T) {
	for _, tc := range []struct {
		url, tls, dn string
		warned       bool
	}{
		{"ldap://dc1.example.vn", "false", "cn=reader", true},
		{"ldap://dc1.example.vn", "true", "cn=reader", false},
		{"ldaps://dc1.example.vn", "false", "cn=reader", false},
		{"ldap://127.0.0.1:389", "false", "cn=reader", false},
		{"ldap://dc1.example.vn", "false", "", false},
	} {
		clearEnv(t)
		t.Setenv("ROOMGATE_LDAP_SYNC_URL", tc.url)
		t.Setenv("ROOMGATE_LDAP_SYNC_BASE", "dc=example,dc=vn")
		t.Setenv("ROOMGATE_LDAP_SYNC_START_TLS", tc.tls)
		t.Setenv("ROOMGATE_LDAP_SYNC_BIND_DN", tc.dn)
		c, err := config.Load("")
		require.NoError(t, err)
		warned := slices.ContainsFunc(c.Warnings, func(w string) bool { return strings.Contains(w, "in the clear") })
		assert.Equal(t, tc.warned, warned, "%+v: %v", tc, c.Warnings)
	}
}

func TestStateDirectoryIsTheDataDirectory(t *testing.T) {
	clearEnv(t)
	t.Setenv("STATE_DIRECTORY", "/var/lib/roomgate:/var/lib/other")
	c, err := config.Load("")
	require.NoError(t, err)
	assert.Equal(t, "/var/lib/roomgate", c.DataDir)
}
