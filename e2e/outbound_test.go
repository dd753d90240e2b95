package e2e

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// A call out keys its way through the menu of another gateway, over SIP and over H.323,
// and is in its meeting then.
func TestDigitsEnterAMenu(t *testing.T) {
	here := startGateway(t, "")
	over := startSecond(t, "lobby: {language: vi}\n")
	over.makeMeeting(map[string]any{"alias": "159", "guest_pin": "951"})
	here.makeMeeting(map[string]any{"alias": "west"})
	for _, target := range []string{
		fmt.Sprintf("sip:lobby@%s:%d,,159#,951#", gatewayIP, otherSIP),
		fmt.Sprintf("h323:lobby@%s:%d,,159#,951#", gatewayIP, otherSignalling),
	} {
		code, answer := here.request(http.MethodPost, "/api/v1/calls", map[string]any{"target": target, "meeting": "west"})
		if code != http.StatusCreated {
			t.Fatalf("%d %s", code, answer)
		}
		over.inMeeting("159", "active", 1)
		for _, c := range here.calls() {
			if code, answer := here.request(http.MethodDelete, "/api/v1/calls/"+c.ID, nil); code >= 300 {
				t.Errorf("%d %s", code, answer)
			}
		}
		here.noCalls()
		over.noCalls()
	}
}

// A terminal that the network loses is called again, and found when it is back; one that
// hangs up is left alone.
func TestLostTerminalIsCalledAgain(t *testing.T) {
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "west"})
	listen := func() *room {
		return startRoom(t, 700, "--protocol", "h323", "--listen", "--address", peerIP+":1720", "--video", "none")
	}
	first := listen()
	eventually(t, 20*time.Second, "the terminal listens", func() bool {
		conn, err := net.DialTimeout("tcp", peerIP+":1720", time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	code, answer := g.request(http.MethodPost, "/api/v1/calls", map[string]any{"target": "h323:" + peerIP, "meeting": "west", "redials": 8})
	if code != http.StatusCreated {
		t.Fatalf("%d %s", code, answer)
	}
	g.inMeeting("west", "active", 1)
	first.kill()
	g.inMeeting("west", "redialling", 1)
	second := listen()
	g.inMeeting("west", "active", 1)
	second.established(g, 1)
	second.stop()
	g.noCalls()
}
