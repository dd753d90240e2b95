package ldap

import (
	"strings"

	"github.com/roomgate/roomgate/directory/phonebook"
)

// The tree: people of inetOrgPerson (RFC 2798), which ordinary phones read, and below
// them what H.350 says of their terminals: commObject (H.350 §8) with h323Identity
// (H.350.1) and SIPIdentity (H.350.4). A person's commURI leads to its commObject.
//
//	dc=roomgate
//	  ou=people   uid=ID
//	  ou=h350     commUniqueId=ID
type entry struct {
	dn         string
	attributes []field
}

type field struct {
	name   string
	values []string
}

// known are the attributes that entries may have; a filter by another one is Undefined.
var known = map[string]bool{
	"objectclass": true, "cn": true, "sn": true, "displayname": true, "uid": true, "o": true, "ou": true, "l": true, "dc": true,
	"telephonenumber": true, "givenname": true, "mail": true, "mobile": true, "homephone": true, "title": true, "department": true,
	"commuri": true, "communiqueid": true, "commowner": true,
	"h323identityh323-id": true, "h323identitydialeddigits": true, "h323identityurl-id": true, "sipidentitysipuri": true,
}

func (e *entry) values(name string) (values []string, isKnown bool) {
	for _, f := range e.attributes {
		if strings.EqualFold(f.name, name) {
			return f.values, true
		}
	}
	return nil, known[name]
}

func (e *entry) add(name string, values ...string) {
	kept := values[:0:0]
	for _, v := range values {
		if v != "" {
			kept = append(kept, v)
		}
	}
	if len(kept) > 0 {
		e.attributes = append(e.attributes, field{name, kept})
	}
}

func (s *Server) personDN(id string) string { return "uid=" + id + ",ou=people," + s.Base }
func (s *Server) commDN(id string) string   { return "commUniqueId=" + id + ",ou=h350," + s.Base }

// person is what ordinary phones read of a line.
func (s *Server) person(l phonebook.Line) *entry {
	e := &entry{dn: s.personDN(l.ID)}
	e.add("objectClass", "top", "person", "organizationalPerson", "inetOrgPerson", "commURIObject")
	e.add("uid", l.ID)
	e.add("cn", l.Name)
	e.add("sn", l.Name)
	e.add("displayName", l.Name)
	e.add("o", l.Agency)
	e.add("l", l.Site)
	numbers := l.Numbers
	if len(numbers) == 0 { // a phone dials what it finds there
		numbers = []string{l.Dial()}
	}
	e.add("telephoneNumber", numbers...)
	e.add("commURI", "ldap:///"+s.commDN(l.ID))
	return e
}

// comm is what video terminals read of it.
func (s *Server) comm(l phonebook.Line) *entry {
	e := &entry{dn: s.commDN(l.ID)}
	classes := []string{"top", "commObject"}
	if len(l.H323)+len(l.Numbers) > 0 {
		classes = append(classes, "h323Identity")
	}
	if len(l.SIP) > 0 {
		classes = append(classes, "SIPIdentity")
	}
	e.add("objectClass", classes...)
	e.add("commUniqueId", l.ID)
	e.add("commOwner", s.personDN(l.ID))
	e.add("cn", l.Name)
	e.add("displayName", l.Name)
	e.add("h323Identityh323-ID", l.H323...)
	e.add("h323IdentitydialedDigits", l.Numbers...)
	uris := make([]string, 0, len(l.SIP))
	for _, a := range l.SIP {
		uris = append(uris, "sip:"+a)
	}
	e.add("SIPIdentitySIPURI", uris...)
	return e
}

// rootDSE describes the server (RFC 4512 §5.1).
func (s *Server) rootDSE() *entry {
	e := &entry{}
	e.add("objectClass", "top")
	e.add("namingContexts", s.Base)
	e.add("supportedLDAPVersion", "3")
	e.add("supportedControl", pagedResults)
	if s.TLS != nil {
		e.add("supportedExtension", startTLS)
	}
	e.add("vendorName", "roomgate")
	return e
}

// containers are the entries above the lines.
func (s *Server) containers() []*entry {
	base := &entry{dn: s.Base}
	base.add("objectClass", "top", "organization")
	base.add("o", "roomgate")
	list := []*entry{base}
	for _, ou := range []string{"people", "h350"} {
		e := &entry{dn: "ou=" + ou + "," + s.Base}
		e.add("objectClass", "top", "organizationalUnit")
		e.add("ou", ou)
		list = append(list, e)
	}
	return list
}

// folded is a distinguished name for comparing: small letters, and no spaces around
// commas and equals signs. Names of ours have no others that matter.
func folded(dn string) string {
	parts := strings.Split(strings.ToLower(dn), ",")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		parts[i] = strings.TrimSpace(name) + "=" + strings.TrimSpace(value)
	}
	if len(parts) == 1 && parts[0] == "=" {
		return ""
	}
	return strings.Join(parts, ",")
}
