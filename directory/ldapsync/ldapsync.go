// Package ldapsync takes endpoints over from a directory of others: by LDAP, on the schema
// H.350 or as Active Directory keeps rooms. It reads there and never writes.
package ldapsync

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/roomgate/roomgate/directory"
)

// Source says where endpoints are read, and how.
type Source struct {
	URL      string // ldap:// or ldaps://
	StartTLS bool
	CA       []byte // PEM; empty: those of the system
	BindDN   string // "" = anonymous
	Password string
	Base     string
	Schema   string // h350 or ad
	Filter   string // "" = that of the schema
	Agency   string // of all endpoints; "" = as the attribute says
	// Delete takes out what the source has no longer; otherwise it is only told.
	Delete bool
	// Attributes replace those of the schema.
	Attributes Attributes
}

// Attributes are the names of those that are read. Empty ones are not.
type Attributes struct {
	ID, Name, Agency, Site, E164, H323, SIP, Username, Password string
	Owner                                                       string // of the entry that names and places it
}

// schemas are what Source.Schema means.
var schemas = map[string]struct {
	filter string
	Attributes
}{
	// H.350, H.350.1, H.350.2 and H.350.4; names are those of the commOwner.
	"h350": {"(objectClass=commObject)", Attributes{
		ID: "commUniqueId", Name: "displayName", Agency: "o", Site: "l", E164: "h323IdentitydialedDigits", H323: "h323Identityh323-ID",
		SIP: "SIPIdentitySIPURI", Username: "SIPIdentityUserName", Password: "SIPIdentityPassword", Owner: "commOwner",
	}},
	// Active Directory with rooms as Exchange and Skype for Business make them.
	"ad": {"(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(|(telephoneNumber=*)(ipPhone=*)(msRTCSIP-PrimaryUserAddress=*)))", Attributes{
		ID: "objectGUID", Name: "displayName", Agency: "company", Site: "physicalDeliveryOfficeName", E164: "ipPhone", SIP: "msRTCSIP-PrimaryUserAddress",
	}},
}

// Schemas are the names of those that are known.
var Schemas = []string{"h350", "ad"}

// page is how many entries an answer has (RFC 2696); servers may refuse large ones.
const page = 100

// mostEntries bounds what is taken over.
const mostEntries = 200_000

// timeout of connecting, and of each answer.
const timeout = 30 * time.Second

// attributes are those that are read.
func (s *Source) attributes() Attributes {
	a := schemas[s.Schema].Attributes
	for _, f := range []struct{ to, from *string }{
		{&a.ID, &s.Attributes.ID}, {&a.Name, &s.Attributes.Name}, {&a.Agency, &s.Attributes.Agency}, {&a.Site, &s.Attributes.Site},
		{&a.E164, &s.Attributes.E164}, {&a.H323, &s.Attributes.H323}, {&a.SIP, &s.Attributes.SIP}, {&a.Username, &s.Attributes.Username},
		{&a.Password, &s.Attributes.Password}, {&a.Owner, &s.Attributes.Owner},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	return a
}

// Read gives the endpoints of the source, each with what External it is known by, and the
// entries that make none.
func (s *Source) Read(ctx context.Context) (list []directory.Endpoint, faults []Fault, err error) {
	if _, ok := schemas[s.Schema]; !ok {
		return nil, nil, fmt.Errorf("schema %q is none of %s", s.Schema, strings.Join(Schemas, ", "))
	}
	conn, err := s.dial()
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := s.begin(conn); err != nil {
		return nil, nil, err
	}
	a := s.attributes()
	filter := s.Filter
	if filter == "" {
		filter = schemas[s.Schema].filter
	}
	names := []string{"cn"}
	for _, n := range []string{a.ID, a.Name, a.Agency, a.Site, a.E164, a.H323, a.SIP, a.Username, a.Password, a.Owner} {
		if n != "" {
			names = append(names, n)
		}
	}
	request := ldap.NewSearchRequest(s.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, names, nil)
	entries, err := pages(conn, request)
	if err != nil {
		return nil, nil, fmt.Errorf("search below %q: %w", s.Base, err)
	}
	owners := map[string]*ldap.Entry{}
	for _, entry := range entries {
		owner, err := ownerOf(conn, entry.GetEqualFoldAttributeValue(a.Owner), owners)
		if err != nil {
			return nil, nil, err
		}
		e, fault := s.endpoint(a, entry, owner)
		if fault != "" {
			faults = append(faults, Fault{entry.DN, fault})
			continue
		}
		list = append(list, e)
	}
	return list, faults, nil
}

// trust says whose certificates are believed.
func (s *Source) trust() (*tls.Config, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(s.CA) > 0 {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(s.CA) {
			return nil, errors.New("the certificates of the source's authority cannot be read")
		}
	}
	return trust, nil
}

func (s *Source) dial() (*ldap.Conn, error) {
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(s.URL, ldap.DialWithTLSConfig(trust), ldap.DialWithDialer(&net.Dialer{Timeout: timeout}))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(timeout)
	return conn, nil
}

// begin starts TLS and binds, as is configured.
func (s *Source) begin(conn *ldap.Conn) error {
	if s.StartTLS {
		trust, err := s.trust()
		if err != nil {
			return err
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(s.URL, "ldap://"), "/")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		trust.ServerName = host
		if err := conn.StartTLS(trust); err != nil {
			return fmt.Errorf("StartTLS: %w", err)
		}
	}
	if s.BindDN != "" {
		if err := conn.Bind(s.BindDN, s.Password); err != nil {
			return fmt.Errorf("bind as %q: %w", s.BindDN, err)
		}
	}
	return nil
}

// endpoint is what an entry makes; fault says why it makes none.
func (s *Source) endpoint(a Attributes, entry, owner *ldap.Entry) (e directory.Endpoint, fault string) {
	get := func(name string) string {
		if name == "" {
			return ""
		}
		if v := entry.GetEqualFoldAttributeValue(name); v != "" || owner == nil {
			return v
		}
		return owner.GetEqualFoldAttributeValue(name)
	}
	id := entry.GetEqualFoldRawAttributeValue(a.ID)
	if len(id) == 0 {
		return e, "has no " + a.ID
	}
	e.External = external(id)
	for _, name := range []string{a.Name, "displayName", "cn"} {
		if e.Name == "" {
			e.Name = get(name)
		}
	}
	e.Agency, e.Site = s.Agency, get(a.Site)
	if e.Agency == "" {
		e.Agency = get(a.Agency)
	}
	e.Username, e.Password = get(a.Username), get(a.Password)
	if e.Password == "" { // it may not be read: then both are ours to give
		e.Username = ""
	}
	e.Aliases = aliases(a, entry, e.Username)
	if e.Username == "" && len(e.Aliases) == 0 {
		return e, "has neither number nor address"
	}
	return e, ""
}

// external is the ID of an entry as text; objectGUID is none.
func external(id []byte) string {
	if utf8.Valid(id) && !strings.ContainsFunc(string(id), func(r rune) bool { return r < ' ' }) {
		return "ldap:" + string(id)
	}
	return "ldap:" + hex.EncodeToString(id)
}

func aliases(a Attributes, entry *ldap.Entry, username string) (list []directory.Alias) {
	seen := map[string]bool{directory.Fold(username): true}
	add := func(kind directory.AliasKind, value string) {
		if value = strings.TrimSpace(value); value != "" && !seen[directory.Fold(value)] {
			seen[directory.Fold(value)] = true
			list = append(list, directory.Alias{Kind: kind, Value: value})
		}
	}
	for _, v := range entry.GetEqualFoldAttributeValues(a.E164) {
		add(directory.AliasE164, v)
	}
	for _, v := range entry.GetEqualFoldAttributeValues(a.H323) {
		add(directory.AliasH323, v)
	}
	for _, v := range entry.GetEqualFoldAttributeValues(a.SIP) {
		scheme, address, ok := strings.Cut(v, ":")
		switch strings.ToLower(scheme) {
		case "sip", "sips":
			address, _, _ = strings.Cut(address, ";")
		default:
			if ok {
				continue // tel:, or something else that is no name of ours
			}
			address = v
		}
		if user, _, _ := strings.Cut(address, "@"); directory.Fold(user) != directory.Fold(username) {
			add(directory.AliasSIP, address)
		}
	}
	return list
}
