// Package h235 holds the security tokens of ITU-T H.235: ClearToken and CryptoToken,
// which H.225.0 messages carry, and the key material of H.245 channels.
//
// The types in zz_types.go are written by asn1gen from the ASN.1 module
// H235-SECURITY-MESSAGES. ENCRYPTED, SIGNED and HASHED are Encrypted, Signed and
// Hashed; what is signed stays as it was encoded.
//
//go:generate go run ../internal/asn1gen -asn1 $ASN1 -out ..
package h235

import "github.com/roomgate/roomgate/h323/per"

// Object identifiers of tokens and algorithms.
const (
	// BaselineToken marks a ClearToken of the baseline profile (H.235.1, "T").
	BaselineToken per.OID = "0.0.8.235.0.2.5"
	// BaselineSigned marks a CryptoToken over the whole message (H.235.1, "A").
	BaselineSigned per.OID = "0.0.8.235.0.2.1"
	// HMACSHA196 is HMAC-SHA1-96 (H.235.1, "U").
	HMACSHA196 per.OID = "0.0.8.235.0.2.6"
	// MD5 is the hash of cryptoEPPwdHash (RFC 1321).
	MD5 per.OID = "1.2.840.113549.2.5"
	// AES128CBC is AES in CBC mode with 128-bit keys.
	AES128CBC per.OID = "2.16.840.1.101.3.4.1.2"
	// AES256CBC is AES in CBC mode with 256-bit keys.
	AES256CBC per.OID = "2.16.840.1.101.3.4.1.42"
)

// ParseKey decodes the h235Key of an H.245 encryptionSync.
func ParseKey(data []byte) (*H235Key, error) {
	k := new(H235Key)
	if _, err := per.Decode(data, k); err != nil {
		return nil, err
	}
	return k, nil
}

// Marshal gives the key for an encryptionSync.
func (k *H235Key) Marshal() ([]byte, error) { return per.Marshal(k) }
