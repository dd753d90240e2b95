package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// Doors keeps people out of meetings and lets them in.
type Doors interface {
	Waiting(alias string) ([]gateway.Waiting, error)
	Admit(alias, id string, yes bool) error
	Lock(ctx context.Context, alias string, locked bool) error
	SetMeetingLayout(alias, kind, pinned string) error
	MeetingLayout(alias string) (gateway.ShownLayout, error)
	EndMeeting(ctx context.Context, alias string) error
	MayEnter(ctx context.Context, alias string, k gateway.Knock) error
	HostOf(ctx context.Context, alias, ticket string) bool
}

// Waiting is somebody who waits to be let into a meeting.
type Waiting struct {
	ID     string    `json:"id"`
	CallID string    `json:"call_id,omitempty" doc:"Of terminals and phones."`
	Name   string    `json:"name"`
	Kind   string    `json:"kind" enum:"browser,terminal,phone"`
	Since  time.Time `json:"since"`
	For    string    `json:"for" enum:"admission,host,time" doc:"What for: a host's yes, a host to come, or the meeting's time."`
}

func waitingView(w gateway.Waiting) Waiting {
	what := map[lobby.Verdict]string{lobby.WaitAdmit: "admission", lobby.WaitTime: "time"}
	return Waiting{ID: w.ID, CallID: w.CallID, Name: w.Name, Kind: string(w.Kind), Since: w.Since.UTC(), For: cmp.Or(what[w.For], "host")}
}

// HostPath names a meeting for those who moderate it.
type HostPath struct {
	MeetingPath
	Ticket string `header:"Roomgate-Ticket" doc:"The token of a host who is in the meeting, in place of an API key."`
}

type waitingPath struct {
	HostPath
	ID string `path:"id" minLength:"1" maxLength:"256"`
}

type waitingList struct {
	Body struct {
		Waiting []Waiting `json:"waiting" nullable:"false"`
	}
}

// moderates lets a request through that shows an API key or a host's ticket.
func (a *API) moderates(ctx context.Context, in HostPath) error {
	who := clientOf(ctx)
	if who.trusted {
		return nil
	}
	if wait, spent := a.failures.spent(who.address); spent {
		return slowDown(wait, "too many wrong tickets from this address")
	}
	if a.Gateway.HostOf(ctx, in.Alias, in.Ticket) {
		return nil
	}
	a.failures.take(who.address)
	p := document(http.StatusUnauthorized, "", "an API key is needed, or the ticket of a host who is in the meeting")
	return huma.ErrorWithHeaders(p, http.Header{"WWW-Authenticate": {`Bearer realm="roomgate"`}})
}

func (a *API) lobbies() {
	const tag = "Lobby"
	moderated := func(id, method, path, summary string) huma.Operation {
		op := operation(id, method, "/meetings/{alias}"+path, summary, tag, http.StatusNotFound)
		op.Security = open
		op.Description = "With an API key, or with the ticket of a host who is in the meeting."
		return op
	}
	huma.Register(a.huma, moderated("list-waiting", http.MethodGet, "/lobby", "List who waits to be let in"),
		func(ctx context.Context, in *HostPath) (*waitingList, error) {
			if err := a.moderates(ctx, *in); err != nil {
				return nil, err
			}
			list, err := a.Gateway.Waiting(in.Alias)
			if err != nil {
				return nil, a.problem(err)
			}
			out := &waitingList{}
			out.Body.Waiting = views(list, waitingView)
			return out, nil
		})
	for _, o := range []struct {
		verb, summary string
		yes           bool
	}{{"admit", "Let somebody in who waits", true}, {"deny", "Turn somebody away who waits", false}} {
		op := moderated(o.verb+"-waiting", http.MethodPost, "/lobby/{id}/"+o.verb, o.summary)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, func(ctx context.Context, in *waitingPath) (*struct{}, error) {
			if err := a.moderates(ctx, in.HostPath); err != nil {
				return nil, err
			}
			if err := a.Gateway.Admit(in.Alias, in.ID, o.yes); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
	}
	for _, o := range []struct {
		verb, summary string
		do            func(ctx context.Context, alias string) error
	}{
		{"lock", "Let no more guests in", func(ctx context.Context, alias string) error { return a.Gateway.Lock(ctx, alias, true) }},
		{"unlock", "Let guests in again", func(ctx context.Context, alias string) error { return a.Gateway.Lock(ctx, alias, false) }},
		{"end", "Put everybody out of a meeting, which stays", a.Gateway.EndMeeting},
	} {
		op := moderated(o.verb+"-meeting", http.MethodPost, "/"+o.verb, o.summary)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, func(ctx context.Context, in *HostPath) (*struct{}, error) {
			if err := a.moderates(ctx, *in); err != nil {
				return nil, err
			}
			if err := o.do(ctx, in.Alias); err != nil {
				return nil, a.problem(err)
			}
			return nil, nil
		})
	}
	a.meetingLayout(moderated)
}

// MeetingLayout is what those of a meeting are shown who have no layout of their own.
type MeetingLayout struct {
	Layout  string `json:"layout" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture"`
	Default string `json:"default" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture" doc:"What the meeting was made with."`
	Pinned  string `json:"pinned" doc:"Identity of who takes the place of the speaker; empty: nobody."`
}

type meetingLayoutOutput struct{ Body MeetingLayout }

func (a *API) meetingLayout(moderated func(id, method, path, summary string) huma.Operation) {
	huma.Register(a.huma, moderated("get-meeting-layout", http.MethodGet, "/layout", "Show what those of a meeting are shown who have no layout of their own"),
		func(ctx context.Context, in *HostPath) (*meetingLayoutOutput, error) {
			if err := a.moderates(ctx, *in); err != nil {
				return nil, err
			}
			shown, err := a.Gateway.MeetingLayout(in.Alias)
			if err != nil {
				return nil, a.problem(err)
			}
			return &meetingLayoutOutput{MeetingLayout(shown)}, nil
		})
	op := moderated("layout-meeting", http.MethodPost, "/layout", "Choose what those of a running meeting are shown who have no layout of their own")
	op.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, op, func(ctx context.Context, in *struct {
		HostPath
		Body LayoutRequest
	}) (*struct{}, error) {
		if err := a.moderates(ctx, in.HostPath); err != nil {
			return nil, err
		}
		if err := a.Gateway.SetMeetingLayout(in.Alias, in.Body.Layout, in.Body.Pinned); err != nil {
			return nil, a.problem(err)
		}
		return nil, nil
	})
}
