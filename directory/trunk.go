package directory

import (
	"context"
	"net/netip"
	"strings"

	"github.com/roomgate/roomgate/directory/store"
)

// Trunk is a line to a provider, a PBX or another gateway.
type Trunk struct {
	Meta
	Name     string `json:"name"`
	Agency   string `json:"agency,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// Networks that its calls come from.
	Networks []netip.Prefix `json:"networks,omitempty"`
	// Challenge has its calls prove Username and Password (RFC 3261 §22): besides
	// coming from Networks or, where there are none, wherever they come from.
	Challenge bool `json:"challenge,omitempty"`
	// TrustIdentity takes the caller from P-Asserted-Identity (RFC 3325 §5) and
	// lets the trunk call in the name of our own accounts.
	TrustIdentity bool `json:"trust_identity,omitempty"`
	// Username and Password answer its challenges, and ours are answered with them.
	// Password goes in only; empty leaves the one there is.
	Username string `json:"username,omitempty"`
	Password string `json:"-"`
	Sealed   string `json:"password,omitempty"`
	// Register keeps us registered with the first target that takes it, Expires
	// seconds at a time; 0 = 600.
	Register bool     `json:"register,omitempty"`
	Expires  int      `json:"expires,omitempty"`
	Targets  []Target `json:"targets,omitempty"`
	// ProbeSeconds is how often OPTIONS ask a target whether it is there; 0 = 30,
	// below 0 never.
	ProbeSeconds int `json:"probe_seconds,omitempty"`
	// PatienceSeconds is how long a target may say nothing to a call before the next
	// one is called; 0 = 4.
	PatienceSeconds int      `json:"patience_seconds,omitempty"`
	Codecs          []string `json:"codecs,omitempty"`
	Video           bool     `json:"video,omitempty"`      // pictures are offered too, to a PBX with room systems
	Encryption      string   `json:"encryption,omitempty"` // of media: off, prefer, require; "" = rtp.encryption
	// CallerID is how we show ourselves: "" as the caller, otherwise a number.
	CallerID string `json:"caller_id,omitempty"`
	Privacy  bool   `json:"privacy,omitempty"` // RFC 3323: id
	// Identity is where the caller stands besides From: asserted or preferred
	// (RFC 3325 §9.1, §9.2); "" nowhere.
	Identity string `json:"identity,omitempty"`
	Domain   string `json:"domain,omitempty"` // of From and Identity; "" = that of the target
	// Format is how numbers are written on it, see number.Form; Prefix is dialled
	// before the called one.
	Format string `json:"format,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	// Numbers are those that lead to us, as ranges FROM-TO or single ones; none =
	// all. Others are refused, and are not shown as callers.
	Numbers []string `json:"numbers,omitempty"`
	// Lobby leads calls to an unknown number to the lobby, where Language is spoken:
	// vi, en, ask; "" = lobby.language.
	Lobby    bool   `json:"lobby,omitempty"`
	Language string `json:"language,omitempty"`
	// Allowed are the prefixes in international form that may be called, countries
	// (VN), or short numbers exactly as they are dialled; none = nothing. Refused are
	// exceptions of it. Premium lets numbers of premium rate be called that Allowed
	// has.
	Allowed []string `json:"allowed,omitempty"`
	Refused []string `json:"refused,omitempty"`
	Premium bool     `json:"premium,omitempty"`
	// MaxCalls at once on a node, of them MaxCallsIn in and MaxCallsOut out; MaxRate
	// calls a second, in and out each; a day in all nodes MaxPerDay calls and
	// MaxMinutesPerDay minutes out. 0 = no limit.
	MaxCalls         int     `json:"max_calls,omitempty"`
	MaxCallsIn       int     `json:"max_calls_in,omitempty"`
	MaxCallsOut      int     `json:"max_calls_out,omitempty"`
	MaxRate          float64 `json:"max_rate,omitempty"`
	MaxPerDay        int     `json:"max_per_day,omitempty"`
	MaxMinutesPerDay int     `json:"max_minutes_per_day,omitempty"`
	// Zone is where the day begins at midnight; "" = Asia/Ho_Chi_Minh.
	Zone string `json:"zone,omitempty"`
}

// Target is one host of a trunk (RFC 2782: the lowest priority first, shared
// by weight).
type Target struct {
	Address   string `json:"address"`             // HOST, HOST:PORT, or a domain with SRV records (RFC 3263 §4.2)
	Transport string `json:"transport,omitempty"` // udp, tcp, tls; "" = udp
	Priority  int    `json:"priority,omitempty"`
	Weight    int    `json:"weight,omitempty"`
}

func (t *Trunk) kind() Kind    { return KindTrunk }
func (t *Trunk) order() string { return t.Name }
func (t *Trunk) tidy()         { t.Name, t.Agency = strings.TrimSpace(t.Name), strings.TrimSpace(t.Agency) }

func (t *Trunk) names() []store.Name {
	return []store.Name{{Space: string(KindTrunk), Name: Fold(t.Name)}}
}

func (t *Trunk) secrets() []secret {
	return []secret{{name: "password", plain: &t.Password, sealed: &t.Sealed, keep: true}}
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
