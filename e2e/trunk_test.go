package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomgate/roomgate/client"
	"github.com/roomgate/roomgate/gateway/lobby/prompt"
)

// carrierPort is where the carrier's proxy listens.
const carrierPort = 5080

// startKamailio runs kamailio as a carrier whose telephone is a peer.
func startKamailio(t *testing.T, telephone string) *process {
	t.Helper()
	if _, err := exec.LookPath("kamailio"); err != nil {
		t.Skip("KAMAILIO IS NOT INSTALLED: trunks are NOT tested against a carrier's proxy")
	}
	text, err := os.ReadFile("../testdata/e2e/kamailio/carrier.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "carrier.cfg")
	config := strings.NewReplacer("ADDRESS", peerIP, "PORT", fmt.Sprint(carrierPort), "PHONE", telephone).Replace(string(text))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "kamailio", inPeers("kamailio", "-DD", "-E", "-f", file, "-Y", dir, "-m", "32", "-M", "8"))
}

// makeTrunk adds a trunk through the API.
func (g *gateway) makeTrunk(r client.TrunkRequest) {
	g.t.Helper()
	if _, err := g.api().AddTrunk(g.t.Context(), r); err != nil {
		g.t.Fatal(err)
	}
}

// trunk is how a trunk stands.
func (g *gateway) trunk(name string) (s client.TrunkState) {
	g.t.Helper()
	list, err := g.api().TrunkStates(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name {
			return s
		}
	}
	return s
}

// refused is how many calls a trunk has not taken for a reason.
func (g *gateway) refusedBy(name, reason string) (n uint64) {
	for _, c := range g.trunk(name).Refused {
		if c.Reason == reason {
			n += c.Calls
		}
	}
	return n
}

// rule adds a rule to the dial plan.
func (g *gateway) rule(r client.DialRule) {
	g.t.Helper()
	if _, err := g.api().AddDialRule(g.t.Context(), r); err != nil {
		g.t.Fatal(err)
	}
}

// TestTrunkToACarrier: kamailio is the carrier. We register with it by digest, calls
// go out with a password, past targets that say 503 and nothing, and in by our contact;
// sound goes both ways.
func TestTrunkToACarrier(t *testing.T) {
	g := startGateway(t, "")
	telephone := startBaresip(t, peerOptions{hz: 700, codecs: "PCMA", answer: true})
	carrier := startKamailio(t, telephone.user+"@"+telephone.address)
	during(t, telephone.process, carrier)
	busy := startSipp(t, "trunk_503", peerIP)
	account := client.TrunkRequest{
		Name: "carrier", Username: "agency", Password: "s3cret-line", Domain: "carrier.test", Register: true, Format: "e164", Identity: "asserted",
		Numbers: []string{"02471000000-02471000009"}, Allowed: []string{"+84"}, Codecs: []string{"pcma"}, ProbeSeconds: 2,
		Targets: []client.TrunkTarget{{Address: fmt.Sprintf("%s:%d", peerIP, carrierPort)}}, Language: "vi",
	}
	g.makeTrunk(account)
	account.Name, account.Register, account.ProbeSeconds, account.PatienceSeconds = "ways", false, -1, 1
	account.Targets = []client.TrunkTarget{
		{Address: busy.at()}, {Address: strangerIP + ":5999", Priority: 1}, {Address: account.Targets[0].Address, Transport: "tcp", Priority: 2},
	}
	g.makeTrunk(account)
	g.rule(client.DialRule{Position: 0, Pattern: "02471000009", Trunk: "carrier", Lobby: true})
	g.rule(client.DialRule{Position: 1, Pattern: `0247100000\d`, Trunk: "carrier", Meeting: "tong-dai"})
	g.rule(client.DialRule{Position: 2, Pattern: `(?:\+84|0)(9\d{8}|\d{2,})`, ViaTrunk: "ways"})
	eventually(t, 30*time.Second, "registered with the carrier, which answers OPTIONS", func() bool {
		s := g.trunk("carrier")
		return s.Registration != nil && s.Registration.State == "registered" && len(s.Targets) == 1 && s.Targets[0].State == "up"
	})
	if code, metrics := g.get("/metrics"); code != http.StatusOK || !strings.Contains(string(metrics), `roomgate_trunk_registered{trunk="carrier"} 1`) {
		t.Errorf("metrics: %d", code)
	}

	mate := startRoom(t, 1200, "--call", "tong-dai@["+gatewayIP6+"]", "--audio-only") // not from the address of the carrier
	during(t, mate.process)
	g.inMeeting("tong-dai", "active", 1)
	// Out, dialled by the API.
	if _, err := g.api().Dial(t.Context(), client.DialRequest{Target: "tel:+84912345678", Meeting: "tong-dai"}); err != nil {
		t.Fatal(err)
	}
	telephone.established()
	busy.passes()
	g.inMeeting("tong-dai", "active", 2)
	telephone.hears(mate.hz, 700)
	g.masked(t, "tong-dai", "+84*****678", "912345678")
	if text := carrier.text(); !strings.Contains(text, "customer calls +84912345678 as sip:+842471000000@carrier.test") || !strings.Contains(text, "asserted ") || !strings.Contains(text, "<sip:+842471000000@carrier.test;user=phone>") {
		t.Error("the carrier was not told who calls")
	}
	// In, to a number of ours, by the contact that we registered.
	caller := startBaresip(t, peerOptions{hz: 900, codecs: "PCMA"})
	during(t, caller.process)
	caller.dial(fmt.Sprintf("sip:02471000003@%s:%d", peerIP, carrierPort))
	caller.established()
	g.inMeeting("tong-dai", "active", 3)
	caller.hears(mate.hz, 900)
	caller.hears(700, 900)
	if s := g.trunk("carrier"); s.CallsIn != 1 || g.trunk("ways").CallsOut != 1 || g.trunk("ways").Today.Calls != 1 {
		t.Errorf("%+v", s)
	}
	// What costs is refused with a reason.
	code, out := g.request(http.MethodPost, "/api/v1/calls", map[string]any{"target": "tel:+841900123456", "meeting": "tong-dai"})
	if code != http.StatusForbidden || !strings.Contains(string(out), "trunk:premium") {
		t.Errorf("premium rate: %d %s", code, out)
	}
	// In, to the voice menu, in the language of the trunk.
	asked := startBaresip(t, peerOptions{hz: 1000, codecs: "PCMA"})
	during(t, asked.process)
	asked.dial(fmt.Sprintf("sip:02471000009@%s:%d", peerIP, carrierPort))
	asked.established()
	heard := listener{phone: asked, set: prompts(t)}
	heard.says(prompt.Clip{Language: prompt.Vietnamese, ID: prompt.Meeting})
	asked.press("88002#")
	heard.says(prompt.Clip{Language: prompt.Vietnamese, ID: prompt.Joined})
	g.inMeeting("88002", "active", 1)
	asked.hangup()
	mate.heard(900, "G722", "none", 0, 0)
	caller.hangup()
	telephone.hangup()
	g.noCalls()
	g.stopsRegistered(t, carrier)
}

// masked checks that a roster shows a number masked, and not as it is.
func (g *gateway) masked(t *testing.T, meeting, want, never string) {
	t.Helper()
	_, body := g.get("/api/v1/meetings/" + meeting + "/participants")
	if !strings.Contains(string(body), want) || strings.Contains(string(body), never) {
		t.Errorf("the roster: %s", body)
	}
}

// stopsRegistered ends the gateway, and wants it to have told the carrier.
func (g *gateway) stopsRegistered(t *testing.T, carrier *process) {
	t.Helper()
	g.stop()
	if text := g.text(); strings.Contains(text, "registration not removed") || !strings.Contains(text, `"registered"`) {
		t.Error("the registration was not removed")
	}
}

// at is where a scenario listens.
func (s *sipp) at() string {
	for i, a := range s.cmd.Args {
		if a == "-p" {
			return peerIP + ":" + s.cmd.Args[i+1]
		}
	}
	return ""
}

// TestTrunkEarlyMedia: who calls over a trunk hears its network before anybody answers,
// in G.729 on the trunk.
func TestTrunkEarlyMedia(t *testing.T) {
	g := startGateway(t, "")
	carrier := startSipp(t, "trunk_early", peerIP, "-rtp_echo")
	g.makeTrunk(client.TrunkRequest{
		Name: "carrier", Targets: []client.TrunkTarget{{Address: carrier.at()}}, ProbeSeconds: -1, Allowed: []string{"VN"}, Codecs: []string{"g729", "pcma"},
		CallerID: "02471000001", Format: "e164", Identity: "asserted",
	})
	g.rule(client.DialRule{Position: 1, Pattern: `0\d{9,10}`, ViaTrunk: "carrier"})
	phone := startBaresip(t, peerOptions{user: "room-a", password: "secret-a", hz: 800, codecs: "PCMU"})
	phone.registered()
	phone.dial("sip:0912345678@" + gatewayIP)
	phone.hears(800) // its own tone, that came back
	if strings.Contains(phone.text(), "Call established") {
		t.Error("the call was answered")
	}
	phone.hangup()
	carrier.passes()
	g.noCalls()
}

// TestTrunkFlood: a carrier sends more calls than the trunk takes, and somebody over it
// says to be a terminal of ours: they are refused and counted, and a call that goes on
// is not disturbed.
func TestTrunkFlood(t *testing.T) {
	g := startGateway(t, "")
	g.makeTrunk(client.TrunkRequest{Name: "carrier", Networks: []string{peerIP}, Numbers: []string{"02471000000-02471000009"}, MaxCallsIn: 4, MaxRate: 3})
	g.rule(client.DialRule{Position: 1, Pattern: `0247100000\d`, Trunk: "carrier", Meeting: "flood"})
	mate := startRoom(t, 1200, "--call", "hall@["+gatewayIP6+"]", "--audio-only")
	other := startRoom(t, 500, "--call", "hall@["+gatewayIP6+"]", "--audio-only")
	during(t, mate.process, other.process)
	g.flows(t, "hall", 2, false)
	startSipp(t, "trunk_forged", peerIP).passes()
	startSipp(t, "trunk_flood", peerIP, "-m", "200", "-r", "100").passes()
	if busy, fast, forged := g.refusedBy("carrier", "calls"), g.refusedBy("carrier", "rate"), g.refusedBy("carrier", "identity"); fast == 0 || busy+fast < 100 || forged != 1 {
		t.Errorf("%d refused as busy, %d over the rate, %d forged", busy, fast, forged)
	} else {
		t.Logf("%d refused as busy, %d over the rate", busy, fast)
	}
	mate.heard(other.hz, "G722", "none", 0, 0)
	other.heard(mate.hz, "G722", "none", 0, 0)
	g.noCalls()
	if s := g.trunk("carrier"); s.CallsIn != 0 || s.Today.Refused < 100 || len(s.Recent) != 50 {
		t.Errorf("%+v", s.Today)
	}
}

// TestScanners: sipvicious looks for terminals and guesses passwords while a call goes
// on. It finds nothing, is slowed and logged, and nobody else is disturbed.
func TestScanners(t *testing.T) {
	if _, err := exec.LookPath("svcrack"); err != nil {
		t.Skip("SIPVICIOUS IS NOT INSTALLED: scanners are NOT tested")
	}
	config := strings.NewReplacer("allow_direct: true", "allow_direct: false", "auto_create: true", "auto_create: false").Replace(baseConfig)
	g := startGatewayOn(t, config)
	g.makeMeeting(map[string]any{"alias": "hall"})
	register := func(user, password string) []string {
		return []string{"--call", "hall@" + gatewayIP, "--register", user + ":" + password + "@" + gatewayIP, "--audio-only"}
	}
	mate := startRoom(t, 1200, register("room-a", "secret-a")...)
	other := startRoom(t, 500, register("room-b", "secret-b")...)
	during(t, mate.process, other.process)
	g.flows(t, "hall", 2, false)
	words := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(words, []byte(strings.Repeat("guess\n", 40)+"secret-a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	scan := func(name string, args ...string) string {
		cmd := exec.Command("ip", append([]string{"netns", "exec", peers, "timeout", "8", name}, args...)...)
		cmd.Dir = filepath.Dir(words)
		cmd.Env = append(os.Environ(), "HOME="+filepath.Join(cmd.Dir, name))
		out, _ := cmd.CombinedOutput() // what they say counts
		return string(out)
	}
	var found, called, cracked string
	var scans sync.WaitGroup
	scans.Go(func() { found = scan("svmap", gatewayIP) })
	scans.Go(func() { called = scan("svwar", "-m", "INVITE", "-e", "1000-1020", "--force", gatewayIP) })
	scans.Go(func() { cracked = scan("svcrack", "-u", "room-a", "-d", words, gatewayIP) })
	scans.Wait()
	if !strings.Contains(found, gatewayIP) {
		t.Errorf("svmap does not work: %s", found)
	}
	if strings.Contains(called, "noauth") {
		t.Errorf("svwar finds what can be called without a password: %s", called)
	}
	if strings.Contains(cracked, "secret-a") {
		t.Errorf("svcrack guesses: %s", cracked)
	}
	eventually(t, 15*time.Second, "the log tells of the guesser", func() bool { return strings.Contains(g.text(), "source locked out") })
	mate.heard(other.hz, "G722", "none", 0, 0)
	other.heard(mate.hz, "G722", "none", 0, 0)
	calls := 0
	for _, c := range g.calls() {
		if c.Meeting != "hall" {
			calls++
		}
	}
	if calls > 0 {
		t.Errorf("%d calls of scanners stand", calls)
	}
	g.noCalls()
	var status struct {
		Total int `json:"calls_total"`
	}
	_, body := g.get("/api/v1/status")
	if err := json.Unmarshal(body, &status); err != nil || status.Total != 2 {
		t.Errorf("%d calls in all", status.Total)
	}
}
