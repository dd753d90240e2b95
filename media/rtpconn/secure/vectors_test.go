package secure

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// The transforms below are written from the RFCs, checked against their
// vectors, and then compared with what the contexts make.

// derive is the key derivation of RFC 3711 §4.3.1 and RFC 6188 §3, with a key
// derivation rate of 0.
func derive(t *testing.T, label byte, master, salt []byte, n int) []byte {
	t.Helper()
	block, err := aes.NewCipher(master)
	require.NoError(t, err)
	var iv [16]byte
	copy(iv[:14], salt)
	iv[7] ^= label
	out := make([]byte, n)
	cipher.NewCTR(block, iv[:]).XORKeyStream(out, out)
	return out
}

// sealCM is AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1 and §4.2).
func sealCM(t *testing.T, key, salt, auth, packet []byte, roc uint32, tag int) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	var iv [16]byte
	copy(iv[:14], salt)
	xor := func(at int, b []byte) {
		for i := range b {
			iv[at+i] ^= b[i]
		}
	}
	xor(4, packet[8:12]) // SSRC
	xor(8, binary.BigEndian.AppendUint32(nil, roc))
	xor(12, packet[2:4]) // sequence number
	out := append([]byte(nil), packet...)
	cipher.NewCTR(block, iv[:]).XORKeyStream(out[12:], out[12:])
	mac := hmac.New(sha1.New, auth)
	mac.Write(out)
	mac.Write(binary.BigEndian.AppendUint32(nil, roc))
	return append(out, mac.Sum(nil)[:tag]...)
}

// sealGCM is RFC 7714 §8.1 and §9.
func sealGCM(t *testing.T, key, salt, packet []byte, roc uint32) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	iv := append([]byte{0, 0}, packet[8:12]...)
	iv = binary.BigEndian.AppendUint32(iv, roc)
	iv = append(iv, packet[2:4]...)
	for i := range iv {
		iv[i] ^= salt[i]
	}
	return gcm.Seal(append([]byte(nil), packet[:12]...), iv, packet[12:], packet[:12])
}

func hexadecimal(t *testing.T, s string) []byte {
	t.Helper()
	return unhex(t, strings.Join(strings.Fields(s), ""))
}

func TestKeyDerivationOfRFC3711(t *testing.T) { // appendix B.3
	master := hexadecimal(t, "E1F97A0D3E018BE0D64FA32C06DE4139")
	salt := hexadecimal(t, "0EC675AD498AFEEBB6960B3AABE6")
	require.Equal(t, hexadecimal(t, "C61E7A93744F39EE10734AFE3FF7A087"), derive(t, 0, master, salt, 16))
	require.Equal(t, hexadecimal(t, "30CBBC08863D8C85D49DB34A9AE1"), derive(t, 2, master, salt, 14))
	require.Equal(t, hexadecimal(t, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"), derive(t, 1, master, salt, 20))
}

func TestAEADOfRFC7714(t *testing.T) { // §16.1.1 and §16.2.1
	packet := hexadecimal(t, `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
		69736120 696e2070 61727465 73207472 6573`)
	salt := []byte("Quid pro quo")
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	require.Equal(t, hexadecimal(t, `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
		0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`),
		sealGCM(t, key[:16], salt, packet, 0))
	require.Equal(t, hexadecimal(t, `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238
		9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`),
		sealGCM(t, key, salt, packet, 0))
}

// A packet under the master key of RFC 3711 appendix B.3, as other
// implementations make it.
func TestPacketOfTheLongUsedVector(t *testing.T) {
	k := Key{Suite: AES128CM80, Master: hexadecimal(t, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6")}
	out, in := pairOf(t, k)
	plain := hexadecimal(t, "800f1234 decafbad cafebabe abababab abababab abababab abababab")
	wire, err := out.RTP(append(make([]byte, 0, 100), plain...), new(rtp.Header))
	require.NoError(t, err)
	require.Equal(t, hexadecimal(t, "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb"), wire)
	got, err := in.RTP(make([]byte, 0, 100), wire, new(rtp.Header))
	require.NoError(t, err)
	require.Equal(t, plain, got)
}

func TestContextsAgreeWithTheRFCs(t *testing.T) {
	for _, suite := range Suites() {
		k, err := NewKey(suite)
		require.NoError(t, err)
		keyLen, saltLen, err := suite.lengths()
		require.NoError(t, err)
		master, salt := k.Master[:keyLen], k.Master[keyLen:]
		sessionKey := derive(t, 0, master, salt, keyLen)
		sessionSalt := derive(t, 2, master, salt, saltLen)
		out, err := NewOutbound(k)
		require.NoError(t, err)
		for i := range uint32(20) { // through the roll-over
			seq := uint16(65530 + i)
			plain := packet(t, 0xcafebabe, seq, "Gallia est omnis divisa")
			roc := (65530 + i) >> 16
			var want []byte
			switch suite {
			case AES128GCM, AES256GCM:
				want = sealGCM(t, sessionKey, sessionSalt, plain, roc)
			default:
				tag := 10
				if suite == AES128CM32 || suite == AES256CM32 {
					tag = 4
				}
				want = sealCM(t, sessionKey, sessionSalt, derive(t, 1, master, salt, 20), plain, roc, tag)
			}
			got, err := out.RTP(plain, new(rtp.Header))
			require.NoError(t, err)
			require.Equal(t, want, got, "%s, packet %d", suite, seq)
		}
	}
}
