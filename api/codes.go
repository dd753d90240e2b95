package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/code"
)

// CodeRequest is the body that makes a code.
type CodeRequest struct {
	Role    string `json:"role,omitempty" enum:"guest,host" default:"guest"`
	Name    string `json:"name,omitempty" maxLength:"200" doc:"For whom, in the list of codes."`
	Minutes int    `json:"minutes,omitempty" minimum:"1" maximum:"129600" default:"1440" doc:"How long it is good."`
}

// Code is a code without its digits.
type Code struct {
	ID        string     `json:"id"`
	Role      string     `json:"role" enum:"guest,host"`
	Name      string     `json:"name,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

// NewCode is a code that was just made.
type NewCode struct {
	Code
	Digits string `json:"code" doc:"Shown this once: it is given in place of a PIN." example:"47110815"`
	Dial   string `json:"dial" doc:"What terminals and phones dial." example:"88001*47110815"`
}

func codeView(c code.Code) Code {
	return Code{ID: c.ID, Role: c.Role, Name: c.Name, CreatedAt: c.Created, ExpiresAt: c.Expires, UsedAt: moment(c.Used)}
}

type codeList struct {
	Body struct {
		Codes []Code `json:"codes" nullable:"false"`
	}
}

type newCodeOutput struct{ Body NewCode }

func (a *API) codes() {
	const tag = "Meetings"
	book := &code.Book{DB: a.Directory.DB, Now: a.Now}
	post := operation("create-code", http.MethodPost, "/meetings/{alias}/codes", "Make a code that lets somebody in once", tag, http.StatusNotFound, http.StatusUnprocessableEntity)
	post.DefaultStatus = http.StatusCreated
	post.Description = "Dialled behind the alias (88001*47110815), keyed or typed where a PIN is asked for. Of meetings that were made by the API."
	huma.Register(a.huma, post, func(ctx context.Context, in *struct {
		MeetingPath
		Body CodeRequest
	}) (*newCodeOutput, error) {
		m, err := a.keptMeeting(in.Alias)
		if err != nil {
			return nil, err
		}
		c := code.Code{Meeting: m.ID, Role: cmp.Or(in.Body.Role, call.RoleGuest), Name: in.Body.Name, Expires: a.Now().Add(time.Duration(in.Body.Minutes) * time.Minute)}
		c, digits, err := book.Make(ctx, c, func(digits string) bool { return digits == m.HostPIN || digits == m.GuestPIN })
		if err != nil {
			return nil, a.codeProblem(err)
		}
		return &newCodeOutput{NewCode{codeView(c), digits, m.Alias + "*" + digits}}, nil
	})
	huma.Register(a.huma, operation("list-codes", http.MethodGet, "/meetings/{alias}/codes", "List the codes of a meeting, the latest first", tag, http.StatusNotFound),
		func(ctx context.Context, in *MeetingPath) (*codeList, error) {
			m, err := a.keptMeeting(in.Alias)
			if err != nil {
				return nil, err
			}
			list, err := book.Of(ctx, m.ID)
			if err != nil {
				return nil, a.problem(err)
			}
			out := &codeList{}
			out.Body.Codes = views(list, codeView)
			return out, nil
		})
	huma.Register(a.huma, operation("delete-code", http.MethodDelete, "/meetings/{alias}/codes/{id}", "Make a code useless", tag, http.StatusNotFound),
		func(ctx context.Context, in *struct {
			MeetingPath
			ID string `path:"id" maxLength:"64"`
		}) (*struct{}, error) {
			m, err := a.keptMeeting(in.Alias)
			if err == nil {
				err = a.codeProblem(book.Delete(ctx, m.ID, in.ID))
			}
			return nil, err
		})
}

// keptMeeting finds a meeting that the directory keeps, by its alias as it stands there.
func (a *API) keptMeeting(alias string) (directory.Meeting, error) {
	m, ok := a.Directory.Meeting(alias)
	if !ok || m.Alias != alias {
		return m, document(http.StatusNotFound, "", "no meeting of that alias is kept in the directory")
	}
	return m, nil
}

func (a *API) codeProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, code.ErrNotFound):
		return document(http.StatusNotFound, "", err.Error())
	case errors.Is(err, code.ErrLifetime):
		return document(http.StatusUnprocessableEntity, "", err.Error())
	}
	return a.problem(err)
}
