package offer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Suite is an SRTP crypto suite by its registered name.
type Suite string

// Suites of RFC 4568 §6.2, RFC 6188 §4 and RFC 7714 §14.2.
const (
	AES128SHA80 Suite = "AES_CM_128_HMAC_SHA1_80"
	AES128SHA32 Suite = "AES_CM_128_HMAC_SHA1_32"
	AES256SHA80 Suite = "AES_256_CM_HMAC_SHA1_80"
	AES256SHA32 Suite = "AES_256_CM_HMAC_SHA1_32"
	AES128GCM   Suite = "AEAD_AES_128_GCM"
	AES256GCM   Suite = "AEAD_AES_256_GCM"
)

// DefaultSuites is what is used where nothing else is asked for.
func DefaultSuites() []Suite {
	return []Suite{AES256GCM, AES128GCM, AES256SHA80, AES128SHA80, AES256SHA32, AES128SHA32}
}

// lengths of master key and master salt in bytes; zero for a suite not known.
func (s Suite) lengths() (key, salt int) {
	switch s {
	case AES128SHA80, AES128SHA32:
		return 16, 14
	case AES256SHA80, AES256SHA32:
		return 32, 14
	case AES128GCM:
		return 16, 12
	case AES256GCM:
		return 32, 12
	}
	return 0, 0
}

// suiteNamed reads a suite; two go by the names they had before RFC 6188 too.
func suiteNamed(name string) (Suite, bool) {
	s := Suite(strings.ToUpper(name))
	switch s {
	case "AES_CM_256_HMAC_SHA1_80":
		s = AES256SHA80
	case "AES_CM_256_HMAC_SHA1_32":
		s = AES256SHA32
	}
	key, _ := s.lengths()
	return s, key > 0
}

// Crypto is one a=crypto line.
type Crypto struct {
	Tag   int
	Suite Suite
	// Keys has at least one entry; several are told apart by their MKI.
	Keys []MasterKey

	name string // the suite as the far side spells it
}

// MasterKey is one inline key of a Crypto.
type MasterKey struct {
	Key, Salt []byte
	// Lifetime in packets; zero: not stated.
	Lifetime uint64
	// MKI as it stands in packets; empty: packets carry none.
	MKI []byte
}

// maxKeys bounds the keys of one line.
const maxKeys = 16

var (
	errCryptoSyntax  = errors.New("a=crypto: syntax")
	errCryptoSuite   = errors.New("a=crypto: unknown suite")
	errCryptoKey     = errors.New("a=crypto: unusable key")
	errCryptoSession = errors.New("a=crypto: session parameter not supported")
)

// parseCrypto reads <tag> <suite> <key>[;<key>..] [<session parameter> ..]
// (RFC 4568 §9.1).
func parseCrypto(value string) (Crypto, error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Crypto{}, errCryptoSyntax
	}
	tag, err := strconv.ParseUint(f[0], 10, 31)
	if err != nil {
		return Crypto{}, fmt.Errorf("%w: tag", errCryptoSyntax)
	}
	suite, ok := suiteNamed(f[1])
	if !ok {
		return Crypto{}, errCryptoSuite
	}
	c := Crypto{Tag: int(tag), Suite: suite, name: f[1]}
	for _, text := range strings.Split(f[2], ";") {
		if text == "" && len(c.Keys) > 0 {
			continue
		}
		key, err := parseKey(text, suite)
		if err != nil {
			return Crypto{}, err
		}
		c.Keys = append(c.Keys, key)
	}
	if err := checkKeys(c.Keys); err != nil {
		return Crypto{}, err
	}
	for _, p := range f[3:] {
		if !harmless(p) {
			return Crypto{}, errCryptoSession
		}
	}
	return c, nil
}

// checkKeys: several keys need an MKI each, all of one length (RFC 4568 §6.1).
func checkKeys(keys []MasterKey) error {
	if len(keys) > maxKeys {
		return errCryptoKey
	}
	for _, k := range keys[1:] {
		if len(k.MKI) == 0 || len(k.MKI) != len(keys[0].MKI) {
			return fmt.Errorf("%w: MKI", errCryptoKey)
		}
	}
	return nil
}

// parseKey reads inline:<base64>[|<lifetime>][|<MKI>:<length>].
func parseKey(text string, suite Suite) (MasterKey, error) {
	method, info, _ := strings.Cut(text, ":")
	if !strings.EqualFold(method, "inline") {
		return MasterKey{}, errCryptoSyntax
	}
	fields := strings.Split(info, "|")
	raw, err := base64.StdEncoding.DecodeString(fields[0])
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(fields[0])
	}
	keyLen, saltLen := suite.lengths()
	if err != nil || len(raw) != keyLen+saltLen {
		return MasterKey{}, errCryptoKey
	}
	k := MasterKey{Key: raw[:keyLen:keyLen], Salt: raw[keyLen:]}
	rest := fields[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], ":") {
		if k.Lifetime, err = parseLifetime(rest[0]); err != nil {
			return MasterKey{}, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		if k.MKI, err = parseMKI(rest[0]); err != nil {
			return MasterKey{}, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return MasterKey{}, errCryptoSyntax
	}
	return k, nil
}

// parseLifetime reads packets, plain or as 2^n; SRTP allows 2^48 (RFC 3711
// §9.2).
func parseLifetime(text string) (uint64, error) {
	if power, ok := strings.CutPrefix(text, "2^"); ok {
		n, err := strconv.ParseUint(power, 10, 8)
		if err != nil || n > 48 {
			return 0, fmt.Errorf("%w: lifetime", errCryptoKey)
		}
		return 1 << n, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || n > 1<<48 {
		return 0, fmt.Errorf("%w: lifetime", errCryptoKey)
	}
	return n, nil
}

// parseMKI reads <decimal value>:<length in bytes>.
func parseMKI(text string) ([]byte, error) {
	value, length, ok := strings.Cut(text, ":")
	n, err := strconv.ParseUint(length, 10, 8)
	if !ok || err != nil || n < 1 || n > 128 || len(value) > 310 {
		return nil, fmt.Errorf("%w: MKI", errCryptoKey)
	}
	v, ok := new(big.Int).SetString(value, 10)
	if !ok || v.Sign() < 0 || v.BitLen() > 8*int(n) {
		return nil, fmt.Errorf("%w: MKI", errCryptoKey)
	}
	return v.FillBytes(make([]byte, n)), nil
}

// harmless reports whether a session parameter can be ignored. Those that turn
// protection off, or ask for key derivation, cannot; FEC is never sent here.
func harmless(parameter string) bool {
	name, value, _ := strings.Cut(strings.ToUpper(parameter), "=")
	switch name {
	case "WSH", "FEC_ORDER", "FEC_KEY":
		return true
	case "KDR":
		return value == "0"
	}
	return strings.HasPrefix(name, "-")
}

// String writes the line's value.
func (c Crypto) String() string {
	name := c.name
	if name == "" {
		name = string(c.Suite)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s ", c.Tag, name)
	for i, k := range c.Keys {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString("inline:" + base64.StdEncoding.EncodeToString(append(slices.Clone(k.Key), k.Salt...)))
		if k.Lifetime > 0 {
			fmt.Fprintf(&b, "|%d", k.Lifetime)
		}
		if len(k.MKI) > 0 {
			fmt.Fprintf(&b, "|%s:%d", new(big.Int).SetBytes(k.MKI), len(k.MKI))
		}
	}
	return b.String()
}

// newKey draws a key for a suite.
func newKey(random io.Reader, suite Suite) (MasterKey, error) {
	if random == nil {
		return MasterKey{}, errors.New("no source of key material")
	}
	keyLen, saltLen := suite.lengths()
	raw := make([]byte, keyLen+saltLen)
	if _, err := io.ReadFull(random, raw); err != nil {
		return MasterKey{}, fmt.Errorf("draw an SRTP key: %w", err)
	}
	return MasterKey{Key: raw[:keyLen:keyLen], Salt: raw[keyLen:]}, nil
}

// cryptos are the lines of the m-line that we could use, in its order.
func (s *Section) cryptos(suites []Suite) []Crypto {
	var list []Crypto
	for _, value := range s.all("crypto") {
		if c, err := parseCrypto(value); err == nil && slices.Contains(suites, c.Suite) {
			list = append(list, c)
		}
	}
	return list
}
