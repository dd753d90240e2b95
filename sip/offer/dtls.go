package offer

import (
	"encoding/hex"
	"strings"
)

// Fingerprint is a certificate's digest (RFC 8122 §5).
type Fingerprint struct {
	Hash  string // "sha-256", lower case
	Value string // "AB:CD:..", upper case
}

func (f Fingerprint) String() string { return f.Hash + " " + f.Value }

// hashLengths in bytes.
var hashLengths = map[string]int{"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}

// parseFingerprint reads <hash> <hex>:<hex>..
func parseFingerprint(value string) (Fingerprint, bool) {
	hash, digest, _ := strings.Cut(value, " ")
	f := Fingerprint{Hash: strings.ToLower(hash), Value: strings.ToUpper(strings.TrimSpace(digest))}
	length, known := hashLengths[f.Hash]
	if !known || len(f.Value) != 3*length-1 {
		return Fingerprint{}, false
	}
	for i := 2; i < len(f.Value); i += 3 {
		if f.Value[i] != ':' {
			return Fingerprint{}, false
		}
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(f.Value, ":", ""))
	return f, err == nil && len(raw) == length
}

// fingerprints of the m-line, or else of the session.
func (s *Section) fingerprints() []Fingerprint {
	values := s.all("fingerprint")
	if len(values) == 0 {
		values = attributes(s.session.Attributes, "fingerprint")
	}
	return readFingerprints(values)
}

func readFingerprints(values []string) []Fingerprint {
	var list []Fingerprint
	for _, v := range values {
		if f, ok := parseFingerprint(v); ok {
			list = append(list, f)
		}
	}
	return list
}

// setup words of RFC 4145 §4.
const (
	setupActive  = "active"
	setupPassive = "passive"
	setupBoth    = "actpass"
)

func (s *Section) setup() string {
	v, _ := s.inherited("setup")
	return strings.ToLower(v)
}

// answerSetup is our role for theirs. Once a handshake was made its roles stay
// (RFC 8842 §5.3); otherwise the answerer takes the active part, so that the
// handshake starts at once (RFC 5763 §5).
func answerSetup(theirs string, before *bool) (active, ok bool) {
	switch theirs {
	case setupActive:
		return false, true
	case setupPassive:
		return true, true
	case setupBoth, "":
		if before != nil {
			return *before, true
		}
		return true, true
	}
	return false, false
}

func setupWord(active bool) string {
	if active {
		return setupActive
	}
	return setupPassive
}
