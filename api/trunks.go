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
	Name      string        `json:"name" minLength:"1" maxLength:"100"`
	Agency    string        `json:"agency,omitempty" maxLength:"100"`
	Disabled  bool          `json:"disabled,omitempty"`
	Networks  []string      `json:"networks,omitempty" maxItems:"100" nullable:"false" doc:"That its calls come from and are trusted by."`
	Username  string        `json:"username,omitempty" maxLength:"128"`
	Password  string        `json:"password,omitempty" maxLength:"128" doc:"Never shown again. Empty in a change: stays."`
	Register  bool          `json:"register,omitempty" doc:"Stay registered with the first target."`
	Targets   []TrunkTarget `json:"targets,omitempty" maxItems:"20" nullable:"false"`
	Codecs    []string      `json:"codecs,omitempty" maxItems:"10" nullable:"false"`
	CallerID  string        `json:"caller_id,omitempty" maxLength:"100" doc:"Number that calls show; empty: the caller's."`
	Privacy   bool          `json:"privacy,omitempty" doc:"Ask for the number to be withheld (RFC 3323)."`
	Numbers   []string      `json:"numbers,omitempty" maxItems:"1000" nullable:"false" doc:"That lead to us: NUMBER or FROM-TO."`
	Allowed   []string      `json:"allowed,omitempty" maxItems:"1000" nullable:"false" doc:"Beginnings of numbers that may be called, in international form; none: nothing."`
	Refused   []string      `json:"refused,omitempty" maxItems:"1000" nullable:"false" doc:"Exceptions of allowed."`
	MaxCalls  int           `json:"max_calls,omitempty" minimum:"0" doc:"At once; 0: no limit."`
	MaxRate   float64       `json:"max_rate,omitempty" minimum:"0" doc:"Calls a second; 0: no limit."`
	MaxPerDay int           `json:"max_per_day,omitempty" minimum:"0" doc:"Calls a day; 0: no limit."`
}

// Trunk is a line to a provider or a PBX.
type Trunk struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Agency      string        `json:"agency"`
	Disabled    bool          `json:"disabled"`
	Networks    []string      `json:"networks" nullable:"false"`
	Username    string        `json:"username"`
	HasPassword bool          `json:"has_password"`
	Register    bool          `json:"register"`
	Targets     []TrunkTarget `json:"targets" nullable:"false"`
	Codecs      []string      `json:"codecs" nullable:"false"`
	CallerID    string        `json:"caller_id"`
	Privacy     bool          `json:"privacy"`
	Numbers     []string      `json:"numbers" nullable:"false"`
	Allowed     []string      `json:"allowed" nullable:"false"`
	Refused     []string      `json:"refused" nullable:"false"`
	MaxCalls    int           `json:"max_calls"`
	MaxRate     float64       `json:"max_rate"`
	MaxPerDay   int           `json:"max_per_day"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

func (r TrunkRequest) trunk() (directory.Trunk, error) {
	out := directory.Trunk{
		Name: r.Name, Agency: r.Agency, Disabled: r.Disabled, Username: r.Username, Password: r.Password, Register: r.Register, Codecs: r.Codecs,
		CallerID: r.CallerID, Privacy: r.Privacy, Numbers: r.Numbers, Allowed: r.Allowed, Refused: r.Refused,
		MaxCalls: r.MaxCalls, MaxRate: r.MaxRate, MaxPerDay: r.MaxPerDay,
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
		ID: t.ID, Name: t.Name, Agency: t.Agency, Disabled: t.Disabled, Networks: words(networkViews(t.Networks)), Username: t.Username, HasPassword: t.Sealed != "",
		Register: t.Register, Targets: views(t.Targets, func(x directory.Target) TrunkTarget { return TrunkTarget(x) }), Codecs: words(t.Codecs),
		CallerID: t.CallerID, Privacy: t.Privacy, Numbers: words(t.Numbers), Allowed: words(t.Allowed), Refused: words(t.Refused),
		MaxCalls: t.MaxCalls, MaxRate: t.MaxRate, MaxPerDay: t.MaxPerDay, CreatedAt: t.Created, UpdatedAt: t.Updated,
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
}
