package ldapsync_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/ldapsync"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
)

func open(t *testing.T) *directory.Directory {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	keys, err := seal.Parse(seal.NewKey())
	require.NoError(t, err)
	d, err := directory.Open(t.Context(), directory.Config{DB: db, Keys: keys})
	require.NoError(t, err)
	return d
}

func run(t *testing.T, d *directory.Directory, s ldapsync.Source) ldapsync.Plan {
	t.Helper()
	p, err := ldapsync.Run(t.Context(), d, s, false, false)
	require.NoError(t, err)
	return p
}

// Endpoints come from OpenLDAP on the schema H.350 over StartTLS, more of them than it
// gives at once; what changes there changes here, and what is ours stays.
func TestEndpointsComeFromSlapd(t *testing.T) {
	s := startSlapd(t)
	s.room("dn1", "Phòng họp Đà Nẵng", "Sở Y tế", map[string][]string{
		"h323Identityh323-ID": {"DN-HDX"}, "h323IdentitydialedDigits": {"5001", "+842363888999"},
		"SIPIdentitySIPURI": {"sip:danang@hop.vn;transport=tls"}, "SIPIdentityUserName": {"danang"}, "SIPIdentityPassword": {"mật khẩu"},
	})
	s.room("hand", "Phòng nhập tay", "UBND", map[string][]string{"h323IdentitydialedDigits": {"6001"}})
	s.room("mute", "Không có số", "UBND", nil)
	s.room("bad", "Số sai", "UBND", map[string][]string{"h323IdentitydialedDigits": {"12ab"}})
	for i := range 120 {
		s.room(fmt.Sprintf("xa%03d", i), fmt.Sprintf("Xã %03d", i), "UBND", map[string][]string{"h323IdentitydialedDigits": {fmt.Sprint(7000 + i)}})
	}
	d := open(t)
	_, err := d.SaveEndpoints(t.Context(), []directory.Endpoint{
		{Name: "Entered by hand", Bandwidth: 2048, Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "6001"}}},
		{Name: "Ours alone", Aliases: []directory.Alias{{Kind: directory.AliasSIP, Value: "ours"}}},
	})
	require.NoError(t, err)
	source := ldapsync.Source{
		URL: "ldap://" + s.address, StartTLS: true, CA: s.ca, BindDN: "cn=reader," + suffix, Password: "đọc", Base: "ou=h350," + suffix, Schema: "h350",
	}
	dry, err := ldapsync.Run(t.Context(), d, source, true, false)
	require.NoError(t, err)
	assert.Equal(t, 2, d.Count(), "a dry run changes nothing")
	assert.Equal(t, 121, dry.Count("create"))
	p := run(t, d, source)
	assert.Equal(t, []int{121, 1, 0}, []int{p.Count("create"), p.Count("update"), p.Unchanged})
	require.Len(t, p.Faults, 2, "%v", p.Faults)

	e, ok := d.ByAlias("5001")
	require.True(t, ok)
	assert.Equal(t, []string{"Phòng họp Đà Nẵng", "Sở Y tế", "Tầng 3", "danang", "ldap:dn1"}, []string{e.Name, e.Agency, e.Site, e.Username, e.External})
	password, err := d.Password(e)
	require.NoError(t, err)
	assert.Equal(t, "mật khẩu", password)
	assert.Equal(t, []directory.Alias{{Kind: directory.AliasE164, Value: "5001"}, {Kind: directory.AliasE164, Value: "+842363888999"}, {Kind: directory.AliasH323, Value: "DN-HDX"}}, e.Aliases)
	hand, ok := d.ByAlias("6001")
	require.True(t, ok)
	assert.Equal(t, []any{"Phòng nhập tay", 2048, "ldap:hand"}, []any{hand.Name, hand.Bandwidth, hand.External}, "taken over, with what is ours")

	// Nothing has changed.
	p = run(t, d, source)
	assert.Empty(t, p.Changes)
	assert.Equal(t, 122, p.Unchanged)

	// A change there, a change here, and one that is gone.
	change := ldap.NewModifyRequest("uid=dn1,ou=people,"+suffix, nil)
	change.Replace("cn", []string{"Phòng Đà Nẵng mới"})
	require.NoError(t, s.admin.Modify(change))
	change = ldap.NewModifyRequest("commUniqueId=dn1,ou=h350,"+suffix, nil)
	change.Replace("SIPIdentityPassword", []string{"khác"})
	require.NoError(t, s.admin.Modify(change))
	require.NoError(t, s.admin.Del(ldap.NewDelRequest("commUniqueId=xa007,ou=h350,"+suffix, nil)))
	e.Bandwidth, e.External = 1024, ""
	_, err = d.SaveEndpoint(t.Context(), e)
	require.NoError(t, err)
	p = run(t, d, source)
	require.Equal(t, 1, p.Count("update"), "%+v", p.Changes)
	assert.Equal(t, []ldapsync.Field{{Name: "name", Before: "Phòng họp Đà Nẵng", After: "Phòng Đà Nẵng mới"}, {Name: "password"}}, p.Changes[0].Fields, "passwords are not shown")
	assert.Equal(t, []string{"Xã 007"}, p.Missing)
	assert.Equal(t, 1, p.Count("mark"))
	lost, ok := d.ByAlias("7007")
	require.True(t, ok)
	assert.False(t, lost.Missing.IsZero(), "it stays, and is marked")
	e, _ = d.ByAlias("5001")
	assert.Equal(t, []any{"Phòng Đà Nẵng mới", 1024}, []any{e.Name, e.Bandwidth})
	password, err = d.Password(e)
	require.NoError(t, err)
	assert.Equal(t, "khác", password)
	source.Delete = true
	p = run(t, d, source)
	assert.Equal(t, 1, p.Count("delete"))
	_, ok = d.ByAlias("7007")
	assert.False(t, ok)
	_, ok = d.ByAlias("ours")
	assert.True(t, ok, "what was never there is not taken out")

	// A source that has lost much is not believed.
	for i := range 60 {
		if i != 7 {
			require.NoError(t, s.admin.Del(ldap.NewDelRequest(fmt.Sprintf("commUniqueId=xa%03d,ou=h350,%s", i, suffix), nil)))
		}
	}
	_, err = ldapsync.Run(t.Context(), d, source, false, false)
	require.ErrorIs(t, err, ldapsync.ErrGone)
	assert.Equal(t, 122, d.Count())
	p, err = ldapsync.Run(t.Context(), d, source, false, true)
	require.NoError(t, err)
	assert.Equal(t, 59, p.Count("delete"))
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	s := startSlapd(t)
	d := open(t)
	good := ldapsync.Source{URL: "ldap://" + s.address, StartTLS: true, CA: s.ca, BindDN: "cn=reader," + suffix, Password: "đọc", Base: suffix, Schema: "h350"}
	for name, change := range map[string]func(*ldapsync.Source){
		"wrong password":    func(s *ldapsync.Source) { s.Password = "x" },
		"unknown authority": func(s *ldapsync.Source) { s.CA = nil },
		"no such base":      func(s *ldapsync.Source) { s.Base = "dc=nowhere" },
		"no schema":         func(s *ldapsync.Source) { s.Schema = "x" },
		"nobody there":      func(s *ldapsync.Source) { s.URL = "ldap://127.0.0.1:1" },
		"broken filter":     func(s *ldapsync.Source) { s.Filter = "(" },
	} {
		bad := good
		change(&bad)
		_, err := ldapsync.Run(t.Context(), d, bad, false, false)
		assert.Error(t, err, name)
	}
	_, err := ldapsync.Run(t.Context(), d, good, false, false)
	assert.NoError(t, err)
}

// The owner of a commObject is named by a URI, as H.350 has it, and of one elsewhere.
func TestOwnersByURI(t *testing.T) {
	s := startSlapd(t)
	s.room("a", "Phòng A", "Sở Y tế", map[string][]string{"h323IdentitydialedDigits": {"5001"}})
	s.room("b", "Phòng B", "Sở Y tế", map[string][]string{"h323IdentitydialedDigits": {"5002"}, "h323Identityh323-ID": {"B"}})
	own := func(id, owner string) {
		change := ldap.NewModifyRequest("commUniqueId="+id+",ou=h350,"+suffix, nil)
		change.Replace("commOwner", []string{owner})
		require.NoError(t, s.admin.Modify(change))
	}
	own("a", "ldap://dir.so.vn/"+suffix+"??sub?(uid=a)")
	own("b", "uid=b,dc=elsewhere")
	d := open(t)
	p := run(t, d, ldapsync.Source{URL: "ldap://" + s.address, BindDN: "cn=reader," + suffix, Password: "đọc", Base: suffix, Schema: "h350"})
	assert.Equal(t, 1, p.Count("create"))
	require.Len(t, p.Faults, 1, "it has no name")
	e, ok := d.ByAlias("5001")
	require.True(t, ok)
	assert.Equal(t, []string{"Phòng A", "Sở Y tế", "Tầng 3"}, []string{e.Name, e.Agency, e.Site})
}

// What Active Directory says of rooms, by attributes that OpenLDAP has under other names.
func TestAttributesOfAnotherSchema(t *testing.T) {
	s := startSlapd(t)
	s.add("uid=room1,ou=people,"+suffix, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {"room1"}, "cn": {"Phòng 1"}, "sn": {"x"}, "telephoneNumber": {"8001"}, "o": {"Sở Tài chính"}, "roomNumber": {"P.301"},
		"labeledURI": {"sip:room1@so.vn"},
	})
	d := open(t)
	p := run(t, d, ldapsync.Source{
		URL: "ldap://" + s.address, BindDN: "cn=reader," + suffix, Password: "đọc", Base: suffix, Schema: "ad", Filter: "(telephoneNumber=*)", Agency: "UBND",
		Attributes: ldapsync.Attributes{ID: "uid", Agency: "o", Site: "roomNumber", E164: "telephoneNumber", SIP: "labeledURI"},
	})
	require.Equal(t, 1, p.Count("create"), "%+v", p)
	e, ok := d.ByAlias("8001")
	require.True(t, ok)
	assert.Equal(t, []string{"Phòng 1", "UBND", "P.301"}, []string{e.Name, e.Agency, e.Site})
	assert.True(t, slices.Contains(e.Aliases, directory.Alias{Kind: directory.AliasSIP, Value: "room1@so.vn"}))
}
