package secure

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrFingerprint is returned when the far side's certificate is not the one its
// signalling announced (RFC 5763 §5).
var ErrFingerprint = errors.New("certificate does not match the signalled fingerprint")

// Fingerprint is a=fingerprint (RFC 8122 §5).
type Fingerprint struct {
	Hash  string // sha-256, sha-384, sha-512; sha-1 is tolerated
	Value string // upper-case hexadecimal octets joined by colons
}

// fingerprintOf hashes a DER certificate.
func fingerprintOf(hash string, der []byte) (Fingerprint, error) {
	var sum []byte
	switch strings.ToLower(hash) {
	case "sha-1":
		s := sha1.Sum(der)
		sum = s[:]
	case "sha-224":
		s := sha256.Sum224(der)
		sum = s[:]
	case "sha-256":
		s := sha256.Sum256(der)
		sum = s[:]
	case "sha-384":
		s := sha512.Sum384(der)
		sum = s[:]
	case "sha-512":
		s := sha512.Sum512(der)
		sum = s[:]
	default:
		return Fingerprint{}, fmt.Errorf("fingerprint hash %q: unsupported", hash)
	}
	h := strings.ToUpper(hex.EncodeToString(sum))
	var b strings.Builder
	for i := 0; i < len(h); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(h[i : i+2])
	}
	return Fingerprint{Hash: strings.ToLower(hash), Value: b.String()}, nil
}

// verify checks a DER certificate against what was signalled: one match is
// enough (RFC 8122 §5.1), unknown hashes are passed over.
func verify(announced []Fingerprint, der []byte) error {
	for _, f := range announced {
		got, err := fingerprintOf(f.Hash, der)
		if err != nil {
			continue
		}
		if subtle.ConstantTimeCompare([]byte(got.Value), []byte(strings.ToUpper(strings.TrimSpace(f.Value)))) == 1 {
			return nil
		}
	}
	return ErrFingerprint
}

// LocalFingerprint is that of the certificate this process shows in every DTLS
// handshake: self-signed, drawn once.
func LocalFingerprint() (Fingerprint, error) {
	cert, err := certificate()
	if err != nil {
		return Fingerprint{}, err
	}
	return fingerprintOf("sha-256", cert.Certificate[0])
}
