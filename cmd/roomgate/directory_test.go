package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras/client"
	"github.com/roomgate/roomgate/terminal"
)

// TestDirectoryAccounts: what is put into the directory may register at once, by
// either protocol, and is called by its aliases; what is taken out may not.
func TestDirectoryAccounts(t *testing.T) {
	r := serve(t, gatekeeperOn)
	call := func() terminal.Report {
		report, _ := terminal.Run(t.Context(), terminal.Options{
			Protocol: "sip", Call: "demo@" + r.n.sip.Addresses()[0].String(), Register: "hall:s3cret-1@" + r.n.sip.Addresses()[0].String(),
			Address: "127.0.0.1", AudioOnly: true, Duration: 500 * time.Millisecond,
		})
		return report
	}
	register := func() client.State {
		return r.register(func(c *client.Config) {
			c.Aliases, c.User, c.Password = []h225.AliasAddress{alias.Of("7001")}, "hall", "s3cret-1"
		}).settles(t)
	}
	assert.False(t, call().Connected, "nobody knows it yet")

	e, err := r.n.directory.SaveEndpoint(t.Context(), directory.Endpoint{
		Name: "Hội trường", Username: "hall", Password: "s3cret-1", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "7001"}},
	})
	require.NoError(t, err)
	assert.True(t, call().Connected)
	s := register()
	require.Equal(t, client.Registered, s.Phase, "%v", s.Err)
	assert.True(t, r.n.known("7001"))

	require.NoError(t, r.n.directory.DeleteEndpoint(t.Context(), e.ID, 0))
	assert.False(t, call().Connected)
}
