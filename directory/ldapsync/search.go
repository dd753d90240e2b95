package ldapsync

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// searcher is the part of a connection that reads.
type searcher interface {
	Search(*ldap.SearchRequest) (*ldap.SearchResult, error)
}

var errEndless = fmt.Errorf("the source has more than %d entries, or pages without end", mostEntries)

// pages reads all entries of a search, page by page (RFC 2696). A source that never comes
// to an end is left.
func pages(conn searcher, request *ldap.SearchRequest) (list []*ldap.Entry, err error) {
	paging := ldap.NewControlPaging(page)
	request.Controls = append(request.Controls, paging)
	for range 2 * mostEntries / page { // pages need not be full
		r, err := conn.Search(request)
		if err != nil {
			return nil, err
		}
		if list = append(list, r.Entries...); len(list) > mostEntries {
			return nil, errEndless
		}
		next, ok := ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return list, nil
		}
		paging.SetCookie(next.Cookie)
	}
	return nil, errEndless
}

// ownerOf reads the entry that an entry belongs to, once; nil: there is none that can be
// read here. commOwner is a labelled URI (H.350 §8), as which ldap:///BASE??SCOPE?FILTER
// is read; many write a distinguished name there.
func ownerOf(conn searcher, owner string, known map[string]*ldap.Entry) (*ldap.Entry, error) {
	if owner == "" {
		return nil, nil
	}
	if o, ok := known[owner]; ok {
		return o, nil
	}
	request, err := ownerRequest(owner)
	if err != nil {
		known[owner] = nil
		return nil, nil // it names nobody, and the entry stands for itself
	}
	r, err := conn.Search(request)
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultSizeLimitExceeded, ldap.ErrorFilterCompile):
		known[owner] = nil
	case err != nil:
		return nil, fmt.Errorf("owner %q: %w", owner, err)
	case len(r.Entries) == 1: // of several it is not known which
		known[owner] = r.Entries[0]
	default:
		known[owner] = nil
	}
	return known[owner], nil
}

// ownerRequest asks for an owner, by a distinguished name or by an LDAP URI (RFC 4516).
// Another server that a URI names is not asked: it would be told our password.
func ownerRequest(owner string) (*ldap.SearchRequest, error) {
	uri, _, _ := strings.Cut(owner, " ") // what follows is a label (RFC 2079)
	if lower := strings.ToLower(uri); !strings.HasPrefix(lower, "ldap://") && !strings.HasPrefix(lower, "ldaps://") {
		return oneEntry(owner, ldap.ScopeBaseObject, "(objectClass=*)"), nil
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	parts := append(strings.Split(u.RawQuery, "?"), "", "") // attributes, scope, filter
	filter, err := url.PathUnescape(parts[2])
	if err != nil {
		return nil, err
	}
	if filter == "" {
		filter = "(objectClass=*)"
	}
	scope, ok := map[string]int{"": ldap.ScopeBaseObject, "base": ldap.ScopeBaseObject, "one": ldap.ScopeSingleLevel, "sub": ldap.ScopeWholeSubtree}[strings.ToLower(parts[1])]
	if !ok {
		return nil, errors.New("the scope is none of base, one, sub")
	}
	return oneEntry(strings.TrimPrefix(u.Path, "/"), scope, filter), nil
}

func oneEntry(base string, scope int, filter string) *ldap.SearchRequest {
	const enoughToDoubt = 2
	return ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, enoughToDoubt, 0, false, filter, nil, nil)
}
