package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tapCable keeps what goes over the cable to the peers, until the function it gives is called;
// false: there is nothing to record with.
func tapCable(t *testing.T) (file string, end func(), ok bool) {
	t.Helper()
	for _, tool := range []string{"dumpcap", "tshark"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("NO %s: calls are not dissected by anybody else; run make setup-test", strings.ToUpper(tool))
			return "", func() {}, false
		}
	}
	file = filepath.Join(t.TempDir(), "call.pcapng")
	p := start(t, "dumpcap", exec.Command("dumpcap", "-q", "-i", "lan0", "-w", file))
	eventually(t, 10*time.Second, "recording has begun", func() bool {
		s, err := os.Stat(file)
		return err == nil && s.Size() > 0
	})
	return file, func() {
		<-time.After(time.Second) // what the kernel holds comes in blocks
		p.stop()
	}, true
}

// tshark reads a recording.
func tshark(t *testing.T, file string, more ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("tshark", append([]string{"-r", file}, more...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	return string(out)
}

// TestCameraControlDissected has tshark read what a gateway and terminals of both
// protocols say about cameras: all of it is as H.224 and H.281 say.
func TestCameraControlDissected(t *testing.T) {
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "steered", "guest_pin": "1234", "host_pin": "4711"})
	file, end, ok := tapCable(t)
	if !ok {
		return
	}
	var rooms []*room
	for _, way := range []struct{ host, guest string }{{"sip", "h323"}, {"h323", "sip"}} {
		guest := startRoom(t, 500, "--protocol", way.guest, "--call", "steered*1234@"+gatewayIP, "--video", "pattern360")
		eventually(t, 15*time.Second, "the guest is in", func() bool { return len(g.calls()) == 1 && g.calls()[0].packets("video", "recv") > 30 })
		host := startRoom(t, 900, "--protocol", way.host, "--call", "steered*4711@"+gatewayIP, "--video", "none", "--steer", "right,up,store:3,preset:3,hold:in")
		eventually(t, 20*time.Second, "the camera is moved", func() bool { return strings.Count(guest.text(), "the camera moves") >= 3 })
		<-time.After(500 * time.Millisecond) // for a word that it goes on
		host.stop()
		guest.stop()
		rooms = append(rooms, host, guest)
		g.noCalls()
	}
	end()
	for _, r := range rooms {
		_ = r.report()
	}
	script, err := filepath.Abs("../testdata/e2e/fecc.lua")
	if err != nil {
		t.Fatal(err)
	}
	with := []string{"-X", "lua_script:" + script, "--enable-heuristic", "rtp_udp", "-d", "rtp.pt==100,fecc"}
	read := func(filter string, more ...string) string {
		return tshark(t, file, append(append(with, "-Y", filter), more...)...)
	}
	if bad := read("fecc.bad || fecc && _ws.malformed", "-V"); bad != "" {
		t.Errorf("malformed:\n%.4000s", bad)
	}
	counts := map[string]int{} // of commands, by who says them to whom
	frames := 0
	for line := range strings.Lines(read("fecc", "-T", "fields", "-e", "ip.src", "-e", "fecc.command")) {
		frames++
		if from, command, _ := strings.Cut(strings.TrimSpace(line), "\t"); command != "" {
			counts[from+" "+command]++
		}
	}
	t.Logf("%d frames, of commands %v", frames, counts)
	for _, from := range []string{peerIP, gatewayIP} {
		// Each way moves thrice, stores a preset and goes there.
		for command, least := range map[int]int{1: 6, 2: 2, 3: 6, 6: 2, 7: 2} {
			if n := counts[from+" "+strconv.Itoa(command)]; n < least {
				t.Errorf("%s says command %d of H.281 %d times, at least %d were expected", from, command, n, least)
			}
		}
	}
	if protocols := tshark(t, file, "-q", "-z", "io,phs"); strings.Contains(protocols, "h224") { // tshark 4.2 and later
		if bad := tshark(t, file, "-Y", "h224 && _ws.malformed", "-V"); bad != "" {
			t.Errorf("malformed, as tshark itself reads it:\n%.4000s", bad)
		}
	}
}
