package offer

// Fingerprint is a certificate's digest (RFC 8122 §5).
type Fingerprint struct {
	Hash  string // "sha-256", lower case
	Value string // "AB:CD:..", upper case
}
