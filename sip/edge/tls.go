package edge

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// Certificate is a certificate and key from files, which can be read anew
// while connections are open. Safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads PEM files.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again; on an error the old certificate stays. Open
// connections go on with what they have.
func (c *Certificate) Reload() error {
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.current.Store(&cert)
	return nil
}

// TLSConfig makes the configuration of a listener. minVersion is "1.0", "1.1",
// "1.2" or "1.3", "" for 1.2 (with legacy 1.0); below 1.2 needs legacy. legacy
// also enables the old cipher suites that old codecs need. No ALPN protocol is
// named, so that whatever a peer offers is accepted.
func (c *Certificate) TLSConfig(minVersion string, legacy bool) (*tls.Config, error) {
	lowest, err := tlsVersion(minVersion, legacy)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: lowest,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
	if legacy {
		for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			config.CipherSuites = append(config.CipherSuites, s.ID)
		}
	}
	return config, nil
}

func tlsVersion(name string, legacy bool) (uint16, error) {
	versions := map[string]uint16{
		"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
	}
	if name == "" {
		if legacy {
			return tls.VersionTLS10, nil
		}
		return tls.VersionTLS12, nil
	}
	v, ok := versions[name]
	switch {
	case !ok:
		return 0, fmt.Errorf("unknown tls version %q", name)
	case v < tls.VersionTLS12 && !legacy:
		return 0, fmt.Errorf("tls %s needs the legacy profile", name)
	}
	return v, nil
}

// isLegacy reports whether a default listener would have refused the
// connection.
func isLegacy(state *tls.ConnectionState) bool {
	if state.Version < tls.VersionTLS12 {
		return true
	}
	for _, s := range tls.InsecureCipherSuites() {
		if s.ID == state.CipherSuite {
			return true
		}
	}
	return false
}
