package e2e

import (
	"net/http"
	"testing"
	"time"
)

// record is a call record as the API shows it.
type record struct {
	ID         string     `json:"id"`
	Agency     string     `json:"agency"`
	Meeting    string     `json:"meeting"`
	Endpoint   string     `json:"endpoint"`
	RemoteName string     `json:"remote_name"`
	AnsweredAt *time.Time `json:"answered_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Duration   int        `json:"duration_seconds"`
	Cause      string     `json:"cause"`
	Media      []struct {
		Codec   string `json:"codec"`
		Packets int    `json:"packets"`
	} `json:"media"`
}

func (g *gateway) records() []record {
	var out struct {
		Records []record `json:"records"`
	}
	g.into("/api/v1/records", &out)
	return out.Records
}

// TestRecordsSurviveAKill: what integrators were told is kept, and the records of
// calls that a kill cut off are closed when the gateway is back.
func TestRecordsSurviveAKill(t *testing.T) {
	g := startGateway(t, "")
	for path, body := range map[string]any{
		"/api/v1/endpoints":  map[string]any{"name": "Hội trường", "agency": "UBND tỉnh", "username": "hall", "password": "s3cret", "aliases": []any{map[string]any{"kind": "e164", "value": "7001"}}},
		"/api/v1/meetings":   map[string]any{"alias": "88001", "name": "Giao ban", "agency": "Sở Y tế"},
		"/api/v1/dial-rules": map[string]any{"position": 1, "prefix": "77", "meeting": "88001"},
	} {
		if code, answer := g.request(http.MethodPost, path, body); code != http.StatusCreated {
			t.Fatalf("%s: %d %s", path, code, answer)
		}
	}
	// One call ends by itself, two are cut off.
	short := startRoom(t, 500, "--call", "88001@"+gatewayIP, "--video", "none", "--duration", "1s")
	if r := short.report(); !r.Connected {
		t.Fatalf("not connected: %+v", r)
	}
	hall := startRoom(t, 600, "--call", "771@"+gatewayIP, "--register", "hall:s3cret@"+gatewayIP, "--transport", "tcp", "--video", "none")
	h323 := startRoom(t, 700, "--protocol", "h323", "--call", "88001@"+gatewayIP, "--video", "none")
	eventually(t, 20*time.Second, "three records, two of calls that go on", func() bool {
		list, open := g.records(), 0
		for _, r := range list {
			if r.EndedAt == nil && r.AnsweredAt != nil {
				open++
			}
		}
		return len(list) == 3 && open == 2
	})
	g.kill()
	g.launch()

	list := g.records()
	if len(list) != 3 {
		t.Fatalf("%d records", len(list))
	}
	causes, agencies := map[string]int{}, map[string]int{}
	for _, r := range list {
		causes[r.Cause]++
		agencies[r.Agency]++
		if r.EndedAt == nil || r.Meeting != "88001" {
			t.Errorf("not closed, or not whole: %+v", r)
		}
	}
	if causes["failure"] != 2 || causes["normal"] != 1 || agencies["UBND tỉnh"] != 1 || agencies["Sở Y tế"] != 2 {
		t.Errorf("causes %v, agencies %v", causes, agencies)
	}
	again := startRoom(t, 800, "--call", "772@"+gatewayIP, "--register", "hall:s3cret@"+gatewayIP, "--video", "none", "--duration", "1s")
	if r := again.report(); !r.Connected {
		t.Errorf("endpoint, rule or meeting are gone: %+v", r)
	}
	for _, r := range []*room{hall, h323} {
		r.kill()
	}
}
