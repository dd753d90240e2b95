package trunk

import (
	"fmt"
	"strings"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/number"
)

// target is how a number is called over a trunk: in its form, in the name that the
// carrier accepts (RFC 3325 §9).
func (g *Guard) target(t directory.Trunk, q Request) (call.Target, error) {
	country := g.Country()
	password := ""
	if g.Password != nil {
		var err error
		if password, err = g.Password(t); err != nil {
			return call.Target{}, fmt.Errorf("trunk %s: %w", t.Name, err)
		}
	}
	caller := callerOf(t, q.Caller, country)
	target := call.Target{
		Trunk: t.Name, Address: t.Prefix + written(q.Number, t.Format, country),
		From: caller, FromName: q.Name, Domain: t.Domain,
		Username: t.Username, Password: password, Encryption: t.Encryption,
	}
	identity := call.Identity{User: caller, Name: q.Name}
	switch t.Identity {
	case "asserted":
		target.Asserted = identity
	case "preferred":
		target.Preferred = identity
	}
	if t.Privacy {
		target.Anonymous = true
	}
	return target, nil
}

// callerOf is who we say calls: the number that the trunk names, the caller's own
// where it is a number of the trunk, otherwise the trunk's first, or its account.
func callerOf(t directory.Trunk, caller, country string) string {
	if t.CallerID != "" {
		return written(t.CallerID, t.Format, country)
	}
	_, err := number.Parse(caller, country)
	if err == nil && (len(t.Numbers) == 0 || ranges(t.Numbers, country).has(caller)) {
		return written(caller, t.Format, country)
	}
	if len(t.Numbers) > 0 {
		first, _, _ := strings.Cut(t.Numbers[0], "-")
		return written(first, t.Format, country)
	}
	if t.Username != "" {
		return t.Username
	}
	return caller
}

// written is a number in the form of a trunk; what is no number stays.
func written(dialled, form, country string) string {
	n, err := number.Parse(dialled, country)
	if err != nil || form == "" {
		return dialled
	}
	return n.In(number.Form(form), country)
}
