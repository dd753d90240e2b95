package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config"
)

// TestDeployedExample loads the annotated example as it stands, and with the
// lines that are commented out put in where they take the place of others.
func TestDeployedExample(t *testing.T) {
	clearEnv(t)
	c, err := config.Load("../deploy/roomgate.yaml")
	require.NoError(t, err)
	assert.Empty(t, c.Warnings)
	assert.Len(t, c.Networks, 3)
	assert.Len(t, c.Accounts, 2)
	assert.Equal(t, "pstn", c.DialRules[0].Trunk)
	assert.True(t, c.SFU.Embedded)

	text, err := os.ReadFile("../deploy/roomgate.yaml")
	require.NoError(t, err)
	for _, key := range []string{"cert", "key", "legacy", "public_url", "trusted_proxies"} {
		require.Contains(t, string(text), "# "+key+": ")
		text = []byte(strings.ReplaceAll(string(text), "# "+key+": ", key+": "))
	}
	c, err = config.Load(write(t, string(text)))
	require.NoError(t, err)
	assert.Equal(t, config.Addresses{"10.20.30.5:5062"}, c.SIP.TLS.Legacy)
	assert.Equal(t, "/etc/roomgate/tls/key.pem", c.HTTP.TLS.Key)
}
