package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/config"
)

// execute runs the command line.
func execute(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestVersion(t *testing.T) {
	out, err := execute(t, "version")
	require.NoError(t, err)
	assert.Regexp(t, `^roomgate \S+ go1\.\d+`, out)
}

func TestHelpNamesTheCommands(t *testing.T) {
	out, err := execute(t, "--help")
	require.NoError(t, err)
	for _, command := range []string{"serve", "check", "terminal", "version"} {
		assert.Contains(t, out, command)
	}
	assert.NotContains(t, out, "sfu")
}

// checkable is a configuration on ports that are free.
const checkable = `
sip: {udp: "127.0.0.1:0", tcp: "127.0.0.1:0", tls: {listen: "127.0.0.1:0"}}
http: {listen: "127.0.0.1:0", tls: {listen: "127.0.0.1:0"}}
rtp: {ports: 41000-41199}
`

func TestCheck(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	const elsewhere = "sfu: {embedded: false, url: 'http://127.0.0.1:1', api_key: k, api_secret: s}\n"
	for _, tc := range []struct {
		name, config string
		want         string
		fails        bool
	}{
		{"unknown key", "sipp: {}\n", `configuration  FAILED  roomgate.yaml:1: sipp: unknown key; did you mean sip?`, true},
		{"port taken", "http: {listen: '" + taken.Addr().String() + "'}\n", `http.listen\s+FAILED\s+listen tcp .* address already in use`, true},
		{"no certificate", checkable[:1] + "sip: {udp: '127.0.0.1:0', tls: {cert: /nonexistent, key: /nonexistent}}\n", `sip.tls\s+FAILED\s+certificate /nonexistent`, true},
		{"sfu does not answer", checkable + elsewhere, `sfu\s+FAILED\s+http://127.0.0.1:1`, true},
		{"codecs", checkable + elsewhere, `codec opus\s+ok\s+opus/48000/2`, true},
		{"database", checkable + elsewhere + "database: {url: x.db}\n", `database\s+ok\s+SQLite x.db will be made`, true},
		{"no such database", checkable + elsewhere + "database: {url: 'postgres://u:p@127.0.0.1:1/x'}\n", `database\s+FAILED\s+PostgreSQL 127.0.0.1:1/x`, true},
		{"media ports", checkable + elsewhere, `rtp.ports\s+ok\s+udp 41000-41199, \d+ free`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "roomgate.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tc.config), 0o600))
			out, err := execute(t, "check", "--config", file)
			assert.Regexp(t, tc.want, out)
			assert.Equal(t, tc.fails, err != nil)
		})
	}
	_, err = execute(t, "check", "--config", filepath.Join(t.TempDir(), "missing.yaml"))
	assert.Error(t, err)
}

// TestCheckIsGood checks what serve then starts with.
func TestCheckIsGood(t *testing.T) {
	r := serve(t, "")
	out, err := execute(t, "check", "--config", r.file)
	require.NoError(t, err, out)
	assert.NotContains(t, out, string(bad))
	assert.Regexp(t, `sfu\s+ok\s+http://127.0.0.1`, out)
}

func TestAPIKeyIsMadeOnce(t *testing.T) {
	c := config.Default()
	c.DataDir = filepath.Join(t.TempDir(), "data")
	_, err := keyHash(c)
	assert.ErrorIs(t, err, os.ErrNotExist)
	hash, made, err := firstKey(c)
	require.NoError(t, err)
	assert.Equal(t, api.HashKey(made), hash)

	again, shown, err := firstKey(c)
	require.NoError(t, err)
	assert.Empty(t, shown)
	assert.Equal(t, hash, again)
	info, err := os.Stat(filepath.Join(c.DataDir, keyFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(filepath.Join(c.DataDir, keyFile))
	require.NoError(t, err)
	assert.NotContains(t, string(text), made)

	c.Admin.APIKey = "configured-0123456789"
	configured, shown, err := firstKey(c)
	require.NoError(t, err)
	assert.Empty(t, shown)
	assert.Equal(t, api.HashKey(c.Admin.APIKey), configured)

	c.Admin.APIKey = ""
	require.NoError(t, os.WriteFile(filepath.Join(c.DataDir, keyFile), []byte("damaged"), 0o600))
	_, _, err = firstKey(c)
	assert.Error(t, err, "a damaged hash is not replaced by a new key in silence")
}

func TestNodeNameStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := nodeName(dir)
	require.NoError(t, err)
	again, err := nodeName(dir)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	other, err := nodeName(t.TempDir())
	require.NoError(t, err)
	assert.NotEqual(t, first, other)
}
