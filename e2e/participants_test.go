package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// apiParticipant is a row of a roster as the API shows it.
type apiParticipant struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	CallID   string `json:"call_id"`
	Muted    bool   `json:"muted"`
	Tracks   []struct {
		ID    string `json:"id"`
		Kind  string `json:"kind"`
		Muted bool   `json:"muted"`
	} `json:"tracks"`
}

// shown is what the only call of a meeting is shown, "" when it is nothing: the
// kind of the track that is passed on, or of the screen that is composed. packets
// of pictures went to it so far.
func (g *gateway) shown(meeting string) (kind string, packets int) {
	g.t.Helper()
	for _, c := range g.calls() {
		for _, m := range c.Media {
			if m.Kind == "video" && m.Direction == "send" && strings.Contains(m.Pipeline, "-> content -> composed") {
				return "content", m.Packets
			}
			from, _, forwarding := strings.Cut(strings.TrimPrefix(m.Pipeline, "H264("), ") -> switch(forwarding)")
			if m.Kind != "video" || m.Direction != "send" || !forwarding {
				continue
			}
			for _, p := range g.participants(meeting) {
				for _, track := range p.Tracks {
					if track.ID == from {
						return track.Kind, m.Packets
					}
				}
			}
		}
	}
	return "", 0
}

// participants is the roster of a meeting; nobody when there is none.
func (g *gateway) participants(meeting string) []apiParticipant {
	g.t.Helper()
	code, body := g.get("/api/v1/meetings/" + meeting + "/participants")
	if code == http.StatusNotFound {
		return nil
	}
	var out struct {
		Participants []apiParticipant `json:"participants"`
	}
	if err := json.Unmarshal(body, &out); err != nil || code != http.StatusOK {
		g.t.Fatalf("participants: %d %s", code, body)
	}
	return out.Participants
}

// identities are the identities of everybody in a meeting.
func (g *gateway) identities(meeting string) []string {
	var ids []string
	for _, p := range g.participants(meeting) {
		ids = append(ids, p.Identity)
	}
	slices.Sort(ids)
	return ids
}
