// Package digest authenticates SIP requests by the Digest scheme (RFC 3261
// §22, RFC 7616, RFC 8760), as server and as client.
//
// The server keeps no nonce before it was used with the right password: a
// nonce is a time, a random part and their HMAC. What it keeps is which nonce
// counts were seen, in a table of bounded size, so that no credentials are
// taken twice.
package digest

import (
	"errors"
)

// Outcomes of Server.Verify. Every error but ErrMalformed and ErrMismatch is
// answered by a challenge (401 or 407).
var (
	// ErrMissing: no credentials for our realm.
	ErrMissing = errors.New("no credentials for this realm")
	// ErrStale: the right password with a nonce that has expired or was seen
	// before; the challenge says stale=true and the client tries again at
	// once, without asking its user.
	ErrStale = errors.New("nonce is stale")
	// ErrRefused: an unknown user or a wrong password. Which of them is not told.
	ErrRefused = errors.New("wrong user name or password")
	// ErrMalformed: the header cannot be read; answered 400.
	ErrMalformed = errors.New("malformed credentials")
	// ErrMismatch: the credentials are for another request; answered 400
	// (RFC 7616 §3.4.6).
	ErrMismatch = errors.New("credentials are for another request")
)

// Credentials knows the passwords of users.
type Credentials interface {
	// Lookup returns the password of the user, and false when there is none.
	Lookup(username string) (password string, ok bool)
}
