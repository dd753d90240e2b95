package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, body, "", "  "), string(body))
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), pretty.String())
}

func TestOpenAPI(t *testing.T) {
	w := ask(newAPI(t, &fake{}, withDirectory(t)), "GET", "/openapi.json", "")
	require.Equal(t, http.StatusOK, w.Code)
	golden(t, "openapi.json", w.Body.Bytes())
}

func TestCallShape(t *testing.T) {
	ended := sampleCall("c1", time.Minute)
	ended.State, ended.Ended, ended.Cause = gateway.StateEnded, now, &call.Cause{Code: call.MediaTimeout, Text: "nothing for 60s"}
	f := &fake{calls: []gateway.Call{sampleCall("c0", time.Hour), ended}}
	w := ask(newAPI(t, f), "GET", "/api/v1/calls", "", withKey)
	require.Equal(t, http.StatusOK, w.Code)
	golden(t, "calls.json", w.Body.Bytes())

	w = ask(newAPI(t, f), "GET", "/api/v1/calls/c1", "", withKey)
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "c1", decode[api.Call](t, w).ID)
}

// TestErrors maps every error of the gateway to its answer.
func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		err     error
		status  int
		problem string
	}{
		{gateway.ErrNoMeeting, 404, ""},
		{gateway.ErrBadTarget, 422, ""},
		{gateway.ErrFull, 503, api.ProblemFull},
		{gateway.ErrDraining, 503, api.ProblemDraining},
		{gateway.ErrNoSFU, 503, api.ProblemSFU},
		{os.ErrDeadlineExceeded, 500, ""},
	} {
		f := &fake{dial: func(gateway.DialRequest) (gateway.Call, error) { return gateway.Call{}, tc.err }}
		w := ask(newAPI(t, f), "POST", "/api/v1/calls", `{"target":"sip:a@b","meeting":"m"}`, withKey)
		assert.Equal(t, tc.status, w.Code, tc.err)
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		p := decode[struct {
			Type   string `json:"type"`
			Status int    `json:"status"`
			Detail string `json:"detail"`
		}](t, w)
		assert.Equal(t, tc.problem, p.Type, tc.err)
		assert.Equal(t, tc.status, p.Status)
		assert.NotEmpty(t, p.Detail)
		assert.Equal(t, tc.status == 503, w.Header().Get("Retry-After") != "", tc.err)
		if tc.status == 500 {
			assert.NotContains(t, p.Detail, "deadline", "what is inside stays in the log")
		}
	}
}

func TestDial(t *testing.T) {
	var got gateway.DialRequest
	f := &fake{dial: func(r gateway.DialRequest) (gateway.Call, error) {
		got = r
		c := sampleCall("new", 0)
		c.Info.Direction, c.State, c.Media, c.Info.Answered = call.Out, gateway.StateRinging, nil, time.Time{}
		return c, nil
	}}
	w := ask(newAPI(t, f), "POST", "/api/v1/calls", `{"target":"sip:room@10.0.0.5","meeting":"88001","name":"Phòng 5"}`, withKey)
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	assert.Equal(t, gateway.DialRequest{Target: "sip:room@10.0.0.5", Meeting: "88001", Name: "Phòng 5"}, got)
	c := decode[api.Call](t, w)
	assert.Equal(t, "new", c.ID)
	assert.Equal(t, "ringing", c.State)
	assert.Nil(t, c.AnsweredAt)
	assert.NotNil(t, c.Media, "an empty list, not null")
}

func TestBadRequests(t *testing.T) {
	a := newAPI(t, &fake{})
	for _, tc := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/v1/calls", `{"meeting":"88001"}`, 422},
		{"POST", "/api/v1/calls", `{"target":"x","meeting":"88001","extra":1}`, 422},
		{"POST", "/api/v1/calls", `{`, 400},
		{"POST", "/api/v1/calls", `{"target":"` + string(bytes.Repeat([]byte("x"), 70<<10)) + `","meeting":"m"}`, 413},
		{"POST", "/api/v1/meetings", `{"alias":"a","guest_pin":"12a4"}`, 422},
		{"POST", "/api/v1/meetings", `{"alias":"a","layout":"mosaic"}`, 422},
		{"POST", "/api/v1/meetings", `{"alias":"a","max_seconds":-1}`, 422},
		{"GET", "/api/v1/calls?limit=0", "", 422},
		{"GET", "/api/v1/calls?cursor=***", "", 422},
		{"GET", "/api/v1/calls/none", "", 404},
		{"GET", "/api/v1/nothing", "", 404},
		{"PUT", "/api/v1/calls", "", 405},
	} {
		w := ask(a, tc.method, tc.path, tc.body, withKey)
		assert.Equal(t, tc.status, w.Code, "%s %s: %s", tc.method, tc.path, w.Body)
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), tc.path)
	}
}

func TestCommandsOnCalls(t *testing.T) {
	var did []string
	known := func(id string) error {
		if id != "c1" {
			return gateway.ErrNoCall
		}
		return nil
	}
	f := &fake{
		hangup: func(id string, code call.CauseCode) error {
			did = append(did, "hangup "+id+" "+string(code))
			return known(id)
		},
		move: func(id, target string) error {
			if id != "c1" {
				return gateway.ErrNoCall
			}
			did = append(did, "transfer "+id+" "+target)
			return nil
		},
		arrange: func(id, kind, pinned string) error {
			did = append(did, "layout "+id+" "+kind+" "+pinned)
			return nil
		},
		chat: func(id string) error {
			did = append(did, "chat "+id)
			if id == "c2" {
				return gateway.ErrNoChat
			}
			return nil
		},
		mute: func(id string, muted bool) error {
			did = append(did, map[bool]string{true: "mute ", false: "unmute "}[muted]+id)
			return known(id)
		},
	}
	a := newAPI(t, f)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/calls/c1/mute", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/calls/c1/unmute", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "DELETE", "/api/v1/calls/c1", "", withKey).Code)
	assert.Equal(t, http.StatusNotFound, ask(a, "DELETE", "/api/v1/calls/c2", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/calls/c1/transfer", `{"target":"88002"}`, withKey).Code)
	assert.Equal(t, http.StatusNotFound, ask(a, "POST", "/api/v1/calls/c9/transfer", `{"target":"88002"}`, withKey).Code)
	assert.Equal(t, http.StatusUnprocessableEntity, ask(a, "POST", "/api/v1/calls/c1/transfer", `{}`, withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/calls/c1/layout", `{"layout":"3x3","pinned":"web-1"}`, withKey).Code)
	assert.Equal(t, http.StatusUnprocessableEntity, ask(a, "POST", "/api/v1/calls/c1/layout", `{"layout":"9x9"}`, withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/calls/c1/chat", "", withKey).Code)
	assert.Equal(t, http.StatusConflict, ask(a, "POST", "/api/v1/calls/c2/chat", "", withKey).Code)
	assert.Equal(t, []string{"mute c1", "unmute c1", "hangup c1 removed", "hangup c2 removed", "transfer c1 88002", "layout c1 3x3 web-1", "chat c1", "chat c2"}, did)
}

func TestMeetings(t *testing.T) {
	var spec gateway.MeetingSpec
	f := &fake{
		create: func(s gateway.MeetingSpec) (gateway.Meeting, error) {
			spec = s
			if s.Alias == "taken" {
				return gateway.Meeting{}, gateway.ErrMeetingExists
			}
			return gateway.Meeting{MeetingSpec: s, Created: now}, nil
		},
		del: func(alias string) error { return nil },
	}
	a := newAPI(t, f)
	w := ask(a, "POST", "/api/v1/meetings", `{"alias":"88001","name":"Giao ban","host_pin":"","guest_pin":"1234","layout":"grid","lobby":false,"max_legs":0,"encryption":"prefer"}`, withKey)
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	assert.Equal(t, gateway.MeetingSpec{Alias: "88001", Name: "Giao ban", GuestPIN: "1234", Layout: "grid", Encryption: "prefer"}, spec)
	assert.NotContains(t, w.Body.String(), "1234", "PINs are not shown")
	m := decode[api.Meeting](t, w)
	assert.True(t, m.HasGuestPIN)
	assert.False(t, m.HasHostPIN)
	assert.Equal(t, http.StatusConflict, ask(a, "POST", "/api/v1/meetings", `{"alias":"taken"}`, withKey).Code)
	assert.Equal(t, http.StatusNotFound, ask(a, "GET", "/api/v1/meetings/none", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "DELETE", "/api/v1/meetings/88001", "", withKey).Code)
}

func TestPages(t *testing.T) {
	f := &fake{}
	for _, alias := range []string{"d", "b", "a", "e", "c"} {
		f.meetings = append(f.meetings, gateway.Meeting{MeetingSpec: gateway.MeetingSpec{Alias: alias}})
	}
	a := newAPI(t, f)
	type page struct {
		Meetings   []api.Meeting `json:"meetings"`
		NextCursor string        `json:"next_cursor"`
	}
	var seen []string
	cursor := ""
	for range 10 {
		w := ask(a, "GET", "/api/v1/meetings?limit=2&cursor="+url.QueryEscape(cursor), "", withKey)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		p := decode[page](t, w)
		for _, m := range p.Meetings {
			seen = append(seen, m.Alias)
		}
		if len(seen) == 2 { // somebody goes and somebody comes between two pages
			f.meetings = append(f.meetings[1:], gateway.Meeting{MeetingSpec: gateway.MeetingSpec{Alias: "bb"}})
		}
		if cursor = p.NextCursor; cursor == "" {
			break
		}
	}
	assert.Equal(t, []string{"a", "b", "bb", "c", "e"}, seen)
	w := ask(newAPI(t, &fake{}), "GET", "/api/v1/meetings", "", withKey)
	assert.JSONEq(t, `{"meetings":[]}`, w.Body.String())
}

func TestParticipants(t *testing.T) {
	var did []string
	f := &fake{
		meetings: []gateway.Meeting{{MeetingSpec: gateway.MeetingSpec{Alias: "88001"}}},
		rows: []gateway.Participant{
			{Participant: call.Participant{Identity: "web-1", Name: "An", Tracks: []call.ParticipantTrack{{ID: "TR_1", Role: "audio", Muted: true}}}, Muted: true},
			{Participant: call.Participant{Identity: "leg-1", Name: "Phòng 1", Kind: call.Terminal}, CallID: "1", Speaking: true},
		},
		muteBy: func(alias, identity string, muted bool) error {
			did = append(did, alias+" "+identity+" "+map[bool]string{true: "muted", false: "unmuted"}[muted])
			return nil
		},
		remove: func(alias, identity string) error { return gateway.ErrNoParticipant },
	}
	a := newAPI(t, f)
	w := ask(a, "GET", "/api/v1/meetings/88001/participants", "", withKey)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.JSONEq(t, `{"participants":[
		{"identity":"leg-1","name":"Phòng 1","kind":"terminal","call_id":"1","speaking":true,"muted":false,"tracks":[]},
		{"identity":"web-1","name":"An","kind":"browser","speaking":false,"muted":true,"tracks":[{"id":"TR_1","kind":"audio","muted":true}]}]}`, w.Body.String())
	assert.Equal(t, http.StatusNotFound, ask(a, "GET", "/api/v1/meetings/none/participants", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/meetings/88001/participants/web-1/mute", "", withKey).Code)
	assert.Equal(t, http.StatusNoContent, ask(a, "POST", "/api/v1/meetings/88001/participants/web-1/unmute", "", withKey).Code)
	assert.Equal(t, http.StatusNotFound, ask(a, "DELETE", "/api/v1/meetings/88001/participants/web-9", "", withKey).Code)
	assert.Equal(t, []string{"88001 web-1 muted", "88001 web-1 unmuted"}, did)
}

func TestStatusAndRegistrations(t *testing.T) {
	f := &fake{
		status: gateway.Status{Version: "1.2.3", Started: now.Add(-time.Hour), Calls: 3, Meetings: 2, MaxCalls: 100, SFU: "up", Video: "up", Refused: 1, Total: 9},
		bindings: []gateway.Registration{{Protocol: call.SIP, Alias: "room1", Contact: "sip:room1@10.0.0.5", Address: "10.0.0.5:5060", Transport: "udp",
			Since: now.Add(-time.Minute), Expires: now.Add(time.Minute)}},
	}
	a := newAPI(t, f, func(c *api.Config) {
		c.Reload = func() api.Reload {
			return api.Reload{At: now, Err: gateway.ErrBadTarget, NeedRestart: []string{"sip.udp"}}
		}
	})
	w := ask(a, "GET", "/api/v1/status", "", withKey)
	require.Equal(t, http.StatusOK, w.Code)
	assert.JSONEq(t, `{"version":"1.2.3","started_at":"2026-11-23T07:30:00Z","uptime_seconds":3600,"draining":false,"calls":3,"max_calls":100,
		"meetings":2,"registrations":1,"calls_total":9,"calls_refused":1,"sfu":"up","video":"up",
		"config":{"reloaded_at":"2026-11-23T08:30:00Z","error":"the target cannot be called","need_restart":["sip.udp"]}}`, w.Body.String())
	w = ask(a, "GET", "/api/v1/registrations", "", withKey)
	assert.JSONEq(t, `{"registrations":[{"protocol":"sip","alias":"room1","contact":"sip:room1@10.0.0.5","address":"10.0.0.5:5060","transport":"udp",
		"user_agent":"","product":"","registered_at":"2026-11-23T08:29:00Z","expires_at":"2026-11-23T08:31:00Z"}]}`, w.Body.String())
}
