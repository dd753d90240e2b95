package config

import (
	"encoding"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Addresses are where a listener binds, each "ADDRESS:PORT" or ":PORT" (then
// listen.address, or every address). An empty list listens nowhere; in YAML and
// in the environment that is written "off".
type Addresses []string

// checkAddress checks the form of one element of Addresses.
func checkAddress(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not an address such as :5060 or 192.0.2.1:5060", s)
	}
	if host != "" {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%q: %q is not an IP address", s, host)
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%q: %q is not a port", s, port)
	}
	return nil
}

// PortRange is a range of UDP or TCP ports, both ends included, written
// "20000-29999".
type PortRange struct{ Low, High uint16 }

// UnmarshalText reads "LOW-HIGH".
func (r *PortRange) UnmarshalText(text []byte) error {
	low, high, found := strings.Cut(string(text), "-")
	l, errLow := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	h, errHigh := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	if !found || errLow != nil || errHigh != nil {
		return fmt.Errorf("%q is not a range of ports such as 20000-29999", text)
	}
	r.Low, r.High = uint16(l), uint16(h)
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (r PortRange) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d-%d", r.Low, r.High), nil
}

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Low, r.High) }

// Contains reports whether port lies in the range.
func (r PortRange) Contains(port int) bool { return port >= int(r.Low) && port <= int(r.High) }

// parseText reads a scalar of the given field.
func parseText(f field, s string) (any, error) {
	v := reflect.New(f.typ)
	if _, isText := v.Interface().(encoding.TextUnmarshaler); isText && s == "" {
		return v.Elem().Interface(), nil
	}
	switch target := v.Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration such as 30s or 5m", s)
		}
		*target = d
	case *netip.Addr:
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not an IP address", s)
		}
		*target = a
	case *netip.AddrPort:
		at, err := parseGatekeeper(s)
		if err != nil {
			return nil, err
		}
		*target = at
	case *netip.Prefix:
		p, err := parsePrefix(s)
		if err != nil {
			return nil, err
		}
		*target = p
	case encoding.TextUnmarshaler:
		if err := target.UnmarshalText([]byte(s)); err != nil {
			return nil, err
		}
	case *bool:
		if s != "true" && s != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", s)
		}
		*target = s == "true"
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", s)
		}
		*target = n
	case *string:
		if s != "" && len(f.oneof) > 0 && !slices.Contains(f.oneof, s) {
			return nil, fmt.Errorf("%q is not one of %s", s, strings.Join(f.oneof, ", "))
		}
		*target = s
	default:
		return nil, fmt.Errorf("no text form for %s", f.typ)
	}
	return v.Elem().Interface(), nil
}

// parseGatekeeper reads the address of a gatekeeper, whose port is 1719 when it is not
// named (H.225.0 clause 7.1).
func parseGatekeeper(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 1719), nil
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil || at.Port() == 0 {
		return at, fmt.Errorf("%q is not an address such as 192.0.2.1 or 192.0.2.1:1719", s)
	}
	return at, nil
}

// parsePrefix reads a network in CIDR form; a single address stands for itself.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not a network such as 10.0.0.0/8", s)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has bits beyond its mask; the network is %s", s, p.Masked())
	}
	return p, nil
}

// parseList reads the elements of a list of scalars.
func parseList(f field, elements []string) (any, error) {
	list := reflect.MakeSlice(f.typ, 0, len(elements))
	if f.typ == reflect.TypeFor[Addresses]() {
		if len(elements) == 1 && elements[0] == "off" {
			return Addresses{}, nil
		}
		for _, s := range elements {
			if err := checkAddress(s); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range elements {
		v, err := parseText(field{typ: f.typ.Elem(), oneof: f.oneof}, s)
		if err != nil {
			return nil, err
		}
		list = reflect.Append(list, reflect.ValueOf(v))
	}
	return list.Interface(), nil
}

// splitList takes apart a comma-separated list.
func splitList(s string) []string {
	var elements []string
	for e := range strings.SplitSeq(s, ",") {
		if e = strings.TrimSpace(e); e != "" {
			elements = append(elements, e)
		}
	}
	return elements
}
