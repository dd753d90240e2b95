package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/phonebook"
	"github.com/roomgate/roomgate/directory/phonebook/ldap"
)

// TestDirectoryCommand imports while a gateway runs on the same database, which
// notices; then exports and routes.
func TestDirectoryCommand(t *testing.T) {
	r := serve(t, "accounts: [{username: config1, password: x}]\ndial_rules: [{prefix: '9', meeting: demo}]\n")
	table := filepath.Join(t.TempDir(), "rooms.csv")
	write := func(text string) { require.NoError(t, os.WriteFile(table, []byte(text), 0o600)) }
	run := func(args ...string) (string, error) {
		return execute(t, append(append([]string{"directory"}, args...), "--config", r.file)...)
	}
	write("name,e164,username,password,permissions\nPhòng A,+842438231234,room-a,s3cret,meetings\nPhòng B,1002,,,\n")
	out, err := run("import", table, "--dry-run")
	require.NoError(t, err)
	assert.Equal(t, "+ row 2: Phòng A\n+ row 3: Phòng B\nwould be imported: 2 new, 0 changed, 0 as they were\n", out)
	assert.Zero(t, r.n.directory.Count())
	out, err = run("import", table)
	require.NoError(t, err)
	assert.Equal(t, "imported: 2 new, 0 changed, 0 as they were\n", out)
	require.Eventually(t, func() bool { return r.n.known("1002") }, 10*time.Second, 10*time.Millisecond)

	exported := filepath.Join(t.TempDir(), "out.csv")
	out, err = run("export", exported, "--passwords")
	require.NoError(t, err)
	assert.Equal(t, "exported: 2\n", out)
	text, err := os.ReadFile(exported)
	require.NoError(t, err)
	assert.Contains(t, string(text), ",+842438231234,,room-a,s3cret,")
	out, err = run("import", exported)
	require.NoError(t, err)
	assert.Equal(t, "imported: 0 new, 0 changed, 2 as they were\n", out)
	write("username,password,permissions\nroom-a,other,terminals\n")
	out, err = run("import", table, "-n")
	require.NoError(t, err)
	assert.Contains(t, out, "~ row 2: Phòng A\n    password: another one\n    permissions: \"meetings\" -> \"terminals\"\n")
	write("name,e164\nC,x\nD,y\n")
	out, err = run("import", table)
	assert.ErrorIs(t, err, errTable)
	assert.Contains(t, out, "row 2, e164: \"x\" is no e164 alias\nrow 3, e164: \"y\" is no e164 alias\n")

	for dialled, want := range map[string]string{
		"95":            "* rule 1: matches\n=> the meeting demo (dial rule 1 (9(.*)))\n",
		"024 3823 1234": "  rule 1: \"024 3823 1234\" does not begin with 9\n=> the terminal +842438231234 (a terminal has the number +842438231234)\n",
		"config1":       "=> the terminal config1",
		"zzz":           "=> the meeting zzz (meetings are made on demand)",
	} {
		out, err := run("route", dialled)
		require.NoError(t, err)
		assert.Contains(t, out, want, dialled)
	}
	out, err = run("route", "1002", "--caller", "room-a")
	require.NoError(t, err)
	assert.Contains(t, out, "=> refused, rejected (the caller may not call terminals)")
	out, err = run("reseal")
	require.NoError(t, err)
	assert.Equal(t, "encrypted anew: 0\n", out)
}

// TestSyncCommand takes endpoints over from the phone book of another gateway, which is a
// directory on the schema H.350 too.
func TestSyncCommand(t *testing.T) {
	open := func() *directory.Directory {
		d, err := openDirectory(t.Context(), &config.Config{DataDir: t.TempDir()}, zap.NewNop())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, d.DB.Close()) })
		return d
	}
	theirs := open()
	list, err := theirs.SaveEndpoints(t.Context(), []directory.Endpoint{
		{Name: "Phòng A", Agency: "Sở Y tế", Site: "Tầng 2", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "5001"}, {Kind: directory.AliasH323, Value: "A-HDX"}}},
		{Name: "Phòng B", Agency: "UBND", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "5002"}}},
	})
	require.NoError(t, err)
	book := phonebook.New(phonebook.Config{Directory: theirs, Open: func() []phonebook.Open {
		return []phonebook.Open{{CIDR: netip.MustParsePrefix("127.0.0.0/8")}}
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	server := ldap.New(ldap.Config{Book: book, Base: "dc=roomgate", Log: zap.NewNop()})
	go func() { done <- server.Serve(ctx, l, false) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})

	r := serve(t, "ldap_sync: {url: 'ldap://"+l.Addr().String()+"', base: dc=roomgate}\n")
	run := func(args ...string) string {
		out, err := execute(t, append([]string{"directory", "sync", "--config", r.file}, args...)...)
		require.NoError(t, err, out)
		return out
	}
	out := run("--dry-run")
	assert.Contains(t, out, "create Phòng A\n")
	assert.Contains(t, out, "would be taken over: 2 new, 0 changed, 0 as they were, 0 deleted, 0 missing, 0 faults\n")
	assert.Zero(t, r.n.directory.Count())
	assert.Contains(t, run(), "taken over: 2 new")
	require.Eventually(t, func() bool { return r.n.known("5002") }, 10*time.Second, 10*time.Millisecond, "the gateway that runs knows them")
	e, ok := r.n.directory.ByAlias("A-HDX")
	require.True(t, ok)
	assert.Equal(t, []string{"Phòng A", "Sở Y tế", "Tầng 2"}, []string{e.Name, e.Agency, e.Site})

	list[0].Name = "Phòng A mới"
	_, err = theirs.SaveEndpoint(t.Context(), list[0])
	require.NoError(t, err)
	require.NoError(t, theirs.DeleteEndpoint(t.Context(), list[1].ID, 0))
	out = run("-n")
	assert.Contains(t, out, "update Phòng A mới\n    name: \"Phòng A\" -> \"Phòng A mới\"\n")
	assert.Contains(t, out, "mark Phòng B\n")
	assert.Contains(t, run(), "taken over: 0 new, 1 changed, 0 as they were, 0 deleted, 1 missing, 0 faults\n")
	assert.Contains(t, run(), "taken over: 0 new, 0 changed, 1 as they were, 0 deleted, 1 missing, 0 faults\n")

	_, err = execute(t, "directory", "sync", "--config", serve(t, "").file)
	assert.ErrorIs(t, err, errNoSource)
}
