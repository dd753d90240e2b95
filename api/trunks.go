package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// TrunkTarget is one host of a trunk.
type TrunkTarget struct {
	Address   string `json:"address" minLength:"1" maxLength:"256" example:"sbc.example.vn:5060"`
	Transport string `json:"transport,omitempty" enum:"udp,tcp,tls"`
	Priority  int    `json:"priority,omitempty" minimum:"0" maximum:"65535" doc:"The lowest first."`
	Weight    int    `json:"weight,omitempty" minimum:"0" maximum:"65535"`
}

// TrunkRequest is the body that adds or changes a trunk.
type TrunkRequest struct {
	Name             string        `json:"name" minLength:"1" maxLength:"100"`
	Agency           string        `json:"agency,omitempty" maxLength:"100"`
	Disabled         bool          `json:"disabled,omitempty"`
	Networks         []string      `json:"networks,omitempty" maxItems:"100" nullable:"false" doc:"That its calls come from."`
	Challenge        bool          `json:"challenge,omitempty" doc:"Its calls have to prove username and password: besides coming from networks or, without those, wherever they come from."`
	TrustIdentity    bool          `json:"trust_identity,omitempty" doc:"P-Asserted-Identity says who calls (RFC 3325), and accounts of ours may be named."`
	Username         string        `json:"username,omitempty" maxLength:"128"`
	Password         string        `json:"password,omitempty" maxLength:"128" doc:"Never shown again. Empty in a change: stays."`
	Register         bool          `json:"register,omitempty" doc:"Stay registered with the first target that takes it."`
	Expires          int           `json:"expires,omitempty" minimum:"0" maximum:"86400" doc:"Seconds that registrations ask for; 0: 600."`
	Targets          []TrunkTarget `json:"targets,omitempty" maxItems:"20" nullable:"false"`
	ProbeSeconds     int           `json:"probe_seconds,omitempty" maximum:"3600" doc:"How often OPTIONS ask targets; 0: 30, below 0: never."`
	PatienceSeconds  int           `json:"patience_seconds,omitempty" minimum:"0" maximum:"60" doc:"How long a target may say nothing to a call before the next is called; 0: 4."`
	Codecs           []string      `json:"codecs,omitempty" maxItems:"10" nullable:"false" doc:"Of audio, best first: opus, g7221c, g722, g7221, pcma, pcmu, g729; none: all but g729."`
	Video            bool          `json:"video,omitempty" doc:"Offer pictures too, to a PBX with room systems."`
	Encryption       string        `json:"encryption,omitempty" enum:"off,prefer,require" doc:"Of media; empty: as configured."`
	CallerID         string        `json:"caller_id,omitempty" maxLength:"100" doc:"Number that calls show; empty: the caller's where it is one of the trunk."`
	Privacy          bool          `json:"privacy,omitempty" doc:"Ask for the number to be withheld (RFC 3323)."`
	Identity         string        `json:"identity,omitempty" enum:"asserted,preferred" doc:"Who calls stands in P-Asserted-Identity or P-Preferred-Identity too (RFC 3325)."`
	Domain           string        `json:"domain,omitempty" maxLength:"253" doc:"In the URIs of the trunk; empty: the target."`
	Format           string        `json:"format,omitempty" enum:"e164,international,national" doc:"How numbers are written: +84.., 84.., 0..; empty: as dialled."`
	Prefix           string        `json:"prefix,omitempty" maxLength:"20" doc:"Dialled before numbers."`
	Numbers          []string      `json:"numbers,omitempty" maxItems:"1000" nullable:"false" doc:"That lead to us: NUMBER or FROM-TO; none: all. Calls to others are refused."`
	Lobby            bool          `json:"lobby,omitempty" doc:"Calls to a number that nothing has lead to the lobby."`
	Language         string        `json:"language,omitempty" enum:"ask,vi,en" doc:"Spoken there; empty: as configured."`
	Allowed          []string      `json:"allowed,omitempty" maxItems:"1000" nullable:"false" doc:"What may be called: beginnings of numbers (+84, 024), countries (VN), or short numbers as they are; none: nothing."`
	Refused          []string      `json:"refused,omitempty" maxItems:"1000" nullable:"false" doc:"Exceptions of allowed."`
	Premium          bool          `json:"premium,omitempty" doc:"Numbers of premium rate, shared cost, satellites and global services that allowed has may be called."`
	MaxCalls         int           `json:"max_calls,omitempty" minimum:"0" doc:"At once on a node; 0: no limit."`
	MaxCallsIn       int           `json:"max_calls_in,omitempty" minimum:"0"`
	MaxCallsOut      int           `json:"max_calls_out,omitempty" minimum:"0"`
	MaxRate          float64       `json:"max_rate,omitempty" minimum:"0" doc:"Calls a second, in and out each; 0: no limit."`
	MaxPerDay        int           `json:"max_per_day,omitempty" minimum:"0" doc:"Calls out a day, of all nodes; 0: no limit."`
	MaxMinutesPerDay int           `json:"max_minutes_per_day,omitempty" minimum:"0" doc:"Minutes out a day, of all nodes; calls are ended when they are talked. 0: no limit."`
	Zone             string        `json:"zone,omitempty" maxLength:"64" doc:"Where the day begins at midnight; empty: Asia/Ho_Chi_Minh."`
}

// Trunk is a line to a provider or a PBX.
type Trunk struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	Agency           string        `json:"agency"`
	Disabled         bool          `json:"disabled"`
	Networks         []string      `json:"networks" nullable:"false"`
	Challenge        bool          `json:"challenge"`
	TrustIdentity    bool          `json:"trust_identity"`
	Username         string        `json:"username"`
	HasPassword      bool          `json:"has_password"`
	Register         bool          `json:"register"`
	Expires          int           `json:"expires"`
	Targets          []TrunkTarget `json:"targets" nullable:"false"`
	ProbeSeconds     int           `json:"probe_seconds"`
	PatienceSeconds  int           `json:"patience_seconds"`
	Codecs           []string      `json:"codecs" nullable:"false"`
	Video            bool          `json:"video"`
	Encryption       string        `json:"encryption"`
	CallerID         string        `json:"caller_id"`
	Privacy          bool          `json:"privacy"`
	Identity         string        `json:"identity"`
	Domain           string        `json:"domain"`
	Format           string        `json:"format"`
	Prefix           string        `json:"prefix"`
	Numbers          []string      `json:"numbers" nullable:"false"`
	Lobby            bool          `json:"lobby"`
	Language         string        `json:"language"`
	Allowed          []string      `json:"allowed" nullable:"false"`
	Refused          []string      `json:"refused" nullable:"false"`
	Premium          bool          `json:"premium"`
	MaxCalls         int           `json:"max_calls"`
	MaxCallsIn       int           `json:"max_calls_in"`
	MaxCallsOut      int           `json:"max_calls_out"`
	MaxRate          float64       `json:"max_rate"`
	MaxPerDay        int           `json:"max_per_day"`
	MaxMinutesPerDay int           `json:"max_minutes_per_day"`
	Zone             string        `json:"zone"`
	CreatedAt        time.Time     `json:"created_at"`
	UpdatedAt        time.Time     `json:"updated_at"`
}

func (r TrunkRequest) trunk() (directory.Trunk, error) {
	out := directory.Trunk{
		Name: r.Name, Agency: r.Agency, Disabled: r.Disabled, Challenge: r.Challenge, TrustIdentity: r.TrustIdentity,
		Username: r.Username, Password: r.Password, Register: r.Register, Expires: r.Expires,
		ProbeSeconds: r.ProbeSeconds, PatienceSeconds: r.PatienceSeconds, Codecs: r.Codecs, Video: r.Video, Encryption: r.Encryption,
		CallerID: r.CallerID, Privacy: r.Privacy, Identity: r.Identity, Domain: r.Domain, Format: r.Format, Prefix: r.Prefix,
		Numbers: r.Numbers, Lobby: r.Lobby, Language: r.Language, Allowed: r.Allowed, Refused: r.Refused, Premium: r.Premium,
		MaxCalls: r.MaxCalls, MaxCallsIn: r.MaxCallsIn, MaxCallsOut: r.MaxCallsOut, MaxRate: r.MaxRate,
		MaxPerDay: r.MaxPerDay, MaxMinutesPerDay: r.MaxMinutesPerDay, Zone: r.Zone,
	}
	for _, t := range r.Targets {
		out.Targets = append(out.Targets, directory.Target(t))
	}
	var err error
	out.Networks, err = networks("networks", r.Networks)
	return out, err
}

func trunkView(t directory.Trunk) Trunk {
	words := func(list []string) []string { return append([]string{}, list...) }
	return Trunk{
		ID: t.ID, Name: t.Name, Agency: t.Agency, Disabled: t.Disabled, Networks: words(networkViews(t.Networks)),
		Challenge: t.Challenge, TrustIdentity: t.TrustIdentity, Username: t.Username, HasPassword: t.Sealed != "",
		Register: t.Register, Expires: t.Expires, Targets: views(t.Targets, func(x directory.Target) TrunkTarget { return TrunkTarget(x) }),
		ProbeSeconds: t.ProbeSeconds, PatienceSeconds: t.PatienceSeconds, Codecs: words(t.Codecs), Video: t.Video, Encryption: t.Encryption,
		CallerID: t.CallerID, Privacy: t.Privacy, Identity: t.Identity, Domain: t.Domain, Format: t.Format, Prefix: t.Prefix,
		Numbers: words(t.Numbers), Lobby: t.Lobby, Language: t.Language, Allowed: words(t.Allowed), Refused: words(t.Refused), Premium: t.Premium,
		MaxCalls: t.MaxCalls, MaxCallsIn: t.MaxCallsIn, MaxCallsOut: t.MaxCallsOut, MaxRate: t.MaxRate,
		MaxPerDay: t.MaxPerDay, MaxMinutesPerDay: t.MaxMinutesPerDay, Zone: t.Zone, CreatedAt: t.Created, UpdatedAt: t.Updated,
	}
}

type trunkList struct {
	Body struct {
		Trunks []Trunk `json:"trunks" nullable:"false"`
	}
}

func (a *API) trunks() {
	register(a, resource[TrunkRequest, Trunk, directory.Trunk]{
		name: "trunk", path: "/trunks", tag: "Trunks", noun: "a trunk",
		get: a.Directory.Trunk, save: a.Directory.SaveTrunk, delete: a.Directory.DeleteTrunk,
		meta: func(t *directory.Trunk) *directory.Meta { return &t.Meta }, agency: func(t *directory.Trunk) *string { return &t.Agency },
		read: TrunkRequest.trunk, view: trunkView,
	})
	huma.Register(a.huma, operation("list-trunks", http.MethodGet, "/trunks", "List trunks of the directory, by name", "Trunks", http.StatusForbidden),
		func(context.Context, *struct{}) (*trunkList, error) {
			out := &trunkList{}
			out.Body.Trunks = views(a.Directory.Trunks(), trunkView)
			return out, nil
		})
	a.trunkStates()
}
