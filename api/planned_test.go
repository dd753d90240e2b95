package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/calendar"
	"github.com/roomgate/roomgate/gateway"
)

func TestPlannedMeetings(t *testing.T) {
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, time.FixedZone("", 7*3600))
	plan := calendar.Plan{Starts: eight, Ends: eight.Add(time.Hour), Repeats: "FREQ=WEEKLY", Zone: "Asia/Ho_Chi_Minh"}
	f := &fake{}
	f.create = func(s gateway.MeetingSpec) (gateway.Meeting, error) {
		assert.True(t, s.Plan.Starts.Equal(plan.Starts) && s.Plan.Ends.Equal(plan.Ends))
		assert.Equal(t, []directory.Invitee{{Target: "1001", Digits: "12#"}}, s.Invitees)
		f.meetings = append(f.meetings, gateway.Meeting{MeetingSpec: s, Held: calendar.Occurrence{Starts: eight, Ends: eight.Add(time.Hour)}})
		return f.meetings[0], nil
	}
	a := newAPI(t, f)
	w := ask(a, "POST", "/api/v1/meetings", `{"alias":"planned","invitees":[{"target":"1001","digits":"12#"}],
		"schedule":{"starts":"2026-03-02T08:00:00+07:00","ends":"2026-03-02T09:00:00+07:00","repeats":"FREQ=WEEKLY","zone":"Asia/Ho_Chi_Minh"}}`, withKey)
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	m := decode[api.Meeting](t, w)
	assert.Equal(t, "FREQ=WEEKLY", m.Schedule.Repeats)
	assert.True(t, m.Held.Starts.Equal(eight))

	w = ask(a, "PATCH", "/api/v1/meetings/planned", `{"locked":true,"max_seconds":60,"guest_pin":"1234"}`, withKey)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	m = decode[api.Meeting](t, w)
	assert.True(t, m.Locked && m.HasGuestPIN && m.MaxSeconds == 60)
	assert.Equal(t, "FREQ=WEEKLY", m.Schedule.Repeats, "what is not named stays")
	assert.Len(t, m.Invitees, 1)
	w = ask(a, "PATCH", "/api/v1/meetings/planned", `{"schedule":{},"invitees":[],"guest_pin":""}`, withKey)
	m = decode[api.Meeting](t, w)
	assert.Nil(t, m.Schedule)
	assert.Empty(t, m.Invitees)
	assert.False(t, m.HasGuestPIN)
	assert.True(t, m.Locked)
	for body, status := range map[string]int{`{"alias":"other"}`: 422, `{"layout":"9x9"}`: 422, `{"guest_pin":"abc"}`: 422} {
		assert.Equal(t, status, ask(a, "PATCH", "/api/v1/meetings/planned", body, withKey).Code, body)
	}
	assert.Equal(t, http.StatusNotFound, ask(a, "PATCH", "/api/v1/meetings/none", `{}`, withKey).Code)

	w = ask(a, "POST", "/api/v1/meetings/planned/extend", `{"minutes":30}`, withKey)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.True(t, decode[api.Held](t, w).Ends.Equal(time.Unix(1e9, 0).Add(30*time.Minute)))
	f.meetings = append(f.meetings, gateway.Meeting{MeetingSpec: gateway.MeetingSpec{Alias: "endless"}})
	assert.Equal(t, http.StatusConflict, ask(a, "POST", "/api/v1/meetings/endless/extend", `{}`, withKey).Code)
	assert.Equal(t, http.StatusUnprocessableEntity, ask(a, "POST", "/api/v1/meetings/planned/extend", `{"minutes":0}`, withKey).Code)
}
