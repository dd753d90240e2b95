package h235_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/per"
)

// The test cases of RFC 2202 §3 and their first 96 bits.
func TestHMAC96(t *testing.T) {
	for _, c := range []struct {
		key, data []byte
		want      string
	}{
		{bytes.Repeat([]byte{0x0b}, 20), []byte("Hi There"), "b617318655057264e28bc0b6"},
		{[]byte("Jefe"), []byte("what do ya want for nothing?"), "effcdf6ae5eb2fa2d27416d5"},
		{bytes.Repeat([]byte{0xaa}, 20), bytes.Repeat([]byte{0xdd}, 50), "125d7342b9ac11cd91a39af4"},
		{bytes.Repeat([]byte{0xaa}, 80), []byte("Test Using Larger Than Block-Size Key - Hash Key First"), "aa4ae5e15272d00e95705637"},
	} {
		hash := h235.HMAC96(c.key, c.data)
		require.Equal(t, c.want, hex.EncodeToString(hash[:]))
	}
}

// Worked out apart from this program: the token's encoding packed by hand from X.691,
// the digests by another implementation.
func TestPasswordHashes(t *testing.T) {
	const password, stamp = "s3cret", 1700000000
	require.Equal(t, "fef341f85d87439e7d91a2d465b9871ef66b5e98", hex.EncodeToString(h235.PasswordKey(password)))

	terminated, err := h235.PasswordHash("1001", password, stamp, true)
	require.NoError(t, err)
	require.Equal(t, "73deb2c52f5ad42cd365580d8e987bcd", hex.EncodeToString(terminated[:]))
	bare, err := h235.PasswordHash("1001", password, stamp, false)
	require.NoError(t, err)
	require.Equal(t, "a4b36426a0b4cdfa0bd05a8640e46ac5", hex.EncodeToString(bare[:]))

	access := h235.AccessHash(0x7b, password, stamp)
	require.Equal(t, "c873b4b6247013fd07003edcd67cf680", hex.EncodeToString(access[:]))
}

func TestSameProfile(t *testing.T) {
	for _, c := range []struct {
		a, b per.OID
		want bool
	}{
		{"0.0.8.235.0.2.5", "0.0.8.235.0.2.5", true},
		{"0.0.8.235.0.1.5", "0.0.8.235.0.2.5", true},
		{"0.0.8.235.0.3.5", "0.0.8.235.0.2.5", true},
		{"0.0.8.235.0.2.6", "0.0.8.235.0.2.5", false},
		{"0.0.8.235.0.2", "0.0.8.235.0.3", false},
		{"1.2.3", "0.0.8.235.0.3", false},
		{"1.2.3", "1.2.3", true},
	} {
		require.Equal(t, c.want, h235.SameProfile(c.a, c.b), "%s and %s", c.a, c.b)
	}
}
