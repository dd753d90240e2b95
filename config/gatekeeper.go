package config

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// membership checks h323.register.
func (v *validation) membership() {
	r, key := v.H323.Register, "h323.register"
	v.prefixes(key, r.Prefixes)
	if r.Gatekeeper.IsValid() && r.Password != "" && r.Username == "" {
		v.fault(key+".username", "missing; %s.password is for it", key)
	}
}

// prefixes checks a list of what numbers begin with.
func (v *validation) prefixes(key string, list []string) {
	for _, p := range list {
		if p == "" || strings.Trim(p, "0123456789#*") != "" {
			v.fault(key+".prefixes", "%q is not a prefix of a number", p)
		}
	}
}

// gatekeeper checks h323.gatekeeper.
func (v *validation) gatekeeper() {
	g, key := v.H323.Gatekeeper, "h323.gatekeeper"
	if n := utf8.RuneCountInString(g.ID); n == 0 || n > 128 {
		v.fault(key+".id", "%q is not a name of 1 to 128 characters", g.ID)
	}
	if g.TimeToLive < 10*time.Second || g.TimeToLive > 24*time.Hour {
		v.fault(key+".time_to_live", "%s is not between 10s and 24h", g.TimeToLive)
	}
	for name, n := range map[string]int{"call_bandwidth": g.CallBandwidth, "total_bandwidth": g.TotalBandwidth} {
		if n < 0 || n > 0 && n < 64 {
			v.fault(key+"."+name, "%d kbit/s is too little for any call; 0 is no limit", n)
		}
	}
	names := map[string]bool{}
	for i, n := range g.Neighbours {
		at := fmt.Sprintf("%s.neighbours[%d]", key, i)
		switch {
		case n.Name == "":
			v.fault(at+".name", "missing")
		case names[n.Name]:
			v.fault(at+".name", "%q is given to two neighbours", n.Name)
		}
		names[n.Name] = true
		if !n.Address.IsValid() {
			v.fault(at+".address", "missing")
		}
		v.prefixes(at, n.Prefixes)
	}
	for i, a := range g.Alternates {
		at := fmt.Sprintf("%s.alternates[%d]", key, i)
		if !a.Address.IsValid() {
			v.fault(at+".address", "missing")
		}
		if a.Priority < 0 || a.Priority > 127 {
			v.fault(at+".priority", "%d is not 0 to 127", a.Priority)
		}
	}
}
