package certificate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/config/certificate"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestSelfSignedIsMadeKeptAndRenewed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	names := []string{"localhost", "gw.example.org", "192.0.2.1", "2001:db8::1"}
	first, fresh, err := certificate.SelfSigned(dir, names, start)
	require.NoError(t, err)
	assert.True(t, fresh)
	for _, name := range names {
		assert.NoError(t, first.Leaf.VerifyHostname(name))
	}
	key, ok := first.PrivateKey.(*ecdsa.PrivateKey)
	require.True(t, ok)
	assert.Equal(t, elliptic.P256(), key.Curve)
	info, err := os.Stat(filepath.Join(dir, "self-signed.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	for _, tc := range []struct {
		name  string
		names []string
		now   time.Time
		fresh bool
	}{
		{"the same", names, start.Add(time.Minute), false},
		{"fewer names", names[:1], start.Add(time.Hour), false},
		{"long before the end", names, start.Add(360 * 24 * time.Hour), false},
		{"near the end", names, start.Add(370 * 24 * time.Hour), true},
	} {
		_, fresh, err := certificate.SelfSigned(dir, tc.names, tc.now)
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.fresh, fresh, tc.name)
	}
	_, fresh, err = certificate.SelfSigned(dir, append(names, "198.51.100.7"), start.Add(371*24*time.Hour))
	require.NoError(t, err)
	assert.True(t, fresh, "a new address")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "self-signed.pem"), []byte("damaged"), 0o600))
	_, fresh, err = certificate.SelfSigned(dir, names, start)
	require.NoError(t, err)
	assert.True(t, fresh, "a damaged file")
}

func TestLoadRefuses(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	_, _, err := certificate.SelfSigned(dir, []string{"a"}, start)
	require.NoError(t, err)
	_, _, err = certificate.SelfSigned(other, []string{"b"}, start)
	require.NoError(t, err)
	mine, theirs := filepath.Join(dir, "self-signed.pem"), filepath.Join(other, "self-signed.pem")

	_, err = certificate.Load(mine, mine, start)
	assert.NoError(t, err)
	_, err = certificate.Load(mine, theirs, start)
	assert.ErrorContains(t, err, "private key does not match")
	_, err = certificate.Load(mine, mine, start.Add(400*24*time.Hour))
	assert.ErrorIs(t, err, certificate.ErrExpired)
	_, err = certificate.Load(filepath.Join(dir, "none.pem"), mine, start)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// TestIdentityServesTheOneInForce shakes hands before and after a change.
func TestIdentityServesTheOneInForce(t *testing.T) {
	var identity certificate.Identity
	_, err := identity.Get(nil)
	assert.Error(t, err)
	for range 2 {
		c, _, err := certificate.SelfSigned(t.TempDir(), []string{"gw.example.org"}, time.Now())
		require.NoError(t, err)
		identity.Set(c)
		assert.Equal(t, c.Leaf.SerialNumber, serverCertificate(t, &identity).SerialNumber)
	}
}

func serverCertificate(t *testing.T, identity *certificate.Identity) *x509.Certificate {
	t.Helper()
	near, far := net.Pipe()
	server := tls.Server(far, &tls.Config{GetCertificate: identity.Get, MinVersion: tls.VersionTLS12})
	roots := x509.NewCertPool()
	roots.AddCert(identity.Current().Leaf)
	client := tls.Client(near, &tls.Config{RootCAs: roots, ServerName: "gw.example.org", MinVersion: tls.VersionTLS12})
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	require.NoError(t, client.Handshake())
	require.NoError(t, <-done)
	defer near.Close()
	defer far.Close()
	return client.ConnectionState().PeerCertificates[0]
}

func TestHostNames(t *testing.T) {
	assert.Contains(t, certificate.HostNames(), "localhost")
	assert.Contains(t, certificate.HostNames(), "127.0.0.1")
}
