package ldapsync_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// slapd is OpenLDAP with the schema H.350, on the loopback.
type slapd struct {
	t       *testing.T
	address string
	ca      []byte
	admin   *ldap.Conn
}

const (
	suffix   = "dc=so,dc=vn"
	rootDN   = "cn=admin," + suffix
	rootPass = "quản trị"
)

func startSlapd(t *testing.T) *slapd {
	t.Helper()
	program, err := exec.LookPath("slapd")
	if err != nil {
		program = "/usr/sbin/slapd"
		if _, err := os.Stat(program); err != nil {
			t.Skip("SKIPPED: slapd is not installed (make setup-test)")
		}
	}
	dir := t.TempDir()
	s := &slapd{t: t}
	cert, key := s.certificate(dir)
	schema, err := filepath.Abs("testdata/h350.schema")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "db"), 0o700))
	conf := fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include %s
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %s
TLSCertificateKeyFile %s
sizelimit size.soft=100 size.hard=100 size.pr=100 size.prtotal=unlimited
database mdb
suffix "%s"
rootdn "%s"
rootpw "%s"
directory %s
access to attrs=SIPIdentityPassword by dn.exact="cn=reader,%s" read by * none
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`, schema, cert, key, suffix, rootDN, rootPass, filepath.Join(dir, "db"), suffix)
	file := filepath.Join(dir, "slapd.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = l.Addr().String()
	require.NoError(t, l.Close())
	cmd := exec.Command(program, "-h", "ldap://"+s.address, "-f", file, "-d", "0")
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := ldap.DialURL("ldap://" + s.address)
		if err == nil {
			s.admin = c
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, "slapd: %s", &log)
	t.Cleanup(func() { _ = s.admin.Close() })
	require.NoError(t, s.admin.Bind(rootDN, rootPass))
	s.add(suffix, map[string][]string{"objectClass": {"top", "dcObject", "organization"}, "dc": {"so"}, "o": {"So"}})
	for _, ou := range []string{"people", "h350"} {
		s.add("ou="+ou+","+suffix, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {ou}})
	}
	s.add("cn=reader,"+suffix, map[string][]string{"objectClass": {"person"}, "cn": {"reader"}, "sn": {"reader"}, "userPassword": {"đọc"}})
	return s
}

// certificate makes one for 127.0.0.1, which is its own authority.
func (s *slapd) certificate(dir string) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(s.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "slapd"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(s.t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(s.t, err)
	s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(s.t, os.WriteFile(cert, s.ca, 0o600))
	require.NoError(s.t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

func (s *slapd) add(dn string, attributes map[string][]string) {
	s.t.Helper()
	r := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		r.Attribute(name, values)
	}
	require.NoError(s.t, s.admin.Add(r), dn)
}

// room adds a person that is a room, and its commObject.
func (s *slapd) room(id, name, agency string, more map[string][]string) {
	s.t.Helper()
	person := "uid=" + id + ",ou=people," + suffix
	comm := "commUniqueId=" + id + ",ou=h350," + suffix
	s.add(person, map[string][]string{
		"objectClass": {"inetOrgPerson", "commURIObject"}, "uid": {id}, "cn": {name}, "sn": {name}, "o": {agency}, "l": {"Tầng 3"}, "commURI": {"ldap:///" + comm},
	})
	entry := map[string][]string{"objectClass": {"commObject", "h323Identity", "SIPIdentity"}, "commUniqueId": {id}, "commOwner": {person}}
	for name, values := range more {
		entry[name] = values
	}
	s.add(comm, entry)
}
