package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime and renewal of self-signed certificates: browsers refuse longer
// ones, and nobody should see one expire.
const (
	lifetime = 397 * 24 * time.Hour
	renewal  = 30 * 24 * time.Hour
)

// fileName holds certificate and key together, so that they are replaced at
// once.
const fileName = "self-signed.pem"

// SelfSigned returns the self-signed certificate kept in dir. It makes a new
// one when there is none, when the old one nears its end, or when it lacks one
// of the names. fresh reports that.
func SelfSigned(dir string, names []string, now time.Time) (c *tls.Certificate, fresh bool, err error) {
	file := filepath.Join(dir, fileName)
	if c, err := Load(file, file, now); err == nil && serves(c.Leaf, names, now) {
		return c, false, nil
	}
	text, err := generate(names, now)
	if err != nil {
		return nil, false, err
	}
	if err := replace(file, text); err != nil {
		return nil, false, err
	}
	c, err = Load(file, file, now)
	return c, true, err
}

// serves reports whether an old certificate will do.
func serves(leaf *x509.Certificate, names []string, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(renewal).After(leaf.NotAfter) {
		return false
	}
	for _, name := range names {
		if leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// generate makes an ECDSA P-256 certificate for the names and IP addresses.
func generate(names []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "roomgate", Organization: []string{"roomgate, self-signed"}},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	var text bytes.Buffer
	for _, block := range []pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: private}} {
		if err := pem.Encode(&text, &block); err != nil {
			return nil, fmt.Errorf("self-signed certificate: %w", err)
		}
	}
	return text.Bytes(), nil
}

// replace writes a file that only we can read, all of it or nothing.
func replace(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	temporary := file + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	if err := os.Rename(temporary, file); err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	return nil
}

// HostNames lists the names and addresses by which this host may be reached:
// localhost, the host's name, and the addresses of its interfaces that are up.
func HostNames() []string {
	names := []string{"localhost"}
	if name, err := os.Hostname(); err == nil && validName(name) && name != "localhost" {
		names = append(names, name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return append(names, "127.0.0.1", "::1")
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// validName reports a name that can stand in a certificate.
func validName(name string) bool {
	for _, r := range name {
		if r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return name != ""
}
