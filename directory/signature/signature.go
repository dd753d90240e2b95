// Package signature signs what the gateway sends by HTTP to others, so that the
// receiver knows that it comes from here, and not again.
//
//	Roomgate-Signature: t=1767323045,v1=5257a869e7ec..
//
// t is the time in seconds, v1 HMAC-SHA256 (RFC 2104) in hexadecimal, with the
// secret that both know, of t, a dot, and the body.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Header carries the signature.
const Header = "Roomgate-Signature"

// Errors of Verify.
var (
	ErrWrong = errors.New("the signature is wrong or missing")
	ErrOld   = errors.New("the signature is too old")
)

// Sign gives the value of Header.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum(secret, t, body))
}

func sum(secret, t string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Verify checks the value of Header. A signature that is older or newer than
// tolerance is refused.
func Verify(secret, header string, body []byte, now time.Time, tolerance time.Duration) error {
	var t, v1 string
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			t = value
		case "v1":
			v1 = value
		}
	}
	got, err := hex.DecodeString(v1)
	seconds, errTime := strconv.ParseInt(t, 10, 64)
	if err != nil || errTime != nil || !hmac.Equal(got, sum(secret, t, body)) {
		return ErrWrong
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return ErrOld
	}
	return nil
}
