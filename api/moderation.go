package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway"
)

// ParticipantChange is the body that changes how somebody is shown.
type ParticipantChange struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

// MoveRequest says where somebody is to go.
type MoveRequest struct {
	Meeting string `json:"meeting" minLength:"1" maxLength:"64" doc:"Alias of a meeting that there is."`
	Role    string `json:"role,omitempty" enum:"guest,host" default:"guest" doc:"Of browsers."`
}

// InviteRequest says who is to be called into a meeting.
type InviteRequest struct {
	Target string `json:"target" minLength:"1" maxLength:"500" doc:"As that of a call."`
	Name   string `json:"name,omitempty" maxLength:"200"`
	Digits string `json:"digits,omitempty" maxLength:"64" pattern:"^[0-9A-Da-d*#,]*$" doc:"Sent after the answer; a comma waits for a second."`
}

func (a *API) moderation() {
	const tag = "Participants"
	invite := operation("invite-participant", http.MethodPost, "/meetings/{alias}/participants", "Call somebody into a meeting", tag,
		http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	invite.DefaultStatus = http.StatusCreated
	invite.Description = "As POST /calls; an API key needs the scope calls, too, and one of an agency calls terminals of that agency."
	huma.Register(a.huma, invite, func(ctx context.Context, in *struct {
		MeetingPath
		Body InviteRequest
	}) (*callOutput, error) {
		if err := a.mayCall(clientOf(ctx), in.Body.Target); err != nil {
			return nil, err
		}
		c, err := a.Gateway.Dial(ctx, gateway.DialRequest{Target: in.Body.Target, Meeting: in.Alias, Name: in.Body.Name, Digits: in.Body.Digits})
		if err != nil {
			return nil, a.problem(err)
		}
		return &callOutput{callView(c)}, nil
	})
	rename := operation("rename-participant", http.MethodPatch, "/meetings/{alias}/participants/{identity}", "Change the name that others see", tag, http.StatusNotFound, http.StatusUnprocessableEntity)
	rename.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, rename, func(ctx context.Context, in *struct {
		ParticipantPath
		Body ParticipantChange
	}) (*struct{}, error) {
		return nil, a.outcome(a.Gateway.RenameParticipant(ctx, in.Alias, in.Identity, in.Body.Name))
	})
	move := operation("move-participant", http.MethodPost, "/meetings/{alias}/participants/{identity}/move", "Take somebody to another meeting", tag,
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	move.DefaultStatus = http.StatusNoContent
	move.Description = "Terminals and phones of this node without their noticing, and browsers on the meeting page, which joins the other meeting by itself."
	huma.Register(a.huma, move, func(ctx context.Context, in *struct {
		ParticipantPath
		Body MoveRequest
	}) (*struct{}, error) {
		if agency := agencyOf(clientOf(ctx)); agency != "" {
			if m, err := a.Gateway.Meeting(in.Body.Meeting); err != nil || m.Agency != agency {
				return nil, a.problem(gateway.ErrNoMeeting)
			}
		}
		return nil, a.outcome(a.Gateway.MoveParticipant(ctx, in.Alias, in.Identity, in.Body.Meeting, in.Body.Role))
	})
	for _, o := range []struct {
		id, verb, summary string
		on                bool
	}{
		{"spotlight-participant", "spotlight", "Show somebody to all in the place of the speaker", true},
		{"unspotlight-participant", "unspotlight", "Show the speaker again", false},
	} {
		op := operation(o.id, http.MethodPost, "/meetings/{alias}/participants/{identity}/"+o.verb, o.summary, tag, http.StatusNotFound)
		op.DefaultStatus = http.StatusNoContent
		op.Description = "To terminals of all nodes that have pinned nobody, and on the meeting page."
		huma.Register(a.huma, op, func(ctx context.Context, in *ParticipantPath) (*struct{}, error) {
			return nil, a.outcome(a.Gateway.Spotlight(ctx, in.Alias, in.Identity, o.on))
		})
	}
}

// outcome is problem for what may have gone well.
func (a *API) outcome(err error) error {
	if err == nil {
		return nil
	}
	return a.problem(err)
}

// mayCall refuses what a key may not have called: it needs the scope for that, and one
// of an agency is for terminals of that agency, lest it dials out at the cost of all.
func (a *API) mayCall(who client, targets ...string) error {
	if len(targets) == 0 {
		return nil
	}
	if !who.key.May(directory.ScopeCalls) {
		return document(http.StatusForbidden, "", "the API key lacks the scope calls")
	}
	agency := agencyOf(who)
	if agency == "" {
		return nil
	}
	for _, target := range targets {
		if a.Directory == nil {
			return document(http.StatusForbidden, "", "the API key is of one agency")
		}
		if e, ok := a.Directory.ByAlias(target); !ok || e.Agency != agency {
			return document(http.StatusForbidden, "", target+" is no terminal of the agency of the API key")
		}
	}
	return nil
}

// targets are those of invitees.
func targets(list []Invitee) []string {
	return views(list, func(i Invitee) string { return i.Target })
}
