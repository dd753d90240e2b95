package digest

// Algorithm is a digest algorithm by its name on the wire.
type Algorithm string

// Algorithms of RFC 8760, weakest first.
const (
	MD5       Algorithm = "MD5"
	SHA256    Algorithm = "SHA-256"
	SHA512256 Algorithm = "SHA-512-256"
)
