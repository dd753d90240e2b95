package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

// DialRequest is the body that calls somebody into a meeting.
type DialRequest struct {
	Target   string `json:"target" minLength:"1" maxLength:"512" example:"sip:room@10.0.0.5" doc:"A sip: URI, or the alias of a registered terminal."`
	Meeting  string `json:"meeting" minLength:"1" maxLength:"64" example:"88001"`
	Name     string `json:"name,omitempty" maxLength:"100" doc:"Shown in the meeting; default: the far side's."`
	Username string `json:"username,omitempty" maxLength:"128" doc:"For a digest challenge of the far side."`
	Password string `json:"password,omitempty" maxLength:"128"`
}

// TransferRequest says where a call is to go.
type TransferRequest struct {
	Target string `json:"target" minLength:"1" maxLength:"512" example:"88002" doc:"The alias of a meeting, or a sip: URI."`
}

// CallPath names a call.
type CallPath struct {
	ID string `path:"id" minLength:"1" maxLength:"256"`
}

type callOutput struct{ Body Call }

type callList struct {
	Body struct {
		Calls      []Call `json:"calls" nullable:"false"`
		NextCursor string `json:"next_cursor,omitempty"`
	}
}

// callKey orders calls by age.
func callKey(c gateway.Call) string {
	return fmt.Sprintf("%020d %s", c.Info.Created.UnixNano(), c.Info.ID)
}

func (a *API) calls() {
	const tag = "Calls"
	huma.Register(a.huma, operation("list-calls", http.MethodGet, "/calls", "List living calls, oldest first", tag, http.StatusUnprocessableEntity),
		func(_ context.Context, in *PageQuery) (*callList, error) {
			page, next, err := paged(a.Gateway.Calls(), callKey, *in)
			if err != nil {
				return nil, err
			}
			out := &callList{}
			out.Body.Calls, out.Body.NextCursor = views(page, callView), next
			return out, nil
		})
	post := operation("create-call", http.MethodPost, "/calls", "Call somebody into a meeting", tag,
		http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	post.DefaultStatus = http.StatusCreated
	post.Description = "Answers when the call is on its way; events tell what becomes of it."
	huma.Register(a.huma, post, func(ctx context.Context, in *struct{ Body DialRequest }) (*callOutput, error) {
		c, err := a.Gateway.Dial(ctx, gateway.DialRequest(in.Body))
		if err != nil {
			return nil, a.problem(err)
		}
		return &callOutput{callView(c)}, nil
	})
	huma.Register(a.huma, operation("get-call", http.MethodGet, "/calls/{id}", "Show a call", tag, http.StatusNotFound),
		func(_ context.Context, in *CallPath) (*callOutput, error) {
			c, err := a.Gateway.Call(in.ID)
			if err != nil {
				return nil, a.problem(err)
			}
			return &callOutput{callView(c)}, nil
		})
	huma.Register(a.huma, operation("end-call", http.MethodDelete, "/calls/{id}", "Hang up", tag, http.StatusNotFound),
		a.onCall(func(id string) error { return a.Gateway.Hangup(id, call.Removed) }))

	mute := operation("mute-call", http.MethodPost, "/calls/{id}/mute", "Mute a call towards its meeting", tag, http.StatusNotFound)
	mute.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, mute, a.onCall(func(id string) error { return a.Gateway.Mute(id, true) }))
	unmute := operation("unmute-call", http.MethodPost, "/calls/{id}/unmute", "Lift a mute", tag, http.StatusNotFound)
	unmute.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, unmute, a.onCall(func(id string) error { return a.Gateway.Mute(id, false) }))

	a.layout(tag)

	transfer := operation("transfer-call", http.MethodPost, "/calls/{id}/transfer", "Move a call elsewhere", tag, http.StatusNotFound, http.StatusUnprocessableEntity)
	transfer.DefaultStatus = http.StatusNoContent
	transfer.Description = "To another meeting of this gateway without its terminal noticing, or to a URI, which the terminal is asked to call (SIP REFER)."
	huma.Register(a.huma, transfer, func(ctx context.Context, in *struct {
		CallPath
		Body TransferRequest
	}) (*struct{}, error) {
		if err := a.Gateway.Transfer(ctx, in.ID, in.Body.Target); err != nil {
			return nil, a.problem(err)
		}
		return nil, nil
	})
}

// LayoutRequest says what a terminal is to be shown.
type LayoutRequest struct {
	Layout string `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5" doc:"Default: that of the meeting."`
	Pinned string `json:"pinned,omitempty" doc:"Identity of a participant who takes the place of the speaker."`
}

func (a *API) layout(tag string) {
	op := operation("layout-call", http.MethodPost, "/calls/{id}/layout", "Choose what a terminal is shown", tag, http.StatusNotFound, http.StatusUnprocessableEntity)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, op, func(_ context.Context, in *struct {
		CallPath
		Body LayoutRequest
	}) (*struct{}, error) {
		if err := a.Gateway.SetLayout(in.ID, in.Body.Layout, in.Body.Pinned); err != nil {
			return nil, a.problem(err)
		}
		return nil, nil
	})
}

// onCall handles what needs a call's id and answers nothing.
func (a *API) onCall(do func(id string) error) func(context.Context, *CallPath) (*struct{}, error) {
	return func(_ context.Context, in *CallPath) (*struct{}, error) {
		if err := do(in.ID); err != nil {
			return nil, a.problem(err)
		}
		return nil, nil
	}
}
