package digest

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// ServerConfig sets up a Server. Realm and Credentials are required.
type ServerConfig struct {
	Realm       string
	Credentials Credentials
	// Algorithms are offered in this order, the preferred one first (RFC 8760
	// §2.4); default SHA-256, MD5.
	Algorithms []Algorithm
	// Lifetime of a nonce; default 5 minutes.
	Lifetime time.Duration
	// Nonces is how many used nonces are remembered; default 65536.
	Nonces int
	Now    func() time.Time
}

// Server challenges requests and checks the answers. Safe for concurrent use.
type Server struct{}

// NewServer makes a Server with a key of its own: nonces do not outlive the
// process.
func NewServer(c ServerConfig) (*Server, error) { return &Server{}, nil }

// Realm is the realm of the challenges.
func (s *Server) Realm() string { return "" }

// Challenge returns the WWW-Authenticate headers of a 401, or with proxy the
// Proxy-Authenticate headers of a 407: one per algorithm with a fresh nonce.
func (s *Server) Challenge(proxy, stale bool) []sip.Header { return nil }

// Verify checks the Authorization header of a request, or with proxy its
// Proxy-Authorization header, and returns the user it proves. With ErrRefused
// and ErrStale the user name that was claimed is returned too, for lock-outs
// and logs; it proves nothing.
func (s *Server) Verify(req *sip.Request, proxy bool) (user string, err error) { return "", ErrMissing }
