package route_test

import (
	"strings"
	"testing"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/route"
)

type world struct {
	meetings   map[string]bool
	registered map[string]bool
	autoCreate bool
}

func (w world) MeetingExists(alias string) bool    { return w.meetings[alias] }
func (w world) MayCreateMeeting(alias string) bool { return w.autoCreate }
func (w world) TerminalExists(alias string) bool   { return w.registered[alias] }
func (w world) Stranger(info call.Info) bool       { return info.Remote.Alias == "stranger" }

func (w world) Permitted(info call.Info, what directory.Permission) bool {
	return info.Remote.Alias != "only-"+string(directory.MayMeet) || what == directory.MayMeet
}

func TestDecide(t *testing.T) {
	table, err := route.Compile([]route.Rule{
		{Pattern: `9(\d{4})`, Meeting: "room-$1"},
		{Pattern: `\+?84(\d+)`, Trunk: "vnpt", Meeting: "88001"},
		{Pattern: `7\d+`, Protocol: call.H323, Endpoint: "h323:$0@10.0.0.9"},
		{Pattern: `0900.*`, Reject: call.Rejected},
		{Pattern: `1900`, Lobby: true, Language: "vi"},
	}, route.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table.Lobby = route.Lobby{Aliases: []string{"lobby", "demo2"}, Trunks: []string{"pstn"}}
	closed := world{
		meetings:   map[string]bool{"room-1234": true, "88001": true, "demo": true},
		registered: map[string]bool{"room-a": true, "demo": true},
	}
	open := closed
	open.autoCreate = true
	for _, tc := range []struct {
		name string
		info call.Info
		w    world
		want route.Decision
	}{
		{"meeting by alias", call.Info{Called: "demo"}, closed, route.Decision{Meeting: "demo"}},
		{"terminal by alias", call.Info{Called: "room-a"}, closed, route.Decision{Endpoint: "room-a"}},
		{"unknown", call.Info{Called: "nobody"}, closed, route.Decision{Reject: call.UnknownAlias}},
		{"on demand", call.Info{Called: "nobody"}, open, route.Decision{Meeting: "nobody", Create: true}},
		{"pattern group", call.Info{Called: "91234"}, closed, route.Decision{Meeting: "room-1234", Rule: 1}},
		{"pattern to a meeting that is not there", call.Info{Called: "99999"}, closed, route.Decision{Reject: call.UnknownAlias, Rule: 1}},
		{"the pattern matches the whole alias", call.Info{Called: "912345"}, closed, route.Decision{Reject: call.UnknownAlias}},
		{"trunk rule", call.Info{Called: "+84243", Remote: call.Remote{Trunk: "vnpt"}}, closed, route.Decision{Meeting: "88001", Rule: 2}},
		{"trunk rule from elsewhere", call.Info{Called: "+84243"}, closed, route.Decision{Reject: call.UnknownAlias}},
		{"protocol rule", call.Info{Called: "712", Protocol: call.H323}, closed, route.Decision{Endpoint: "h323:712@10.0.0.9", Rule: 3}},
		{"reject rule", call.Info{Called: "0900123"}, open, route.Decision{Reject: call.Rejected, Rule: 4}},
		{"alias with PIN", call.Info{Called: "demo*4711"}, closed, route.Decision{Meeting: "demo", PIN: "4711"}},
		{"alias with PIN, other form", call.Info{Called: "demo#4711"}, open, route.Decision{Meeting: "demo", PIN: "4711", Create: true}},
		{"lobby by alias", call.Info{Called: "lobby"}, open, route.Decision{Lobby: true}},
		{"lobby by rule", call.Info{Called: "1900"}, closed, route.Decision{Lobby: true, Language: "vi", Rule: 5}},
		{"unknown from a trunk with lobby", call.Info{Called: "0241", Remote: call.Remote{Trunk: "pstn"}}, closed, route.Decision{Lobby: true}},
		{"nothing from a trunk with lobby", call.Info{Remote: call.Remote{Trunk: "pstn"}}, closed, route.Decision{Lobby: true}},
		{"rule to nothing from a trunk with lobby", call.Info{Called: "99999", Remote: call.Remote{Trunk: "pstn"}}, closed, route.Decision{Lobby: true, Rule: 1}},
		{"refused from a trunk with lobby", call.Info{Called: "0900", Remote: call.Remote{Trunk: "pstn"}}, closed, route.Decision{Reject: call.Rejected, Rule: 4}},
		{"unknown from another trunk", call.Info{Called: "0241", Remote: call.Remote{Trunk: "vnpt"}}, closed, route.Decision{Reject: call.UnknownAlias}},
		{"empty", call.Info{}, open, route.Decision{Reject: call.UnknownAlias}},
	} {
		got := table.Decide(tc.info, tc.w)
		if got.Why == "" {
			t.Errorf("%s: no reason given", tc.name)
		}
		got.Why = ""
		if got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestCompileNamesTheRule(t *testing.T) {
	for _, tc := range []struct {
		rules []route.Rule
		want  string
	}{
		{[]route.Rule{{Pattern: "a", Meeting: "m"}, {Pattern: "(", Meeting: "m"}}, "dial rule 2: pattern"},
		{[]route.Rule{{Pattern: "a"}}, "dial rule 1: exactly one"},
		{[]route.Rule{{Pattern: "a", Meeting: "m", Reject: call.Rejected}}, "dial rule 1: exactly one"},
		{[]route.Rule{{Pattern: "a", Meeting: "m", Lobby: true}}, "dial rule 1: exactly one"},
	} {
		_, err := route.Compile(tc.rules, route.Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: error %v, want %q", tc.rules, err, tc.want)
		}
	}
}
