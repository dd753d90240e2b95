package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/gateway"
)

func TestModeration(t *testing.T) {
	var dialled []gateway.DialRequest
	f := &fake{
		meetings: []gateway.Meeting{
			{MeetingSpec: gateway.MeetingSpec{Alias: "88001", Agency: "UBND"}},
			{MeetingSpec: gateway.MeetingSpec{Alias: "88002", Agency: "UBND"}},
			{MeetingSpec: gateway.MeetingSpec{Alias: "88003", Agency: "Sở Y tế"}},
		},
		dial: func(r gateway.DialRequest) (gateway.Call, error) {
			dialled = append(dialled, r)
			return gateway.Call{Info: call.Info{ID: "c1"}}, nil
		},
	}
	s := serveDirectory(t, f)
	const who = "/meetings/88001/participants"
	s.do(204, "PATCH", who+"/web-1", `{"name":"Lan"}`)
	s.do(204, "POST", who+"/web-1/move", `{"meeting":"88003"}`)
	s.do(204, "POST", who+"/web-1/move", `{"meeting":"88003","role":"host"}`)
	s.do(204, "POST", who+"/leg-1/spotlight", "")
	s.do(204, "POST", who+"/leg-1/unspotlight", "")
	assert.Equal(t, []string{
		"rename 88001 web-1 Lan", "move 88001 web-1 88003 guest", "move 88001 web-1 88003 host", "spotlight 88001 leg-1 true", "spotlight 88001 leg-1 false",
	}, f.asked)
	s.do(422, "PATCH", who+"/web-1", `{"name":""}`)
	s.do(422, "POST", who+"/web-1/move", `{}`)
	for err, status := range map[error]int{gateway.ErrNoParticipant: 404, gateway.ErrElsewhere: 409, gateway.ErrBadTarget: 422} {
		f.fails = err
		s.do(status, "POST", who+"/web-1/move", `{"meeting":"88002"}`)
	}
	f.fails = nil

	s.do(201, "POST", who, `{"target":"tel:+84912345678","name":"An","digits":",,1#"}`)
	assert.Equal(t, []gateway.DialRequest{{Target: "tel:+84912345678", Meeting: "88001", Name: "An", Digits: ",,1#"}}, dialled)

	// Keys of an agency stay within it.
	s.do(201, "POST", "/endpoints", roomA)
	agency := s.key(`"meetings","calls"`, "UBND")
	s.do(204, "POST", who+"/web-1/move", `{"meeting":"88002"}`, agency)
	s.do(404, "POST", who+"/web-1/move", `{"meeting":"88003"}`, agency)
	s.do(201, "POST", who, `{"target":"+842438231234"}`, agency)
	s.do(403, "POST", who, `{"target":"tel:+84912345678"}`, agency)
	s.do(403, "POST", who, `{"target":"+842438231234"}`, s.key(`"meetings"`, ""))
	s.do(403, "POST", "/meetings/88003/participants/web-1/move", `{"meeting":"88003"}`, s.key(`"read"`, "Sở Y tế"))
}

// Whom a meeting calls when it starts is called as well.
func TestWhoNamesInvitees(t *testing.T) {
	f := &fake{
		meetings: []gateway.Meeting{{MeetingSpec: gateway.MeetingSpec{Alias: "88001", Agency: "UBND"}}},
		create:   func(s gateway.MeetingSpec) (gateway.Meeting, error) { return gateway.Meeting{MeetingSpec: s}, nil },
	}
	s := serveDirectory(t, f)
	s.do(201, "POST", "/endpoints", roomA)
	for _, tc := range []struct {
		scopes, agency, target string
		made                   bool
	}{
		{`"meetings"`, "", "tel:+84912345678", false},
		{`"meetings","calls"`, "", "tel:+84912345678", true},
		{`"meetings","calls"`, "UBND", "tel:+84912345678", false},
		{`"meetings","calls"`, "UBND", "room-a", true},
		{`"meetings","calls"`, "Sở Y tế", "room-a", false},
	} {
		key := s.key(tc.scopes, tc.agency)
		invitees := `"invitees":[{"target":"` + tc.target + `"}]`
		status := map[bool]int{true: 201, false: 403}[tc.made]
		s.do(status, "POST", "/meetings", `{"alias":"88002",`+invitees+`}`, key)
		if tc.agency != "Sở Y tế" {
			status = map[bool]int{true: 200, false: 403}[tc.made]
			s.do(status, "PATCH", "/meetings/88001", `{`+invitees+`}`, key)
		}
	}
	s.do(201, "POST", "/meetings", `{"alias":"88002"}`, s.key(`"meetings"`, "UBND"))
}
