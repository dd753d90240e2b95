package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/roomgate/roomgate/api"
	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/record"
	"github.com/roomgate/roomgate/directory/seal"
	"github.com/roomgate/roomgate/directory/store"
	"github.com/roomgate/roomgate/directory/usage"
	"github.com/roomgate/roomgate/gateway"
	"github.com/roomgate/roomgate/gateway/route"
	"github.com/roomgate/roomgate/gateway/trunk"
)

// withDirectory gives an API an empty directory.
func withDirectory(t *testing.T) func(*api.Config) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	keys, err := seal.Parse(seal.NewKey())
	require.NoError(t, err)
	d, err := directory.Open(t.Context(), directory.Config{DB: db, Keys: keys, Now: func() time.Time { return now }})
	require.NoError(t, err)
	guard := trunk.New(trunk.Config{Trunks: d.Trunks, Usage: usage.Book{DB: db}, Now: func() time.Time { return now }, Log: zap.NewNop()})
	lines := func() []api.TrunkLine {
		return []api.TrunkLine{{Trunk: "vnpt", Targets: []api.TrunkTargetState{{Address: "192.0.2.7:5060", State: "down", Error: "no answer"}}, Registration: &api.TrunkRegistration{State: "registered"}}}
	}
	return func(c *api.Config) { c.Directory, c.Trunks, c.TrunkLines = d, guard, lines }
}

// served is an API with a directory.
type served struct {
	t *testing.T
	*api.API
	d       *directory.Directory
	revived []string
}

func serveDirectory(t *testing.T, f *fake, change ...func(*api.Config)) *served {
	s := &served{t: t}
	s.API = newAPI(t, f, withDirectory(t), func(c *api.Config) {
		s.d = c.Directory
		for _, f := range change {
			f(c)
		}
		c.Revive = func(_ context.Context, id string) error {
			s.revived = append(s.revived, id)
			return nil
		}
	})
	return s
}

// do asks, and wants a status.
func (s *served) do(status int, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	s.t.Helper()
	if len(change) == 0 {
		change = append(change, withKey)
	}
	w := ask(s, method, "/api/v1"+path, body, change...)
	require.Equal(s.t, status, w.Code, "%s %s: %s", method, path, w.Body)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func bearer(key string) func(*http.Request) { return header("Authorization", "Bearer "+key) }

// key makes an API key.
func (s *served) key(scopes, agency string) func(*http.Request) {
	s.t.Helper()
	w := s.do(201, "POST", "/api-keys", fmt.Sprintf(`{"name":"test","scopes":[%s],"agency":%q}`, scopes, agency))
	return bearer(decode[api.NewAPIKey](s.t, w).Key)
}

const roomA = `{"name":"Phòng họp A","agency":"UBND","aliases":[{"kind":"e164","value":"+84 24 3823 1234"}],"username":"room-a","password":"s3cret","permissions":["meetings"]}`

func TestEndpoints(t *testing.T) {
	s := serveDirectory(t, &fake{})
	w := s.do(201, "POST", "/endpoints", roomA)
	made := decode[api.Endpoint](t, w)
	assert.Equal(t, []api.Alias{{"e164", "+842438231234"}}, made.Aliases)
	assert.True(t, made.HasPassword)
	assert.NotContains(t, w.Body.String(), "s3cret")
	tag := w.Header().Get("ETag")
	require.NotEmpty(t, tag)

	w = s.do(409, "POST", "/endpoints", strings.Replace(roomA, "Phòng họp A", "B", 1))
	assert.Contains(t, w.Body.String(), api.ProblemTaken)
	w = s.do(422, "POST", "/endpoints", `{"name":"C","aliases":[{"kind":"e164","value":"12a"}]}`)
	assert.Contains(t, w.Body.String(), "body.aliases[0]")
	s.do(422, "POST", "/endpoints", `{"name":"C","colour":"red"}`)

	path := "/endpoints/" + made.ID
	change := strings.Replace(strings.Replace(roomA, "Phòng họp A", "Phòng lớn", 1), `,"password":"s3cret"`, "", 1)
	w = s.do(200, "PUT", path, change, withKey, header("If-Match", tag))
	assert.Equal(t, "Phòng lớn", decode[api.Endpoint](t, w).Name)
	s.do(412, "PUT", path, change, withKey, header("If-Match", tag))
	s.do(412, "DELETE", path, "", withKey, header("If-Match", tag))
	e, ok := s.d.ByAlias("room-a")
	require.True(t, ok)
	password, err := s.d.Password(e)
	require.NoError(t, err)
	assert.Equal(t, "s3cret", password, "a change without one leaves it")

	list := decode[struct{ Endpoints []api.Endpoint }](t, s.do(200, "GET", "/endpoints?q=phong+lon&limit=5", ""))
	assert.Len(t, list.Endpoints, 1)
	s.do(422, "GET", "/endpoints?cursor=!", "")
	book := decode[struct{ Entries []api.Entry }](t, s.do(200, "GET", "/directory?q=3823", ""))
	require.Len(t, book.Entries, 1)
	assert.Equal(t, []api.Alias{{"sip", "room-a"}, {"e164", "+842438231234"}}, book.Entries[0].Aliases)
	assert.Equal(t, "Phòng lớn", decode[api.Endpoint](t, s.do(200, "GET", path, "")).Name)
	s.do(204, "DELETE", path, "")
	s.do(404, "GET", path, "")
}

func TestTables(t *testing.T) {
	s := serveDirectory(t, &fake{})
	csv := header("Content-Type", "text/csv")
	const table = "name,e164,username,password\nA,1001,a,x\nB,1002,,\n"
	dry := decode[api.Import](t, s.do(200, "POST", "/endpoints/import?dry_run=true", table, withKey, csv))
	assert.Equal(t, 2, dry.Created)
	assert.Zero(t, s.d.Count())
	s.do(200, "POST", "/endpoints/import", table, withKey, csv)
	assert.Equal(t, 2, s.d.Count())
	bad := decode[api.Import](t, s.do(422, "POST", "/endpoints/import", "name,e164\nC,1003\nD,x\n", withKey, csv))
	assert.Equal(t, []api.ImportError{{Row: 3, Column: "e164", Text: `"x" is no e164 alias`}}, bad.Errors)
	assert.Equal(t, 2, s.d.Count(), "all or none")

	w := s.do(200, "GET", "/endpoints/export", "")
	assert.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Contains(t, w.Body.String(), ",1001,,a,,")
	w = s.do(200, "GET", "/endpoints/export?passwords=true", "")
	assert.Contains(t, w.Body.String(), ",1001,,a,x,")
	same := decode[api.Import](t, s.do(200, "POST", "/endpoints/import", w.Body.String(), withKey, csv))
	assert.Equal(t, 2, same.Unchanged)
	s.do(403, "GET", "/endpoints/export?passwords=true", "", s.key(`"directory"`, ""))
}

// A table of some thousand rows is larger than what other requests may send.
func TestLargeTable(t *testing.T) {
	s := serveDirectory(t, &fake{})
	var table strings.Builder
	table.WriteString("name,e164,site\n")
	const rows = 6000
	for i := range rows {
		fmt.Fprintf(&table, "Phòng họp %d,%d,%s\n", i, 100_000+i, strings.Repeat("x", 90))
	}
	require.Greater(t, table.Len(), 600_000)
	for range 2 { // twice with the same key: the second answer is the first
		w := s.do(200, "POST", "/endpoints/import?dry_run=true", table.String(), withKey, header("Content-Type", "text/csv"), header("Idempotency-Key", "large"))
		assert.Equal(t, rows, decode[api.Import](t, w).Created)
	}
	more := table.String() + strings.Repeat("\n", 1<<20)
	w := s.do(200, "POST", "/endpoints/import?dry_run=true", more, withKey, header("Content-Type", "text/csv"))
	assert.Equal(t, rows, decode[api.Import](t, w).Created)
}

func TestDialRulesAndTrunks(t *testing.T) {
	f := &fake{explain: func(info call.Info, at time.Time) (route.Decision, []route.Step) {
		assert.Equal(t, now, at)
		assert.Equal(t, "10.1.2.3", info.Remote.Address.Addr().String())
		return route.Decision{Trunk: "vnpt", Number: "+84" + info.Called[1:], Rule: 1, Why: "dial rule 1"}, []route.Step{{Rule: 1, Matched: true, Why: "matches"}}
	}}
	s := serveDirectory(t, f)
	const rule = `{"position":10,"pattern":"0(\\d{9,10})","via_trunk":"vnpt","rewrite":"+84$1","sources":["10.0.0.0/8","192.0.2.7"],"times":[{"days":[1,2],"from":"07:30","to":"17:00"}]}`
	w := s.do(201, "POST", "/dial-rules", rule)
	made := decode[api.DialRule](t, w)
	assert.Equal(t, []string{"10.0.0.0/8", "192.0.2.7/32"}, made.Sources)
	assert.Equal(t, []api.Window{{Days: []int{1, 2}, From: "07:30", To: "17:00"}}, made.Times)
	s.do(422, "POST", "/dial-rules", `{"position":1,"pattern":"("}`)
	s.do(422, "POST", "/dial-rules", `{"position":1,"prefix":"9","meeting":"a","endpoint":"b"}`)
	s.do(422, "POST", "/dial-rules", `{"position":1,"prefix":"9","meeting":"a","sources":["x"]}`)
	s.do(200, "PUT", "/dial-rules/"+made.ID, strings.Replace(rule, "10,", "20,", 1))
	list := decode[struct {
		Rules []api.DialRule `json:"dial_rules"`
	}](t, s.do(200, "GET", "/dial-rules", ""))
	require.Len(t, list.Rules, 1)
	assert.Equal(t, 20, list.Rules[0].Position)
	result := decode[api.RouteResult](t, s.do(200, "POST", "/dial-rules/test", `{"called":"02438231234","source":"10.1.2.3"}`))
	assert.Equal(t, "trunk", result.Destination)
	assert.Equal(t, "+842438231234", result.Number)
	assert.Len(t, result.Steps, 1)
	s.do(204, "DELETE", "/dial-rules/"+made.ID, "")

	line := decode[api.Trunk](t, s.do(201, "POST", "/trunks", `{"name":"vnpt","networks":["192.0.2.0/24"],"username":"u","password":"s3cret","targets":[{"address":"sbc.vn"}],"allowed":["+84"]}`))
	assert.True(t, line.HasPassword)
	s.do(409, "POST", "/trunks", `{"name":"VNPT"}`)
	s.do(422, "POST", "/trunks", `{"name":"all","networks":["0.0.0.0/0"]}`)
	trunks := decode[struct{ Trunks []api.Trunk }](t, s.do(200, "GET", "/trunks", ""))
	assert.Equal(t, []api.Trunk{line}, trunks.Trunks)
	for _, bad := range []string{`"codecs":["mp3"]`, `"register":true`, `"challenge":true`, `"zone":"Mars/Olympus"`, `"allowed":["x"]`, `"expires":5`, `"probe_seconds":1`, `"prefix":"a"`} {
		s.do(422, "POST", "/trunks", `{"name":"bad",`+bad+`}`)
	}
}

// TestKeyThatAsksTooOften: it is told when it may again; others are not disturbed.
func TestKeyThatAsksTooOften(t *testing.T) {
	at, allowed := now, 60
	s := serveDirectory(t, &fake{}, func(c *api.Config) {
		c.Now = func() time.Time { return at }
		c.KeyRequests = func() int { return allowed }
	})
	busy, other := s.key(`"read"`, ""), s.key(`"read"`, "")
	for range 60 {
		s.do(200, "GET", "/endpoints", "", busy)
	}
	w := s.do(429, "GET", "/endpoints", "", busy)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	s.do(200, "GET", "/endpoints", "", other)
	for range 100 { // the operator's own
		s.do(200, "GET", "/endpoints", "")
	}
	at = at.Add(time.Second)
	s.do(200, "GET", "/endpoints", "", busy)
	s.do(429, "GET", "/endpoints", "", busy)
	allowed = 0 // the configuration was changed
	s.do(200, "GET", "/endpoints", "", busy)
}

func TestKeysAndScopes(t *testing.T) {
	f := &fake{meetings: []gateway.Meeting{{MeetingSpec: gateway.MeetingSpec{Alias: "m1", Agency: "UBND"}}, {MeetingSpec: gateway.MeetingSpec{Alias: "m2", Agency: "Sở Y tế"}}},
		explain: func(call.Info, time.Time) (route.Decision, []route.Step) { return route.Decision{}, nil },
		create:  func(s gateway.MeetingSpec) (gateway.Meeting, error) { return gateway.Meeting{MeetingSpec: s}, nil },
		del:     func(string) error { return nil },
	}
	s := serveDirectory(t, f)
	s.do(201, "POST", "/endpoints", roomA)
	read, change, plan := s.key(`"read"`, ""), s.key(`"directory"`, ""), s.key(`"plan"`, "")
	for _, tc := range []struct {
		status       int
		method, path string
		body         string
		who          func(*http.Request)
	}{
		{200, "GET", "/endpoints", "", read}, {200, "GET", "/status", "", read}, {403, "POST", "/endpoints", roomA, read},
		{200, "POST", "/dial-rules/test", `{"called":"1"}`, read}, {403, "GET", "/api-keys", "", read},
		{409, "POST", "/endpoints", roomA, change}, {403, "POST", "/trunks", `{"name":"x"}`, change}, {201, "POST", "/trunks", `{"name":"x"}`, plan},
		{403, "POST", "/meetings", `{"alias":"m"}`, plan}, {403, "DELETE", "/calls/x", "", plan},
		{401, "GET", "/endpoints", "", bearer("rg_wrong")},
	} {
		s.do(tc.status, tc.method, tc.path, tc.body, tc.who)
	}

	// A key of one agency sees and changes what is of it.
	own, other := s.key(`"directory","meetings"`, "UBND"), s.key(`"directory","meetings"`, "Sở Y tế")
	count := func(who func(*http.Request)) int {
		return len(decode[struct{ Endpoints []api.Endpoint }](t, s.do(200, "GET", "/endpoints", "", who)).Endpoints)
	}
	assert.Equal(t, 1, count(own))
	assert.Zero(t, count(other))
	e, _ := s.d.ByAlias("room-a")
	s.do(200, "GET", "/endpoints/"+e.ID, "", own)
	s.do(404, "GET", "/endpoints/"+e.ID, "", other)
	s.do(404, "DELETE", "/endpoints/"+e.ID, "", other)
	s.do(404, "PUT", "/endpoints/"+e.ID, roomA, other)
	s.do(403, "POST", "/endpoints", `{"name":"C","agency":"UBND"}`, other)
	made := decode[api.Endpoint](t, s.do(201, "POST", "/endpoints", `{"name":"C"}`, other))
	assert.Equal(t, "Sở Y tế", made.Agency)
	for _, path := range []string{"/calls", "/registrations", "/status", "/dial-rules", "/trunks"} {
		s.do(403, "GET", path, "", own)
	}
	meetings := decode[struct{ Meetings []api.Meeting }](t, s.do(200, "GET", "/meetings", "", own))
	require.Len(t, meetings.Meetings, 1)
	assert.Equal(t, "m1", meetings.Meetings[0].Alias)
	for _, verb := range []string{"lobby/c1/admit", "lobby/c1/deny", "lock", "unlock", "end"} {
		s.do(204, "POST", "/meetings/m1/"+verb, "", own)
		s.do(404, "POST", "/meetings/m2/"+verb, "", own)
		s.do(403, "POST", "/meetings/m1/"+verb, "", change)
	}
	s.do(404, "DELETE", "/meetings/m2", "", own)
	s.do(204, "DELETE", "/meetings/m1", "", own)
	assert.Equal(t, "UBND", decode[api.Meeting](t, s.do(201, "POST", "/meetings", `{"alias":"m3","agency":"Sở Y tế"}`, own)).Agency)
	s.do(422, "POST", "/api-keys", `{"name":"x","scopes":["admin"],"agency":"UBND"}`)

	// A key that is deleted is of no more use.
	keys := decode[struct {
		Keys []api.APIKey `json:"api_keys"`
	}](t, s.do(200, "GET", "/api-keys", ""))
	for _, k := range keys.Keys {
		s.do(204, "DELETE", "/api-keys/"+k.ID, "")
	}
	s.do(401, "GET", "/endpoints", "", read)
}

func TestRecordsAndReports(t *testing.T) {
	s := serveDirectory(t, &fake{})
	var list []record.Record
	for i := range 5 {
		at := time.Date(2026, 1, 10+i, 1, 0, 0, 0, time.UTC)
		list = append(list, record.Record{
			ID: fmt.Sprintf("leg-%d", i), Agency: []string{"UBND", "Sở Y tế"}[i%2], Meeting: "88001", Protocol: call.SIP, Direction: call.In, RemoteName: "Phòng, họp",
			Started: at, Answered: at, Ended: at.Add(90 * time.Second), Updated: at.Add(90 * time.Second), Cause: call.NormalClearing,
			Media: []record.Medium{{Kind: "audio", Direction: "recv", Codec: "opus", Lost: 3, JitterMS: 1.25}},
		})
	}
	require.NoError(t, record.Save(t.Context(), s.d.DB, list))
	type page struct {
		Records []api.Record
		Next    string `json:"next_cursor"`
	}
	first := decode[page](t, s.do(200, "GET", "/records?limit=3", ""))
	assert.Len(t, first.Records, 3)
	assert.Equal(t, "leg-4", first.Records[0].ID)
	assert.EqualValues(t, 90, first.Records[0].DurationSeconds)
	second := decode[page](t, s.do(200, "GET", "/records?limit=3&cursor="+first.Next, ""))
	assert.Len(t, second.Records, 2)
	assert.Empty(t, second.Next)
	own := s.key(`"read"`, "Sở Y tế")
	assert.Len(t, decode[page](t, s.do(200, "GET", "/records?agency=UBND", "", own)).Records, 2, "of its own agency")
	w := s.do(200, "GET", "/records.csv?from=2026-01-12T00:00:00Z", "")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	require.Len(t, lines, 4)
	assert.Equal(t, `leg-4,2026-01-14T01:00:00Z,2026-01-14T01:00:00Z,2026-01-14T01:01:30Z,90,UBND,88001,sip,in,,,"Phòng, họp",,,,,,normal,,audio:opus,3,1.2,,`, lines[1])
	usage := decode[struct{ Usage []api.Usage }](t, s.do(200, "GET", "/reports?by=quarter", ""))
	assert.Equal(t, []api.Usage{
		{Period: "2026-Q1", Agency: "Sở Y tế", Calls: 2, Answered: 2, Meetings: 1, Minutes: 3, LongestMinutes: 1.5, SIP: 2},
		{Period: "2026-Q1", Agency: "UBND", Calls: 3, Answered: 3, Meetings: 1, Minutes: 4.5, LongestMinutes: 1.5, SIP: 3},
	}, usage.Usage)
	s.do(422, "GET", "/reports?zone=Nowhere/There", "")
}

func TestIdempotencyKeys(t *testing.T) {
	s := serveDirectory(t, &fake{})
	again := header("Idempotency-Key", "k1")
	first := s.do(201, "POST", "/endpoints", roomA, withKey, again)
	second := s.do(201, "POST", "/endpoints", roomA, withKey, again)
	assert.Equal(t, first.Body.String(), second.Body.String())
	assert.Equal(t, "true", second.Header().Get("Idempotency-Replayed"))
	assert.Equal(t, 1, s.d.Count())
	s.do(422, "POST", "/endpoints", `{"name":"other"}`, withKey, again)
	s.do(401, "POST", "/endpoints", roomA, bearer("rg_wrong"), again)
	s.do(409, "POST", "/endpoints", roomA, withKey, header("Idempotency-Key", "k2"))
	s.do(422, "POST", "/endpoints", roomA, withKey, header("Idempotency-Key", strings.Repeat("k", 201)))

	// What is shown once is not readable in what is kept for it.
	w := s.do(201, "POST", "/api-keys", `{"name":"x","scopes":["read"]}`, withKey, header("Idempotency-Key", "k3"))
	made := decode[api.NewAPIKey](t, w).Key
	rows, err := s.d.DB.Query(t.Context(), "SELECT body FROM once")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var body string
		require.NoError(t, rows.Scan(&body))
		assert.NotContains(t, body, made)
		assert.NotContains(t, body, "Phòng")
	}
	require.NoError(t, rows.Err())
}

func TestWebhooks(t *testing.T) {
	s := serveDirectory(t, &fake{})
	w := s.do(201, "POST", "/webhooks", `{"url":"https://example.org/hook","secret":"a-secret-of-16-chars","events":["call.*"]}`)
	made := decode[api.Webhook](t, w)
	assert.NotContains(t, w.Body.String(), "a-secret")
	s.do(422, "POST", "/webhooks", `{"url":"https://example.org/hook","secret":"short"}`)
	s.do(200, "PUT", "/webhooks/"+made.ID, `{"url":"https://example.org/other"}`)
	list := decode[struct{ Webhooks []api.Webhook }](t, s.do(200, "GET", "/webhooks", ""))
	require.Len(t, list.Webhooks, 1)
	assert.Equal(t, "https://example.org/other", list.Webhooks[0].URL)
	kept, err := s.d.Webhook(made.ID)
	require.NoError(t, err)
	secret, err := s.d.WebhookSecret(kept)
	require.NoError(t, err)
	assert.Equal(t, "a-secret-of-16-chars", secret)

	require.NoError(t, s.d.DB.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO deliveries (id, webhook, lane, node, type, body, state, attempts, due, error, created) VALUES ('d1', $1, '88001', 'n', 'call.ended', '{"type":"call.ended"}', 'dead', 12, 0, 'it answers 500', 1)`, made.ID)
		return err
	}))
	dead := decode[struct {
		Dead []api.DeadLetter `json:"dead_letters"`
	}](t, s.do(200, "GET", "/webhooks/"+made.ID+"/dead", ""))
	require.Len(t, dead.Dead, 1)
	assert.JSONEq(t, `{"type":"call.ended"}`, string(dead.Dead[0].Event))
	assert.Equal(t, "it answers 500", dead.Dead[0].Error)
	s.do(204, "POST", "/webhooks/"+made.ID+"/dead/retry", "")
	assert.Equal(t, []string{made.ID}, s.revived)
	s.do(404, "GET", "/webhooks/nobody/dead", "")
	s.do(403, "POST", "/webhooks", `{"url":"https://example.org/hook","secret":"a-secret-of-16-chars"}`, s.key(`"plan"`, ""))
	s.do(204, "DELETE", "/webhooks/"+made.ID, "")
}
