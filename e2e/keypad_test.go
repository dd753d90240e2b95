package e2e

import (
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
