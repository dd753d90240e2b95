package client

import (
	"context"
	"net/http"
	"time"
)

// TrunkTarget is one host of a trunk.
type TrunkTarget struct {
	Address   string `json:"address"`
	Transport string `json:"transport,omitempty"`
	Priority  int    `json:"priority,omitempty"` // the lowest first
	Weight    int    `json:"weight,omitempty"`
}

// TrunkRequest is the body that adds or changes a trunk.
type TrunkRequest struct {
	Name             string        `json:"name"`
	Agency           string        `json:"agency,omitempty"`
	Disabled         bool          `json:"disabled,omitempty"`
	Networks         []string      `json:"networks,omitempty"` // that its calls come from
	Challenge        bool          `json:"challenge,omitempty"`
	TrustIdentity    bool          `json:"trust_identity,omitempty"`
	Username         string        `json:"username,omitempty"`
	Password         string        `json:"password,omitempty"` // never shown again. Empty in a change: stays
	Register         bool          `json:"register,omitempty"` // stay registered with the first target that takes it
	Expires          int           `json:"expires,omitempty"`  // seconds that registrations ask for; 0: 600
	Targets          []TrunkTarget `json:"targets,omitempty"`
	ProbeSeconds     int           `json:"probe_seconds,omitempty"` // how often OPTIONS ask targets; 0: 30, below 0: never
	PatienceSeconds  int           `json:"patience_seconds,omitempty"`
	Codecs           []string      `json:"codecs,omitempty"`
	Video            bool          `json:"video,omitempty"`      // offer pictures too, to a PBX with room systems
	Encryption       string        `json:"encryption,omitempty"` // of media; empty: as configured
	CallerID         string        `json:"caller_id,omitempty"`
	Privacy          bool          `json:"privacy,omitempty"` // ask for the number to be withheld (RFC 3323)
	Identity         string        `json:"identity,omitempty"`
	Domain           string        `json:"domain,omitempty"` // in the URIs of the trunk; empty: the target
	Format           string        `json:"format,omitempty"` // how numbers are written: +84.., 84.., 0..; empty: as dialled
	Prefix           string        `json:"prefix,omitempty"` // dialled before numbers
	Numbers          []string      `json:"numbers,omitempty"`
	Lobby            bool          `json:"lobby,omitempty"`    // calls to a number that nothing has lead to the lobby
	Language         string        `json:"language,omitempty"` // spoken there; empty: as configured
	Allowed          []string      `json:"allowed,omitempty"`
	Refused          []string      `json:"refused,omitempty"` // exceptions of allowed
	Premium          bool          `json:"premium,omitempty"`
	MaxCalls         int           `json:"max_calls,omitempty"` // at once on a node; 0: no limit
	MaxCallsIn       int           `json:"max_calls_in,omitempty"`
	MaxCallsOut      int           `json:"max_calls_out,omitempty"`
	MaxRate          float64       `json:"max_rate,omitempty"`    // calls a second, in and out each; 0: no limit
	MaxPerDay        int           `json:"max_per_day,omitempty"` // calls out a day, of all nodes; 0: no limit
	MaxMinutesPerDay int           `json:"max_minutes_per_day,omitempty"`
	Zone             string        `json:"zone,omitempty"` // where the day begins at midnight; empty: Asia/Ho_Chi_Minh
}

// Trunk is a line to a provider or a PBX.
type Trunk struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	Agency           string        `json:"agency"`
	Disabled         bool          `json:"disabled"`
	Networks         []string      `json:"networks"`
	Challenge        bool          `json:"challenge"`
	TrustIdentity    bool          `json:"trust_identity"`
	Username         string        `json:"username"`
	HasPassword      bool          `json:"has_password"`
	Register         bool          `json:"register"`
	Expires          int           `json:"expires"`
	Targets          []TrunkTarget `json:"targets"`
	ProbeSeconds     int           `json:"probe_seconds"`
	PatienceSeconds  int           `json:"patience_seconds"`
	Codecs           []string      `json:"codecs"`
	Video            bool          `json:"video"`
	Encryption       string        `json:"encryption"`
	CallerID         string        `json:"caller_id"`
	Privacy          bool          `json:"privacy"`
	Identity         string        `json:"identity"`
	Domain           string        `json:"domain"`
	Format           string        `json:"format"`
	Prefix           string        `json:"prefix"`
	Numbers          []string      `json:"numbers"`
	Lobby            bool          `json:"lobby"`
	Language         string        `json:"language"`
	Allowed          []string      `json:"allowed"`
	Refused          []string      `json:"refused"`
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

// TrunkTargetState is one address behind a target of a trunk.
type TrunkTargetState struct {
	Target    int        `json:"target"` // position among the targets, from 0
	Name      string     `json:"name"`
	Address   string     `json:"address"` // empty: the name cannot be resolved
	Transport string     `json:"transport"`
	State     string     `json:"state"` // down after three failures in a row, up again after two answers
	Since     *time.Time `json:"since"`
	RTTMS     float64    `json:"rtt_ms"`          // of the last answer to OPTIONS
	Error     string     `json:"error,omitempty"` // of the last failure, until an answer
}

// TrunkRegistration is ours at a carrier. Another node may have it.
type TrunkRegistration struct {
	State     string     `json:"state"`
	Target    string     `json:"target,omitempty"` // HOST:PORT that has us
	ExpiresAt *time.Time `json:"expires_at"`
	NextAt    *time.Time `json:"next_at"` // of the next REGISTER
	Error     string     `json:"error,omitempty"`
}

// TrunkDay is what a trunk carried on a day, over all nodes.
type TrunkDay struct {
	Day        string `json:"day"`
	Calls      int64  `json:"calls"`       // out
	Minutes    int64  `json:"minutes"`     // out, talked, begun ones
	Refused    int64  `json:"refused"`     // in and out
	MaxCalls   int64  `json:"max_calls"`   // 0: no limit
	MaxMinutes int64  `json:"max_minutes"` // 0: no limit
}

// TrunkRefusal is a call that a trunk did not take.
type TrunkRefusal struct {
	At        time.Time `json:"at"`
	Direction string    `json:"direction"`
	Reason    string    `json:"reason"`
	Number    string    `json:"number"` // called
	Caller    string    `json:"caller"`
	Text      string    `json:"text"`
}

// TrunkCount is how many calls were not taken for a reason.
type TrunkCount struct {
	Direction string `json:"direction"`
	Reason    string `json:"reason"`
	Calls     uint64 `json:"calls"`
}

// TrunkState is a trunk at the moment, as this node sees it.
type TrunkState struct {
	ID           string             `json:"id"` // empty for trunks of the configuration
	Name         string             `json:"name"`
	Disabled     bool               `json:"disabled"`
	CallsIn      int                `json:"calls_in"`  // on this node
	CallsOut     int                `json:"calls_out"` // on this node
	Today        TrunkDay           `json:"today"`
	Registration *TrunkRegistration `json:"registration"`
	Targets      []TrunkTargetState `json:"targets"`
	Refused      []TrunkCount       `json:"refused"` // by this node, since its start
	Recent       []TrunkRefusal     `json:"recent"`  // the latest refusals of this node, 50 at most, oldest first
}

// ProblemTrunk begins the Type of a Problem of a call that a trunk does not take; its
// reason follows: destination, premium, calls, rate, day-calls, day-minutes, ..
const ProblemTrunk = "urn:roomgate:problem:trunk:"

// Trunks lists the trunks of the directory, by name.
func (c *Client) Trunks(ctx context.Context) ([]Trunk, error) {
	return list[Trunk](ctx, c, "/trunks", "trunks")
}

// Trunk finds a trunk by its ID.
func (c *Client) Trunk(ctx context.Context, id string) (t Trunk, err error) {
	err = c.do(ctx, http.MethodGet, path("trunks", id), nil, &t)
	return t, err
}

// AddTrunk adds a trunk.
func (c *Client) AddTrunk(ctx context.Context, r TrunkRequest) (t Trunk, err error) {
	err = c.do(ctx, http.MethodPost, "/trunks", r, &t)
	return t, err
}

// ChangeTrunk puts a trunk in place of the one with the ID.
func (c *Client) ChangeTrunk(ctx context.Context, id string, r TrunkRequest) (t Trunk, err error) {
	err = c.do(ctx, http.MethodPut, path("trunks", id), r, &t)
	return t, err
}

// DeleteTrunk forgets a trunk.
func (c *Client) DeleteTrunk(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, path("trunks", id), nil, nil)
}

// TrunkStates shows how trunks stand on this node, those of the configuration too.
func (c *Client) TrunkStates(ctx context.Context) ([]TrunkState, error) {
	return list[TrunkState](ctx, c, "/trunk-states", "trunks")
}
