package directory

import (
	"regexp"
	"slices"
	"time"

	"github.com/roomgate/roomgate/directory/number"
)

var (
	hostPort     = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?$`)
	numberRange  = regexp.MustCompile(`^\+?[0-9]{1,20}(-\+?[0-9]{1,20})?$`)
	numberPrefix = regexp.MustCompile(`^(\+?[0-9]{1,20}|[A-Z]{2})$`)
	dialPrefix   = regexp.MustCompile(`^[+*#0-9]{0,20}$`)
	domainName   = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{0,253})$`)
)

// TrunkCodecs are the names of the codecs of a trunk.
var TrunkCodecs = []string{"opus", "g7221c", "g722", "g7221", "pcma", "pcmu", "g729"}

func (t *Trunk) check() error {
	if t.Name == "" {
		return bad("name", "is missing")
	}
	for i, n := range t.Networks {
		switch {
		case !n.IsValid():
			return bad(indexed("networks", i), "is no network")
		case n.Bits() == 0:
			return bad(indexed("networks", i), "%s would trust everybody", n)
		}
	}
	for i, x := range t.Targets {
		switch {
		case !hostPort.MatchString(x.Address):
			return bad(indexed("targets", i)+".address", "%q is not HOST or HOST:PORT", x.Address)
		case !slices.Contains([]string{"", "udp", "tcp", "tls"}, x.Transport):
			return bad(indexed("targets", i)+".transport", "%q is none of udp, tcp, tls", x.Transport)
		case x.Priority < 0 || x.Priority > 65535 || x.Weight < 0 || x.Weight > 65535:
			return bad(indexed("targets", i), "priority and weight are between 0 and 65535")
		}
	}
	return firstError(t.checkWords(), t.checkBounds(), t.checkNumbers(),
		text("name", t.Name, maxShortLen), text("agency", t.Agency, maxShortLen), text("caller_id", t.CallerID, maxShortLen))
}

// checkWords looks at what has to be one of several words.
func (t *Trunk) checkWords() error {
	for i, name := range t.Codecs {
		if !slices.Contains(TrunkCodecs, name) {
			return bad(indexed("codecs", i), "%q is none of %v", name, TrunkCodecs)
		}
	}
	for _, w := range []struct {
		field, word string
		list        []string
	}{
		{"encryption", t.Encryption, []string{"", "off", "prefer", "require"}},
		{"identity", t.Identity, []string{"", "asserted", "preferred"}},
		{"format", t.Format, []string{"", string(number.E164), string(number.International), string(number.National)}},
		{"language", t.Language, []string{"", "ask", "vi", "en"}},
	} {
		if !slices.Contains(w.list, w.word) {
			return bad(w.field, "%q is none of %v", w.word, w.list[1:])
		}
	}
	if !dialPrefix.MatchString(t.Prefix) {
		return bad("prefix", "%q cannot be dialled", t.Prefix)
	}
	if !domainName.MatchString(t.Domain) {
		return bad("domain", "%q is no domain", t.Domain)
	}
	if _, err := time.LoadLocation(t.Zone); t.Zone != "" && err != nil {
		return bad("zone", "%v", err)
	}
	return nil
}

func (t *Trunk) checkBounds() error {
	switch {
	case t.Register && (len(t.Targets) == 0 || t.Username == ""):
		return bad("register", "needs a target and a user name")
	case t.Challenge && t.Username == "":
		return bad("challenge", "needs a user name and a password")
	case t.Expires != 0 && (t.Expires < 30 || t.Expires > 86400):
		return bad("expires", "%d is not between 30 and 86400 seconds", t.Expires)
	case t.ProbeSeconds > 0 && (t.ProbeSeconds < 2 || t.ProbeSeconds > 3600):
		return bad("probe_seconds", "%d is not between 2 and 3600", t.ProbeSeconds)
	case t.PatienceSeconds < 0 || t.PatienceSeconds > 60:
		return bad("patience_seconds", "%d is not between 0 and 60", t.PatienceSeconds)
	}
	for field, n := range map[string]float64{
		"max_calls": float64(t.MaxCalls), "max_calls_in": float64(t.MaxCallsIn), "max_calls_out": float64(t.MaxCallsOut), "max_rate": t.MaxRate,
		"max_per_day": float64(t.MaxPerDay), "max_minutes_per_day": float64(t.MaxMinutesPerDay),
	} {
		if n < 0 {
			return bad(field, "is below zero")
		}
	}
	return nil
}

func (t *Trunk) checkNumbers() error {
	for i, n := range t.Numbers {
		if !numberRange.MatchString(n) {
			return bad(indexed("numbers", i), "%q is not NUMBER or FROM-TO", n)
		}
	}
	for field, list := range map[string][]string{"allowed": t.Allowed, "refused": t.Refused} {
		for i, p := range list {
			if !numberPrefix.MatchString(p) {
				return bad(indexed(field, i), "%q is no beginning of a number", p)
			}
		}
	}
	return nil
}
