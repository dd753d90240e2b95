package h235

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/h323/per"
)

// piBits is the floor of pi * 2^n, by Machin's formula.
func piBits(n uint) *big.Int {
	const guard = 64
	arctan := func(x int64) *big.Int { // of 1/x, scaled
		term := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), n+guard), big.NewInt(x))
		sum, square := new(big.Int).Set(term), big.NewInt(x*x)
		for k := int64(3); term.Sign() != 0; k += 2 {
			term.Div(term, square)
			part := new(big.Int).Div(term, big.NewInt(k))
			if k%4 == 3 {
				sum.Sub(sum, part)
			} else {
				sum.Add(sum, part)
			}
		}
		return sum
	}
	quarter := new(big.Int).Mul(big.NewInt(4), arctan(5))
	quarter.Sub(quarter, arctan(239))
	return quarter.Mul(quarter, big.NewInt(4)).Rsh(quarter, guard)
}

// The primes are what RFC 2409 and RFC 3526 say they are:
// 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + offset).
func TestPrimes(t *testing.T) {
	offsets := map[int]int64{1024: 129093, 1536: 741804, 2048: 124476, 4096: 240904}
	one := big.NewInt(1)
	for _, g := range Groups() {
		n := uint(g.Bits)
		want := new(big.Int).Lsh(one, n)
		want.Sub(want, new(big.Int).Lsh(one, n-64)).Sub(want, one)
		middle := piBits(n - 130)
		middle.Add(middle, big.NewInt(offsets[g.Bits]))
		want.Add(want, middle.Lsh(middle, 64))
		require.Zero(t, want.Cmp(g.prime), "%d bits", g.Bits)
	}
}

func TestAgreement(t *testing.T) {
	for _, c := range []struct {
		name        string
		offer, ours []*Group
		want        *Group
	}{
		{"1024", []*Group{DH1024}, []*Group{DH1024}, DH1024},
		{"1536", []*Group{DH1536}, Groups(), DH1536},
		{"4096", []*Group{DH4096}, Groups(), DH4096},
		{"the caller's order", []*Group{DH1024, DH2048}, Groups(), DH1024},
		{"what both know", []*Group{DH4096, DH2048, DH1024}, []*Group{DH1024, DH2048}, DH2048},
		{"nothing", []*Group{DH1024}, []*Group{DH2048}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := NewAgreement(c.offer...)
			offer := transmit(t, caller.Tokens())
			require.True(t, Offers(offer))
			answer, theirs, err := Answer(offer, c.ours...)
			if c.want == nil {
				require.ErrorIs(t, err, ErrNoGroup)
				return
			}
			require.NoError(t, err)
			mine, err := caller.Finish(transmit(t, answer))
			require.NoError(t, err)
			require.Equal(t, c.want, mine.Group())
			require.Equal(t, mine.value, theirs.value)
			for _, algorithm := range mine.Algorithms() {
				key, err := NewMediaKey(algorithm)
				require.NoError(t, err)
				wrapped, err := mine.Wrap(key)
				require.NoError(t, err)
				require.False(t, bytes.Contains(wrapped, key.Key))
				got, err := theirs.Unwrap(wrapped, algorithm)
				require.NoError(t, err)
				require.True(t, key.Equal(got))
			}
			other, _, err := Answer(offer, c.ours...)
			require.NoError(t, err)
			require.NotEqual(t, answer[0], other[0], "half keys are drawn anew")
		})
	}
}

// transmit sends tokens through their encoding.
func transmit(t *testing.T, tokens []ClearToken) []ClearToken {
	t.Helper()
	var list []ClearToken
	for i := range tokens {
		data, err := per.Marshal(&tokens[i])
		require.NoError(t, err)
		var got ClearToken
		require.NoError(t, per.Unmarshal(data, &got))
		list = append(list, got)
	}
	return list
}

func TestBadHalfKeys(t *testing.T) {
	good := NewAgreement(DH1024).Tokens()[0]
	bits := func(v *big.Int) per.BitString { return DH1024.bits(v) }
	minusOne := new(big.Int).Sub(DH1024.prime, big.NewInt(1))
	for name, change := range map[string]func(d *DHset){
		"zero":              func(d *DHset) { d.Halfkey = bits(new(big.Int)) },
		"empty":             func(d *DHset) { d.Halfkey = per.BitString{} },
		"one":               func(d *DHset) { d.Halfkey = bits(big.NewInt(1)) },
		"minus one":         func(d *DHset) { d.Halfkey = bits(minusOne) },
		"the prime":         func(d *DHset) { d.Halfkey = bits(DH1024.prime) },
		"another prime":     func(d *DHset) { d.ModSize = bits(minusOne) },
		"another generator": func(d *DHset) { d.Generator = bits(big.NewInt(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			set := *good.Dhkey
			change(&set)
			token := []ClearToken{{TokenOID: DH1024.OID, Dhkey: &set}}
			_, _, err := Answer(token, DH1024)
			require.ErrorIs(t, err, ErrHalfKey)
			_, err = NewAgreement(DH1024).Finish(token)
			require.ErrorIs(t, err, ErrHalfKey)
		})
	}
	short := *good.Dhkey
	short.ModSize, short.Generator = per.BitString{}, per.BitString{Bytes: []byte{2}, Length: 8}
	_, _, err := Answer([]ClearToken{{TokenOID: DH1024.OID, Dhkey: &short}}, DH1024)
	require.NoError(t, err, "prime and generator may be left out, or be short")
	_, _, err = Answer([]ClearToken{{TokenOID: DH1024.OID}, {TokenOID: Version3}}, DH1024)
	require.ErrorIs(t, err, ErrNoGroup)
	require.False(t, Offers([]ClearToken{{TokenOID: DH1024.OID}, {TokenOID: Version3}}))
}

// Secrets of known exponents, worked out by another implementation, and keys that
// `openssl enc -aes-{128,256}-cbc -iv 0 -nopad` encrypted under them.
func TestSecretVectors(t *testing.T) {
	count := func(from, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(from + i)
		}
		return b
	}
	for _, c := range []struct {
		group       *Group
		algorithm   per.OID
		low, sealed string
	}{
		{DH1024, AES128CBC, "08fbfa2dcb4a5a8c73318f919181638b", "c1c65263000b1dfa5a43b90ba59d5cff"},
		{DH2048, AES256CBC, "5d0533d7459ab3e7f7489ca76848fa084fbc12b3861c0746f8ee398fba1c4b7d",
			"1c7f97a14695297daee9b56966e4cd6aa09614c50f09ebb5b267d2738400f822"},
	} {
		fixed := func(from int) half {
			secret := new(big.Int).SetBytes(count(from, 64))
			return half{c.group, secret, new(big.Int).Exp(generator, secret, c.group.prime)}
		}
		token := fixed(65).token()
		secret, err := fixed(1).combine(&token)
		require.NoError(t, err)
		n := keySize(c.algorithm)
		require.Equal(t, c.low, hex.EncodeToString(secret.value[len(secret.value)-n:]))
		require.NotContains(t, secret.GoString()+secret.String(), c.low)

		key := MediaKey{Algorithm: c.algorithm, Key: count(0xa0, n)}
		wrapped, err := secret.Wrap(key)
		require.NoError(t, err)
		parsed, err := ParseKey(wrapped)
		require.NoError(t, err)
		require.Equal(t, c.sealed, hex.EncodeToString(parsed.SecureSharedSecret.EncryptedSessionKey))
	}
}

func TestUnwrapRefuses(t *testing.T) {
	_, secret, err := Answer(NewAgreement(DH1024).Tokens(), DH1024)
	require.NoError(t, err)
	key, err := NewMediaKey(AES128CBC)
	require.NoError(t, err)
	wrapped, err := secret.Wrap(key)
	require.NoError(t, err)
	for n := range wrapped {
		_, err := secret.Unwrap(wrapped[:n], AES128CBC)
		require.ErrorIs(t, err, ErrKey, "prefix of %d octets", n)
	}
	_, err = secret.Unwrap(wrapped, AES256CBC)
	require.ErrorIs(t, err, ErrAlgorithm)
	key256, err := NewMediaKey(AES256CBC)
	require.NoError(t, err)
	_, err = secret.Wrap(key256)
	require.ErrorIs(t, err, ErrAlgorithm, "a secret of 1024 bits is for AES-128")
	_, err = NewMediaKey("1.2.3")
	require.ErrorIs(t, err, ErrAlgorithm)

	marshal := func(k *H235Key) []byte {
		data, err := k.Marshal()
		require.NoError(t, err)
		return data
	}
	clear := marshal(&H235Key{SecureChannel: &per.BitString{Bytes: key.Key, Length: 128}})
	_, err = secret.Unwrap(clear, AES128CBC)
	require.ErrorIs(t, err, ErrKey)
	for _, n := range []int{0, 15, 17, 48} {
		odd := marshal(&H235Key{SecureSharedSecret: &V3KeySyncMaterial{EncryptedSessionKey: make([]byte, n)}})
		_, err = secret.Unwrap(odd, AES128CBC)
		require.ErrorIs(t, err, ErrKey)
	}
	// With an initial value, and with padding behind the key.
	iv := [16]byte{1, 2, 3}
	with, err := secret.Unwrap(marshal(&H235Key{SecureSharedSecret: &V3KeySyncMaterial{
		ParamS: Params{IV16: &iv}, EncryptedSessionKey: make([]byte, 32)}}), AES128CBC)
	require.NoError(t, err)
	without, err := secret.Unwrap(marshal(&H235Key{SecureSharedSecret: &V3KeySyncMaterial{
		EncryptedSessionKey: make([]byte, 16)}}), AES128CBC)
	require.NoError(t, err)
	for i := range iv {
		require.Equal(t, without.Key[i]^iv[i], with.Key[i])
	}
	require.NotContains(t, key.GoString()+key.String(), hex.EncodeToString(key.Key))
}

func FuzzUnwrap(f *testing.F) {
	_, secret, err := Answer(NewAgreement(DH1024).Tokens(), DH1024)
	if err != nil {
		f.Fatal(err)
	}
	key, _ := NewMediaKey(AES128CBC)
	wrapped, err := secret.Wrap(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped)
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := secret.Unwrap(data, AES128CBC); err == nil && len(k.Key) != 16 {
			t.Fatalf("key of %d octets", len(k.Key))
		}
	})
}

func BenchmarkAgreement(b *testing.B) {
	for _, g := range Groups() {
		b.Run(string(g.OID), func(b *testing.B) {
			for range b.N {
				a := NewAgreement(g)
				answer, _, err := Answer(a.Tokens(), g)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := a.Finish(answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
