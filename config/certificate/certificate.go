// Package certificate keeps the TLS identity in force: the certificate the
// configuration names, or a self-signed one that is made on first start.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrExpired is returned for a certificate whose time is over.
var ErrExpired = errors.New("certificate has expired")

// Identity is a certificate that can be replaced while it is used. Connections
// that are open keep the one they began with.
type Identity struct {
	current atomic.Pointer[tls.Certificate]
}

// Set puts a certificate into force.
func (i *Identity) Set(c *tls.Certificate) { i.current.Store(c) }

// Current is the certificate in force; nil before the first Set.
func (i *Identity) Current() *tls.Certificate { return i.current.Load() }

// Get serves tls.Config.GetCertificate.
func (i *Identity) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := i.current.Load()
	if c == nil {
		return nil, errors.New("no certificate yet")
	}
	return c, nil
}

// Load reads a certificate chain and its key, both PEM, and checks that they
// belong together and are valid at now.
func Load(certFile, keyFile string, now time.Time) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", certFile, err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", certFile, err)
		}
	}
	if now.After(c.Leaf.NotAfter) {
		return nil, fmt.Errorf("%w: %s, on %s", ErrExpired, certFile, c.Leaf.NotAfter.Format(time.DateOnly))
	}
	return &c, nil
}
