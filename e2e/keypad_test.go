package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// muted reports whether a call of a meeting is muted.
func (g *gateway) muted(meeting string) bool {
	for _, c := range g.calls() {
		if c.Meeting == meeting && c.Muted {
			return true
		}
	}
	return false
}

// TestTerminalKeysInAMeeting: a terminal of each protocol changes its layout and presents
// its only picture by keys.
func TestTerminalKeysInAMeeting(t *testing.T) {
	g := startGateway(t, "lobby: {language: en}\n")
	for _, protocol := range []string{"sip", "h323"} {
		t.Run(protocol, func(t *testing.T) {
			meeting := "keys-" + protocol
			viewer := startRoom(t, 500, "--call", meeting+"@"+gatewayIP, "--video", "pattern360")
			eventually(t, 15*time.Second, "the viewer is in", func() bool { return g.legsIn(meeting) == 1 })
			plain := startRoom(t, 700, "--call", meeting+"@"+gatewayIP, "--protocol", protocol, "--content", "off", "--dtmf", "*2*2*3*6", "--dtmf-after", "2s")
			during(t, viewer.process, plain.process)
			eventually(t, 30*time.Second, "it presents", func() bool { return g.presents(meeting) != "" })
			eventually(t, 20*time.Second, "the viewer is sent its picture as content", func() bool { return g.isSentContent(meeting, 0) })
			eventually(t, 20*time.Second, "it is muted", func() bool { return g.muted(meeting) })
			plain.stop()
			_ = plain.report()
			eventually(t, 10*time.Second, "nobody presents", func() bool { return g.presents(meeting) == "" })
			viewer.stop()
			if c := viewer.report().Content; c == nil || c.Width != 1280 || c.Height != 720 || c.Frames < 10 {
				t.Errorf("the viewer sees %+v", c)
			}
			g.noCalls()
		})
	}
}

// long are the cards that were seen for most of the time, in most pictures; so their cameras
// need as many pictures a second as screens have.
func (r roomReport) long() (cards []int) {
	for card, frames := range r.Video.Cards {
		if 2*frames > r.Video.Frames {
			cards = append(cards, card)
		}
	}
	slices.Sort(cards)
	return cards
}

// TestKeysChangeTheScreen: of terminals in a meeting that shows one at a time, those that
// key themselves a grid see both others; the screen of who keyed nothing stays.
func TestKeysChangeTheScreen(t *testing.T) {
	g := startGateway(t, "lobby: {language: en}\n")
	g.meeting("tiled", "single")
	call := func(card int, more ...string) *room {
		return startRoom(t, float64(400+100*card), append([]string{"--call", "tiled@" + gatewayIP, "--video", fmt.Sprintf("card:%d", card),
			"--codecs", "PCMA", "--tiles", "--duration", "16s", "--fps", "30"}, more...)...)
	}
	plain := call(1)
	keyed := []*room{call(2, "--dtmf", "*2*2*2", "--dtmf-after", "2s"), call(3, "--protocol", "h323", "--dtmf", "*2*2*2", "--dtmf-after", "2s")}
	for i, r := range append([]*room{plain}, keyed...) {
		got := r.report()
		long := got.long()
		others := []int{1, 2, 3}
		if others = slices.Delete(others, i, i+1); i == 0 && len(long) != 1 || i > 0 && !slices.Equal(long, others) {
			t.Errorf("%s sees %v for long, in %+v", r.name, long, got.Video)
		}
	}
	g.noCalls()
}

// TestKeysLockTheMeeting: a host's key keeps guests out, and the same key lets them in; a
// guest's does nothing.
func TestKeysLockTheMeeting(t *testing.T) {
	g := startGateway(t, "lobby: {language: en}\n")
	g.makeMeeting(map[string]any{"alias": "88001", "host_pin": "9999", "guest_pin": "1234"})
	call := func(hz float64, pin string, more ...string) *room {
		return startRoom(t, hz, append([]string{"--call", "88001*" + pin + "@" + gatewayIP, "--audio-only"}, more...)...)
	}
	locked := func() bool {
		m, err := g.api().Meeting(t.Context(), "88001")
		return err == nil && m.Locked
	}
	first := call(400, "9999", "--dtmf", "*5")
	eventually(t, 15*time.Second, "the meeting is locked", locked)
	if r := call(500, "1234").report(); !strings.HasPrefix(r.Cause, "rejected") {
		t.Errorf("a guest is let into a locked meeting: %+v", r)
	}
	second := call(600, "9999", "--protocol", "h323", "--dtmf", "*5") // hosts come in
	eventually(t, 15*time.Second, "the meeting is unlocked", func() bool { return !locked() })
	guest := call(700, "1234", "--dtmf", "*5", "--duration", "6s")
	g.inMeeting("88001", "active", 3)
	if r := guest.report(); !r.Connected || r.DTMFSent != "*5" || locked() {
		t.Errorf("the guest came in as %+v, and the meeting is locked: %v", r, locked())
	}
	first.stop()
	second.stop()
	g.noCalls()
}
