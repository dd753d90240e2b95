package offer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inline gives n bytes of key and salt, the first of which is first.
func inline(first byte, n int) string {
	raw := bytes.Repeat([]byte{0x5a}, n)
	raw[0] = first
	return "inline:" + base64.StdEncoding.EncodeToString(raw)
}

func TestParseCrypto(t *testing.T) {
	key := inline(1, 30)
	for _, tc := range []struct {
		name, line string
		err        error
		check      func(t *testing.T, c Crypto)
	}{
		{name: "plain", line: "1 AES_CM_128_HMAC_SHA1_80 " + key, check: func(t *testing.T, c Crypto) {
			assert.Equal(t, 1, c.Tag)
			assert.Equal(t, AES128SHA80, c.Suite)
			assert.Len(t, c.Keys[0].Key, 16)
			assert.Len(t, c.Keys[0].Salt, 14)
			assert.Zero(t, c.Keys[0].Lifetime)
			assert.Empty(t, c.Keys[0].MKI)
		}},
		{name: "tag zero", line: "0 AES_CM_128_HMAC_SHA1_32 " + key, check: func(t *testing.T, c Crypto) {
			assert.Zero(t, c.Tag)
			assert.Equal(t, AES128SHA32, c.Suite)
		}},
		{name: "lifetime as a power and MKI", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|2^20|1:4", check: func(t *testing.T, c Crypto) {
			assert.Equal(t, uint64(1)<<20, c.Keys[0].Lifetime)
			assert.Equal(t, []byte{0, 0, 0, 1}, c.Keys[0].MKI)
		}},
		{name: "lifetime in packets", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|1000", check: func(t *testing.T, c Crypto) {
			assert.Equal(t, uint64(1000), c.Keys[0].Lifetime)
		}},
		{name: "MKI without lifetime", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|66051:3", check: func(t *testing.T, c Crypto) {
			assert.Zero(t, c.Keys[0].Lifetime)
			assert.Equal(t, []byte{1, 2, 3}, c.Keys[0].MKI)
		}},
		{name: "several keys", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|2^20|1:4;" + inline(2, 30) + "|2^20|2:4", check: func(t *testing.T, c Crypto) {
			require.Len(t, c.Keys, 2)
			assert.Equal(t, byte(2), c.Keys[1].Key[0])
			assert.Equal(t, []byte{0, 0, 0, 2}, c.Keys[1].MKI)
		}},
		{name: "name before RFC 6188", line: "1 AES_CM_256_HMAC_SHA1_80 " + inline(1, 46), check: func(t *testing.T, c Crypto) {
			assert.Equal(t, AES256SHA80, c.Suite)
			assert.Contains(t, c.String(), "1 AES_CM_256_HMAC_SHA1_80 ")
		}},
		{name: "GCM 128", line: "7 AEAD_AES_128_GCM " + inline(1, 28), check: func(t *testing.T, c Crypto) {
			assert.Len(t, c.Keys[0].Salt, 12)
		}},
		{name: "GCM 256", line: "7 AEAD_AES_256_GCM " + inline(1, 44), check: func(t *testing.T, c Crypto) {
			assert.Len(t, c.Keys[0].Key, 32)
		}},
		{name: "without padding", line: "1 AES_CM_256_HMAC_SHA1_32 " + strings.TrimRight(inline(1, 46), "="), check: func(t *testing.T, c Crypto) {
			assert.Equal(t, AES256SHA32, c.Suite)
		}},
		{name: "harmless parameters", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " WSH=128 KDR=0 FEC_ORDER=FEC_SRTP -new"},
		{name: "unencrypted SRTCP", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " UNENCRYPTED_SRTCP", err: errCryptoSession},
		{name: "unencrypted SRTP", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " UNENCRYPTED_SRTP", err: errCryptoSession},
		{name: "unauthenticated SRTP", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " UNAUTHENTICATED_SRTP", err: errCryptoSession},
		{name: "key derivation", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " KDR=4", err: errCryptoSession},
		{name: "unknown parameter", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + " NEW=1", err: errCryptoSession},
		{name: "unknown suite", line: "1 F8_128_HMAC_SHA1_80 " + key, err: errCryptoSuite},
		{name: "key too short", line: "1 AES_CM_128_HMAC_SHA1_80 " + inline(1, 29), err: errCryptoKey},
		{name: "key of another suite", line: "1 AES_256_CM_HMAC_SHA1_80 " + key, err: errCryptoKey},
		{name: "not base64", line: "1 AES_CM_128_HMAC_SHA1_80 inline:?", err: errCryptoKey},
		{name: "several keys without MKI", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + ";" + key, err: errCryptoKey},
		{name: "lifetime zero", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|0", err: errCryptoKey},
		{name: "lifetime beyond SRTP", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|2^49", err: errCryptoKey},
		{name: "MKI length zero", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|1:0", err: errCryptoKey},
		{name: "MKI larger than its length", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|256:1", err: errCryptoKey},
		{name: "MKI of 129 bytes", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|1:129", err: errCryptoKey},
		{name: "field too many", line: "1 AES_CM_128_HMAC_SHA1_80 " + key + "|2^20|1:4|5", err: errCryptoSyntax},
		{name: "no such method", line: "1 AES_CM_128_HMAC_SHA1_80 uri:x", err: errCryptoSyntax},
		{name: "tag is a word", line: "one AES_CM_128_HMAC_SHA1_80 " + key, err: errCryptoSyntax},
		{name: "no key", line: "1 AES_CM_128_HMAC_SHA1_80", err: errCryptoSyntax},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := parseCrypto(tc.line)
			if tc.err != nil {
				require.ErrorIs(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			if tc.check != nil {
				tc.check(t, c)
			}
			again, err := parseCrypto(c.String())
			require.NoError(t, err)
			assert.Equal(t, c, again)
		})
	}
}

func TestNewKeyNeedsRandomness(t *testing.T) {
	_, err := newKey(nil, AES128SHA80)
	assert.Error(t, err)
	broken := errors.New("no entropy")
	_, err = newKey(iotest.ErrReader(broken), AES128SHA80)
	assert.ErrorIs(t, err, broken)
	_, err = newKey(io.LimitReader(keys(1), 29), AES128SHA80)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestParseFingerprint(t *testing.T) {
	good := "SHA-256 " + strings.ToLower(gateway().Fingerprint.Value)
	f, ok := parseFingerprint(good)
	require.True(t, ok)
	assert.Equal(t, gateway().Fingerprint, f)
	for _, bad := range []string{"", "sha-256", "md5 AA:BB", "sha-1 " + f.Value, good + ":0A", "sha-256 " + strings.Replace(f.Value, ":", "-", 1), "sha-256 " + strings.Replace(f.Value, "0A", "0G", 1)} {
		_, ok := parseFingerprint(bad)
		assert.False(t, ok, bad)
	}
}
