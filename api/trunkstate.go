package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/gateway/trunk"
)

// TrunkLine is the way out of a trunk as it stands.
type TrunkLine struct {
	Trunk        string // name
	Targets      []TrunkTargetState
	Registration *TrunkRegistration
}

// TrunkTargetState is one address behind a target of a trunk.
type TrunkTargetState struct {
	Target    int        `json:"target" doc:"Position among the targets, from 0."`
	Name      string     `json:"name"`
	Address   string     `json:"address" doc:"Empty: the name cannot be resolved."`
	Transport string     `json:"transport"`
	State     string     `json:"state" enum:"unknown,up,down" doc:"down after three failures in a row, up again after two answers."`
	Since     *time.Time `json:"since"`
	RTTMS     float64    `json:"rtt_ms" doc:"Of the last answer to OPTIONS."`
	Error     string     `json:"error,omitempty" doc:"Of the last failure, until an answer."`
}

// TrunkRegistration is ours at a carrier. Another node may have it.
type TrunkRegistration struct {
	State     string     `json:"state" enum:"registering,registered,refused,failing"`
	Target    string     `json:"target,omitempty" doc:"HOST:PORT that has us."`
	ExpiresAt *time.Time `json:"expires_at"`
	NextAt    *time.Time `json:"next_at" doc:"Of the next REGISTER."`
	Error     string     `json:"error,omitempty"`
}

// TrunkDay is what a trunk carried on a day, over all nodes.
type TrunkDay struct {
	Day        string `json:"day" format:"date"`
	Calls      int64  `json:"calls" doc:"Out."`
	Minutes    int64  `json:"minutes" doc:"Out, talked, begun ones."`
	Refused    int64  `json:"refused" doc:"In and out."`
	MaxCalls   int64  `json:"max_calls" doc:"0: no limit."`
	MaxMinutes int64  `json:"max_minutes" doc:"0: no limit."`
}

// TrunkRefusal is a call that a trunk did not take.
type TrunkRefusal struct {
	At        time.Time `json:"at"`
	Direction string    `json:"direction" enum:"in,out"`
	Reason    string    `json:"reason" enum:"no-trunk,destination,premium,number,identity,calls,rate,day-calls,day-minutes,uncounted"`
	Number    string    `json:"number" doc:"Called."`
	Caller    string    `json:"caller"`
	Text      string    `json:"text"`
}

// TrunkCount is how many calls were not taken for a reason.
type TrunkCount struct {
	Direction string `json:"direction" enum:"in,out"`
	Reason    string `json:"reason"`
	Calls     uint64 `json:"calls"`
}

// TrunkState is a trunk at the moment, as this node sees it.
type TrunkState struct {
	ID           string             `json:"id" doc:"Empty for trunks of the configuration."`
	Name         string             `json:"name"`
	Disabled     bool               `json:"disabled"`
	CallsIn      int                `json:"calls_in" doc:"On this node."`
	CallsOut     int                `json:"calls_out" doc:"On this node."`
	Today        TrunkDay           `json:"today"`
	Registration *TrunkRegistration `json:"registration"`
	Targets      []TrunkTargetState `json:"targets" nullable:"false"`
	Refused      []TrunkCount       `json:"refused" nullable:"false" doc:"By this node, since its start."`
	Recent       []TrunkRefusal     `json:"recent" nullable:"false" doc:"The latest refusals of this node, 50 at most, oldest first."`
}

func trunkStateView(s trunk.State, line TrunkLine) TrunkState {
	v := TrunkState{
		ID: s.ID, Name: s.Name, Disabled: s.Disabled, CallsIn: s.In, CallsOut: s.Out, Registration: line.Registration,
		Today: TrunkDay{
			Day: s.Day, Calls: s.Today.Calls, Minutes: (s.Today.Seconds + 59) / 60, Refused: s.Today.Refused,
			MaxCalls: s.Ceiling.Calls, MaxMinutes: s.Ceiling.Seconds / 60,
		},
		Targets: append([]TrunkTargetState{}, line.Targets...), Refused: []TrunkCount{}, Recent: []TrunkRefusal{},
	}
	for _, c := range s.Refused {
		v.Refused = append(v.Refused, TrunkCount{string(c.Direction), string(c.Reason), c.Calls})
	}
	for _, r := range s.Recent {
		v.Recent = append(v.Recent, TrunkRefusal{r.At.UTC(), string(r.Direction), string(r.Reason), r.Number, r.Caller, r.Text})
	}
	return v
}

type trunkStateList struct {
	Body struct {
		Trunks []TrunkState `json:"trunks" nullable:"false"`
	}
}

// trunkStates shows how trunks stand; those of the configuration too.
func (a *API) trunkStates() {
	if a.Trunks == nil {
		return
	}
	op := operation("list-trunk-states", http.MethodGet, "/trunk-states", "Show how trunks stand: targets, registrations, calls, what was refused", "Trunks", http.StatusForbidden)
	huma.Register(a.huma, op, func(ctx context.Context, _ *struct{}) (*trunkStateList, error) {
		states, err := a.Trunks.States(ctx)
		if err != nil {
			return nil, a.problem(err)
		}
		lines := map[string]TrunkLine{}
		if a.TrunkLines != nil {
			for _, l := range a.TrunkLines() {
				lines[l.Trunk] = l
			}
		}
		out := &trunkStateList{}
		out.Body.Trunks = views(states, func(s trunk.State) TrunkState { return trunkStateView(s, lines[s.Name]) })
		return out, nil
	})
}

// ProblemTrunk begins the type of a refusal by a trunk; its reason follows.
const ProblemTrunk = "urn:roomgate:problem:trunk:"

// trunkProblem is the answer to a call that a trunk does not take.
func trunkProblem(r *trunk.Refusal) error {
	status := http.StatusServiceUnavailable
	switch r.Reason {
	case trunk.NotAllowed, trunk.Premium:
		status = http.StatusForbidden
	case trunk.NoTrunk:
		status = http.StatusUnprocessableEntity
	}
	p := document(status, ProblemTrunk+string(r.Reason), r.Error())
	if status != http.StatusServiceUnavailable {
		return p
	}
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {seconds(time.Duration(max(r.RetryAfter, 5)) * time.Second)}})
}
