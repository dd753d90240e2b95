package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// KeyHash is what is kept of an API key. Keys are random and long, so that one
// round of SHA-256 is enough.
type KeyHash [sha256.Size]byte

// NewKey makes a key of 256 random bits.
func NewKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return "rg_" + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashKey is the hash of a key.
func HashKey(key string) KeyHash { return sha256.Sum256([]byte(key)) }

// MarshalText writes the hash as it stands in a file.
func (h KeyHash) MarshalText() ([]byte, error) {
	return []byte("sha256:" + hex.EncodeToString(h[:])), nil
}

// UnmarshalText reads what MarshalText wrote.
func (h *KeyHash) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "sha256:")
	if !ok {
		return errors.New("hash of an API key: sha256: is missing")
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("hash of an API key: not %d hexadecimal digits", 2*len(h))
	}
	copy(h[:], b)
	return nil
}

// Keys tells which keys are good. The zero value knows none.
type Keys struct {
	hash atomic.Pointer[KeyHash]
}

// Set makes h the hash of the one good key.
func (k *Keys) Set(h KeyHash) { k.hash.Store(&h) }

// Good compares in constant time.
func (k *Keys) Good(key string) bool {
	want := k.hash.Load()
	if want == nil {
		return false
	}
	got := HashKey(key)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
