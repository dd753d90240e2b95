package edge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// issue writes a self-signed certificate and its key.
func issue(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return certFile, keyFile
}

func client(edit func(*tls.Config)) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true}
	if edit != nil {
		edit(c)
	}
	return c
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, err := LoadCertificate(issue(t, dir, "first"))
	require.NoError(t, err)
	strict, err := cert.TLSConfig("", false)
	require.NoError(t, err)
	legacy, err := cert.TLSConfig("", true)
	require.NoError(t, err)
	s := newStack(t, Config{})
	modern := s.serve(s.edge.ListenTLS("127.0.0.1:0", strict))
	old := s.serve(s.edge.ListenTLS("127.0.0.1:0", legacy))

	for _, c := range []struct {
		name   string
		to     *Listener
		client *tls.Config
		legacy bool
	}{
		{"1.3", modern, client(nil), false},
		{"1.2", modern, client(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), false},
		{"sip by ALPN", modern, client(func(c *tls.Config) { c.NextProtos = []string{"sip"} }), false},
		{"another by ALPN", modern, client(func(c *tls.Config) { c.NextProtos = []string{"h2"} }), false},
		{"1.0 on legacy", old, client(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }), true},
		{"1.3 on legacy", old, client(nil), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialTCP(t, c.to.Addr(), c.client)
			require.Equal(t, reached, status(exchange(t, conn, options())))
			f, ok := s.edge.Flow(TLS, conn.LocalAddr().String())
			require.True(t, ok)
			require.Equal(t, c.legacy, f.LegacyTLS)
			require.NotNil(t, f.TLS)
		})
	}
	t.Run("1.1 is refused", func(t *testing.T) {
		conn := tls.Client(dialTCP(t, modern.Addr(), nil), client(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }))
		require.Error(t, conn.Handshake())
	})
	t.Run("reload", func(t *testing.T) {
		conn := dialTCP(t, modern.Addr(), client(nil))
		require.Equal(t, reached, status(exchange(t, conn, options())))
		issue(t, dir, "second")
		require.NoError(t, cert.Reload())
		require.Equal(t, reached, status(exchange(t, conn, options())), "the open connection")
		require.Equal(t, "second", peerName(t, modern.Addr()))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("rubbish"), 0o600))
		require.Error(t, cert.Reload())
		require.Equal(t, "second", peerName(t, modern.Addr()), "the old one stays")
	})
}

func peerName(t *testing.T, to netip.AddrPort) string {
	t.Helper()
	conn, err := tls.Dial("tcp", to.String(), client(nil))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLSVersions(t *testing.T) {
	for _, c := range []struct {
		name   string
		legacy bool
		want   uint16
	}{{"", false, tls.VersionTLS12}, {"", true, tls.VersionTLS10}, {"1.3", false, tls.VersionTLS13}, {"1.1", true, tls.VersionTLS11}, {"1.0", false, 0}, {"2", true, 0}} {
		v, err := tlsVersion(c.name, c.legacy)
		require.Equal(t, c.want, v)
		require.Equal(t, c.want == 0, err != nil)
	}
	_, err := LoadCertificate("/nonexistent", "/nonexistent")
	require.Error(t, err)
}

func TestHandshakeIsBounded(t *testing.T) {
	cert, err := LoadCertificate(issue(t, t.TempDir(), "gateway"))
	require.NoError(t, err)
	config, err := cert.TLSConfig("", false)
	require.NoError(t, err)
	s := newStack(t, Config{HandshakeTimeout: 50 * time.Millisecond})
	l := s.serve(s.edge.ListenTLS("127.0.0.1:0", config))
	conn := dialTCP(t, l.Addr(), nil)
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "closed though nothing was sent")
	s.settle(t, func(now Stats) bool { return now.Slow == 1 && now.Connections == 0 })
}

// TestDial: requests of ours go over connections that are framed as well.
func TestDial(t *testing.T) {
	cert, err := LoadCertificate(issue(t, t.TempDir(), "gateway"))
	require.NoError(t, err)
	config, err := cert.TLSConfig("", false)
	require.NoError(t, err)
	far := newStack(t, Config{})
	near := newStack(t, Config{})
	for _, c := range []struct {
		transport Transport
		to        *Listener
		client    *tls.Config
	}{
		{TCP, far.serve(far.edge.ListenTCP("[::1]:0")), nil},
		{TLS, far.serve(far.edge.ListenTLS("127.0.0.1:0", config)), client(nil)},
	} {
		t.Run(string(c.transport), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			require.ErrorIs(t, near.edge.Dial(ctx, c.transport, c.to.Addr(), c.client), ErrNotServed)
			near.serve(near.edge.Outbound(c.transport))
			require.NoError(t, near.edge.Dial(ctx, c.transport, c.to.Addr(), c.client))
			require.NoError(t, near.edge.Dial(ctx, c.transport, c.to.Addr(), c.client), "it is there already")
			require.Equal(t, 1, near.edge.Stats().Connections)
			_, ok := near.edge.Flow(c.transport, c.to.Addr().String())
			require.True(t, ok)

			accepted := near.edge.Stats().Accepted
			ua, err := sipgo.NewClient(near.ua)
			require.NoError(t, err)
			req := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", User: "a", Host: "example.com"})
			req.SetTransport(string(c.transport))
			req.SetDestination(c.to.Addr().String())
			res, err := ua.Do(ctx, req)
			require.NoError(t, err)
			require.Equal(t, reached, res.StatusCode)
			require.Equal(t, accepted+1, near.edge.Stats().Accepted, "the answer was screened")
			near.edge.Drop(c.transport, c.to.Addr().String())
		})
	}
	_, err = near.edge.Outbound(UDP)
	require.Error(t, err)
}

func TestDialFails(t *testing.T) {
	s := newStack(t, Config{})
	s.serve(s.edge.Outbound(TCP))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	to := addrPort(l.Addr())
	require.NoError(t, l.Close())
	require.Error(t, s.edge.Dial(context.Background(), TCP, to, nil))
}
