package alias_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/per"
)

func TestOfAndText(t *testing.T) {
	for text, kind := range map[string]func(h225.AliasAddress) *string{
		"8401":                    func(a h225.AliasAddress) *string { return a.DialledDigits },
		"*21#":                    func(a h225.AliasAddress) *string { return a.DialledDigits },
		"demo":                    func(a h225.AliasAddress) *string { return a.H323ID },
		"Phòng họp 1":             func(a h225.AliasAddress) *string { return a.H323ID },
		"h323:demo@example.com":   func(a h225.AliasAddress) *string { return a.URLID },
		"sip:demo@example.com":    func(a h225.AliasAddress) *string { return a.URLID },
		"demo@example.com":        func(a h225.AliasAddress) *string { return a.H323ID },
		strings.Repeat("9", 130):  func(a h225.AliasAddress) *string { return a.H323ID },
		"10.0.0.1##88001":         func(a h225.AliasAddress) *string { return a.H323ID },
		"h323:phòng@example.com":  func(a h225.AliasAddress) *string { return a.H323ID },
		"https://example.com/abc": func(a h225.AliasAddress) *string { return a.H323ID },
	} {
		a := alias.Of(text)
		if got := kind(a); got == nil || *got != text {
			t.Errorf("%q became %+v", text, a)
		}
		if got := alias.Text(a); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
		if _, err := per.Marshal(&a); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := alias.Text(alias.Of("+84241234")); got != "84241234" {
		t.Errorf("a leading plus gave %q", got)
	}
	if got := alias.Text(alias.ID(strings.Repeat("ệ", 300))); len([]rune(got)) != 256 {
		t.Errorf("a long name was cut to %d characters", len([]rune(got)))
	}
}

func TestSplit(t *testing.T) {
	for dialled, want := range map[string][2]string{
		"demo":                           {"demo", ""},
		"demo@gw.example":                {"demo", "gw.example"},
		"h323:demo@gw.example:1720":      {"demo", "gw.example:1720"},
		"h323:demo@gw.example;type=x":    {"demo", "gw.example"},
		"10.0.0.1##88001":                {"88001", "10.0.0.1"},
		"gw.example##88001":              {"88001", "gw.example"},
		"h323:10.0.0.1##88001":           {"88001", "10.0.0.1"},
		"88001##":                        {"88001##", ""},
		"##88001":                        {"##88001", ""},
		"first@last@gw.example":          {"first@last", "gw.example"},
		"sip:demo@gw.example;transport=": {"demo", "gw.example"},
		"h323:demo":                      {"demo", ""},
		"@10.0.0.1":                      {"", "10.0.0.1"},
	} {
		if a, host := alias.Split(dialled); a != want[0] || host != want[1] {
			t.Errorf("%q: %q at %q, want %q", dialled, a, host, want)
		}
	}
}

func TestNamesAndNumbers(t *testing.T) {
	private := "0901"
	list := []h225.AliasAddress{
		alias.Of("8401"), alias.Of("h323:a@b"), alias.ID("Room\x00"), alias.Of("8401"),
		{PartyNumber: &h225.PartyNumber{PrivateNumber: &h225.PrivatePartyNumber{PrivateNumberDigits: private}}},
		{PartyNumber: &h225.PartyNumber{E164Number: &h225.PublicPartyNumber{PublicNumberDigits: "8424"}}},
		{TransportID: alias.Transport(netip.MustParseAddrPort("10.0.0.1:1720"))},
		{},
	}
	if got := alias.Name(list); got != "Room" {
		t.Errorf("the name is %q", got)
	}
	if got := alias.Name(list[:1]); got != "8401" {
		t.Errorf("the name of a number is %q", got)
	}
	got := strings.Join(alias.Texts(list), " ")
	if want := "8401 h323:a@b Room 0901 8424 10.0.0.1:1720"; got != want {
		t.Errorf("texts are %q, want %q", got, want)
	}
}

func TestTransport(t *testing.T) {
	for _, text := range []string{"10.1.2.3:1720", "[2001:db8::1]:30000", "0.0.0.0:0"} {
		want := netip.MustParseAddrPort(text)
		if got, ok := alias.AddrPort(alias.Transport(want)); !ok || got != want {
			t.Errorf("%s came back as %s", want, got)
		}
	}
	mapped := netip.AddrPortFrom(netip.MustParseAddr("::ffff:10.0.0.1"), 5)
	if got := alias.Transport(mapped); got.IPAddress == nil {
		t.Error("an IPv4 address in IPv6 clothes stayed one")
	}
	if alias.Transport(netip.AddrPort{}) != nil {
		t.Error("no address became one")
	}
	for _, none := range []*h225.TransportAddress{nil, {}, {NSAP: []byte{1}}} {
		if at, ok := alias.AddrPort(none); ok {
			t.Errorf("%+v became %s", none, at)
		}
	}
}
