package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

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

	Rate           int    `json:"rate,omitempty" minimum:"64" maximum:"100000" example:"1024" doc:"Of the whole call in kbit/s, sound included; 128 to 6144 are usual. The smallest of this, the endpoint's and the meeting's counts."`
	LongestSeconds int    `json:"longest_seconds,omitempty" minimum:"0" maximum:"1000000" doc:"How long the call lasts at most once answered; 0: any."`
	Digits         string `json:"digits,omitempty" pattern:"^[0-9*#A-D,]{0,128}$" example:",,1234#" doc:"Sent when it has answered, for the menu of an MCU; a comma waits for a second. They may also follow the target's first comma."`
	Layout         string `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture" doc:"What it is shown; default: the endpoint's, then the meeting's."`
	MCU            bool   `json:"mcu,omitempty" doc:"It joins several itself: it is never shown its own picture, and that picture fills the screens of others."`
	TerminalType   int    `json:"terminal_type,omitempty" minimum:"0" maximum:"255" doc:"Of H.245 (H.323 table 1): the greater one is master. Default: 240 with content_master here, 60 otherwise."`
	ContentMaster  string `json:"content_master,omitempty" enum:"here,there" doc:"Whose presenter stays when both sides of an MCU present; default: whoever came last."`
	Redials        *int   `json:"redials,omitempty" minimum:"0" maximum:"20" doc:"How often in a row it is called again when the network lost the call, after 2, 4, 8 .. 60 seconds; default: the endpoint's."`
}

func (r DialRequest) request() gateway.DialRequest {
	return gateway.DialRequest{
		Target: r.Target, Meeting: r.Meeting, Name: r.Name, Username: r.Username, Password: r.Password,
		Rate: r.Rate, Longest: time.Duration(r.LongestSeconds) * time.Second, Digits: r.Digits, Layout: r.Layout,
		MCU: r.MCU, TerminalType: r.TerminalType, ContentMaster: r.ContentMaster, Redials: r.Redials,
	}
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
		c, err := a.Gateway.Dial(ctx, in.Body.request())
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
	huma.Register(a.huma, operation("end-call", http.MethodDelete, "/calls/{id}", "Hang up, or keep a lost call from being made again", tag, http.StatusNotFound),
		a.onCall(func(id string) error { return a.Gateway.Hangup(id, call.Removed) }))

	mute := operation("mute-call", http.MethodPost, "/calls/{id}/mute", "Mute a call towards its meeting", tag, http.StatusNotFound)
	mute.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, mute, a.onCall(func(id string) error { return a.Gateway.Mute(id, true) }))
	unmute := operation("unmute-call", http.MethodPost, "/calls/{id}/unmute", "Lift a mute", tag, http.StatusNotFound)
	unmute.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, unmute, a.onCall(func(id string) error { return a.Gateway.Mute(id, false) }))

	a.layout(tag)
	chat := operation("show-chat", http.MethodPost, "/calls/{id}/chat", "Show a terminal what was written last in its meeting, for twelve seconds", tag, http.StatusNotFound, http.StatusConflict)
	chat.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, chat, a.onCall(a.Gateway.ShowChat))

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
	Layout string `json:"layout,omitempty" enum:"auto,single,speaker,grid,2x2,3x3,4x4,5x5,lecture" doc:"Default: that of the meeting."`
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
