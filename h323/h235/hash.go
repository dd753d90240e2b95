package h235

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"strings"

	"github.com/roomgate/roomgate/h323/per"
)

// Object identifiers of the ways to prove that one knows a password.
const (
	// AccessToken marks the ClearToken of a Cisco access token (CAT).
	AccessToken per.OID = "1.2.840.113548.10.1.2.1"
	// HashedPassword is the tokenOID inside the hash of cryptoEPPwdHash, which is
	// never sent; everybody uses this one.
	HashedPassword per.OID = "0.0"
)

// HashSize is the length in octets of HMAC-SHA1-96.
const HashSize = 12

// PasswordKey gives the key that a password stands for: its SHA-1 (H.235.1).
func PasswordKey(password string) []byte {
	key := sha1.Sum([]byte(password))
	return key[:]
}

// HMAC96 is HMAC-SHA1-96 over data (H.235.1, algorithm "U"; RFC 2104).
func HMAC96(key, data []byte) (hash [HashSize]byte) {
	mac := hmac.New(sha1.New, key)
	mac.Write(data) // never fails
	copy(hash[:], mac.Sum(nil))
	return hash
}

// PasswordHash is the MD5 of cryptoEPPwdHash and cryptoGKPwdHash of H.225.0: over the
// encoding of a ClearToken that holds the alias, the password and the time. Products of all vendors hash both strings with the NUL that
// ends them in C, as terminated says; the Recommendation does not mention it.
func PasswordHash(alias, password string, timeStamp uint32, terminated bool) ([md5.Size]byte, error) {
	if terminated {
		alias += "\x00"
		password += "\x00"
	}
	token, err := per.Marshal(&ClearToken{
		TokenOID: HashedPassword, TimeStamp: &timeStamp, Password: &password, GeneralID: &alias,
	})
	if err != nil {
		return [md5.Size]byte{}, err
	}
	return md5.Sum(token), nil
}

// AccessHash is the challenge of a Cisco access token: MD5 over the random octet, the
// password, and the time in network order.
func AccessHash(random uint8, password string, timeStamp uint32) [md5.Size]byte {
	data := append([]byte{random}, password...)
	return md5.Sum(binary.BigEndian.AppendUint32(data, timeStamp))
}

// SameProfile compares object identifiers of H.235.1 leaving out the version of H.235,
// their sixth number: 0.0.8.235.0.1.5, .0.2.5 and .0.3.5 say the same.
func SameProfile(a, b per.OID) bool {
	return a == b || unversioned(a) == unversioned(b) && unversioned(a) != ""
}

func unversioned(o per.OID) string {
	number, ok := strings.CutPrefix(string(o), "0.0.8.235.0.")
	if !ok {
		return ""
	}
	_, number, _ = strings.Cut(number, ".")
	return number
}
