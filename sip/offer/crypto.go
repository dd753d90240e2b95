package offer

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

// Crypto is one a=crypto line.
type Crypto struct {
	Tag   int
	Suite Suite
	// Keys has at least one entry; several are told apart by their MKI.
	Keys []MasterKey
}

// MasterKey is one inline key of a Crypto.
type MasterKey struct {
	Key, Salt []byte
	// Lifetime in packets; zero: not stated.
	Lifetime uint64
	// MKI as it stands in packets; empty: packets carry none.
	MKI []byte
}
