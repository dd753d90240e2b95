// Package secure protects RTP and RTCP: it turns SDES keys (RFC 4568) or a DTLS
// handshake (RFC 5763, RFC 5764) into SRTP contexts (RFC 3711, RFC 7714) that
// outlive a re-negotiation.
package secure

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"
)

// Suite is a crypto suite by its SDES name.
type Suite string

// The suites of RFC 4568 §6.2, RFC 6188 §5 and RFC 7714 §14.2.
const (
	AES128CM80 Suite = "AES_CM_128_HMAC_SHA1_80"
	AES128CM32 Suite = "AES_CM_128_HMAC_SHA1_32"
	AES256CM80 Suite = "AES_256_CM_HMAC_SHA1_80"
	AES256CM32 Suite = "AES_256_CM_HMAC_SHA1_32"
	AES128GCM  Suite = "AEAD_AES_128_GCM"
	AES256GCM  Suite = "AEAD_AES_256_GCM"
)

// Suites lists what is supported, in the order we prefer.
func Suites() []Suite {
	return []Suite{AES256GCM, AES128GCM, AES256CM80, AES128CM80, AES256CM32, AES128CM32}
}

// ErrUnknownSuite is returned for a suite that is not in Suites.
var ErrUnknownSuite = errors.New("unknown crypto suite")

var profiles = map[Suite]srtp.ProtectionProfile{
	AES128CM80: srtp.ProtectionProfileAes128CmHmacSha1_80,
	AES128CM32: srtp.ProtectionProfileAes128CmHmacSha1_32,
	AES256CM80: srtp.ProtectionProfileAes256CmHmacSha1_80,
	AES256CM32: srtp.ProtectionProfileAes256CmHmacSha1_32,
	AES128GCM:  srtp.ProtectionProfileAeadAes128Gcm,
	AES256GCM:  srtp.ProtectionProfileAeadAes256Gcm,
}

// lengths gives the octets of the master key and of the master salt.
func (s Suite) lengths() (key, salt int, err error) {
	p, ok := profiles[s]
	if !ok {
		return 0, 0, fmt.Errorf("%w: %q", ErrUnknownSuite, string(s))
	}
	if key, err = p.KeyLen(); err != nil {
		return 0, 0, err
	}
	if salt, err = p.SaltLen(); err != nil {
		return 0, 0, err
	}
	return key, salt, nil
}

// KeySize is the length in octets of key and salt together, as an inline key of
// a=crypto carries them; zero for an unknown suite.
func (s Suite) KeySize() int {
	key, salt, err := s.lengths()
	if err != nil {
		return 0
	}
	return key + salt
}

// Key is the key material of one direction.
type Key struct {
	Suite Suite
	// Master is the master key followed by the master salt.
	Master []byte
	// MKI is the master key identifier that every packet carries, at its
	// length on the wire; nil when none was agreed.
	MKI []byte
}

// NewKey draws a random key without an identifier.
func NewKey(s Suite) (Key, error) {
	n := s.KeySize()
	if n == 0 {
		return Key{}, fmt.Errorf("%w: %q", ErrUnknownSuite, string(s))
	}
	k := Key{Suite: s, Master: make([]byte, n)}
	rand.Read(k.Master) // never fails: crypto/rand ends the process instead
	return k, nil
}

// Equal reports whether both are the same key, so that a context may go on.
func (k Key) Equal(o Key) bool {
	return k.Suite == o.Suite && bytes.Equal(k.Master, o.Master) && bytes.Equal(k.MKI, o.MKI)
}

// Validate checks suite and lengths.
func (k Key) Validate() error {
	key, salt, err := k.Suite.lengths()
	if err != nil {
		return err
	}
	if len(k.Master) != key+salt {
		return fmt.Errorf("key of %s: %d octets, want %d", k.Suite, len(k.Master), key+salt)
	}
	if len(k.MKI) > 128 { // RFC 4568 §6.1
		return fmt.Errorf("key of %s: identifier of %d octets, want 128 at most", k.Suite, len(k.MKI))
	}
	return nil
}

// String names the suite and never shows the key.
func (k Key) String() string { return string(k.Suite) }

// GoString keeps the key out of %#v.
func (k Key) GoString() string { return "secure.Key{" + string(k.Suite) + "}" }
