package h235

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/roomgate/roomgate/h323/per"
)

// Errors of media keys.
var (
	// ErrAlgorithm: not an algorithm of MediaAlgorithms, or not the one that was agreed on.
	ErrAlgorithm = errors.New("h235: media encryption algorithm")
	// ErrKey: key material that cannot be read.
	ErrKey = errors.New("h235: media key")
)

// MediaAlgorithms lists the algorithms for media, the strongest first.
func MediaAlgorithms() []per.OID { return []per.OID{AES256CBC, AES128CBC} }

// keySize is the length of a key in octets, zero for an unknown algorithm.
func keySize(algorithm per.OID) int {
	switch algorithm {
	case AES128CBC:
		return 16
	case AES256CBC:
		return 32
	}
	return 0
}

// Secret is what both sides of a key agreement know.
type Secret struct {
	group *Group
	value []byte
}

// Group is where the secret was agreed on.
func (s *Secret) Group() *Group { return s.group }

// Algorithms are those the secret is good for, the strongest first: products offer
// AES-256 with 2048 bits and more only.
func (s *Secret) Algorithms() []per.OID {
	if s.group.Bits < 2048 {
		return []per.OID{AES128CBC}
	}
	return MediaAlgorithms()
}

// String keeps the secret out of logs.
func (s *Secret) String() string { return fmt.Sprintf("secret of %d bits", s.group.Bits) }

// GoString keeps the secret out of %#v.
func (s *Secret) GoString() string { return s.String() }

// cipher is the algorithm under the lowest bits of the secret (H.235.6 clause 7.6.1).
func (s *Secret) cipher(algorithm per.OID) (cipher.Block, error) {
	if !slices.Contains(s.Algorithms(), algorithm) {
		return nil, fmt.Errorf("%w %s with a %v", ErrAlgorithm, algorithm, s)
	}
	return aes.NewCipher(s.value[len(s.value)-keySize(algorithm):])
}

// MediaKey encrypts the media of one logical channel.
type MediaKey struct {
	Algorithm per.OID
	Key       []byte
}

// NewMediaKey draws a key; the H.245 master does so for each channel of both directions.
func NewMediaKey(algorithm per.OID) (MediaKey, error) {
	n := keySize(algorithm)
	if n == 0 {
		return MediaKey{}, fmt.Errorf("%w %q", ErrAlgorithm, algorithm)
	}
	k := MediaKey{Algorithm: algorithm, Key: make([]byte, n)}
	rand.Read(k.Key)
	return k, nil
}

// Equal tells whether both are the same.
func (k MediaKey) Equal(o MediaKey) bool {
	return k.Algorithm == o.Algorithm && bytes.Equal(k.Key, o.Key)
}

// String names the algorithm and never shows the key.
func (k MediaKey) String() string {
	switch k.Algorithm {
	case AES128CBC:
		return "AES-128-CBC"
	case AES256CBC:
		return "AES-256-CBC"
	}
	return string(k.Algorithm)
}

// GoString keeps the key out of %#v.
func (k MediaKey) GoString() string { return "h235.MediaKey{" + k.String() + "}" }

// Wrap gives the h235Key of an encryptionSync: the key encrypted under the secret with
// the media's own algorithm (H.235.6 clause 7.6.1). There is no initial value in it,
// which means that it is zero, as everybody sends it.
func (s *Secret) Wrap(k MediaKey) ([]byte, error) {
	block, err := s.cipher(k.Algorithm)
	if err != nil {
		return nil, err
	}
	if len(k.Key) != keySize(k.Algorithm) {
		return nil, fmt.Errorf("%w of %d octets for %v", ErrKey, len(k.Key), k)
	}
	sealed := make([]byte, len(k.Key))
	cipher.NewCBCEncrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(sealed, k.Key)
	material := &V3KeySyncMaterial{AlgorithmOID: &k.Algorithm, EncryptedSessionKey: sealed}
	return (&H235Key{SecureSharedSecret: material}).Marshal()
}

// Unwrap reads the h235Key of an encryptionSync for a channel with the given algorithm.
// A key that was sent in the clear is refused: it would protect nothing.
func (s *Secret) Unwrap(h235Key []byte, algorithm per.OID) (MediaKey, error) {
	key, err := ParseKey(h235Key)
	if err != nil {
		return MediaKey{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	m := key.SecureSharedSecret
	if m == nil {
		return MediaKey{}, fmt.Errorf("%w: not under a shared secret of version 3", ErrKey)
	}
	if m.AlgorithmOID != nil && *m.AlgorithmOID != algorithm {
		return MediaKey{}, fmt.Errorf("%w: key for %s in a channel with %s", ErrAlgorithm, *m.AlgorithmOID, algorithm)
	}
	block, err := s.cipher(algorithm)
	if err != nil {
		return MediaKey{}, err
	}
	sealed := m.EncryptedSessionKey
	// Some append a block of padding.
	if n := keySize(algorithm); len(sealed) != n && len(sealed) != n+aes.BlockSize {
		return MediaKey{}, fmt.Errorf("%w: %d octets for %s", ErrKey, len(sealed), algorithm)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, initial(&m.ParamS)).CryptBlocks(plain, sealed)
	return MediaKey{Algorithm: algorithm, Key: plain[:keySize(algorithm)]}, nil
}

// initial is the initial value in the parameters, zero when there is none.
func initial(p *Params) []byte {
	switch {
	case p.IV16 != nil:
		return p.IV16[:]
	case len(p.IV) == aes.BlockSize:
		return p.IV
	}
	return make([]byte, aes.BlockSize)
}
