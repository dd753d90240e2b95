package route_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/gateway/route"
)

// at is a moment in Hà Nội.
func at(text string) func() time.Time {
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t.UTC() }
}

func TestConditions(t *testing.T) {
	const monday, sunday = "2026-11-23", "2026-11-22"
	office := directory.Window{Days: []time.Weekday{1, 2, 3, 4, 5}, From: "07:30", To: "17:00"}
	night := directory.Window{Days: []time.Weekday{0}, From: "22:00", To: "06:00"}
	from := func(address string) call.Info {
		return call.Info{Called: "1", Remote: call.Remote{Address: netip.MustParseAddrPort(address)}}
	}
	for _, tc := range []struct {
		name string
		rule route.Rule
		info call.Info
		now  string
		want bool
	}{
		{"source", route.Rule{Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, from("10.1.2.3:5060"), "", true},
		{"source, mapped", route.Rule{Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, from("[::ffff:10.1.2.3]:5060"), "", true},
		{"other source", route.Rule{Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, from("11.1.2.3:5060"), "", false},
		{"caller", route.Rule{Caller: "room-.*"}, call.Info{Remote: call.Remote{Alias: "room-a"}}, "", true},
		{"other caller", route.Rule{Caller: "room-.*"}, call.Info{Remote: call.Remote{Alias: "a-room-a"}}, "", false},
		{"any trunk", route.Rule{Trunk: "*"}, call.Info{Remote: call.Remote{Trunk: "vnpt"}}, "", true},
		{"no trunk", route.Rule{Trunk: "*"}, call.Info{}, "", false},
		{"off", route.Rule{Disabled: true}, call.Info{}, "", false},
		{"office hours", route.Rule{Times: []directory.Window{office}}, call.Info{}, monday + " 07:30", true},
		{"before", route.Rule{Times: []directory.Window{office}}, call.Info{}, monday + " 07:29", false},
		{"after", route.Rule{Times: []directory.Window{office}}, call.Info{}, monday + " 17:00", false},
		{"Sunday", route.Rule{Times: []directory.Window{office}}, call.Info{}, sunday + " 09:00", false},
		{"Sunday night", route.Rule{Times: []directory.Window{office, night}}, call.Info{}, sunday + " 23:00", true},
		{"past midnight", route.Rule{Times: []directory.Window{night}}, call.Info{}, monday + " 05:59", true},
		{"Monday night", route.Rule{Times: []directory.Window{night}}, call.Info{}, monday + " 23:00", false},
		{"another zone", route.Rule{Times: []directory.Window{{From: "00:00", To: "01:00", Zone: "UTC"}}}, call.Info{}, monday + " 07:30", true},
		{"number", route.Rule{Number: true, Prefix: "+8424"}, call.Info{Called: "024 3823 1234"}, "", true},
		{"number of elsewhere", route.Rule{Number: true, Prefix: "+8424"}, call.Info{Called: "+12125552368"}, "", false},
		{"no number", route.Rule{Number: true}, call.Info{Called: "room"}, "", false},
	} {
		tc.rule.Reject = call.UserBusy
		now := tc.now
		if now == "" {
			now = monday + " 12:00"
		}
		table, err := route.Compile([]route.Rule{tc.rule}, route.Options{Now: at(now)})
		require.NoError(t, err, tc.name)
		if tc.info.Called == "" {
			tc.info.Called = "1"
		}
		d := table.Decide(tc.info, world{autoCreate: true})
		assert.Equal(t, tc.want, d.Reject == call.UserBusy, "%s: %s", tc.name, d.Why)
		again, steps := table.Explain(tc.info, world{autoCreate: true}, at(now)())
		assert.Equal(t, d, again)
		require.Len(t, steps, 1)
		assert.Equal(t, tc.want, steps[0].Matched)
		assert.NotEmpty(t, steps[0].Why)
	}
}

func TestDestinations(t *testing.T) {
	table, err := route.Compile([]route.Rule{
		{Prefix: "9", Rewrite: "$1"},
		{Pattern: `0(\d{9,10})`, ViaTrunk: "vnpt", Rewrite: "+84$1"},
		{Prefix: "5", ViaTrunk: "pbx"},
		{Prefix: "6", Gatekeeper: "10.0.0.5", Rewrite: "$1"},
		{Prefix: "7", Proxy: "sip:10.0.0.6:5070;transport=tcp"},
		{Pattern: "1800", Lobby: true},
		{Pattern: `([^.]+)\.([^.]+)`, Meeting: "$2-$1"},
		{Pattern: `nothing(x?)`, Rewrite: "$1"},
	}, route.Options{})
	require.NoError(t, err)
	w := world{meetings: map[string]bool{"88001": true, "tinh-hop": true}, registered: map[string]bool{"room-a": true, "+842438231234": true}}
	for called, want := range map[string]route.Decision{
		"02438231234":      {Trunk: "vnpt", Number: "+842438231234", Rule: 2},
		"902438231234":     {Trunk: "vnpt", Number: "+842438231234", Rule: 2},
		"5123":             {Trunk: "pbx", Number: "5123", Rule: 3},
		"6123":             {Endpoint: "h323:123@10.0.0.5", Rule: 4},
		"7123":             {Endpoint: "sip:7123@10.0.0.6:5070", Via: "sip:10.0.0.6:5070;transport=tcp", Rule: 5},
		"1800":             {Lobby: true, Rule: 6},
		"hop.tinh":         {Meeting: "tinh-hop", Rule: 7},
		"nothing":          {Reject: call.UnknownAlias},
		"9room-a":          {Endpoint: "room-a"},
		"988001*12":        {Meeting: "88001", PIN: "12"},
		"88001":            {Meeting: "88001"},
		"88001#1234":       {Meeting: "88001", PIN: "1234"},
		"88001#1234#":      {Meeting: "88001", PIN: "1234"},
		"88001##1234":      {Meeting: "88001", PIN: "1234"},
		"88001#":           {Meeting: "88001"},
		"10.1.2.3##88001":  {Meeting: "88001"},
		"h.vn##88001*1234": {Meeting: "88001", PIN: "1234"},
		"+842438231234":    {Endpoint: "+842438231234"},
		"842438231234":     {Endpoint: "+842438231234"},
		"###":              {Reject: call.UnknownAlias},
	} {
		info := call.Info{Called: called}
		d := table.Decide(info, w)
		again, _ := table.Explain(info, w, time.Now())
		assert.Equal(t, d, again, called)
		d.Why = ""
		assert.Equal(t, want, d, called)
	}
	// Strangers call over a trunk only where the rule names them, or somebody else does.
	stranger := call.Info{Called: "5123", Remote: call.Remote{Alias: "stranger", Address: netip.MustParseAddrPort("10.1.2.3:5060"), Trunk: "telco"}}
	assert.Equal(t, call.Rejected, table.Decide(stranger, w).Reject)
	for _, by := range []route.Rule{{Prefix: "5", ViaTrunk: "pbx", Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, {Prefix: "5", ViaTrunk: "pbx", Trunk: "telco"}} {
		named, err := route.Compile([]route.Rule{by}, route.Options{})
		require.NoError(t, err)
		assert.Equal(t, "pbx", named.Decide(stranger, w).Trunk)
	}
	assert.Equal(t, "pbx", table.Check(route.Decision{Trunk: "pbx", Number: "1"}, stranger, w).Trunk)
	// What is not permitted is refused, whoever decided.
	info := call.Info{Called: "5123", Remote: call.Remote{Alias: "only-meetings"}}
	assert.Equal(t, call.Rejected, table.Decide(info, w).Reject)
	assert.Equal(t, call.Rejected, table.Check(route.Decision{Endpoint: "room-a"}, info, w).Reject)
	assert.Equal(t, route.Decision{Meeting: "88001", Why: "x"}, table.Check(route.Decision{Meeting: "88001", Why: "x"}, info, w))
	assert.Equal(t, call.UnknownAlias, table.Check(route.Decision{Meeting: "1"}, info, w).Reject)
}

// TestIndexLeavesNothingOut compares decisions by the index with those of trying
// every rule.
func TestIndexLeavesNothingOut(t *testing.T) {
	patterns := []string{
		"", "8.*", "88001", "(?:88|99).*", "[0-5]+", `\d{3,5}`, ".*1", "(a|b)?9", "x*", "^8$", "(?i)room.*", "đ.*", "[^8].*", `\+?84\d+`, "(?:)", "8?8?0", "a|8.|", `\b8.*`, "(?s).+",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var rules []route.Rule
		for range 1 + random.IntN(12) {
			r := route.Rule{Pattern: patterns[random.IntN(len(patterns))], Reject: call.UserBusy, Number: random.IntN(8) == 0, Disabled: random.IntN(8) == 0}
			if random.IntN(3) == 0 {
				r.Pattern, r.Prefix = "", []string{"8", "88", "880", "a", "đ"}[random.IntN(5)]
			}
			if random.IntN(4) == 0 {
				r.Reject, r.Rewrite = "", []string{"$0", "8$0", "", "88001", "x"}[random.IntN(5)]
				if r.Rewrite == "" {
					r.Reject = call.Rejected
				}
			}
			rules = append(rules, r)
		}
		table, err := route.Compile(rules, route.Options{})
		require.NoError(t, err)
		for _, called := range []string{"", "8", "88001", "99", "a9", "9", "Room", "đào", "0", "xx", "02438231234", "+842438231234", "123", "zzz1"} {
			d := table.Decide(call.Info{Called: called}, world{})
			want, _ := table.Explain(call.Info{Called: called}, world{}, time.Now())
			require.Equal(t, want, d, "%q by %+v", called, rules)
		}
	}
}

// plan is a dial plan of a thousand rules of all sorts.
func plan(tb testing.TB) *route.Table {
	var rules []route.Rule
	for i := range 400 {
		rules = append(rules, route.Rule{Prefix: fmt.Sprintf("77%03d", i), Meeting: "m-$1"})
	}
	for i := range 300 { // no letters to find them by
		rules = append(rules, route.Rule{Pattern: fmt.Sprintf(`(?:\+84|0)%d(\d{7})`, 200+i), ViaTrunk: "vnpt"})
	}
	for i := range 200 {
		rules = append(rules, route.Rule{Pattern: `\d+`, Sources: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(i), 0}), 24)}, Lobby: true})
	}
	for i := range 100 {
		rules = append(rules, route.Rule{Number: true, Prefix: fmt.Sprintf("+84%d", 900+i), Caller: "nobody", Reject: call.Rejected})
	}
	table, err := route.Compile(rules, route.Options{})
	require.NoError(tb, err)
	return table
}

func BenchmarkDecide(b *testing.B) {
	table := plan(b)
	w := world{registered: map[string]bool{}}
	for i := range 100_000 {
		w.registered[fmt.Sprintf("room-%d", i)] = true
	}
	for name, called := range map[string]string{
		"prefix": "77399123", "pattern": "04991234567", "number": "0999123456", "terminal": "room-99999", "nothing": "zzz",
	} {
		b.Run(name, func(b *testing.B) {
			info := call.Info{Called: called, Protocol: call.SIP, Remote: call.Remote{Alias: "room-1", Address: netip.MustParseAddrPort("10.1.2.3:5060")}}
			for b.Loop() {
				table.Decide(info, w)
			}
		})
	}
}
