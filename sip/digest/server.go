package digest

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ServerConfig sets up a Server. Realm and Credentials are required.
type ServerConfig struct {
	Realm       string
	Credentials Credentials
	// Algorithms are offered in this order; default MD5, SHA-256. RFC 8760 §2.4
	// wants the strongest first, but many terminals of before, and sipp, look
	// at the first challenge only and give up when they do not know it.
	// Clients that take the strongest, as Session does, find it in any order.
	Algorithms []Algorithm
	// Lifetime of a nonce; default 5 minutes.
	Lifetime time.Duration
	// Nonces is how many used nonces are remembered; default 65536.
	Nonces int
	Now    func() time.Time
}

// Server challenges requests and checks the answers. Safe for concurrent use.
type Server struct {
	c     ServerConfig
	mint  *mint
	spent *ledger
}

// NewServer makes a Server with a key of its own: nonces do not outlive the
// process.
func NewServer(c ServerConfig) (*Server, error) {
	if c.Realm == "" || c.Credentials == nil {
		return nil, errors.New("digest needs a realm and credentials")
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []Algorithm{MD5, SHA256}
	}
	for _, a := range c.Algorithms {
		if a.strength() == 0 {
			return nil, fmt.Errorf("unknown digest algorithm %q", a)
		}
	}
	if c.Lifetime <= 0 {
		c.Lifetime = 5 * time.Minute
	}
	if c.Nonces <= 0 {
		c.Nonces = 65536
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Server{c: c, mint: newMint(), spent: newLedger(c.Nonces)}, nil
}

// Realm is the realm of the challenges.
func (s *Server) Realm() string { return s.c.Realm }

// ChallengeFor returns the WWW-Authenticate headers of a 401 to a request, or
// with proxy the Proxy-Authenticate headers of a 407: one per algorithm with a
// fresh nonce. Clients known to break at an algorithm they do not know are
// offered MD5 alone.
func (s *Server) ChallengeFor(req *sip.Request, proxy, stale bool) []sip.Header {
	if ua := req.GetHeader("User-Agent"); ua != nil && onlyMD5(ua.Value()) {
		return s.Challenge(proxy, stale)
	}
	return s.challenge(s.c.Algorithms, proxy, stale)
}

// Challenge is the challenge for a client of which nothing is known: MD5
// alone, if it is among the algorithms at all. Prefer ChallengeFor.
func (s *Server) Challenge(proxy, stale bool) []sip.Header {
	if slices.Contains(s.c.Algorithms, MD5) {
		return s.challenge([]Algorithm{MD5}, proxy, stale)
	}
	return s.challenge(s.c.Algorithms, proxy, stale)
}

// onlyMD5 knows the clients that fail altogether when any challenge names
// another algorithm than MD5: baresip before 3.0, whose library gives up with
// "Function not implemented".
func onlyMD5(userAgent string) bool {
	version, ok := strings.CutPrefix(strings.ToLower(userAgent), "baresip v")
	return ok && (strings.HasPrefix(version, "0.") || strings.HasPrefix(version, "1.") || strings.HasPrefix(version, "2."))
}

func (s *Server) challenge(algorithms []Algorithm, proxy, stale bool) []sip.Header {
	name := "WWW-Authenticate"
	if proxy {
		name = "Proxy-Authenticate"
	}
	nonce := s.mint.issue(s.c.Now())
	suffix := `, qop="auth"`
	if stale {
		suffix += ", stale=true"
	}
	list := make([]sip.Header, 0, len(algorithms))
	for _, a := range algorithms {
		list = append(list, sip.NewHeader(name,
			"Digest realm="+quote(s.c.Realm)+`, nonce="`+nonce+`", algorithm=`+string(a)+suffix))
	}
	return list
}

// Verify checks the Authorization header of a request, or with proxy its
// Proxy-Authorization header, and returns the user it proves. With ErrRefused
// and ErrStale the user name that was claimed is returned too, for lock-outs
// and logs; it proves nothing.
func (s *Server) Verify(req *sip.Request, proxy bool) (user string, err error) {
	p, err := s.credentials(req, proxy)
	if err != nil {
		return "", err
	}
	a := answer{
		algorithm: named(p["algorithm"]),
		username:  p["username"],
		realm:     p["realm"],
		nonce:     p["nonce"],
		nc:        p["nc"],
		cnonce:    p["cnonce"],
		qop:       strings.ToLower(p["qop"]),
		method:    string(req.Method),
		uri:       p["uri"],
	}
	count, err := s.check(a, p["response"])
	if err != nil {
		return "", err
	}
	if !sameTarget(a.uri, &req.Recipient) {
		return "", ErrMismatch
	}
	password, known := s.c.Credentials.Lookup(a.username)
	right := subtle.ConstantTimeCompare([]byte(a.response(password)), []byte(strings.ToLower(p["response"]))) == 1
	if !right || !known {
		return a.username, ErrRefused
	}
	i, ours := s.mint.recognise(a.nonce)
	age := s.c.Now().Sub(i.issued())
	if !ours || age > s.c.Lifetime || age < 0 || !s.spent.spend(i, count) {
		return a.username, ErrStale
	}
	return a.username, nil
}

// credentials finds those for our realm and an algorithm we offered.
func (s *Server) credentials(req *sip.Request, proxy bool) (parameters, error) {
	name := "Authorization"
	if proxy {
		name = "Proxy-Authorization"
	}
	for _, h := range req.GetHeaders(name) {
		p, ok, err := parse(h.Value())
		if err != nil {
			return nil, err
		}
		if !ok || p["realm"] != s.c.Realm {
			continue
		}
		for _, a := range s.c.Algorithms {
			if a == named(p["algorithm"]) {
				return p, nil
			}
		}
	}
	return nil, ErrMissing
}

// check looks at what every answer has to have, and returns the nonce count.
func (s *Server) check(a answer, response string) (count uint32, err error) {
	if a.username == "" || a.nonce == "" || a.uri == "" || response == "" {
		return 0, fmt.Errorf("%w: username, nonce, uri and response are required", ErrMalformed)
	}
	switch a.qop {
	case "":
		return 0, nil // RFC 2617 clients; their nonce is good once
	case "auth":
		n, err := strconv.ParseUint(a.nc, 16, 32)
		if err != nil || n == 0 || len(a.nc) != 8 || a.cnonce == "" {
			return 0, fmt.Errorf("%w: nc or cnonce", ErrMalformed)
		}
		return uint32(n), nil
	}
	return 0, fmt.Errorf("%w: qop was not offered", ErrMalformed)
}

// sameTarget compares the digest URI with the Request-URI: user and host. The
// rest differs with terminals that add parameters to one of them, and with
// translators that rewrite ports.
func sameTarget(digest string, target *sip.Uri) bool {
	var u sip.Uri
	if err := sip.ParseUri(digest, &u); err != nil {
		return false
	}
	return u.User == target.User && strings.EqualFold(u.Host, target.Host) && u.Raw() == target.Raw()
}
