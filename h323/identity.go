package h323

import (
	"strings"

	"github.com/roomgate/roomgate/h323/control"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
)

// Our vendor identification (H.225.0 clause 7.6). There is no T.35 manufacturer code
// of ours; 181 is the United States, whose codes are the ones all decoders know, and
// 0 no manufacturer in particular.
const (
	t35Country      = 181
	t35Manufacturer = 0
)

// Terminal types of master/slave determination (H.323 table 1): an entity without MC.
const (
	terminalWithoutMC = 50
	gatewayWithoutMC  = 60
)

// self is what we say we are.
func self(cfg *Config) h225.EndpointType {
	t := h225.EndpointType{Vendor: &h225.VendorIdentifier{
		Vendor:    h225.H221NonStandard{T35CountryCode: t35Country, ManufacturerCode: t35Manufacturer},
		ProductID: []byte(cfg.Product), VersionID: []byte(cfg.Version),
	}}
	if cfg.Terminal {
		t.Terminal = &h225.TerminalInfo{}
	} else {
		t.Gateway = &h225.GatewayInfo{}
	}
	return t
}

// terminalType decides who is master: that of the target, of the configuration, or what
// we are.
func (l *leg) terminalType() uint8 {
	switch {
	case l.out != nil && l.out.target.TerminalType != 0:
		return l.out.target.TerminalType
	case l.e.cfg.TerminalType != 0:
		return l.e.cfg.TerminalType
	case l.e.cfg.Terminal:
		return terminalWithoutMC
	}
	return gatewayWithoutMC
}

// leastMC is the least terminal type of an MCU (H.323 table 1).
const leastMC = 160

// of is what we say we are in a call of a terminal type: an MCU says so.
func selfAs(cfg *Config, terminalType uint8) h225.EndpointType {
	t := self(cfg)
	if terminalType >= leastMC {
		t.MCU, t.MC = &h225.MCUInfo{}, true
	}
	return t
}

// focus reports whether the far side says that it joins several.
func focus(t *h225.EndpointType) bool { return t != nil && (t.MC || t.MCU != nil) }

// identity is what H.245 tells about us.
func (e *Endpoint) identity() control.Identity {
	vendor := h245.NonStandardIdentifier{H221NonStandard: &h245.NonStandardIdentifierH221NonStandard{
		T35CountryCode: t35Country, ManufacturerCode: t35Manufacturer,
	}}
	return control.Identity{Vendor: vendor, Product: e.cfg.Product, Version: e.cfg.Version, Name: e.cfg.Aliases[0]}
}

// userAgent is the far side's product and version as one text.
func userAgent(t *h225.EndpointType) string {
	if t == nil || t.Vendor == nil {
		return ""
	}
	product, version := printable(t.Vendor.ProductID), printable(t.Vendor.VersionID)
	if version == "" || strings.Contains(product, version) {
		return product
	}
	return strings.TrimSpace(product + " " + version)
}

// printable keeps what can be shown of octets that are said to be text.
func printable(b []byte) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFD' || r == 0x7F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b), ""))
	return strings.TrimSpace(text)
}

// makers are the makers of room systems by the H.221 code of their vendor
// identification: country and manufacturer, as they are seen on the wire.
var makers = map[[2]uint16]string{
	{181, 9009}:  "Polycom",
	{181, 18}:    "Cisco",
	{181, 21324}: "Microsoft",
	{9, 61}:      "H323Plus",
}

// products are makers by how the product identifier begins, the more telling ones
// first.
var products = []struct{ in, maker string }{
	{"realpresence group", "Poly RealPresence Group"}, {"hdx", "Polycom HDX"}, {"polycom", "Polycom"}, {"poly ", "Poly"},
	{"tandberg", "TANDBERG"}, {"cisco", "Cisco"}, {"sony", "Sony"}, {"pcs-", "Sony PCS"}, {"aver", "AVer"}, {"huawei", "Huawei"},
	{"te30", "Huawei"}, {"te40", "Huawei"}, {"viewpoint", "Huawei"}, {"yealink", "Yealink"}, {"lifesize", "Lifesize"},
	{"radvision", "Avaya"}, {"scopia", "Avaya"}, {"avaya", "Avaya"}, {"h323plus", "H323Plus"}, {"gnugk", "GnuGk"},
	{"gnu gatekeeper", "GnuGk"}, {"objective systems", "Asterisk"}, {"asterisk", "Asterisk"}, {"ooh323", "Asterisk"}, {"ekiga", "Ekiga"}, {"openh323", "OpenH323"},
	{"netmeeting", "Microsoft NetMeeting"}, {"panasonic", "Panasonic"}, {"vidyo", "Vidyo"}, {"starleaf", "StarLeaf"}, {"pexip", "Pexip"},
	{"roomgate", "roomgate"},
}

// product names the far side's maker, and model where it tells one.
func product(t *h225.EndpointType) string {
	if t == nil || t.Vendor == nil {
		return ""
	}
	agent := printable(t.Vendor.ProductID)
	lower := strings.ToLower(agent)
	for _, p := range products {
		at := strings.Index(lower, p.in)
		if at < 0 {
			continue
		}
		rest := strings.TrimLeft(agent[min(at+len(p.in), len(agent)):], "/-_ ")
		model, _, _ := strings.Cut(rest, " ")
		if model = strings.Trim(model, "(),;"); model == "" || len(model) > 40 || strings.EqualFold(model, p.maker) {
			return p.maker
		}
		return p.maker + " " + model
	}
	v := t.Vendor.Vendor
	return makers[[2]uint16{uint16(v.T35CountryCode), v.ManufacturerCode}]
}
