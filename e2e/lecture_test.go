package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestLecture: the lecturer fills every screen and sees the audience in turn; one of the
// audience is shown another site that an operator forces onto its screen.
func TestLecture(t *testing.T) {
	g := startGatewayOn(t, strings.Replace(baseConfig, "auto_create: true", "auto_create: true, lecture_turn: 2s", 1))
	g.meeting("lecture", "single")
	var rooms []*room
	for card := range 4 {
		rooms = append(rooms, startRoom(t, float64(400+100*card), "--call", "lecture@"+gatewayIP, "--video", fmt.Sprintf("card:%d@640x360", card),
			"--codecs", "PCMA", "--tiles", "--duration", "18s"))
		g.inMeeting("lecture", "active", card+1)
	}
	calls := g.calls() // in the order they came
	identity := func(i int) string { return calls[i].Identity }
	if err := g.api().SetMeetingLayout(t.Context(), "lecture", "lecture", identity(1)); err != nil {
		t.Fatal(err)
	}
	if err := g.api().SetLayout(t.Context(), calls[3].ID, "single", identity(2)); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]int{{1}, {0, 2, 3}, {1}, {2}} {
		r := rooms[i].report()
		for _, card := range want {
			if r.Video.Cards[card] < 40 || len(want) == 1 && r.Video.Cards[card] < 200 {
				t.Errorf("%s sees %v, want %v", rooms[i].name, r.Video.Cards, want)
			}
		}
		for card, frames := range r.Video.Cards { // before the lecture, and when the first has gone
			if len(want) == 1 && card != want[0] && frames > r.Video.Cards[want[0]]/2 {
				t.Errorf("%s sees %v, want %v for most of the time", rooms[i].name, r.Video.Cards, want)
			}
		}
	}
	g.noCalls()
}
