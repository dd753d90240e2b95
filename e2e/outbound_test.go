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

// A planned meeting lets nobody in before its time, and calls its invitees when it starts,
// once each.
func TestPlannedMeetingCallsItsInvitees(t *testing.T) {
	g := startGateway(t, "lobby: {language: en}\n")
	b := startBaresip(t, peerOptions{user: "room-b", password: "secret-b", answer: true})
	b.registered()
	starts := time.Now().Add(4 * time.Second).Truncate(time.Second)
	g.makeMeeting(map[string]any{
		"alias": "planned", "schedule": map[string]any{"starts": starts, "ends": starts.Add(time.Hour)},
		"invitees": []map[string]any{{"target": "1002", "name": "Phòng B"}},
	})
	g.makeMeeting(map[string]any{
		"alias": "later", "schedule": map[string]any{"starts": starts.AddDate(0, 0, 1), "ends": starts.AddDate(0, 0, 1).Add(time.Hour)},
	})
	p, callID := newPen(t, "udp"), newCallID()
	p.send(p.request("INVITE", "later", callID, 1, "", callID, p.sdp()))
	early := p.final(callID, "1 INVITE") // the lobby says when to call again
	if early.status() != 200 {
		t.Fatalf("%s", early.first)
	}
	p.send(p.request("ACK", "later", callID, 1, toTag(early), callID+"ack", ""))
	g.inMeeting("planned", "active", 1)
	b.established()
	if time.Now().Before(starts) {
		t.Error("called before the start")
	}
	for {
		s, err := p.receive()
		if err != nil {
			t.Fatalf("who comes a day early is not put out: %v", err)
		}
		if s.value("Call-ID") == callID && s.value("CSeq") != "" && s.status() == 0 {
			break // BYE
		}
	}
	if code, body := g.request(http.MethodPost, "/api/v1/meetings/planned/extend", map[string]any{"minutes": 30}); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	b.hangup()
	g.noCalls()
	time.Sleep(3 * time.Second) // the keeper has looked again
	g.noCalls()
}

// The gateway is killed while it calls invitees: who was ringing is called again when it
// is back, who had answered is not.
func TestKilledWhileInviteesRing(t *testing.T) {
	g := startGateway(t, "")
	rings := startBaresip(t, peerOptions{user: "room-a", password: "secret-a"})
	answers := startBaresip(t, peerOptions{user: "room-b", password: "secret-b", answer: true})
	rings.registered()
	answers.registered()
	starts := time.Now().Add(time.Second).Truncate(time.Second)
	g.makeMeeting(map[string]any{
		"alias": "planned", "schedule": map[string]any{"starts": starts, "ends": starts.Add(time.Hour)},
		"invitees": []map[string]any{{"target": "1001"}, {"target": "1002"}},
	})
	g.inMeeting("planned", "active", 1)
	g.inMeeting("planned", "ringing", 1)
	time.Sleep(time.Second) // the answer is written down
	g.kill()
	g.launch()
	g.inMeeting("planned", "ringing", 1)
	calls := g.calls() // both would be made at the same moment
	if len(calls) != 1 {
		t.Errorf("calls %+v", calls)
	}
	for _, c := range calls {
		g.request(http.MethodDelete, "/api/v1/calls/"+c.ID, nil)
	}
	g.noCalls()
	rings.kill() // it would wait for the gateway that was killed
	answers.kill()
}
