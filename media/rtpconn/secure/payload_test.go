package secure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func newPayload(t testing.TB, key []byte) *Payload {
	t.Helper()
	p, err := NewPayload(key)
	require.NoError(t, err)
	return p
}

func keyOf(n int) PayloadKey {
	k := make(PayloadKey, n)
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

func TestPayloadBothWays(t *testing.T) {
	for _, size := range []int{16, 32} {
		out, in := newPayload(t, keyOf(size)), newPayload(t, keyOf(size))
		for n := range 200 {
			plain := packet(t, 7, uint16(n), strings.Repeat("tone", 50)[:n])
			wire, err := out.Seal(append(make([]byte, 0, 300), plain...))
			require.NoError(t, err)
			require.Zero(t, (len(wire)-12)%16)
			if n == 0 {
				continue // nothing to encrypt, and nobody sends it
			}
			require.NotContains(t, string(wire), "tone")
			got, err := in.Open(make([]byte, 0, 300), wire)
			require.NoError(t, err)
			require.Equal(t, plain, got)
			for short := range wire {
				got, err := in.Open(make([]byte, 0, 300), wire[:short])
				require.True(t, err != nil || !bytes.Equal(got, plain), "prefix of %d octets", short)
			}
		}
	}
}

// Packets that openssl encrypted: `openssl enc -aes-128-cbc -K 000102.. -iv <sequence
// number and timestamp, repeated>`, and with -aes-256-cbc.
func TestPayloadVectors(t *testing.T) {
	header := unhex(t, "80781234deadbeefcafebabe")
	for _, c := range []struct{ size, text, want string }{
		{"128", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", vector128},
		{"256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", vector256},
	} {
		key := keyOf(16)
		if c.size == "256" {
			key = keyOf(32)
		}
		plain := append(bytes.Clone(header), unhex(t, c.text)...)
		wire, err := newPayload(t, key).Seal(append(make([]byte, 0, 100), plain...))
		require.NoError(t, err)
		require.Equal(t, append(bytes.Clone(header), unhex(t, c.want)...), wire)
	}
}

// Ciphertext stealing as in RFC 3962 appendix B, whose initial value is zero.
func TestPayloadStealing(t *testing.T) {
	in := newPayload(t, []byte("chicken teriyaki"))
	header := unhex(t, "807800000000000000000007")
	for _, c := range []struct{ text, wire string }{
		{"I would like the ", "c6353568f2bf8cb4d8a580362da7ff7f97"},
		{"I would like the General Gau's ", "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"},
		{"I would like the General Gau's Chicken, please,",
			"97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5"},
	} {
		got, err := in.Open(make([]byte, 0, 100), append(bytes.Clone(header), unhex(t, c.wire)...))
		require.NoError(t, err)
		require.Equal(t, c.text, string(got[12:]))
	}
}

// m100 and PVX leave anything in the padding but its count.
func TestPayloadForeignPadding(t *testing.T) {
	in := newPayload(t, keyOf(16))
	block, err := aes.NewCipher(keyOf(16))
	require.NoError(t, err)
	encrypt := func(text []byte) []byte {
		p := packet(t, 7, 1, string(text))
		p[0] |= paddingBit
		in.begin(p)
		cipher.NewCBCEncrypter(block, in.iv[:]).CryptBlocks(p[12:], p[12:])
		return p
	}
	got, err := in.Open(make([]byte, 0, 100), encrypt([]byte("eleven octe\xaa\x00\xff\x13\x05")))
	require.NoError(t, err)
	require.Equal(t, "eleven octe", string(got[12:]))
	require.Zero(t, got[0]&paddingBit)
	for _, count := range []byte{0, 17, 255} {
		_, err := in.Open(make([]byte, 0, 100), encrypt(append([]byte("fifteen octets!"), count)))
		require.ErrorIs(t, err, ErrPayload)
	}
}

func TestPayloadBehindWholeHeader(t *testing.T) {
	out, in := newPayload(t, keyOf(16)), newPayload(t, keyOf(16))
	// Two contributing sources, an extension of one word, four octets of payload.
	plain := unhex(t, "920012340000000100000002"+"0000000300000004"+"bede0001"+"11223344"+"61626364")
	wire, err := out.Seal(append(make([]byte, 0, 100), plain...))
	require.NoError(t, err)
	require.Equal(t, plain[1:28], wire[1:28])
	require.Len(t, wire, 28+16)
	got, err := in.Open(make([]byte, 0, 100), wire)
	require.NoError(t, err)
	require.Equal(t, plain, got)
	long := bytes.Clone(wire)
	long[22], long[23] = 0xff, 0xff
	_, err = in.Open(make([]byte, 0, 100), long)
	require.ErrorIs(t, err, ErrPayload)
}

func TestPayloadKeys(t *testing.T) {
	for _, n := range []int{0, 15, 24, 33} {
		_, err := NewPayload(make([]byte, n))
		require.Error(t, err)
	}
	k := PayloadKey("sixteen octets!!")
	require.NotContains(t, k.String()+k.GoString(), "sixteen")
}

func TestPayloadDoesNotAllocate(t *testing.T) {
	out, in := newPayload(t, keyOf(32)), newPayload(t, keyOf(32))
	plain := packet(t, 7, 1, strings.Repeat("x", 161))
	buf, dst := make([]byte, 0, 400), make([]byte, 0, 400)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		wire, err := out.Seal(append(buf[:0], plain...))
		if err == nil {
			_, err = in.Open(dst, wire)
		}
		if err != nil {
			t.Fatal(err)
		}
	}))
	odd := append(bytes.Clone(plain[:12]), make([]byte, 37)...)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := in.Open(dst, odd); err != nil {
			t.Fatal(err)
		}
	}))
}

func FuzzPayloadOpen(f *testing.F) {
	p := newPayload(f, keyOf(16))
	f.Add([]byte("\x80\x78\x12\x34\xde\xad\xbe\xef\xca\xfe\xba\xbe0123456789abcdef"))
	f.Add([]byte("\x92\x78\x12\x34\xde\xad\xbe\xef\xca\xfe\xba\xbe0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		got, err := p.Open(make([]byte, 0, len(wire)), wire)
		if err == nil && (len(got) < 12 || len(got) > len(wire)) {
			t.Fatalf("%d octets of %d", len(got), len(wire))
		}
	})
}

func BenchmarkPayload(b *testing.B) {
	for _, n := range []int{160, 1200} {
		p := newPayload(b, keyOf(16))
		buf, dst := make([]byte, 0, 1400), make([]byte, 0, 1400)
		plain := append(append(buf, "\x80\x78\x12\x34\xde\xad\xbe\xef\xca\xfe\xba\xbe"...), make([]byte, n)...)
		b.Run(fmt.Sprint(n, " octets"), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for range b.N {
				wire, _ := p.Seal(plain)
				if _, err := p.Open(dst, wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const (
	vector128 = "69f541f8287b80c786f8aad6ef71948497d76f6f078c2930a038c166c70a0a0a"
	vector256 = "c45286c7e1b924cdcafc0b6b12af266c38655d149f7a95229591fe54b621c380"
)
