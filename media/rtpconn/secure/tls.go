package secure

import "crypto/tls"

// TLS is how a connection over TCP is secured whose certificates are announced by
// fingerprint in signalling (RFC 8122), on either side of it.
func TLS(announced []Fingerprint) (*tls.Config, error) {
	cert, err := certificate()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		ClientAuth:   tls.RequireAnyClientCert,
		// No name stands in a self-signed certificate: the fingerprint is checked.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return ErrFingerprint
			}
			return verify(announced, s.PeerCertificates[0].Raw)
		},
	}, nil
}
