package sip

import "strings"

// products are the makers of room systems and phones by how their User-Agent
// begins or what it contains, the more telling ones first.
var products = []struct{ in, maker string }{
	{"polycomrealpresencegroup", "Poly RealPresence Group"},
	{"polycom/", "Polycom"}, {"polycom", "Polycom"}, {"poly studio", "Poly"}, {"poly/", "Poly"}, {"poly ", "Poly"},
	{"tandberg", "TANDBERG"}, {"cisco-cucm", "Cisco CUCM"}, {"cisco", "Cisco"}, {"webex", "Cisco Webex"},
	{"sony", "Sony"}, {"aver", "AVer"}, {"huawei", "Huawei"}, {"te30", "Huawei"}, {"te40", "Huawei"},
	{"yealink", "Yealink"}, {"lifesize", "Lifesize"}, {"radvision", "Avaya"}, {"scopia", "Avaya"}, {"avaya", "Avaya"},
	{"grandstream", "Grandstream"}, {"zoom", "Zoom"}, {"panasonic", "Panasonic"}, {"vidyo", "Vidyo"},
	{"starleaf", "StarLeaf"}, {"pexip", "Pexip"}, {"fanvil", "Fanvil"}, {"snom", "Snom"}, {"mitel", "Mitel"},
	{"baresip", "baresip"}, {"linphone", "Linphone"}, {"jitsi", "Jitsi"}, {"microsip", "MicroSIP"},
	{"zoiper", "Zoiper"}, {"asterisk", "Asterisk"}, {"freeswitch", "FreeSWITCH"}, {"kamailio", "Kamailio"},
	{"pjsua", "PJSUA"}, {"sipp", "SIPp"}, {"roomgate", "roomgate"},
}

// product names the maker and, where the User-Agent tells it, the model.
func product(userAgent string) string {
	lower := strings.ToLower(userAgent)
	for _, p := range products {
		at := strings.Index(lower, p.in)
		if at < 0 {
			continue
		}
		rest := strings.TrimLeft(userAgent[at+len(p.in):], "/-_ ")
		model, _, _ := strings.Cut(rest, " ")
		model, _, _ = strings.Cut(model, "/")
		if model = strings.Trim(model, "(),;"); model == "" || len(model) > 40 {
			return p.maker
		}
		return p.maker + " " + model
	}
	return ""
}
