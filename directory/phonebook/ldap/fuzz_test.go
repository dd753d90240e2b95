package ldap

import (
	"bufio"
	"bytes"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	client "github.com/go-ldap/ldap/v3"

	"github.com/roomgate/roomgate/directory/phonebook"
)

// seed is a search by a filter, with pages.
func seed(f testing.TB, text string) []byte {
	condition, err := client.CompileFilter(text)
	if err != nil {
		f.Fatal(err)
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, searchRequest, nil, "")
	op.AppendChild(octets("dc=roomgate"))
	for _, n := range []int64{2, 0} {
		op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, n, ""))
	}
	for _, n := range []int64{100, 5} {
		op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, ""))
	}
	op.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""))
	op.AppendChild(condition)
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	list.AppendChild(octets("cn"))
	op.AppendChild(list)
	m := message(7, op)
	m.AppendChild(pageControl("1/x+3"))
	return m.Bytes()
}

func FuzzRequest(f *testing.F) {
	for _, text := range []string{"(cn=*)", "(&(objectClass=inetOrgPerson)(|(cn=a*b*c)(!(sn>=x))))", "(cn:caseExactMatch:=x)", "(telephoneNumber~=5001)"} {
		b := seed(f, text)
		if r, err := parse(b); err != nil {
			f.Fatal(err)
		} else if q, code, why := readSearch(r); code != success || q.page == 0 {
			f.Fatal(code, why)
		}
		f.Add(b)
	}
	s := New(Config{Base: "dc=roomgate"})
	line := s.person(phonebook.Line{ID: "1", Name: "Phòng họp", Numbers: []string{"5001"}})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		r, err := parse(m)
		if err != nil {
			return
		}
		q, code, _ := readSearch(r)
		if code == success {
			q.filter.matches(line)
			q.filter.words()
			q.packet(line)
		}
	})
}

// What is cut off anywhere, and octets that are changed, are no request that panics; what
// is cut off is none at all.
func TestPrefixes(t *testing.T) {
	whole := seed(t, "(&(objectClass=inetOrgPerson)(|(cn=a*b*c)(!(sn>=x))))")
	for n := range whole {
		if _, err := readMessage(bufio.NewReader(bytes.NewReader(whole[:n]))); err == nil {
			t.Errorf("%d of %d octets are taken for a message", n, len(whole))
		}
		if _, err := parse(whole[:n]); err == nil {
			t.Errorf("%d of %d octets are taken apart", n, len(whole))
		}
	}
	if _, err := parse(whole); err != nil {
		t.Error(err)
	}
}
