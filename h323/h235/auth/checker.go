package auth

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
)

// Why a message is not believed, to be told apart with errors.Is.
var (
	// ErrAbsent: no token of a method that is taken.
	ErrAbsent = errors.New("no token of an accepted kind")
	// ErrMalformed: a token that lacks a field or names another algorithm.
	ErrMalformed = errors.New("malformed token")
	// ErrTime: the sender's clock is too far from ours, or the message is old.
	ErrTime = errors.New("time stamp too far from now")
	// ErrReceiver: the token is for another gatekeeper.
	ErrReceiver = errors.New("token for somebody else")
	// ErrSender: nobody of that name has a password.
	ErrSender = errors.New("unknown sender")
	// ErrHash: another password, or a message that was changed.
	ErrHash = errors.New("wrong hash")
	// ErrReplay: the token was there before.
	ErrReplay = errors.New("token was used before")
)

// DefaultSkew is how far clocks may differ when nothing is configured.
const DefaultSkew = 10 * time.Minute

// Config is what a Checker is made with.
type Config struct {
	// Methods are those taken; others are as good as absent.
	Methods []Method
	// Password finds the password of a sender: an alias or an endpoint identifier. It
	// may be called by several goroutines.
	Password func(sender string) (password string, ok bool)
	// GeneralID is our own identifier. A Baseline token for another is refused, one that
	// names nobody is taken: some products name nobody. "" checks nothing.
	GeneralID string
	// Skew is how far the time in a token may be from ours; zero means DefaultSkew.
	Skew time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Checker believes messages, each once. It is safe for concurrent use.
type Checker struct {
	cfg  Config
	seen replays
}

// NewChecker makes a Checker.
func NewChecker(cfg Config) *Checker {
	if cfg.Skew <= 0 {
		cfg.Skew = DefaultSkew
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Checker{cfg: cfg, seen: replays{window: cfg.Skew}}
}

// Identity is who sent a message. That the sender may speak for the aliases in the
// message is for the caller to check.
type Identity struct {
	Method Method
	Sender string
}

// RAS checks a message; datagram is what it was decoded from.
func (c *Checker) RAS(m *h225.RASMessage, datagram []byte) (Identity, error) {
	return c.check(rasTokens(m), datagram)
}

// Signal checks a call signalling message; message is the whole Q.931 message it was
// decoded from.
func (c *Checker) Signal(u *h225.H323UserInformation, message []byte) (Identity, error) {
	return c.check(bodyTokens(&u.H323UUPDU.H323MessageBody), message)
}

// maxTokens bounds the tokens of one message that are looked at.
const maxTokens = 16

// check takes the first token that holds. Terminals send tokens of methods they were
// never told to use; those are passed over.
func (c *Checker) check(t tokens, message []byte) (Identity, error) {
	if t.clear == nil {
		return Identity{}, ErrAbsent
	}
	failure := ErrAbsent
	try := func(m Method, check func() (claim, error)) (Identity, bool) {
		if !slices.Contains(c.cfg.Methods, m) {
			return Identity{}, false
		}
		claimed, err := check()
		if err == nil {
			err = c.prove(m, claimed)
		}
		if err != nil {
			failure = fmt.Errorf("%v: %w", m, err)
		}
		return Identity{Method: m, Sender: claimed.sender}, err == nil
	}
	for _, token := range (*t.crypto)[:min(len(*t.crypto), maxTokens)] {
		if b := baseline(&token); b != nil {
			if who, ok := try(Baseline, func() (claim, error) { return c.wholeClaim(b, message) }); ok {
				return who, nil
			}
		}
		if p := token.CryptoEPPwdHash; p != nil {
			if who, ok := try(Password, func() (claim, error) { return passwordClaim(p) }); ok {
				return who, nil
			}
		}
	}
	for _, token := range (*t.clear)[:min(len(*t.clear), maxTokens)] {
		if token.TokenOID == h235.AccessToken {
			if who, ok := try(Access, func() (claim, error) { return accessClaim(&token) }); ok {
				return who, nil
			}
		}
	}
	return Identity{}, failure
}

// claim is what a token says, before it is believed.
type claim struct {
	sender string
	stamp  stamp
	holds  func(password string) bool
}

func (c *Checker) prove(m Method, said claim) error {
	now := c.cfg.Now()
	if distance(said.stamp.time, now) > c.cfg.Skew {
		return ErrTime
	}
	password, known := c.cfg.Password(said.sender)
	holds := said.holds(password) // for unknown senders too: both take the same time
	switch {
	case !known:
		return ErrSender
	case !holds:
		return ErrHash
	case !c.seen.admit(key{m, said.sender}, said.stamp, now):
		return ErrReplay
	}
	return nil
}

func distance(stamp uint32, now time.Time) time.Duration {
	return now.Sub(time.Unix(int64(stamp), 0)).Abs()
}

// baseline finds the token of H.235.1 procedure I.
func baseline(t *h225.CryptoH323Token) *h235.CryptoTokenCryptoHashedToken {
	n := t.NestedcryptoToken
	if n == nil || n.CryptoHashedToken == nil {
		return nil
	}
	h := n.CryptoHashedToken
	if !h235.SameProfile(h.TokenOID, h235.BaselineSigned) || !h235.SameProfile(h.HashedVals.TokenOID, h235.BaselineToken) {
		return nil
	}
	return h
}

func (c *Checker) wholeClaim(t *h235.CryptoTokenCryptoHashedToken, message []byte) (claim, error) {
	vals := &t.HashedVals
	if !h235.SameProfile(t.Token.AlgorithmOID, h235.HMACSHA196) || t.Token.Hash.Length != 8*h235.HashSize ||
		vals.TimeStamp == nil || vals.Random == nil || vals.SendersID == nil {
		return claim{}, ErrMalformed
	}
	if g := vals.GeneralID; g != nil && c.cfg.GeneralID != "" && plain(*g) != c.cfg.GeneralID {
		return claim{}, ErrReceiver
	}
	return claim{
		sender: plain(*vals.SendersID), stamp: stamp{time: *vals.TimeStamp, random: uint32(*vals.Random)},
		holds: func(password string) bool { return wholeHolds(t.Token.Hash.Bytes, message, password) },
	}, nil
}

// maxPlaces bounds where in a message its hash is looked for. It occurs once; a message
// made to hold it more often costs that many hashes.
const maxPlaces = 4

func wholeHolds(hash, message []byte, password string) bool {
	key := h235.PasswordKey(password)
	zeroed := slices.Clone(message)
	for from, n := 0, 0; n < maxPlaces; n++ {
		at := bytes.Index(message[from:], hash)
		if at < 0 {
			return false
		}
		at += from
		field := zeroed[at : at+h235.HashSize]
		clear(field)
		want := h235.HMAC96(key, zeroed)
		if subtle.ConstantTimeCompare(want[:], hash) == 1 {
			return true
		}
		copy(field, hash)
		from = at + 1
	}
	return false
}

func passwordClaim(t *h225.CryptoH323TokenCryptoEPPwdHash) (claim, error) {
	id := aliasText(&t.Alias)
	if t.Token.AlgorithmOID != h235.MD5 || t.Token.Hash.Length != 8*16 || id == "" {
		return claim{}, ErrMalformed
	}
	return claim{sender: id, stamp: stamp{time: t.TimeStamp}, holds: func(password string) bool {
		return passwordHolds(t.Token.Hash.Bytes, id, password, t.TimeStamp)
	}}, nil
}

func passwordHolds(hash []byte, id, password string, time uint32) bool {
	holds := 0
	for _, terminated := range []bool{true, false} {
		if want, err := h235.PasswordHash(id, password, time, terminated); err == nil {
			holds |= subtle.ConstantTimeCompare(want[:], hash)
		}
	}
	return holds == 1
}

func accessClaim(t *h235.ClearToken) (claim, error) {
	if t.GeneralID == nil || t.TimeStamp == nil || t.Random == nil || len(t.Challenge) != 16 ||
		*t.Random < -128 || *t.Random > 255 {
		return claim{}, ErrMalformed
	}
	random := uint8(*t.Random)
	return claim{
		sender: plain(*t.GeneralID), stamp: stamp{time: *t.TimeStamp, random: uint32(random)},
		holds: func(password string) bool {
			want := h235.AccessHash(random, password, *t.TimeStamp)
			return subtle.ConstantTimeCompare(want[:], t.Challenge) == 1
		},
	}, nil
}

// plain drops the NUL that some products send at the end of a string.
func plain(s string) string { return strings.TrimRight(s, "\x00") }

func aliasText(a *h225.AliasAddress) string {
	for _, s := range []*string{a.H323ID, a.DialledDigits, a.URLID, a.EmailID} {
		if s != nil {
			return plain(*s)
		}
	}
	return ""
}
