package gatekeeper

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/ras"
)

// Name is what people know the endpoint by: an h323-ID before a number, else its
// account, else its address.
func (r *Registration) Name() string {
	if name := alias.Name(r.Aliases); name != "" {
		return name
	}
	if r.Account != "" {
		return r.Account
	}
	return r.Path.Remote.String()
}

// told reports whether the endpoint named an address as one for RAS.
func (r *Registration) told(a netip.AddrPort) bool { return slices.Contains(r.RAS, a) }

// samePeer reports whether a message comes over the connection, or from the host, that
// registered.
func (r *Registration) samePeer(from ras.Path) bool {
	if r.Path.Stream != nil || from.Stream != nil {
		return r.Path.Stream == from.Stream
	}
	return r.Path.Remote.Addr() == from.Remote.Addr()
}

// sameTo reports whether two registrations look alike to those who watch.
func sameTo(a, b *Registration) bool {
	return a.Path == b.Path && slices.Equal(alias.Texts(a.Aliases), alias.Texts(b.Aliases)) && slices.Equal(a.Prefixes, b.Prefixes) &&
		slices.Equal(a.Signalling, b.Signalling) && a.Account == b.Account && a.Product == b.Product
}

// describeVendor reads a vendorIdentifier: the manufacturer by its code (T.35), and the
// product with its version as it names itself.
func describeVendor(v *h225.VendorIdentifier) (vendor, product string) {
	if id := v.Vendor; id.T35CountryCode != 0 || id.ManufacturerCode != 0 {
		vendor = fmt.Sprintf("%d/%d/%d", id.T35CountryCode, id.T35Extension, id.ManufacturerCode)
	}
	product = strings.TrimSpace(printable(v.ProductID) + " " + printable(v.VersionID))
	return vendor, product
}

// printable cleans what a stranger calls itself: it is shown and logged.
func printable(text []byte) string {
	text = text[:min(len(text), 128)]
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, string(text)))
}

// transports writes addresses for a message; the list is never nil.
func transports(list []netip.AddrPort) []h225.TransportAddress {
	out := []h225.TransportAddress{}
	for _, at := range list {
		if a := alias.Transport(at); a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// transport writes an address for a message; 0.0.0.0:0 for none.
func transport(at netip.AddrPort) h225.TransportAddress {
	if a := alias.Transport(at); a != nil {
		return *a
	}
	return h225.TransportAddress{IPAddress: &h225.IPAddress{}}
}
