package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway answers by "METHOD path?query" and notes what it is asked.
type gateway struct {
	*httptest.Server
	answers map[string]string
	asked   []string
	header  http.Header
}

func newGateway(t *testing.T, answers map[string]string) (*gateway, *client.Client) {
	t.Helper()
	g := &gateway{answers: answers}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request := r.Method + " " + r.URL.RequestURI()
		g.asked = append(g.asked, strings.TrimSpace(request+" "+string(body)))
		g.header = r.Header.Clone()
		answer, ok := g.answers[request]
		switch {
		case !ok:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"type":"` + client.ProblemPIN + `","title":"Forbidden","status":403,"detail":"wrong or missing PIN"}`))
		case answer == "":
			w.WriteHeader(http.StatusNoContent)
		default:
			_, _ = w.Write([]byte(answer))
		}
	}))
	t.Cleanup(g.Close)
	return g, client.New(g.URL+"/", "key", g.Client())
}

func TestLists(t *testing.T) {
	calls, err := os.ReadFile("../api/testdata/calls.json")
	require.NoError(t, err)
	g, c := newGateway(t, map[string]string{
		"GET /api/v1/calls?limit=1000":                       string(calls),
		"GET /api/v1/meetings?limit=1000":                    `{"meetings":[{"alias":"a"}],"next_cursor":"YQ"}`,
		"GET /api/v1/meetings?cursor=YQ&limit=1000":          `{"meetings":[{"alias":"b"}]}`,
		"GET /api/v1/registrations?limit=1000":               `{"registrations":[]}`,
		"GET /api/v1/meetings/a%2Fb/participants?limit=1000": `{"participants":[{"identity":"web-1"}]}`,
	})
	all, err := c.Calls(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "Phòng họp 1", all[0].Remote.Name)
	assert.Equal(t, "media-timeout", all[1].Cause.Code)
	assert.Equal(t, "Bearer key", g.header.Get("Authorization"))

	meetings, err := c.Meetings(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []client.Meeting{{Alias: "a"}, {Alias: "b"}}, meetings)
	registrations, err := c.Registrations(t.Context())
	require.NoError(t, err)
	assert.Empty(t, registrations)
	people, err := c.Participants(t.Context(), "a/b")
	require.NoError(t, err)
	assert.Equal(t, "web-1", people[0].Identity)
}

func TestCommands(t *testing.T) {
	g, c := newGateway(t, map[string]string{
		"POST /api/v1/calls":                                  `{"id":"c1","state":"ringing"}`,
		"GET /api/v1/calls/c1":                                `{"id":"c1"}`,
		"DELETE /api/v1/calls/c1":                             "",
		"POST /api/v1/calls/c1/mute":                          "",
		"POST /api/v1/calls/c1/unmute":                        "",
		"POST /api/v1/calls/c1/transfer":                      "",
		"POST /api/v1/meetings":                               `{"alias":"88001"}`,
		"GET /api/v1/meetings/88001":                          `{"alias":"88001"}`,
		"DELETE /api/v1/meetings/88001":                       "",
		"POST /api/v1/meetings/88001/participants/web-1/mute": "",
		"DELETE /api/v1/meetings/88001/participants/web-1":    "",
		"POST /api/v1/meetings/88001/tokens":                  `{"url":"wss://gw","token":"jwt"}`,
		"GET /api/v1/status":                                  `{"sfu":"up"}`,
		"POST /api/v1/calls/c1/chat":                          "",
	})
	ctx := t.Context()
	call, err := c.Dial(ctx, client.DialRequest{Target: "sip:a@b", Meeting: "88001"})
	require.NoError(t, err)
	assert.Equal(t, "ringing", call.State)
	_, err = c.Call(ctx, "c1")
	require.NoError(t, err)
	token, err := c.Token(ctx, "88001", client.TokenRequest{Name: "An"})
	require.NoError(t, err)
	assert.Equal(t, client.Token{URL: "wss://gw", Token: "jwt"}, token)
	status, err := c.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, "up", status.SFU)
	_, err = c.CreateMeeting(ctx, client.MeetingRequest{Alias: "88001", GuestPIN: "1234"})
	require.NoError(t, err)
	_, err = c.Meeting(ctx, "88001")
	require.NoError(t, err)
	for _, err := range []error{
		c.MuteCall(ctx, "c1", true), c.MuteCall(ctx, "c1", false), c.ShowChat(ctx, "c1"), c.Transfer(ctx, "c1", "88002"), c.Hangup(ctx, "c1"),
		c.MuteParticipant(ctx, "88001", "web-1", true), c.RemoveParticipant(ctx, "88001", "web-1"), c.DeleteMeeting(ctx, "88001"),
	} {
		assert.NoError(t, err)
	}
	assert.Contains(t, g.asked, `POST /api/v1/calls {"target":"sip:a@b","meeting":"88001"}`)
	assert.Contains(t, g.asked, `POST /api/v1/meetings {"alias":"88001","guest_pin":"1234"}`)

	_, err = c.Meeting(ctx, "other")
	var problem *client.Problem
	require.True(t, errors.As(err, &problem))
	assert.Equal(t, client.ProblemPIN, problem.Type)
	assert.Equal(t, http.StatusForbidden, problem.Status)
}

func TestFollow(t *testing.T) {
	g, c := newGateway(t, map[string]string{
		"GET /api/v1/events?meeting=88001": ": roomgate\n\nid: 5-1\nevent: call.started\ndata: {\"type\":\"call.started\",\"call\":{\"id\":\"c1\"}}\n\n" +
			": \n\nevent: gap\ndata: {\"type\":\"gap\"}\n\nid: 5-9\nevent: call.ended\ndata: {\"type\":\"call.ended\"}\n\n",
	})
	var got []string
	err := c.Follow(t.Context(), "5-0", "88001", func(e client.Event) error {
		got = append(got, e.ID+" "+e.Type)
		return nil
	})
	assert.ErrorIs(t, err, io.EOF)
	assert.Equal(t, []string{"5-1 call.started", " gap", "5-9 call.ended"}, got)
	assert.Equal(t, "5-0", g.header.Get("Last-Event-ID"))

	enough := errors.New("enough")
	assert.ErrorIs(t, c.Follow(t.Context(), "", "88001", func(client.Event) error { return enough }), enough)
}

// TestShapes compares our types with those of the API, field by field.
func TestShapes(t *testing.T) {
	for ours, theirs := range map[any]any{
		&client.MeetingRequest{}: &api.MeetingRequest{}, &client.Meeting{}: &api.Meeting{}, &client.MeetingChange{}: &api.MeetingChange{},
		client.Schedule{}: api.Schedule{}, client.Held{}: api.Held{}, client.Invitee{}: api.Invitee{},
		client.Waiting{}:        api.Waiting{},
		&client.InviteRequest{}: &api.InviteRequest{}, &client.MoveRequest{}: &api.MoveRequest{},
		&client.CodeRequest{}: &api.CodeRequest{}, &client.Code{}: &api.Code{}, &client.NewCode{}: &api.NewCode{},
		client.TokenRequest{}: api.TokenRequest{}, client.Token{}: api.Token{},
		client.DialRequest{}: api.DialRequest{}, client.Remote{}: api.Remote{}, client.Media{}: api.Media{},
		client.Cause{}: api.Cause{}, client.Registration{}: api.Registration{},
		&client.Call{}: &api.Call{}, &client.Participant{}: &api.Participant{}, &client.Event{}: &api.Event{},
		&client.Status{}: &api.Status{}, &client.EndpointRequest{}: &api.EndpointRequest{}, &client.Endpoint{}: &api.Endpoint{},
		&client.Import{}: &api.Import{}, &client.ImportChange{}: &api.ImportChange{}, &client.ImportField{}: &api.ImportField{}, &client.ImportError{}: &api.ImportError{},
		&client.Window{}: &api.Window{}, &client.RouteTest{}: &api.RouteTest{}, &client.RouteResult{}: &api.RouteResult{}, &client.RouteStep{}: &api.RouteStep{},
		&client.WebhookRequest{}: &api.WebhookRequest{}, &client.Webhook{}: &api.Webhook{}, &client.DeadLetter{}: &api.DeadLetter{}, &client.Entry{}: &api.Entry{},
		&client.Sync{}: &api.Sync{}, &client.SyncChange{}: &api.SyncChange{}, &client.SyncFault{}: &api.SyncFault{}, &client.SyncField{}: &api.SyncField{},
		&client.APIKeyRequest{}: &api.APIKeyRequest{}, &client.APIKey{}: &api.APIKey{}, &client.NewAPIKey{}: &api.NewAPIKey{},
		&client.CameraRequest{}: &api.CameraRequest{}, &client.CameraAbilities{}: &api.CameraAbilities{},
		&client.Record{}: &api.Record{}, &client.Medium{}: &api.Medium{}, &client.Usage{}: &api.Usage{}, &client.DialRule{}: &api.DialRule{},
		&client.TrunkTarget{}: &api.TrunkTarget{}, &client.TrunkRequest{}: &api.TrunkRequest{}, &client.Trunk{}: &api.Trunk{}, &client.TrunkTargetState{}: &api.TrunkTargetState{},
		&client.TrunkRegistration{}: &api.TrunkRegistration{}, &client.TrunkDay{}: &api.TrunkDay{}, &client.TrunkRefusal{}: &api.TrunkRefusal{}, &client.TrunkCount{}: &api.TrunkCount{}, &client.TrunkState{}: &api.TrunkState{},
	} {
		want := keys(theirs)
		for _, later := range []string{"tracks", "config"} { // not in the client
			want = slices.DeleteFunc(want, func(k string) bool { return k == later })
		}
		assert.Equal(t, want, keys(ours), "%T", ours)
	}
}

func keys(v any) []string {
	typ := reflect.TypeOf(v)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var names []string
	for i := range typ.NumField() {
		if typ.Field(i).Anonymous {
			names = append(names, keys(reflect.New(typ.Field(i).Type).Interface())...)
			continue
		}
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func ExampleClient_ImportEndpoints() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(w).Encode(client.Import{DryRun: r.FormValue("dry_run") == "true", Errors: []client.ImportError{{Row: 3, Column: "e164", Text: `"x" is no e164 alias`}}})
	}))
	defer server.Close()
	c := client.New(server.URL, "rg_key", server.Client())
	result, err := c.ImportEndpoints(context.Background(), strings.NewReader("name,e164\nRoom A,1001\nRoom B,x\n"), true)
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range result.Errors {
		fmt.Printf("row %d, %s: %s\n", e.Row, e.Column, e.Text)
	}
	// Output: row 3, e164: "x" is no e164 alias
}

func ExampleClient_TestDialRules() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(client.RouteResult{Destination: "trunk", Trunk: "vnpt", Number: "+842438231234", Rule: 2, Why: "dial rule 2, city calls"})
	}))
	defer server.Close()
	c := client.New(server.URL, "rg_key", server.Client())
	result, err := c.TestDialRules(context.Background(), client.RouteTest{Called: "024 3823 1234", Caller: "room-a"})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(result.Destination, result.Number, "-", result.Why)
	// Output: trunk +842438231234 - dial rule 2, city calls
}

func ExampleClient_Dial() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(client.Call{ID: "c1", State: "ringing"})
	}))
	defer server.Close()

	gw := client.New(server.URL, "rg_...", server.Client())
	call, err := gw.Dial(context.Background(), client.DialRequest{Target: "sip:room@10.0.0.5", Meeting: "88001"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.ID, call.State)
	// Output: c1 ringing
}

func ExampleClient_TrunkStates() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"trunks":[{"name":"vnpt","calls_out":2,"today":{"calls":41,"max_calls":500},"targets":[{"address":"192.0.2.7:5060","state":"up"}]}]}`))
	}))
	defer server.Close()
	states, err := client.New(server.URL, "rg_key", server.Client()).TrunkStates(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	for _, s := range states {
		fmt.Printf("%s: %d of %d calls today, %s is %s\n", s.Name, s.Today.Calls, s.Today.MaxCalls, s.Targets[0].Address, s.Targets[0].State)
	}
	// Output: vnpt: 41 of 500 calls today, 192.0.2.7:5060 is up
}
