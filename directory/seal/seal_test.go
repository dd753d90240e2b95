package seal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory/seal"
)

func ring(t *testing.T, keys string) *seal.Keyring {
	t.Helper()
	k, err := seal.Parse(keys)
	require.NoError(t, err)
	return k
}

func TestSealAndOpen(t *testing.T) {
	k := ring(t, seal.NewKey())
	for _, secret := range []string{"", "x", "mật khẩu", strings.Repeat("long", 1000)} {
		sealed := k.Seal(secret, "endpoint/1")
		got, err := k.Open(sealed, "endpoint/1")
		require.NoError(t, err)
		assert.Equal(t, secret, got)
		if len(secret) > 1 {
			assert.NotContains(t, sealed, secret)
		}
	}
	assert.NotEqual(t, k.Seal("same", "p"), k.Seal("same", "p"), "equal passwords do not show")
}

func TestOpenRefuses(t *testing.T) {
	k := ring(t, seal.NewKey())
	sealed := k.Seal("secret", "endpoint/1")
	_, err := k.Open(sealed, "endpoint/2")
	assert.ErrorIs(t, err, seal.ErrDamaged, "put in another's place")
	_, err = ring(t, seal.NewKey()).Open(sealed, "endpoint/1")
	assert.ErrorIs(t, err, seal.ErrUnknownKey)
	for i := range len(sealed) {
		_, err := k.Open(sealed[:i], "endpoint/1")
		assert.Equal(t, i > 0, err != nil, "prefix of %d", i)
	}
	for i := range len(sealed) - 1 { // of the last character two bits say nothing
		damaged := []byte(sealed)
		damaged[i] ^= 1
		_, err := k.Open(string(damaged), "endpoint/1")
		assert.Error(t, err, "octet %d", i)
	}
}

func TestRotation(t *testing.T) {
	older, newer := seal.NewKey(), seal.NewKey()
	sealed := ring(t, older).Seal("secret", "p")
	both := ring(t, newer+", "+older)
	got, err := both.Open(sealed, "p")
	require.NoError(t, err)
	assert.Equal(t, "secret", got)
	assert.True(t, both.Stale(sealed))
	again := both.Seal(got, "p")
	assert.False(t, both.Stale(again))
	got, err = ring(t, newer).Open(again, "p")
	require.NoError(t, err)
	assert.Equal(t, "secret", got)
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", " ", "short", strings.Repeat("zz", 32), seal.NewKey() + ",x"} {
		_, err := seal.Parse(bad)
		assert.Error(t, err, bad)
		if len(bad) > 40 {
			assert.NotContains(t, err.Error(), bad[:40])
		}
	}
	hex := strings.Repeat("0f", 32)
	assert.False(t, ring(t, hex).Stale(ring(t, "Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8").Seal("x", "p")), "the same key in both forms")
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data", "secret.key")
	first, err := seal.File(name)
	require.NoError(t, err)
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	second, err := seal.File(name)
	require.NoError(t, err)
	got, err := second.Open(first.Seal("x", "p"), "p")
	require.NoError(t, err)
	assert.Equal(t, "x", got)

	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file stays")
	require.NoError(t, os.WriteFile(name, []byte("# nothing\n"), 0o600))
	_, err = seal.File(name)
	assert.ErrorContains(t, err, "there is none")
}
