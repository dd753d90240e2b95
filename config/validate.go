package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate finds values that cannot work, alone or together. Load calls it.
func Validate(c *Config) Problems {
	v := validation{Config: c}
	for _, rule := range []func(){
		v.listening, v.networks, v.sip, v.gatekeeper, v.membership, v.rtp, v.sfu, v.http, v.storage, v.bounds,
		v.accounts, v.trunks, v.dialRules, v.dialPlan,
	} {
		rule()
	}
	return v.problems
}

type validation struct {
	*Config
	problems Problems
}

func (v *validation) fault(key, format string, args ...any) {
	v.problems.add("", key, format, args...)
}

// clash reports a value that does not go with that of another key; the line of
// either is named, since one of them may be a default.
func (v *validation) clash(key, rival, format string, args ...any) {
	v.fault(key, format, args...)
	v.problems[len(v.problems)-1].rival = rival
}

// listening refuses two listeners on one port.
func (v *validation) listening() {
	taken := map[string]string{}
	claim := func(key, network, address string) {
		if strings.HasSuffix(address, ":0") {
			return
		}
		at := network + " " + address
		if other, ok := taken[at]; ok {
			v.clash(key, other, "%s is already used by %s", address, other)
			return
		}
		taken[at] = key
	}
	for _, l := range v.listeners() {
		for _, a := range *l.addresses {
			claim(l.key, l.network, a)
		}
	}
	if v.SFU.Embedded {
		p := v.SFU.Ports
		claim("sfu.ports.signalling", "tcp", ":"+strconv.Itoa(p.Signalling))
		claim("sfu.ports.tcp", "tcp", ":"+strconv.Itoa(p.TCP))
		claim("sfu.ports.udp", "udp", ":"+strconv.Itoa(p.UDP))
	}
}

func (v *validation) networks() {
	seen := map[netip.Prefix]int{}
	for i, n := range v.Networks {
		key := fmt.Sprintf("networks[%d]", i)
		switch first, again := seen[n.CIDR]; {
		case !n.CIDR.IsValid():
			v.fault(key+".cidr", "missing")
		case again:
			v.fault(key+".cidr", "%s is networks[%d] already", n.CIDR, first)
		default:
			seen[n.CIDR] = i
		}
		if !n.Address.IsValid() && n.Interface == "" {
			v.fault(key, "needs address or interface, to know which of our addresses to show")
		}
		if n.Address.IsValid() && (n.Address.IsUnspecified() || n.Address.IsMulticast()) {
			v.fault(key+".address", "%s cannot be advertised", n.Address)
		}
		if n.Address.IsValid() && n.CIDR.IsValid() && n.Address.Is4() != n.CIDR.Addr().Is4() {
			v.fault(key+".address", "%s is not of the address family of %s", n.Address, n.CIDR)
		}
		for name, dscp := range map[string]int{"dscp_audio": n.DSCPAudio, "dscp_video": n.DSCPVideo, "dscp_signalling": n.DSCPSignalling} {
			if dscp < 0 || dscp > 63 {
				v.fault(key+"."+name, "%d is not a DSCP, 0 to 63", dscp)
			}
		}
	}
}

func (v *validation) sip() {
	v.pair("sip.tls", v.SIP.TLS.Cert, v.SIP.TLS.Key)
	if len(v.SIP.UDP)+len(v.SIP.TCP)+len(v.SIP.TLS.Listen)+len(v.SIP.TLS.Legacy) == 0 {
		v.fault("sip", "nothing to listen on: udp, tcp and tls.listen are all off")
	}
	if strings.ContainsAny(v.SIP.Domain, "@:/ ") {
		v.fault("sip.domain", "%q is not a domain name", v.SIP.Domain)
	}
	if t := v.SIP.SessionTimer; t != 0 && t < 90*time.Second {
		v.fault("sip.session_timer", "%s is under the 90s that RFC 4028 asks for; 0s turns the timer off", t)
	}
	r := v.SIP.Registration
	if r.MinExpires < time.Second {
		v.fault("sip.registration.min_expires", "%s is under a second", r.MinExpires)
	}
	if r.MaxExpires < r.MinExpires {
		v.fault("sip.registration.max_expires", "%s is under min_expires, %s", r.MaxExpires, r.MinExpires)
	}
}

// pair wants both of a certificate and its key, or none.
func (v *validation) pair(group, cert, key string) {
	switch {
	case cert != "" && key == "":
		v.fault(group+".cert", "needs %s.key too", group)
	case cert == "" && key != "":
		v.fault(group+".key", "needs %s.cert too", group)
	}
}

func (v *validation) rtp() {
	r := v.RTP.Ports
	switch {
	case r.Low > r.High:
		v.fault("rtp.ports", "%s ends before it begins", r)
	case r.Low < 1024:
		v.fault("rtp.ports", "%s reaches below 1024", r)
	case r.High-r.Low < 99:
		v.fault("rtp.ports", "%s holds fewer than 100 ports", r)
	}
	if v.RTP.Timeout < 0 || v.RTP.Timeout > 0 && v.RTP.Timeout < 5*time.Second {
		v.fault("rtp.timeout", "%s would end healthy calls; 5s or more, or 0s for never", v.RTP.Timeout)
	}
	if m := v.H323.MediaPort; m != 0 {
		switch {
		case m < 1024 || m > 65534 || m%2 != 0:
			v.fault("h323.media_port", "%d is not an even port above 1023; the next is for RTCP", m)
		case r.Contains(m) || r.Contains(m+1):
			v.clash("h323.media_port", "rtp.ports", "%d lies within rtp.ports, %s", m, r)
		}
	}
	for _, l := range v.listeners() {
		for _, a := range *l.addresses {
			_, port, _ := strings.Cut(a[strings.LastIndex(a, ":"):], ":")
			if n, _ := strconv.Atoi(port); l.network == "udp" && r.Contains(n) {
				v.clash(l.key, "rtp.ports", "%s lies within rtp.ports, %s", a, r)
			}
		}
	}
}

func (v *validation) sfu() {
	s := v.SFU
	if !s.Embedded {
		for key, value := range map[string]string{"url": s.URL, "api_key": s.APIKey, "api_secret": s.APISecret} {
			if value == "" {
				v.fault("sfu."+key, "missing; an SFU that is not embedded needs it")
			}
		}
	}
	if s.Embedded && s.URL != "" {
		v.fault("sfu.url", "is for an SFU elsewhere; set sfu.embedded to false, or leave the URL out")
	}
	if s.URL != "" {
		v.url("sfu.url", s.URL, "ws", "wss", "http", "https")
	}
	for key, port := range map[string]int{"signalling": s.Ports.Signalling, "tcp": s.Ports.TCP, "udp": s.Ports.UDP} {
		switch {
		case port < 0 || port > 65535 || port == 0 && key != "tcp":
			v.fault("sfu.ports."+key, "%d is not a port", port)
		case s.Embedded && key == "udp" && v.RTP.Ports.Contains(port):
			v.clash("sfu.ports.udp", "rtp.ports", "%d lies within rtp.ports, %s", port, v.RTP.Ports)
		}
	}
	if s.Address.IsValid() && (s.Address.IsUnspecified() || s.Address.IsMulticast()) {
		v.fault("sfu.address", "%s cannot be advertised", s.Address)
	}
}

func (v *validation) http() {
	v.pair("http.tls", v.HTTP.TLS.Cert, v.HTTP.TLS.Key)
	if v.HTTP.PublicURL != "" {
		v.url("http.public_url", v.HTTP.PublicURL, "http", "https")
	}
}

func (v *validation) url(key, text string, schemes ...string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		v.fault(key, "%q is not a URL of the form %s://HOST", text, strings.Join(schemes, "|"))
	}
}

func (v *validation) storage() {
	u := v.Database.URL
	if scheme, _, found := strings.Cut(u, "://"); found && scheme != "postgres" && scheme != "postgresql" {
		v.fault("database.url", "%s:// is neither a SQLite path nor postgres://", scheme)
	}
	for word := range strings.FieldsFuncSeq(v.SecretKey, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		if len(word) < 43 { // 32 octets in base64 without padding
			v.fault("secret_key", "is not 32 bytes in base64 or hexadecimal")
		}
	}
	if k := v.Admin.APIKey; k != "" && len(k) < 16 {
		v.fault("admin.api_key", "is shorter than 16 characters")
	}
}

func (v *validation) bounds() {
	for key, n := range map[string]int{"limits.max_calls": v.Limits.MaxCalls, "limits.api_requests": v.Limits.APIRequests, "meetings.max_legs": v.Meetings.MaxLegs, "video.processes": v.Video.Processes} {
		if n < 0 {
			v.fault(key, "%d is below zero", n)
		}
	}
	if v.Lobby.Tries < 1 || v.Lobby.Tries > 10 {
		v.fault("lobby.tries", "%d is not between 1 and 10", v.Lobby.Tries)
	}
	for i, alias := range v.Lobby.Alias {
		if !usernameForm.MatchString(alias) {
			v.fault(fmt.Sprintf("lobby.alias[%d]", i), "%q cannot stand in a SIP address", alias)
		}
	}
	if _, err := time.LoadLocation(v.Meetings.Clock); err != nil {
		v.fault("meetings.clock", "%q is no time zone of IANA", v.Meetings.Clock)
	}
	if l := v.Meetings.LectureTurn; l < time.Second || l > time.Hour {
		v.fault("meetings.lecture_turn", "%s is not between 1s and 1h", l)
	}
	if e := v.Meetings.EarlyJoin; e < 0 || e > 24*time.Hour {
		v.fault("meetings.early_join", "%s is not between 0s and 24h", e)
	}
	for _, number := range v.Meetings.PhoneNumbers {
		if !phoneForm.MatchString(number) {
			v.fault("meetings.phone_numbers", "%q is no telephone number", number)
		}
	}
	if !baseForm.MatchString(v.PhoneBook.Base) {
		v.fault("phonebook.base", "%q is not of the form dc=NAME,dc=NAME or o=NAME", v.PhoneBook.Base)
	}
	if l := v.LDAPSync; l.URL != "" {
		v.url("ldap_sync.url", l.URL, "ldap", "ldaps")
		if l.Base == "" {
			v.fault("ldap_sync.base", "is missing: where endpoints are searched for")
		}
		if l.Every != 0 && l.Every < time.Minute {
			v.fault("ldap_sync.every", "%s is less than a minute", l.Every)
		}
		if l.StartTLS && !strings.HasPrefix(l.URL, "ldap://") {
			v.fault("ldap_sync.start_tls", "is for ldap:// alone")
		}
	}
	for i, o := range v.PhoneBook.Open {
		if !o.CIDR.IsValid() {
			v.fault(fmt.Sprintf("phonebook.open[%d].cidr", i), "missing")
		}
	}
	if t := v.Telemetry; t.OTLPEndpoint != "" {
		v.url("telemetry.otlp_endpoint", t.OTLPEndpoint, "http", "https")
	}
	if t := v.Telemetry; t.Sample < 0 || t.Sample > 100 {
		v.fault("telemetry.sample", "%d is not between 0 and 100", t.Sample)
	}
	for key, n := range map[string]int{"limits.per_source": v.Limits.PerSource, "limits.registrations": v.Limits.Registrations} {
		if n < 1 {
			v.fault(key, "%d would keep everybody out", n)
		}
	}
	if v.DrainTimeout < 0 {
		v.fault("drain_timeout", "%s is below zero", v.DrainTimeout)
	}
}

var (
	baseForm     = regexp.MustCompile(`^(?i:dc|o|ou|c|l)=[\p{L}\p{N} ._-]+(,(?i:dc|o|ou|c|l)=[\p{L}\p{N} ._-]+)*$`)
	phoneForm    = regexp.MustCompile(`^\+?[0-9(][0-9 ().-]{2,30}$`)
	usernameForm = regexp.MustCompile(`^[^\s@:;<>"/?]{1,64}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	groupForm    = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)
)

func (v *validation) accounts() {
	names := map[string]string{}
	claim := func(key, name string) {
		name = strings.ToLower(name)
		if other, taken := names[name]; taken {
			v.fault(key, "%q is %s already", name, other)
			return
		}
		names[name] = key
	}
	for i, a := range v.Accounts {
		key := fmt.Sprintf("accounts[%d]", i)
		switch {
		case a.Username == "":
			v.fault(key+".username", "missing")
		case !usernameForm.MatchString(a.Username):
			v.fault(key+".username", "%q cannot stand in a SIP address", a.Username)
		default:
			claim(key+".username", a.Username)
		}
		if a.Password == "" && a.PasswordFile == "" {
			v.fault(key+".password", "missing")
		}
		for j, alias := range a.Aliases {
			at := fmt.Sprintf("%s.aliases[%d]", key, j)
			switch {
			case !usernameForm.MatchString(alias):
				v.fault(at, "%q cannot stand in a SIP address", alias)
			case !strings.EqualFold(alias, a.Username):
				claim(at, alias)
			}
		}
	}
}

var numberRange = regexp.MustCompile(`^\+?[0-9]{1,20}(-\+?[0-9]{1,20})?$`)

func (v *validation) trunks() {
	names := map[string]bool{}
	for i, t := range v.Trunks {
		key := fmt.Sprintf("trunks[%d]", i)
		switch {
		case t.Name == "":
			v.fault(key+".name", "missing")
		case names[t.Name]:
			v.fault(key+".name", "%q is given to two trunks", t.Name)
		}
		names[t.Name] = true
		if len(t.CIDRs) == 0 {
			v.fault(key+".cidrs", "missing; a trunk is known by its addresses")
		}
		for j, p := range t.CIDRs {
			if p.Bits() == 0 {
				v.fault(fmt.Sprintf("%s.cidrs[%d]", key, j), "%s would trust everybody", p)
			}
		}
		for j, n := range t.Numbers {
			if !numberRange.MatchString(n) {
				v.fault(fmt.Sprintf("%s.numbers[%d]", key, j), "%q is not NUMBER or FROM-TO", n)
			}
		}
		if t.MaxCalls < 0 || t.MaxRate < 0 {
			v.fault(key+".max_calls", "a limit is below zero")
		}
	}
}

func (v *validation) dialRules() {
	for i, r := range v.DialRules {
		key := fmt.Sprintf("dial_rules[%d]", i)
		if (r.Pattern == "") == (r.Prefix == "") {
			v.fault(key, "needs either pattern or prefix")
			continue
		}
		lobby := ""
		if r.Lobby {
			lobby = "lobby"
		}
		if count(r.Meeting, r.Endpoint, lobby, r.Reject) != 1 {
			v.fault(key, "needs exactly one of meeting, endpoint, lobby and reject")
		}
		if r.Trunk != "" && !slices.ContainsFunc(v.Trunks, func(t Trunk) bool { return t.Name == r.Trunk }) {
			v.fault(key+".trunk", "%q is not the name of a trunk", r.Trunk)
		}
		expr, err := regexp.Compile(r.Expression())
		if err != nil {
			v.fault(key+".pattern", "%v", err)
			continue
		}
		v.groups(key+".meeting", r.Meeting, expr)
		v.groups(key+".endpoint", r.Endpoint, expr)
	}
}

func (v *validation) dialPlan() {
	if !countryForm.MatchString(v.DialPlan.Country) {
		v.fault("dial_plan.country", "%q is not a country code of two capitals", v.DialPlan.Country)
	}
	p := v.DialPlan.Policy
	if p.URL != "" {
		v.url("dial_plan.policy.url", p.URL, "http", "https")
	}
	if p.URL != "" && len(p.Secret) < 16 || p.Secret != "" && len(p.Secret) < 16 {
		v.fault("dial_plan.policy.secret", "is shorter than 16 characters")
	}
	if p.Timeout <= 0 || p.Timeout > 10*time.Second {
		v.fault("dial_plan.policy.timeout", "%s is not between 0s and 10s", p.Timeout)
	}
}

// groups refuses references to groups the pattern does not have.
func (v *validation) groups(key, template string, expr *regexp.Regexp) {
	for _, m := range groupForm.FindAllStringSubmatch(template, -1) {
		name := m[1] + m[2]
		if n, err := strconv.Atoi(name); err == nil && n <= expr.NumSubexp() || expr.SubexpIndex(name) > 0 {
			continue
		}
		v.fault(key, "%s is not a group of the pattern; write ${1}x, not $1x", m[0])
	}
}

func count(words ...string) int {
	n := 0
	for _, w := range words {
		if w != "" {
			n++
		}
	}
	return n
}
