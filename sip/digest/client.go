package digest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

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
type Session struct {
	username, password string

	mu         sync.Mutex
	challenges []*challenge // one per header name and realm
}

// mostRealms that one far side may challenge for.
const mostRealms = 8

// challenge is the one chosen of those for a realm.
type challenge struct {
	proxy        bool
	realm, nonce string
	opaque       string
	algorithm    Algorithm
	qop          string
	count        uint32 // answers given with this nonce
	accepted     bool   // one of them was accepted
	stale        bool
}

// NewSession makes a session that knows no challenge yet.
func NewSession(username, password string) *Session {
	return &Session{username: username, password: password}
}

// Challenge learns from a 401 or 407 response to a request that this session
// may have authorized before; the strongest algorithm of each realm is taken
// (RFC 8760 §2.4). On nil, authorize the request anew and send it as a new
// transaction with the next CSeq.
func (s *Session) Challenge(res *sip.Response) error {
	proxy := res.StatusCode == sip.StatusProxyAuthRequired
	name := "WWW-Authenticate"
	if proxy {
		name = "Proxy-Authenticate"
	}
	best := map[string]*challenge{}
	for _, h := range res.GetHeaders(name) {
		c := readChallenge(h.Value())
		if c == nil {
			continue
		}
		c.proxy = proxy
		if old := best[c.realm]; old == nil || c.algorithm.strength() > old.algorithm.strength() {
			best[c.realm] = c
		}
	}
	if len(best) == 0 {
		return ErrUnsupported
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range best {
		if err := s.learn(c); err != nil {
			return err
		}
	}
	return nil
}

// readChallenge returns nil for what we cannot answer.
func readChallenge(value string) *challenge {
	p, ok, err := parse(value)
	if err != nil || !ok || p["nonce"] == "" {
		return nil
	}
	c := &challenge{
		realm:     p["realm"],
		nonce:     p["nonce"],
		opaque:    p["opaque"],
		algorithm: named(p["algorithm"]),
		stale:     strings.EqualFold(p["stale"], "true"),
	}
	if c.algorithm.strength() == 0 {
		return nil
	}
	offered, has := p["qop"]
	for _, q := range strings.Split(offered, ",") {
		q = strings.ToLower(strings.TrimSpace(q))
		if q == "auth" || q == "auth-int" && c.qop == "" {
			c.qop = q
		}
	}
	if has && c.qop == "" {
		return nil
	}
	return c
}

// learn takes a challenge in place of the one before for its realm.
func (s *Session) learn(c *challenge) error {
	for i, old := range s.challenges {
		if old.proxy != c.proxy || old.realm != c.realm {
			continue
		}
		if old.count == 1 && !old.accepted && !c.stale {
			s.challenges = append(s.challenges[:i], s.challenges[i+1:]...)
			return ErrWrongPassword
		}
		s.challenges[i] = c
		return nil
	}
	if len(s.challenges) == mostRealms {
		s.challenges = s.challenges[1:]
	}
	s.challenges = append(s.challenges, c)
	return nil
}

// Authorize replaces the Authorization and Proxy-Authorization headers of the
// request by answers to the challenges learned. Without any it does nothing.
// The nonce count rises with each call (RFC 7616 §3.4): call it once per
// transaction, never for a retransmission.
func (s *Session) Authorize(req *sip.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.challenges) == 0 {
		return nil
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for req.RemoveHeader(name) {
		}
	}
	for _, c := range s.challenges {
		name := "Authorization"
		if c.proxy {
			name = "Proxy-Authorization"
		}
		req.AppendHeader(sip.NewHeader(name, s.answer(c, req)))
	}
	return nil
}

func (s *Session) answer(c *challenge, req *sip.Request) string {
	c.count++
	a := answer{
		algorithm: c.algorithm,
		username:  s.username,
		realm:     c.realm,
		nonce:     c.nonce,
		qop:       c.qop,
		method:    string(req.Method),
		uri:       req.Recipient.String(),
	}
	if c.qop != "" {
		var b [8]byte
		_, _ = rand.Read(b[:])
		a.cnonce = hex.EncodeToString(b[:])
		a.nc = fmt.Sprintf("%08x", c.count)
	}
	if c.qop == "auth-int" {
		a.bodyHash = c.algorithm.hash(string(req.Body()))
	}
	out := "Digest username=" + quote(a.username) + ", realm=" + quote(a.realm) + ", nonce=" + quote(a.nonce) +
		", uri=" + quote(a.uri) + `, response="` + a.response(s.password) + `", algorithm=` + string(a.algorithm)
	if c.qop != "" {
		out += ", qop=" + c.qop + ", nc=" + a.nc + `, cnonce="` + a.cnonce + `"`
	}
	if c.opaque != "" {
		out += ", opaque=" + quote(c.opaque)
	}
	return out
}

// Accepted notes that a request was accepted, and learns the next nonce from
// the Authentication-Info header of the response (RFC 7616 §3.5), if there is
// one.
func (s *Session) Accepted(res *sip.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.challenges {
		if c.count > 0 {
			c.accepted = true
		}
	}
	for _, c := range s.challenges {
		name := "Authentication-Info"
		if c.proxy {
			name = "Proxy-Authentication-Info"
		}
		h := res.GetHeader(name)
		if h == nil {
			continue
		}
		p, _, err := parse("Digest " + h.Value())
		if err == nil && p["nextnonce"] != "" && p["nextnonce"] != c.nonce {
			c.nonce, c.count = p["nextnonce"], 0
		}
	}
}
