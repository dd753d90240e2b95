package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomgate/roomgate/client"
)

// sipp runs a scenario: one of sip/testdata/sipp, or of testdata/e2e.
type sipp struct {
	*process
	scenario string
}

var sippPorts atomic.Int32

// startSipp plays a scenario once, from an address of the peers.
func startSipp(t *testing.T, scenario, from string, args ...string) *sipp {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("../testdata/e2e", scenario+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(file); len(found) == 0 {
		file = filepath.Join(filepath.Dir(file), "../../sip/testdata/sipp", scenario+".xml")
	}
	n := int(sippPorts.Add(1))
	to := gatewayIP
	if strings.Contains(from, ":") {
		to = "[" + gatewayIP6 + "]"
	}
	cmd := inPeers("sipp", append([]string{"-sf", file, "-m", "1", "-i", from, "-mi", from,
		"-p", fmt.Sprint(18000 + n), "-mp", fmt.Sprint(19000 + 4*n), "-nostdin", "-timeout", "90s", "-timeout_error",
		"-trace_err", "-trace_msg", "-message_file", "messages.log", "-error_file", "errors.log"}, append(args, fmt.Sprintf("%s:%d", to, sipPort))...)...)
	cmd.Dir = t.TempDir()
	s := &sipp{process: start(t, "sipp", cmd), scenario: scenario}
	return s
}

// passes waits until the scenario went as written.
func (s *sipp) passes() {
	s.t.Helper()
	if err := s.wait(100 * time.Second); err != nil {
		logs, _ := exec.Command("sh", "-c", "cat "+s.cmd.Dir+"/errors.log "+s.cmd.Dir+"/messages.log").Output()
		s.t.Fatalf("sipp %s: %v\n%s", s.scenario, err, logs[max(0, len(logs)-8000):])
	}
}

// Awkward but right behaviour of others, against the program itself.
func TestAwkwardFlows(t *testing.T) {
	g := startGateway(t, "")
	for _, tc := range []struct{ scenario, mode, from string }{
		{"offerless", "u1", peerIP},
		{"offerless", "t1", peerIP},
		{"offerless", "u1", peerIP6},
		{"reinvite", "u1", peerIP},
		{"reinvite", "t1", peerIP6},
		{"update", "u1", peerIP},
		{"timer_422", "u1", peerIP},
	} {
		t.Run(tc.scenario+" "+tc.mode+" "+tc.from, func(t *testing.T) {
			startSipp(t, tc.scenario, tc.from, "-t", tc.mode).passes()
		})
	}
	g.noCalls()
}

// ringsAtBaresip makes a gateway whose 88001 is baresip as room-b.
func ringsAtBaresip(t *testing.T, mode string) (*gateway, *baresip) {
	g := startGateway(t, "dial_rules:\n  - {pattern: \"88001\", endpoint: \"1002\"}\n")
	b := startBaresip(t, peerOptions{user: "room-b", password: "secret-b", mode: mode})
	b.registered()
	return g, b
}

// Who gives up while it rings is told so, and the called terminal too.
func TestCancelWhileItRings(t *testing.T) {
	g, b := ringsAtBaresip(t, "manual")
	startSipp(t, "cancel", peerIP, "-t", "u1").passes()
	eventually(t, 15*time.Second, "baresip's call is over", func() bool { return strings.Contains(b.text(), "closed") })
	g.noCalls()
}

// A caller that requires it gets every provisional answer reliably, in order,
// the early media of the called terminal among them (RFC 3262).
func TestReliableRinging(t *testing.T) {
	g, b := ringsAtBaresip(t, "early")
	p, callID := newPen(t, "udp"), newCallID()
	p.send(p.request("INVITE", "88001", callID, 1, "", callID, p.sdp(), "Require: 100rel"))
	var final sheet
	early, last, seq := false, 0, 1
	for final.status() == 0 {
		s, err := p.receive()
		switch {
		case err != nil:
			t.Fatalf("no final answer: %v", err)
		case s.value("Call-ID") != callID || s.status() == 100:
		case s.status() < 200 && s.value("CSeq") == "1 INVITE":
			rseq, _ := strconv.Atoi(s.value("RSeq"))
			if rseq == last {
				continue // sent again, because our PRACK had not come yet
			}
			if rseq == 0 || last != 0 && rseq != last+1 {
				t.Fatalf("%s with RSeq %d after %d", s.first, rseq, last)
			}
			last, early = rseq, early || strings.Contains(s.body, "m=audio")
			seq++
			p.send(p.request("PRACK", "88001", callID, seq, toTag(s), fmt.Sprintf("%sprack%d", callID, seq), "", fmt.Sprintf("RAck: %d 1 INVITE", rseq)))
		case strings.HasSuffix(s.value("CSeq"), " PRACK"):
			if s.status() != 200 {
				t.Errorf("PRACK answered %s", s.first)
			}
			if early {
				b.command("accept", "")
			}
		case s.value("CSeq") == "1 INVITE":
			final = s
		}
	}
	if final.status() != 200 || !early {
		t.Fatalf("%s, early media %v", final.first, early)
	}
	p.send(p.request("ACK", "88001", callID, 1, toTag(final), callID+"ack", ""))
	b.established()
	p.bye("88001", callID, final)
	g.noCalls()
}

// CANCEL chases the 200 at all distances: each call has one end, and both
// sides know it.
func TestCancelRace(t *testing.T) {
	g := startGateway(t, "")
	p := newPen(t, "udp")
	ends := map[int]int{}
	for i := range 30 {
		callID := newCallID()
		p.send(p.request("INVITE", "race", callID, 1, "", callID, p.sdp()))
		<-time.After(time.Duration(i) * 100 * time.Microsecond)
		p.send(p.request("CANCEL", "race", callID, 1, "", callID, ""))
		var invited, cancelled sheet
		for invited.status() == 0 || cancelled.status() == 0 {
			s, err := p.receive()
			if err != nil {
				t.Fatalf("call %d: INVITE %q, CANCEL %q: %v", i, invited.first, cancelled.first, err)
			}
			switch {
			case s.status() < 200 || s.value("Call-ID") != callID:
			case s.value("CSeq") == "1 INVITE":
				invited = s
			case s.value("CSeq") == "1 CANCEL":
				cancelled = s
			}
		}
		ends[invited.status()]++
		switch invited.status() {
		case 200:
			p.send(p.request("ACK", "race", callID, 1, toTag(invited), callID+"ack", ""))
			p.bye("race", callID, invited)
		case 487:
			p.send(p.request("ACK", "race", callID, 1, toTag(invited), callID, ""))
		default:
			t.Errorf("call %d ended with %s", i, invited.first)
		}
	}
	t.Logf("ends: %v", ends)
	g.noCalls()
}

// What is refused, and how.
func TestRefusals(t *testing.T) {
	g := startGatewayOn(t, strings.Replace(baseConfig, "auto_create: true", "auto_create: false", 1)+"limits: {max_calls: 2}\n")
	if _, err := g.api().CreateMeeting(t.Context(), client.MeetingRequest{Alias: "88001"}); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp", "tcp"} {
		p := newPen(t, network)
		if s := p.invite("nobody", newCallID()); s.status() != 404 {
			t.Errorf("%s: an unknown alias: %s", network, s.first)
		}
		forged := p.request("INVITE", "88001", newCallID(), 1, "", newCallID(), p.sdp())
		forged.fields[2] = "From: <sip:room-a@" + gatewayIP + ">;tag=forged"
		p.send(forged)
		if s := p.final(forged.value("Call-ID"), "1 INVITE"); s.status() != 401 || !strings.HasPrefix(s.value("WWW-Authenticate"), "Digest ") {
			t.Errorf("%s: who says he is room-a: %s, want a challenge", network, s.first)
		}
	}
	g.noCalls()
	p := newPen(t, "udp")
	first, second := newCallID(), newCallID()
	one, two := p.invite("88001", first), p.invite("88001", second)
	if one.status() != 200 || two.status() != 200 {
		t.Fatalf("calls within the limit: %s, %s", one.first, two.first)
	}
	if s := p.invite("88001", newCallID()); s.status() != 503 && s.status() != 486 || s.value("Retry-After") == "" {
		t.Errorf("a call over the limit: %s, Retry-After %q", s.first, s.value("Retry-After"))
	}
	p.bye("88001", first, one)
	p.bye("88001", second, two)
	g.noCalls()
	if last := p.invite("88001", first+"x"); last.status() != 200 {
		t.Errorf("after others have ended: %s", last.first)
	} else {
		p.bye("88001", first+"x", last)
	}
}

// Who guesses passwords is locked out; his neighbour is not.
func TestGuesserIsLockedOut(t *testing.T) {
	g := startGateway(t, "")
	startSipp(t, "guess", strangerIP, "-t", "u1").passes()
	b := startBaresip(t, peerOptions{user: "room-a", password: "secret-a"})
	b.registered()
	all, err := g.api().Registrations(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("registrations %+v, %v", all, err)
	}
}
