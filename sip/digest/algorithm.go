package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
)

// Algorithm is a digest algorithm by its name on the wire.
type Algorithm string

// Algorithms of RFC 8760, weakest first. The -sess variants are not spoken.
const (
	MD5       Algorithm = "MD5"
	SHA256    Algorithm = "SHA-256"
	SHA512256 Algorithm = "SHA-512-256"
)

// strength orders algorithms; 0 = unknown.
func (a Algorithm) strength() int {
	switch a {
	case MD5:
		return 1
	case SHA256:
		return 2
	case SHA512256:
		return 3
	}
	return 0
}

// named returns the algorithm of a wire name in whatever case; none means MD5
// (RFC 7616 §3.3).
func named(name string) Algorithm {
	if name == "" {
		return MD5
	}
	return Algorithm(strings.ToUpper(name))
}

// hash is the function H of RFC 7616 §3.4: lower-case hexadecimal.
func (a Algorithm) hash(s string) string {
	switch a {
	case SHA256:
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	case SHA512256:
		sum := sha512.Sum512_256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// answer are the inputs of a response but the password.
type answer struct {
	algorithm             Algorithm
	username, realm       string
	nonce, nc, cnonce     string
	qop                   string // "", auth or auth-int
	method, uri, bodyHash string // bodyHash with auth-int only
}

// response computes the request-digest (RFC 7616 §3.4.1, RFC 2617 without qop).
func (a answer) response(password string) string {
	h := a.algorithm.hash
	ha1 := h(a.username + ":" + a.realm + ":" + password)
	a2 := a.method + ":" + a.uri
	if a.qop == "auth-int" {
		a2 += ":" + a.bodyHash
	}
	if a.qop == "" {
		return h(ha1 + ":" + a.nonce + ":" + h(a2))
	}
	return h(ha1 + ":" + a.nonce + ":" + a.nc + ":" + a.cnonce + ":" + a.qop + ":" + h(a2))
}
