package h235

import (
	"crypto/rand"
	"errors"
	"math/big"

	"github.com/roomgate/roomgate/h323/per"
)

// Version3 marks a ClearToken that says: keys of media come as V3KeySyncMaterial.
const Version3 per.OID = "0.0.8.235.0.3.24"

// Errors of a key agreement, to be told apart with errors.Is.
var (
	// ErrNoGroup: no token of a group that both know.
	ErrNoGroup = errors.New("h235: no common Diffie-Hellman group")
	// ErrHalfKey: a public value outside the group, or a group with another prime than
	// its name says.
	ErrHalfKey = errors.New("h235: bad Diffie-Hellman token")
)

// Agreement is our half of a Diffie-Hellman exchange: the caller's, with a half key for
// each group it offers, or the called side's. It serves one call.
type Agreement struct {
	halves []half
}

type half struct {
	group  *Group
	secret *big.Int
	public *big.Int
}

// exponentBits is the size of our secret values. RFC 3526 clause 8 estimates that the
// strongest of the groups deserves 480 at most.
const exponentBits = 512

// NewAgreement draws a half key for each of the groups, the preferred first.
func NewAgreement(groups ...*Group) *Agreement {
	a := new(Agreement)
	for _, g := range groups {
		a.halves = append(a.halves, newHalf(g))
	}
	return a
}

func newHalf(g *Group) half {
	var b [exponentBits / 8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[0] |= 0x80
	secret := new(big.Int).SetBytes(b[:])
	return half{group: g, secret: secret, public: new(big.Int).Exp(generator, secret, g.prime)}
}

// Tokens are for a SETUP (H.235.6): one per group, and the one that names the version.
func (a *Agreement) Tokens() []ClearToken {
	var list []ClearToken
	for _, h := range a.halves {
		list = append(list, h.token())
	}
	return append(list, ClearToken{TokenOID: Version3})
}

// Finish takes the tokens of the answer: one of the groups that were offered.
func (a *Agreement) Finish(answer []ClearToken) (*Secret, error) {
	for _, h := range a.halves {
		if t := find(answer, h.group); t != nil {
			return h.combine(t)
		}
	}
	return nil, ErrNoGroup
}

// Answer is the called side: it takes the tokens of a SETUP and gives those of the
// answer, for the first group in the caller's order that is among ours.
func Answer(offer []ClearToken, ours ...*Group) (answer []ClearToken, secret *Secret, err error) {
	for i := range offer {
		for _, g := range ours {
			if offer[i].TokenOID != g.OID || !hasHalfKey(&offer[i]) {
				continue
			}
			h := newHalf(g)
			if secret, err = h.combine(&offer[i]); err != nil {
				return nil, nil, err
			}
			return []ClearToken{h.token(), {TokenOID: Version3}}, secret, nil
		}
	}
	return nil, nil, ErrNoGroup
}

// Offers tells whether a message has tokens of a key agreement at all.
func Offers(tokens []ClearToken) bool {
	for _, g := range Groups() {
		if find(tokens, g) != nil {
			return true
		}
	}
	return false
}

func find(tokens []ClearToken, g *Group) *ClearToken {
	for i := range tokens {
		if tokens[i].TokenOID == g.OID && hasHalfKey(&tokens[i]) {
			return &tokens[i]
		}
	}
	return nil
}

func hasHalfKey(t *ClearToken) bool { return t.Dhkey != nil || t.Dhkeyext != nil }

// token writes prime and generator beside the half key, padded to the prime's length:
// some products want them though the group's name says it all. Beyond 2048 bits there is
// another type, in which they are optional, and nobody wants them.
func (h half) token() ClearToken {
	if h.group.Bits > 2048 {
		return ClearToken{TokenOID: h.group.OID, Dhkeyext: &DHsetExt{Halfkey: h.group.bits(h.public)}}
	}
	return ClearToken{TokenOID: h.group.OID, Dhkey: &DHset{
		Halfkey: h.group.bits(h.public), ModSize: h.group.bits(h.group.prime), Generator: h.group.bits(generator),
	}}
}

func (g *Group) bits(v *big.Int) per.BitString {
	return per.BitString{Bytes: v.FillBytes(make([]byte, g.Bits/8)), Length: g.Bits}
}

// combine makes the shared secret.
func (h half) combine(t *ClearToken) (*Secret, error) {
	halfKey, modulus, base := parameters(t)
	theirs := number(halfKey)
	// Empty prime and generator mean those of the name.
	if modulus != nil && modulus.Length > 0 && number(*modulus).Cmp(h.group.prime) != 0 ||
		base != nil && base.Length > 0 && number(*base).Cmp(generator) != 0 {
		return nil, ErrHalfKey
	}
	one := big.NewInt(1)
	last := new(big.Int).Sub(h.group.prime, one)
	if theirs.Cmp(one) <= 0 || theirs.Cmp(last) >= 0 {
		return nil, ErrHalfKey // would make a secret that everybody knows
	}
	shared := new(big.Int).Exp(theirs, h.secret, h.group.prime)
	return &Secret{group: h.group, value: shared.FillBytes(make([]byte, h.group.Bits/8))}, nil
}

func parameters(t *ClearToken) (halfKey per.BitString, modulus, base *per.BitString) {
	if d := t.Dhkey; d != nil {
		return d.Halfkey, &d.ModSize, &d.Generator
	}
	return t.Dhkeyext.Halfkey, t.Dhkeyext.ModSize, t.Dhkeyext.Generator
}

// number reads a bit string as an unsigned number, the first bit the highest.
func number(b per.BitString) *big.Int {
	n := new(big.Int).SetBytes(b.Bytes)
	return n.Rsh(n, uint(8*len(b.Bytes)-b.Length))
}
