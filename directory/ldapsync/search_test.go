package ldapsync

import (
	"errors"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering is a source that a test writes.
type answering func(*ldap.SearchRequest) (*ldap.SearchResult, error)

func (f answering) Search(r *ldap.SearchRequest) (*ldap.SearchResult, error) { return f(r) }

func result(cookie string, dns ...string) *ldap.SearchResult {
	r := &ldap.SearchResult{}
	for _, dn := range dns {
		r.Entries = append(r.Entries, ldap.NewEntry(dn, nil))
	}
	if cookie != "" {
		c := ldap.NewControlPaging(page)
		c.SetCookie([]byte(cookie))
		r.Controls = []ldap.Control{c}
	}
	return r
}

func TestPages(t *testing.T) {
	ask := func() *ldap.SearchRequest { return oneEntry("dc=x", ldap.ScopeWholeSubtree, "(cn=*)") }
	var cookies []string
	list, err := pages(answering(func(r *ldap.SearchRequest) (*ldap.SearchResult, error) {
		c := ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		cookies = append(cookies, string(c.Cookie))
		switch string(c.Cookie) {
		case "":
			return result("1", "a", "b"), nil
		case "1":
			return result("2"), nil // empty, and yet not the last
		}
		return result("", "c"), nil
	}), ask())
	require.NoError(t, err)
	assert.Len(t, list, 3)
	assert.Equal(t, []string{"", "1", "2"}, cookies)

	asked := 0
	_, err = pages(answering(func(*ldap.SearchRequest) (*ldap.SearchResult, error) {
		asked++
		return result("again"), nil
	}), ask())
	require.ErrorIs(t, err, errEndless)
	assert.Equal(t, 2*mostEntries/page, asked)
	full := make([]string, 10*page)
	_, err = pages(answering(func(*ldap.SearchRequest) (*ldap.SearchResult, error) { return result("again", full...), nil }), ask())
	require.ErrorIs(t, err, errEndless)
	broken := errors.New("broken off")
	_, err = pages(answering(func(*ldap.SearchRequest) (*ldap.SearchResult, error) { return nil, broken }), ask())
	assert.ErrorIs(t, err, broken)
}

func TestOwners(t *testing.T) {
	for owner, want := range map[string]ldap.SearchRequest{
		"uid=a,dc=x":         {BaseDN: "uid=a,dc=x", Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)"},
		"ldap:///uid=a,dc=x": {BaseDN: "uid=a,dc=x", Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)"},
		"ldap://dir.example.vn/dc=x??sub?(uid=a)":                           {BaseDN: "dc=x", Scope: ldap.ScopeWholeSubtree, Filter: "(uid=a)"},
		"LDAPS://dir.example.vn:636/ou=So%20Y%20te,dc=x?cn?one?(cn=%C4%90)": {BaseDN: "ou=So Y te,dc=x", Scope: ldap.ScopeSingleLevel, Filter: "(cn=Đ)"},
		"ldap:///dc=x??sub?(uid=a) Phòng họp":                               {BaseDN: "dc=x", Scope: ldap.ScopeWholeSubtree, Filter: "(uid=a)"},
	} {
		r, err := ownerRequest(owner)
		if assert.NoError(t, err, owner) {
			assert.Equal(t, want, ldap.SearchRequest{BaseDN: r.BaseDN, Scope: r.Scope, Filter: r.Filter}, owner)
		}
	}
	for _, owner := range []string{"ldap:///dc=x??everywhere?(cn=a)", "ldap:///dc=x??sub?%zz", "ldap://[::1/dc=x"} {
		_, err := ownerRequest(owner)
		assert.Error(t, err, owner)
	}
}

// An owner that cannot be read leaves the entry as it is; a source that fails ends the run.
func TestOwnersThatCannotBeRead(t *testing.T) {
	for _, code := range []uint16{ldap.LDAPResultNoSuchObject, ldap.LDAPResultReferral, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultInvalidDNSyntax} {
		known := map[string]*ldap.Entry{}
		asked := 0
		conn := answering(func(*ldap.SearchRequest) (*ldap.SearchResult, error) {
			asked++
			return nil, ldap.NewError(code, errors.New("no"))
		})
		for range 3 {
			o, err := ownerOf(conn, "uid=a,dc=elsewhere", known)
			assert.NoError(t, err)
			assert.Nil(t, o)
		}
		assert.Equal(t, 1, asked, "once")
	}
	conn := answering(func(*ldap.SearchRequest) (*ldap.SearchResult, error) { return result("", "uid=a", "uid=b"), nil })
	o, err := ownerOf(conn, "ldap:///dc=x??sub?(cn=a)", map[string]*ldap.Entry{})
	assert.NoError(t, err)
	assert.Nil(t, o, "of two it is not known which")
	conn = func(*ldap.SearchRequest) (*ldap.SearchResult, error) {
		return nil, ldap.NewError(ldap.ErrorNetwork, errors.New("gone"))
	}
	_, err = ownerOf(conn, "uid=a", map[string]*ldap.Entry{})
	assert.Error(t, err)
}
