package directory

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/roomgate/roomgate/directory/store"
)

// Trunk is a line to a provider, a PBX or another gateway.
type Trunk struct {
	Meta
	Name     string `json:"name"`
	Agency   string `json:"agency,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// Networks that its calls come from and are trusted by.
	Networks []netip.Prefix `json:"networks,omitempty"`
	// Username and Password answer its challenges, and ours are answered with them.
	// Password goes in only; empty leaves the one there is.
	Username string `json:"username,omitempty"`
	Password string `json:"-"`
	Sealed   string `json:"password,omitempty"`
	// Register keeps us registered with the first target.
	Register bool     `json:"register,omitempty"`
	Targets  []Target `json:"targets,omitempty"`
	Codecs   []string `json:"codecs,omitempty"`
	// CallerID is how we show ourselves: "" as the caller, otherwise a number.
	CallerID string `json:"caller_id,omitempty"`
	Privacy  bool   `json:"privacy,omitempty"` // RFC 3323: id
	// Numbers are those that lead to us, as ranges FROM-TO or single ones.
	Numbers []string `json:"numbers,omitempty"`
	// Allowed are the prefixes in international form that may be called; none =
	// nothing. Refused are exceptions of it.
	Allowed []string `json:"allowed,omitempty"`
	Refused []string `json:"refused,omitempty"`
	// MaxCalls at once, MaxRate calls a second, MaxPerDay calls a day; 0 = no limit.
	MaxCalls  int     `json:"max_calls,omitempty"`
	MaxRate   float64 `json:"max_rate,omitempty"`
	MaxPerDay int     `json:"max_per_day,omitempty"`
}

// Target is one host of a trunk (RFC 2782: the lowest priority first, shared
// by weight).
type Target struct {
	Address   string `json:"address"`             // HOST or HOST:PORT
	Transport string `json:"transport,omitempty"` // udp, tcp, tls; "" = udp
	Priority  int    `json:"priority,omitempty"`
	Weight    int    `json:"weight,omitempty"`
}

var (
	hostPort     = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?$`)
	numberRange  = regexp.MustCompile(`^\+?[0-9]{1,20}(-\+?[0-9]{1,20})?$`)
	numberPrefix = regexp.MustCompile(`^\+?[0-9]{1,20}$`)
)

func (t *Trunk) kind() Kind    { return KindTrunk }
func (t *Trunk) order() string { return t.Name }
func (t *Trunk) tidy()         { t.Name, t.Agency = strings.TrimSpace(t.Name), strings.TrimSpace(t.Agency) }

func (t *Trunk) names() []store.Name {
	return []store.Name{{Space: string(KindTrunk), Name: Fold(t.Name)}}
}

func (t *Trunk) secrets() []secret {
	return []secret{{name: "password", plain: &t.Password, sealed: &t.Sealed, keep: true}}
}

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
	if t.Register && (len(t.Targets) == 0 || t.Username == "") {
		return bad("register", "needs a target and a user name")
	}
	if t.MaxCalls < 0 || t.MaxRate < 0 || t.MaxPerDay < 0 {
		return bad("max_calls", "a limit is below zero")
	}
	return firstError(text("name", t.Name, maxShortLen), text("agency", t.Agency, maxShortLen), text("caller_id", t.CallerID, maxShortLen), t.checkNumbers())
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

// Trunks lists all trunks by name.
func (d *Directory) Trunks() []Trunk { return all(d, d.trunks) }

// Trunk finds a trunk by its ID.
func (d *Directory) Trunk(id string) (Trunk, error) { return one(d, d.trunks, id) }

// SaveTrunk keeps a trunk, new (without an ID) or changed.
func (d *Directory) SaveTrunk(ctx context.Context, t Trunk) (Trunk, error) {
	return first(save(ctx, d, d.trunks, []Trunk{t}))
}

// DeleteTrunk forgets a trunk; rev is the revision it has to be in, 0 for any.
func (d *Directory) DeleteTrunk(ctx context.Context, id string, rev int64) error {
	return remove(ctx, d, d.trunks, id, rev)
}

// TrunkPassword is the password of a trunk.
func (d *Directory) TrunkPassword(t Trunk) (string, error) {
	return d.Keys.Open(t.Sealed, place(&t, "password"))
}
