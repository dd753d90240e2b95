package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
