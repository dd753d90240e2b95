// Package alias turns the addresses of H.225.0 (clause 7.6) into text and back:
// the names people dial and are called by, and transport addresses.
//
//	AliasAddress      text
//	dialledDigits     8401, *21#
//	h323-ID           meeting room, demo@gateway.example
//	url-ID            h323:demo@gateway.example, sip:demo@gateway.example
//	email-ID          demo@gateway.example
//	partyNumber       the digits of the number
//	transportID       10.0.0.1:1720
package alias

import (
	"net/netip"
	"strings"

	"github.com/roomgate/roomgate/h323/h225"
)

// digits are what dialledDigits may hold.
const digits = "0123456789*#,"

// Sizes of H.225.0 clause 7.6, in characters.
const (
	longestDigits = 128
	longestID     = 256
	longestURL    = 512
)

// Text is the alias as a user would write it; "" for kinds without a text.
func Text(a h225.AliasAddress) string {
	switch {
	case a.DialledDigits != nil:
		return *a.DialledDigits
	case a.H323ID != nil:
		return strings.TrimRight(*a.H323ID, "\x00") // some count the terminator in
	case a.URLID != nil:
		return *a.URLID
	case a.EmailID != nil:
		return *a.EmailID
	case a.PartyNumber != nil:
		return number(a.PartyNumber)
	case a.TransportID != nil:
		if at, ok := AddrPort(a.TransportID); ok {
			return at.String()
		}
	}
	return ""
}

func number(n *h225.PartyNumber) string {
	switch {
	case n.E164Number != nil:
		return n.E164Number.PublicNumberDigits
	case n.PrivateNumber != nil:
		return n.PrivateNumber.PrivateNumberDigits
	case n.DataPartyNumber != nil:
		return *n.DataPartyNumber
	case n.TelexPartyNumber != nil:
		return *n.TelexPartyNumber
	case n.NationalStandardPartyNumber != nil:
		return *n.NationalStandardPartyNumber
	}
	return ""
}

// Texts are the aliases that have a text, in order and without repetition.
func Texts(list []h225.AliasAddress) []string {
	var out []string
	seen := make(map[string]bool)
	for _, a := range list {
		if t := Text(a); t != "" && !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// IsNumber reports whether a text can be dialled as digits.
func IsNumber(text string) bool {
	return text != "" && len(text) <= longestDigits && strings.Trim(text, digits) == ""
}

// Of gives the alias that a text stands for: dialledDigits for digits (a leading
// plus is left out: there is no such digit), url-ID for what has a scheme,
// h323-ID for the rest.
func Of(text string) h225.AliasAddress {
	if number := strings.TrimPrefix(text, "+"); IsNumber(number) {
		return h225.AliasAddress{DialledDigits: &number}
	}
	if hasScheme(text) && ascii(text) && len(text) <= longestURL {
		return h225.AliasAddress{URLID: &text}
	}
	return ID(text)
}

// ID gives the h323-ID of a text, cut to what fits.
func ID(text string) h225.AliasAddress {
	if runes := []rune(text); len(runes) > longestID {
		text = string(runes[:longestID])
	}
	return h225.AliasAddress{H323ID: &text}
}

func hasScheme(text string) bool {
	scheme, _, ok := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "h323", "h323s", "sip", "sips", "tel", "im":
		return ok
	}
	return false
}

func ascii(text string) bool {
	for _, c := range []byte(text) {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// Split takes apart what was dialled: the alias, and the host that was named with
// it, "" when none was. It understands alias@host, host##alias, domain##alias and
// the same with a scheme and URL parameters.
func Split(text string) (alias, host string) {
	if hasScheme(text) {
		_, text, _ = strings.Cut(text, ":")
		text, _, _ = strings.Cut(text, ";")
	}
	if before, after, ok := strings.Cut(text, "##"); ok && before != "" && after != "" {
		return after, before
	}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, ""
}

// Name is the alias that best serves as a name to show: an h323-ID before an
// address, an address before a number.
func Name(list []h225.AliasAddress) string {
	for _, kind := range []func(h225.AliasAddress) bool{
		func(a h225.AliasAddress) bool { return a.H323ID != nil },
		func(a h225.AliasAddress) bool { return a.EmailID != nil || a.URLID != nil },
		func(a h225.AliasAddress) bool { return a.TransportID == nil },
	} {
		for _, a := range list {
			if t := Text(a); kind(a) && t != "" {
				return t
			}
		}
	}
	return ""
}

// AddrPort reads a transport address; false for those that are not IP.
func AddrPort(t *h225.TransportAddress) (netip.AddrPort, bool) {
	switch {
	case t == nil:
	case t.IPAddress != nil:
		return netip.AddrPortFrom(netip.AddrFrom4(t.IPAddress.IP), t.IPAddress.Port), true
	case t.Ip6Address != nil:
		return netip.AddrPortFrom(netip.AddrFrom16(t.Ip6Address.IP).Unmap(), t.Ip6Address.Port), true
	case t.IPSourceRoute != nil:
		return netip.AddrPortFrom(netip.AddrFrom4(t.IPSourceRoute.IP), t.IPSourceRoute.Port), true
	}
	return netip.AddrPort{}, false
}

// Transport is an IP address and port as a transport address; nil for an invalid
// one.
func Transport(at netip.AddrPort) *h225.TransportAddress {
	addr := at.Addr().Unmap()
	switch {
	case !addr.IsValid():
		return nil
	case addr.Is4():
		return &h225.TransportAddress{IPAddress: &h225.IPAddress{IP: addr.As4(), Port: at.Port()}}
	}
	return &h225.TransportAddress{Ip6Address: &h225.TransportAddressIp6Address{IP: addr.As16(), Port: at.Port()}}
}
