package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h235"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/h323/q931"
)

// Credentials are what one message is signed with.
type Credentials struct {
	// SendersID names the sender: an endpoint by its endpoint identifier or, before it
	// has one, an alias; a gatekeeper by its identifier. Password and Access take an
	// alias.
	SendersID string
	// GeneralID names the receiver, for Baseline; "" when it is not known yet.
	GeneralID string
	Password  string
}

// Signer makes tokens. It is safe for concurrent use.
type Signer struct {
	now    func() time.Time
	random atomic.Uint32
}

// NewSigner makes a Signer; nil means time.Now.
func NewSigner(now func() time.Time) *Signer {
	s := &Signer{now: now}
	if now == nil {
		s.now = time.Now
	}
	var first [4]byte
	rand.Read(first[:]) // never fails: crypto/rand ends the process instead
	s.random.Store(binary.BigEndian.Uint32(first[:]))
	return s
}

// ErrNoPlace is returned for a message that cannot carry tokens.
var ErrNoPlace = errors.New("the message has no place for tokens")

// RAS puts a token into m, in place of what m had of the same kind, and encodes it.
func (s *Signer) RAS(m *h225.RASMessage, method Method, c Credentials) ([]byte, error) {
	return s.sign(rasTokens(m), method, c, m.Marshal)
}

// Signal puts a token into u, u into m, and encodes m. Nothing of either may change
// afterwards.
func (s *Signer) Signal(m *q931.Message, u *h225.H323UserInformation, method Method, c Credentials) ([]byte, error) {
	return s.sign(bodyTokens(&u.H323UUPDU.H323MessageBody), method, c, func() ([]byte, error) {
		if err := h225.Attach(m, u); err != nil {
			return nil, err
		}
		return m.Marshal()
	})
}

func (s *Signer) sign(t tokens, method Method, c Credentials, encode func() ([]byte, error)) ([]byte, error) {
	if t.clear == nil {
		return nil, ErrNoPlace
	}
	stamp := uint32(s.now().Unix())
	switch method {
	case Baseline:
		return s.signWhole(t, stamp, c, encode)
	case Password:
		token, err := passwordToken(stamp, c)
		if err != nil {
			return nil, err
		}
		t.putCrypto(token)
	case Access:
		t.putClear(accessToken(uint8(s.random.Add(1)), stamp, c))
	default:
		return nil, fmt.Errorf("authentication %v: unknown", method)
	}
	return encode()
}

// signWhole is H.235.1 procedure I: the message is encoded with a hash of a known value,
// that is made zero, and the hash over all of it is put there.
func (s *Signer) signWhole(t tokens, stamp uint32, c Credentials, encode func() ([]byte, error)) ([]byte, error) {
	place := make([]byte, h235.HashSize)
	rand.Read(place)
	random := int64(s.random.Add(1) & 0x7fffffff) // products have trouble with large ones
	vals := h235.ClearToken{TokenOID: h235.BaselineToken, TimeStamp: &stamp, Random: &random}
	if c.SendersID != "" {
		vals.SendersID = &c.SendersID
	}
	if c.GeneralID != "" {
		vals.GeneralID = &c.GeneralID
	}
	hashed := &h235.CryptoTokenCryptoHashedToken{
		TokenOID: h235.BaselineSigned, HashedVals: vals,
		Token: h235.Hashed{AlgorithmOID: h235.HMACSHA196, Hash: per.BitString{Bytes: place, Length: 8 * h235.HashSize}},
	}
	t.putCrypto(h225.CryptoH323Token{NestedcryptoToken: &h235.CryptoToken{CryptoHashedToken: hashed}})
	message, err := encode()
	if err != nil {
		return nil, err
	}
	at := bytes.Index(message, place)
	if at < 0 {
		return nil, errors.New("authentication: the token did not get into the message")
	}
	// Twelve random octets are nowhere else.
	field := message[at : at+h235.HashSize]
	clear(field)
	hash := h235.HMAC96(h235.PasswordKey(c.Password), message)
	copy(field, hash[:])
	copy(place, hash[:]) // so that the message tells what was sent
	return message, nil
}

func passwordToken(stamp uint32, c Credentials) (h225.CryptoH323Token, error) {
	hash, err := h235.PasswordHash(c.SendersID, c.Password, stamp, true)
	if err != nil {
		return h225.CryptoH323Token{}, err
	}
	return h225.CryptoH323Token{CryptoEPPwdHash: &h225.CryptoH323TokenCryptoEPPwdHash{
		Alias: alias(c.SendersID), TimeStamp: stamp,
		Token: h235.Hashed{AlgorithmOID: h235.MD5, Hash: per.BitString{Bytes: hash[:], Length: 8 * len(hash)}},
	}}, nil
}

// accessToken sends the alias with the NUL that ends it in C, as its inventors do.
func accessToken(random uint8, stamp uint32, c Credentials) h235.ClearToken {
	hash := h235.AccessHash(random, c.Password, stamp)
	id, r := c.SendersID+"\x00", int64(random)
	return h235.ClearToken{
		TokenOID: h235.AccessToken, TimeStamp: &stamp, Random: &r, GeneralID: &id, Challenge: hash[:],
	}
}

// alias writes an alias as it is registered: digits as such.
func alias(id string) h225.AliasAddress {
	if id != "" && strings.Trim(id, "0123456789#*,") == "" {
		return h225.AliasAddress{DialledDigits: &id}
	}
	return h225.AliasAddress{H323ID: &id}
}

// putCrypto replaces a token of the same kind.
func (t tokens) putCrypto(token h225.CryptoH323Token) {
	list := slices.DeleteFunc(slices.Clone(*t.crypto), func(old h225.CryptoH323Token) bool {
		return baseline(&old) != nil && baseline(&token) != nil || old.CryptoEPPwdHash != nil && token.CryptoEPPwdHash != nil
	})
	*t.crypto = append(list, token)
}

func (t tokens) putClear(token h235.ClearToken) {
	list := slices.DeleteFunc(slices.Clone(*t.clear), func(old h235.ClearToken) bool {
		return old.TokenOID == token.TokenOID
	})
	*t.clear = append(list, token)
}
