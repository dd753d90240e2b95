package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/lobby"
)

// fakeDoors is what a fake knows of who waits.
type fakeDoors struct {
	waiting []gateway.Waiting
	said    []string // what was asked of it
	enter   func(alias string, k gateway.Knock) error
	host    string // the ticket of a host
}

func (f *fakeDoors) Waiting(alias string) ([]gateway.Waiting, error) {
	if alias != "88001" {
		return nil, gateway.ErrNoMeeting
	}
	return f.waiting, nil
}

func (f *fakeDoors) Admit(alias, id string, yes bool) error {
	if id != "c1" {
		return gateway.ErrNoParticipant
	}
	f.said = append(f.said, map[bool]string{true: "admit ", false: "deny "}[yes]+alias+" "+id)
	return nil
}

func (f *fakeDoors) Lock(_ context.Context, alias string, locked bool) error {
	f.said = append(f.said, map[bool]string{true: "lock ", false: "unlock "}[locked]+alias)
	return nil
}

func (f *fakeDoors) SetMeetingLayout(alias, kind, pinned string) error {
	if alias != "88001" {
		return gateway.ErrNoMeeting
	}
	f.said = append(f.said, "layout "+alias+" "+kind+" "+pinned)
	return nil
}

func (f *fakeDoors) MeetingLayout(alias string) (gateway.ShownLayout, error) {
	if alias != "88001" {
		return gateway.ShownLayout{}, gateway.ErrNoMeeting
	}
	return gateway.ShownLayout{Layout: "lecture", Default: "auto", Pinned: "web-1"}, nil
}

func (f *fakeDoors) EndMeeting(_ context.Context, alias string) error {
	f.said = append(f.said, "end "+alias)
	return nil
}

func (f *fakeDoors) MayEnter(_ context.Context, alias string, k gateway.Knock) error {
	if f.enter == nil {
		return nil
	}
	return f.enter(alias, k)
}

func (f *fakeDoors) HostOf(_ context.Context, alias, ticket string) bool {
	return alias == "88001" && f.host != "" && ticket == f.host
}

func withTicket(ticket string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Roomgate-Ticket", ticket) }
}

// The key, and the ticket of a host, moderate a meeting; a guest's and none do not.
func TestWhoModerates(t *testing.T) {
	f := &fake{fakeDoors: fakeDoors{host: "hosts-ticket", waiting: []gateway.Waiting{
		{ID: "c1", CallID: "c1", Name: "Lan", Kind: "phone", Since: time.Unix(1e9, 0), For: lobby.WaitAdmit},
		{ID: "web-1", Name: "An", Kind: "browser", Since: time.Unix(1e9, 0)},
	}}}
	a := newAPI(t, f)
	paths := []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/v1/meetings/88001/lobby", 200}, {"POST", "/api/v1/meetings/88001/lobby/c1/admit", 204},
		{"POST", "/api/v1/meetings/88001/lobby/c1/deny", 204}, {"POST", "/api/v1/meetings/88001/lock", 204},
		{"POST", "/api/v1/meetings/88001/unlock", 204}, {"POST", "/api/v1/meetings/88001/end", 204},
	}
	assert.Equal(t, 204, ask(a, "POST", "/api/v1/meetings/88001/layout", `{"layout":"3x3","pinned":"web-1"}`, withTicket("hosts-ticket")).Code)
	assert.Equal(t, []string{"layout 88001 3x3 web-1"}, f.said)
	for _, method := range []string{"GET", "POST"} {
		assert.Equal(t, 401, ask(a, method, "/api/v1/meetings/88001/layout", `{"layout":"3x3"}`, from("198.51.100.1")).Code, method)
	}
	assert.Equal(t, 422, ask(a, "POST", "/api/v1/meetings/88001/layout", `{"layout":"9x9"}`, withKey).Code)
	assert.Equal(t, 404, ask(a, "POST", "/api/v1/meetings/88009/layout", `{"layout":"3x3"}`, withKey).Code)
	shown := ask(a, "GET", "/api/v1/meetings/88001/layout", "", withTicket("hosts-ticket"))
	assert.Equal(t, 200, shown.Code)
	assert.JSONEq(t, `{"layout":"lecture","default":"auto","pinned":"web-1"}`, shown.Body.String())
	assert.Equal(t, 404, ask(a, "GET", "/api/v1/meetings/88009/layout", "", withKey).Code)
	f.said = nil
	for _, p := range paths {
		assert.Equal(t, p.status, ask(a, p.method, p.path, "", withKey).Code, "%s with the key", p.path)
		assert.Equal(t, p.status, ask(a, p.method, p.path, "", withTicket("hosts-ticket")).Code, "%s with the ticket", p.path)
	}
	assert.Len(t, f.said, 10)
	f.said = nil
	for _, p := range paths[:4] {
		assert.Equal(t, 401, ask(a, p.method, p.path, "").Code, p.path)
		assert.Equal(t, 401, ask(a, p.method, strings.Replace(p.path, "88001", "88002", 1), "", withTicket("hosts-ticket")).Code, p.path)
	}
	assert.Empty(t, f.said)
	w := ask(a, "GET", "/api/v1/meetings/88001/lobby", "", withKey)
	assert.JSONEq(t, `{"waiting":[{"id":"c1","call_id":"c1","name":"Lan","kind":"phone","since":"2001-09-09T01:46:40Z","for":"admission"},
		{"id":"web-1","name":"An","kind":"browser","since":"2001-09-09T01:46:40Z","for":"host"}]}`, w.Body.String())
	assert.Equal(t, 404, ask(a, "POST", "/api/v1/meetings/88001/lobby/nobody/admit", "", withKey).Code)
}

// A browser that is kept out is told why; the key brings a ticket all the same.
func TestTokensOfWhoWaits(t *testing.T) {
	var asked gateway.Knock
	f := &fake{token: func(alias, name, role, pin string, trusted bool) (gateway.Token, error) {
		return gateway.Token{URL: "ws://sfu", Token: "jwt"}, nil
	}}
	a := newAPI(t, f)
	for err, problem := range map[error]string{
		gateway.ErrLocked: api.ProblemLocked, gateway.ErrDenied: api.ProblemDenied, gateway.ErrWaitHost: api.ProblemWaitHost,
		gateway.ErrWaitAdmit: api.ProblemWaitAdmit, gateway.ErrPIN: api.ProblemPIN,
	} {
		f.enter = func(_ string, k gateway.Knock) error {
			asked = k
			return err
		}
		w := ask(a, "POST", "/api/v1/meetings/88001/tokens", `{"name":"An","pin":"1234","knock":"k1"}`)
		assert.Equal(t, 403, w.Code)
		assert.Contains(t, w.Body.String(), `"`+problem+`"`)
		assert.Equal(t, gateway.Knock{ID: "k1", Name: "An", PIN: "1234"}, asked)
		assert.Equal(t, 200, ask(a, "POST", "/api/v1/meetings/88001/tokens", `{"name":"An"}`, withKey).Code)
	}
	f.enter = nil
	assert.Equal(t, 200, ask(a, "POST", "/api/v1/meetings/88001/tokens", `{"name":"An"}`).Code)
}
