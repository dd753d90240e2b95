package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/gateway"
)

func TestPresenting(t *testing.T) {
	var got string
	f := &fake{
		present: func(alias, identity string, yes bool) error {
			if identity == "nobody" {
				return gateway.ErrNoParticipant
			}
			got = fmt.Sprint(alias, " ", identity, " ", yes)
			return nil
		},
		meetings: []gateway.Meeting{{MeetingSpec: gateway.MeetingSpec{Alias: "88001", Presenting: "ask"}, Presenter: "leg-1", Waiting: "web-2"}},
	}
	a := newAPI(t, f)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/meetings/88001/participants/leg-1/present", "", withKey).Code)
	assert.Equal(t, "88001 leg-1 true", got)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/meetings/88001/participants/leg-1/stop-presenting", "", withKey).Code)
	assert.Equal(t, "88001 leg-1 false", got)
	assert.Equal(t, http.StatusNotFound, ask(a, "POST", "/api/v1/meetings/88001/participants/nobody/present", "", withKey).Code)
	assert.Equal(t, http.StatusUnauthorized, ask(a, "POST", "/api/v1/meetings/88001/participants/leg-1/present", "").Code)

	m := decode[api.Meeting](t, ask(a, "GET", "/api/v1/meetings/88001", "", withKey))
	assert.Equal(t, []string{"ask", "leg-1", "web-2"}, []string{m.Presenting, m.Presenter, m.Waiting})
}

func TestPresentingPolicyIsChecked(t *testing.T) {
	var got gateway.MeetingSpec
	a := newAPI(t, &fake{create: func(s gateway.MeetingSpec) (gateway.Meeting, error) {
		got = s
		return gateway.Meeting{MeetingSpec: s}, nil
	}})
	assert.Equal(t, http.StatusCreated, ask(a, "POST", "/api/v1/meetings", `{"alias":"a","presenting":"host"}`, withKey).Code)
	assert.Equal(t, "host", got.Presenting)
	assert.Equal(t, http.StatusUnprocessableEntity, ask(a, "POST", "/api/v1/meetings", `{"alias":"a","presenting":"king"}`, withKey).Code)
}
