package ldap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	client "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/roomgate/roomgate/config/certificate"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/phonebook"
	"github.com/roomgate/roomgate/directory/phonebook/ldap"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "dc=roomgate"

// fill makes a directory of two agencies and 124 endpoints, of which one cannot be called.
func fill(t *testing.T) *directory.Directory {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	keys, err := seal.Parse(seal.NewKey())
	require.NoError(t, err)
	d, err := directory.Open(t.Context(), directory.Config{DB: db, Keys: keys})
	require.NoError(t, err)
	list := []directory.Endpoint{
		{Name: "Phòng họp Đà Nẵng", Agency: "Sở Y tế", Site: "Tầng 3", Username: "danang", Password: "mật khẩu", Aliases: []directory.Alias{
			{Kind: directory.AliasE164, Value: "5001"}, {Kind: directory.AliasE164, Value: "+842363888999"}, {Kind: directory.AliasH323, Value: "DN-HDX"}}},
		{Name: "Phòng (2), tầng *", Agency: "Sở Y tế", Address: "h323:192.0.2.9"},
		{Name: "Không gọi được", Agency: "Sở Y tế"},
		{Name: "Ủy ban", Agency: "UBND", Username: "ubnd", Password: "secret"},
	}
	for i := range 120 {
		list = append(list, directory.Endpoint{Name: fmt.Sprintf("Xã %03d", i), Agency: "UBND", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: fmt.Sprint(7000 + i)}}})
	}
	_, err = d.SaveEndpoints(t.Context(), list)
	require.NoError(t, err)
	return d
}

// serve runs a server over such a directory, and gives its address.
func serve(t *testing.T, open []phonebook.Open, needTLS bool) string {
	t.Helper()
	d := fill(t)
	var identity certificate.Identity
	pair, _, err := certificate.SelfSigned(t.TempDir(), []string{"localhost"}, time.Now())
	require.NoError(t, err)
	identity.Set(pair)
	s := ldap.New(ldap.Config{
		Book: phonebook.New(phonebook.Config{Directory: d, Domain: "hop.example.vn", Open: func() []phonebook.Open { return open }}),
		Base: base, TLS: &tls.Config{GetCertificate: identity.Get}, NeedTLS: func() bool { return needTLS }, Log: zaptest.NewLogger(t),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, false) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) *client.Conn {
	t.Helper()
	c, err := client.DialURL("ldap://" + address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func everybody() []phonebook.Open {
	return []phonebook.Open{{CIDR: netip.MustParsePrefix("127.0.0.0/8")}}
}

func ask(filter string, attributes ...string) *client.SearchRequest {
	return client.NewSearchRequest(base, client.ScopeWholeSubtree, client.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
}

func names(r *client.SearchResult) (list []string) {
	for _, e := range r.Entries {
		list = append(list, e.GetAttributeValue("cn"))
	}
	return list
}

func TestSearches(t *testing.T) {
	c := dial(t, serve(t, everybody(), true))
	for filter, want := range map[string][]string{
		"(&(objectClass=inetOrgPerson)(cn=*da nang*))":                               {"Phòng họp Đà Nẵng"},
		"(&(objectClass=inetOrgPerson)(|(cn=ph*)(sn=ph*)))":                          {"Phòng (2), tầng *", "Phòng họp Đà Nẵng"},
		`(&(objectClass=inetOrgPerson)(cn=*\28*\2a))`:                                {"Phòng (2), tầng *"},
		"(&(objectClass=person)(telephoneNumber=5001))":                              {"Phòng họp Đà Nẵng"},
		"(&(objectClass=inetOrgPerson)(telephoneNumber=*)(o=Sở Y tế)(!(cn=*nẵng)))":  {"Phòng (2), tầng *"},
		"(&(objectClass=inetOrgPerson)(!(shoeSize=42)))":                             nil, // Undefined
		"(&(objectClass=inetOrgPerson)(o=sở y tế)(|(shoeSize=42)(l=tầng 3)))":        {"Phòng họp Đà Nẵng"},
		"(h323Identityh323-ID=DN-HDX)":                                               {"Phòng họp Đà Nẵng"},
		"(&(objectClass=SIPIdentity)(SIPIdentitySIPURI=sip:danang@hop.example.vn))":  {"Phòng họp Đà Nẵng"},
		"(&(objectClass=inetOrgPerson)(sn>=xã 118))":                                 {"Xã 118", "Xã 119"},
		"(&(objectClass=inetOrgPerson)(sn<=phong hop d))":                            {"Phòng (2), tầng *"},
		"(&(objectClass=inetOrgPerson)(cn=Không gọi được))":                          nil,
		"(&(objectClass=inetOrgPerson)(cn:caseExactMatch:=Ủy ban))":                  nil, // extensible
		"(&(objectClass=inetOrgPerson)(givenName=*))":                                nil,
		"(&(objectClass=inetOrgPerson)(cn~=UY BAN))":                                 {"Ủy ban"},
		"(&(objectClass=inetOrgPerson)(!(|(o=ubnd)(telephoneNumber=5001)(mail=x))))": {"Phòng (2), tầng *"},
	} {
		r, err := c.Search(ask(filter))
		if assert.NoError(t, err, filter) {
			assert.ElementsMatch(t, want, names(r), filter)
		}
	}
	r, err := c.Search(ask("(&(objectClass=inetOrgPerson)(cn=*nẵng))"))
	require.NoError(t, err)
	e := r.Entries[0]
	assert.Equal(t, []string{"5001", "+842363888999"}, e.GetAttributeValues("telephoneNumber"))
	assert.Equal(t, "Sở Y tế", e.GetAttributeValue("o"))
	for _, a := range e.Attributes {
		assert.NotContains(t, strings.ToLower(a.Name), "password")
		assert.NotContains(t, strings.Join(a.Values, " "), "mật khẩu")
	}
	// The commURI leads to the commObject (H.350 §7).
	dn := strings.TrimPrefix(e.GetAttributeValue("commURI"), "ldap:///")
	comm, err := c.Search(client.NewSearchRequest(dn, client.ScopeBaseObject, 0, 0, 0, false, "(objectClass=commObject)", []string{"h323identitydialeddigits", "SIPIdentitySIPURI"}, nil))
	require.NoError(t, err)
	require.Len(t, comm.Entries, 1)
	assert.Len(t, comm.Entries[0].Attributes, 2, "only what was asked for")
	assert.Equal(t, "sip:danang@hop.example.vn", comm.Entries[0].GetAttributeValue("SIPIdentitySIPURI"))
	// One level below the base are containers; an unknown base is none.
	one, err := c.Search(client.NewSearchRequest(base, client.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	require.NoError(t, err)
	assert.Len(t, one.Entries, 2)
	_, err = c.Search(client.NewSearchRequest("ou=nowhere,"+base, client.ScopeWholeSubtree, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultNoSuchObject), "%v", err)
}

func TestPagesAndLimits(t *testing.T) {
	c := dial(t, serve(t, everybody(), true))
	r, err := c.SearchWithPaging(ask("(objectClass=inetOrgPerson)", "cn"), 7)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, n := range names(r) {
		assert.False(t, seen[n], n)
		seen[n] = true
	}
	assert.Len(t, seen, 123)
	limited := ask("(objectClass=inetOrgPerson)")
	limited.SizeLimit = 5
	r, err = c.Search(limited)
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultSizeLimitExceeded), "%v", err)
	assert.Len(t, r.Entries, 5)
	critical := ask("(cn=*)")
	critical.Controls = []client.Control{client.NewControlString("1.2.3.4", true, "")}
	_, err = c.Search(critical)
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultUnavailableCriticalExtension), "%v", err)
	_, err = c.Search(ask("(|" + strings.Repeat("(cn=a)", 100) + ")"))
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultProtocolError), "%v", err)
}

func TestWhoReads(t *testing.T) {
	address := serve(t, nil, true)
	c := dial(t, address)
	_, err := c.Search(client.NewSearchRequest("", client.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	assert.NoError(t, err, "everybody may read what the server is")
	_, err = c.Search(ask("(cn=*)"))
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultInsufficientAccessRights), "%v", err)
	err = c.Bind("danang", "mật khẩu")
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultConfidentialityRequired), "%v", err)
	require.NoError(t, c.StartTLS(&tls.Config{InsecureSkipVerify: true}))
	require.NoError(t, c.Bind("uid=danang,ou=people,"+base, "mật khẩu"))
	r, err := c.Search(ask("(objectClass=inetOrgPerson)"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"Phòng (2), tầng *", "Phòng họp Đà Nẵng"}, names(r), "its own agency alone")
	err = c.Bind("danang", "wrong")
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultInvalidCredentials), "%v", err)
	_, err = c.Search(ask("(cn=*)"))
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultInsufficientAccessRights), "a bind that fails takes away what was: %v", err)
	err = c.UnauthenticatedBind("danang")
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultUnwillingToPerform), "%v", err)
	for _, change := range []error{
		c.Del(client.NewDelRequest("ou=people,"+base, nil)), c.Modify(client.NewModifyRequest("ou=people,"+base, nil)),
		c.Add(client.NewAddRequest("ou=x,"+base, nil)), c.ModifyDN(client.NewModifyDNRequest("ou=people,"+base, "ou=x", true, "")),
	} {
		assert.True(t, client.IsErrorWithCode(change, client.LDAPResultUnwillingToPerform), "%v", change)
	}
}

func TestGuessingIsBarred(t *testing.T) {
	c := dial(t, serve(t, nil, false))
	for range 5 {
		err := c.Bind("danang", "guess")
		require.True(t, client.IsErrorWithCode(err, client.LDAPResultInvalidCredentials), "%v", err)
	}
	err := c.Bind("danang", "mật khẩu")
	assert.True(t, client.IsErrorWithCode(err, client.LDAPResultUnwillingToPerform), "%v", err)
}

// What is no LDAP gets the notice of disconnection, and others are not disturbed.
func TestNonsense(t *testing.T) {
	address := serve(t, everybody(), true)
	good := dial(t, address)
	for name, octets := range map[string]string{
		"HTTP": "GET / HTTP/1.1\r\n\r\n", "too long": "\x30\x84\x7f\xff\xff\xff", "indefinite": "\x30\x80\x02\x01\x01", "deep": "\x30\x82\x10\x00" + strings.Repeat("\x30\x82\x0f\xf0", 1024),
		"a response": "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "empty": "\x30\x00",
	} {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		_, err = conn.Write([]byte(octets))
		require.NoError(t, err)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer := make([]byte, 1000)
		n, err := conn.Read(answer)
		assert.NoError(t, err, name)
		assert.Contains(t, string(answer[:n]), "1.3.6.1.4.1.1466.20036", name)
		_, err = conn.Read(answer)
		var timeout net.Error
		assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "%s: the connection is not closed", name)
		_ = conn.Close()
	}
	r, err := good.Search(ask("(telephoneNumber=5001)"))
	require.NoError(t, err)
	assert.Len(t, r.Entries, 1)
}

// The reader of OpenLDAP reads it, with pages, over StartTLS.
func TestLdapsearch(t *testing.T) {
	program, err := exec.LookPath("ldapsearch")
	if err != nil {
		t.Skip("SKIPPED: ldapsearch is not installed (make setup-test)")
	}
	address := serve(t, nil, true)
	cmd := exec.CommandContext(t.Context(), program, "-x", "-H", "ldap://"+address, "-ZZ", "-D", "uid=ubnd,ou=people,"+base, "-w", "secret",
		"-b", base, "-E", "pr=50/noprompt", "-LLL", "(&(objectClass=inetOrgPerson)(cn=*))", "telephoneNumber")
	cmd.Env = append(cmd.Environ(), "LDAPTLS_REQCERT=never")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, 121, strings.Count(string(out), "telephoneNumber: "), "%.600s", out)
	assert.Contains(t, string(out), "telephoneNumber: 7119")
}
