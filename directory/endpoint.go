package directory

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/roomgate/roomgate/directory/store"
)

// Endpoint is a room terminal or a phone that an agency owns.
type Endpoint struct {
	Meta
	Name    string  `json:"name"` // shown to others
	Agency  string  `json:"agency,omitempty"`
	Site    string  `json:"site,omitempty"`
	Aliases []Alias `json:"aliases,omitempty"`
	// Username of digest (SIP) and H.235 (H.323) credentials; an alias too.
	Username string `json:"username,omitempty"`
	// Password goes in only; empty leaves the one there is. Directory.Password
	// gives it.
	Password string `json:"-"`
	Sealed   string `json:"password,omitempty"`
	// Vendor is the profile of quirks: "poly", "cisco", ...; Quirks switches single
	// ones on, or off with a "-" before.
	Vendor string   `json:"vendor,omitempty"`
	Quirks []string `json:"quirks,omitempty"`
	// Bandwidth of calls to it in kbit/s, sound included; 0 = no limit of its own.
	Bandwidth int    `json:"bandwidth,omitempty"`
	Layout    string `json:"layout,omitempty"` // "" = the meeting's
	// Address is where it is called while it is not registered: a sip: or h323: URI.
	Address string `json:"address,omitempty"`
	// External is what a directory of others knows it by that it was taken over from; ""
	// leaves what there is.
	External string `json:"external,omitempty"`
	// Missing is since when that directory has it no longer; zero: it has it.
	Missing time.Time `json:"missing,omitzero"`
	// Permissions are what it may call; none = everything.
	Permissions []Permission `json:"permissions,omitempty"`
	Treatment
}

// AliasKind is what an alias is.
type AliasKind string

// Kinds of aliases.
const (
	AliasSIP  AliasKind = "sip"  // user or user@domain
	AliasE164 AliasKind = "e164" // digits, with + or without
	AliasH323 AliasKind = "h323" // H.323 ID
)

// Alias is a name that an endpoint is called by. Endpoints and their user names
// share one name space, in which capitals do not matter.
type Alias struct {
	Kind  AliasKind `json:"kind"`
	Value string    `json:"value"`
}

// Permission is something an endpoint may call.
type Permission string

// Permissions.
const (
	MayMeet  Permission = "meetings"
	MayCall  Permission = "terminals"
	MayTrunk Permission = "trunks"
)

var permissions = []Permission{MayMeet, MayCall, MayTrunk}

// Layouts that can be asked for.
var Layouts = []string{"auto", "single", "speaker", "grid", "2x2", "3x3", "4x4", "5x5", "lecture"}

// May reports whether the endpoint is permitted something.
func (e *Endpoint) May(p Permission) bool {
	return len(e.Permissions) == 0 || slices.Contains(e.Permissions, p)
}

const (
	maxAliases  = 32
	maxNameLen  = 200
	maxShortLen = 100
)

var (
	sipAlias  = regexp.MustCompile(`^[^\s@:;<>"/?\\]{1,64}(@[A-Za-z0-9.-]{1,190})?$`)
	e164Alias = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	username  = regexp.MustCompile(`^[^\s@:;<>"/?\\,]{1,64}$`)
	address   = regexp.MustCompile(`^(sips?|h323):[^\s<>"]{1,250}$`)
	word      = regexp.MustCompile(`^-?[a-z0-9][a-z0-9._-]{0,63}$`)
)

func (e *Endpoint) kind() Kind    { return KindEndpoint }
func (e *Endpoint) order() string { return Plain(e.Name) }

func (e *Endpoint) secrets() []secret {
	return []secret{{name: "password", plain: &e.Password, sealed: &e.Sealed, keep: true}}
}

func (e *Endpoint) tidy() {
	e.Name, e.Agency, e.Site = strings.TrimSpace(e.Name), strings.TrimSpace(e.Agency), strings.TrimSpace(e.Site)
	e.Username, e.Address = strings.TrimSpace(e.Username), strings.TrimSpace(e.Address)
	e.Vendor = strings.ToLower(strings.TrimSpace(e.Vendor))
	aliases := make([]Alias, 0, len(e.Aliases))
	for _, a := range e.Aliases {
		a.Value = strings.TrimSpace(a.Value)
		if a.Kind == AliasE164 {
			a.Value = strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "").Replace(a.Value)
		}
		if !slices.Contains(aliases, a) {
			aliases = append(aliases, a)
		}
	}
	e.Aliases = aliases
}

func (e *Endpoint) check() error {
	if e.Name == "" {
		return bad("name", "is missing")
	}
	if err := firstError(text("name", e.Name, maxNameLen), text("agency", e.Agency, maxShortLen), text("site", e.Site, maxShortLen), text("external", e.External, 300), e.checkAliases()); err != nil {
		return err
	}
	if e.Username != "" && !username.MatchString(e.Username) {
		return bad("username", "%q cannot stand in a SIP address", e.Username)
	}
	if e.Username == "" && (e.Sealed != "" || e.Password != "") {
		return bad("username", "is missing, and there is a password")
	}
	if e.Username != "" && e.Sealed == "" && e.Password == "" {
		return bad("password", "is missing, and there is a user name")
	}
	if err := text("password", e.Password, 128); err != nil {
		return err
	}
	if e.Address != "" && !address.MatchString(e.Address) {
		return bad("address", "%q is neither a sip: nor an h323: address", e.Address)
	}
	return e.checkProfile()
}

func (e *Endpoint) checkAliases() error {
	if len(e.Aliases) > maxAliases {
		return bad("aliases", "are more than %d", maxAliases)
	}
	for i, a := range e.Aliases {
		ok := false
		switch a.Kind {
		case AliasSIP:
			ok = sipAlias.MatchString(a.Value)
		case AliasE164:
			ok = e164Alias.MatchString(a.Value)
		case AliasH323: // H.225.0 clause 7.2.2.1: BMPString (SIZE (1..256))
			ok = a.Value != "" && len(a.Value) <= 256 && text("", a.Value, 256) == nil
		}
		if !ok {
			return bad(indexed("aliases", i), "%q is no %s alias", a.Value, a.Kind)
		}
	}
	return nil
}

func (e *Endpoint) checkProfile() error {
	if e.Vendor != "" && !word.MatchString(e.Vendor) {
		return bad("vendor", "%q is not the name of a profile", e.Vendor)
	}
	for i, q := range e.Quirks {
		if !word.MatchString(q) {
			return bad(indexed("quirks", i), "%q is not the name of a switch", q)
		}
	}
	if e.Bandwidth != 0 && (e.Bandwidth < 64 || e.Bandwidth > 100_000) {
		return bad("bandwidth", "%d is not between 64 and 100000 kbit/s", e.Bandwidth)
	}
	if e.Layout != "" && !slices.Contains(Layouts, e.Layout) {
		return bad("layout", "%q is none of %s", e.Layout, strings.Join(Layouts, ", "))
	}
	if err := e.Treatment.check(); err != nil {
		return err
	}
	for i, p := range e.Permissions {
		if !slices.Contains(permissions, p) {
			return bad(indexed("permissions", i), "%q is none of meetings, terminals, trunks", p)
		}
	}
	return nil
}

// endpointSpace is the name space of aliases and user names.
const endpointSpace = "endpoint"

func (e *Endpoint) names() []store.Name {
	out := make([]store.Name, 0, len(e.Aliases)+1)
	for name := range e.called {
		if n := (store.Name{Space: endpointSpace, Name: name}); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// called goes through the folded names that the endpoint is called by.
func (e *Endpoint) called(yield func(string) bool) {
	if e.Username != "" && !yield(Fold(e.Username)) {
		return
	}
	for _, a := range e.Aliases {
		if !yield(aliasKey(a.Value)) {
			return
		}
	}
}

// aliasKey folds an alias; the + of a number does not tell it from another.
func aliasKey(alias string) string {
	if digits, ok := strings.CutPrefix(alias, "+"); ok && e164Alias.MatchString(alias) {
		return digits
	}
	return Fold(alias)
}

// search is what searches look into.
func (e *Endpoint) search() string {
	words := []string{e.Name, e.Agency, e.Site, e.Username, e.Address}
	for _, a := range e.Aliases {
		words = append(words, a.Value)
	}
	return Plain(strings.Join(words, "\n"))
}
