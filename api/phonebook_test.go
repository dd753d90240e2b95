package api_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/phonebook"
)

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func TestPhoneBooks(t *testing.T) {
	var open []phonebook.Open
	needTLS := false
	s := serveDirectory(t, &fake{}, func(c *api.Config) {
		c.PhoneBook = phonebook.New(phonebook.Config{Directory: c.Directory, Domain: "hop.example.vn", Open: func() []phonebook.Open { return open }})
		c.PhoneBookTLS = func() bool { return needTLS }
	})
	list := []directory.Endpoint{
		{Name: "Phòng A & B", Agency: "Sở Y tế", Username: "room-a", Password: "s3cret", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: "5001"}}},
		{Name: "Phòng C", Agency: "Sở Y tế", Username: "room-c", Password: "other"},
		{Name: "Không gọi được", Agency: "Sở Y tế"},
	}
	for i := range 40 {
		list = append(list, directory.Endpoint{Name: fmt.Sprintf("Xã %02d", i), Agency: "UBND", Aliases: []directory.Alias{{Kind: directory.AliasE164, Value: fmt.Sprint(7000 + i)}}})
	}
	_, err := s.d.SaveEndpoints(t.Context(), list)
	require.NoError(t, err)

	w := ask(s, "GET", "/phonebook/cisco.xml", "")
	assert.Equal(t, http.StatusUnauthorized, w.Code)
	assert.Contains(t, w.Header().Get("WWW-Authenticate"), "Basic")
	assert.Equal(t, http.StatusUnauthorized, ask(s, "GET", "/phonebook/cisco.xml", "", basic("room-a", "wrong")).Code)
	w = ask(s, "GET", "/phonebook/cisco.xml", "", basic("room-a", "s3cret"))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Equal(t, "text/xml; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>
<CiscoIPPhoneDirectory>
 <Title>Danh bạ</Title>
 <Prompt>Chọn nơi cần gọi</Prompt>
 <DirectoryEntry>
  <Name>Phòng A &amp; B</Name>
  <Telephone>5001</Telephone>
 </DirectoryEntry>
 <DirectoryEntry>
  <Name>Phòng C</Name>
  <Telephone>room-c@hop.example.vn</Telephone>
 </DirectoryEntry>
 <SoftKeyItem>
  <Name>Gọi</Name>
  <URL>SoftKey:Dial</URL>
  <Position>1</Position>
 </SoftKeyItem>
 <SoftKeyItem>
  <Name>Thoát</Name>
  <URL>SoftKey:Exit</URL>
  <Position>3</Position>
 </SoftKeyItem>
 <SoftKeyItem>
  <Name>Tìm</Name>
  <URL>http://gw.example.org:8080/phonebook/cisco.xml?search=1</URL>
  <Position>4</Position>
 </SoftKeyItem>
</CiscoIPPhoneDirectory>`, w.Body.String(), "its own agency")

	// From an open network without a password, page by page.
	open = []phonebook.Open{{CIDR: netip.MustParsePrefix("0.0.0.0/0"), Agency: "Sở Y tế"}, {CIDR: netip.MustParsePrefix("192.0.2.0/24"), Agency: "UBND"}}
	var page struct {
		Entries []struct{ Name, Telephone string } `xml:"DirectoryEntry"`
		Keys    []struct{ Name, URL string }       `xml:"SoftKeyItem"`
	}
	seen := 0
	for at := "/phonebook/cisco.xml?lang=en"; at != ""; {
		w := ask(s, "GET", at, "", from("192.0.2.7"))
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		page.Entries, page.Keys = nil, nil
		require.NoError(t, xml.Unmarshal(w.Body.Bytes(), &page))
		assert.LessOrEqual(t, len(page.Entries), phonebook.CiscoLines)
		seen += len(page.Entries)
		at = ""
		for _, k := range page.Keys {
			if k.Name == "Next" {
				u, err := url.Parse(k.URL)
				require.NoError(t, err)
				at = u.RequestURI()
			}
		}
	}
	assert.Equal(t, 40, seen)
	w = ask(s, "GET", "/phonebook/cisco.xml?q=xa+07&lang=en", "", from("192.0.2.7"))
	assert.Equal(t, 1, strings.Count(w.Body.String(), "<DirectoryEntry>"))
	w = ask(s, "GET", "/phonebook/cisco.xml?search=1&lang=en", "", from("192.0.2.7"))
	assert.Contains(t, w.Body.String(), "<CiscoIPPhoneInput>")
	assert.Contains(t, w.Body.String(), "<QueryStringParam>q</QueryStringParam>")
	var menu struct {
		Items []struct{ Name, URL string } `xml:"MenuItem"`
	}
	w = ask(s, "GET", "/phonebook/cisco-menu.xml?lang=en", "", from("192.0.2.7"))
	assert.Equal(t, "text/xml; charset=utf-8", w.Header().Get("Content-Type"))
	require.NoError(t, xml.Unmarshal(w.Body.Bytes(), &menu))
	require.Len(t, menu.Items, 2)
	for i, root := range []string{"<CiscoIPPhoneDirectory>", "<CiscoIPPhoneInput>"} {
		u, err := url.Parse(menu.Items[i].URL)
		require.NoError(t, err)
		assert.Contains(t, ask(s, "GET", u.RequestURI(), "", from("192.0.2.7")).Body.String(), root, "where %s leads", menu.Items[i].Name)
	}
	w = ask(s, "GET", "/phonebook/yealink.xml", "", from("192.0.2.7"))
	assert.Equal(t, 40, strings.Count(w.Body.String(), "<Telephone>"))
	assert.Equal(t, http.StatusUnprocessableEntity, ask(s, "GET", "/phonebook/cisco.xml?cursor=x", "", from("192.0.2.7")).Code)

	// Passwords in the clear are refused where TLS is asked for, and guessing is slowed.
	needTLS, open = true, nil
	assert.Equal(t, http.StatusForbidden, ask(s, "GET", "/phonebook/cisco.xml", "", basic("room-a", "s3cret")).Code)
	assert.Equal(t, http.StatusUnauthorized, ask(s, "GET", "/phonebook/cisco-menu.xml", "").Code)
	needTLS = false
	status := 0
	for range 20 {
		status = ask(s, "GET", "/phonebook/cisco.xml", "", basic("room-a", "guess"), from("198.51.100.1")).Code
	}
	assert.Equal(t, http.StatusTooManyRequests, status)
}
