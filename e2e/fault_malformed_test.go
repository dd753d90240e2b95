package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stranger is another host that sends what it likes.
type stranger struct {
	t   *testing.T
	udp *net.UDPConn
	rng *rand.Rand
}

// newStranger has an address that no call uses.
func newStranger(t *testing.T) *stranger {
	t.Helper()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(gatewayIP)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	return &stranger{t: t, udp: udp, rng: rand.New(rand.NewPCG(7, 9))}
}

// toSIP sends a message by UDP and by TCP.
func (s *stranger) toSIP(message []byte) {
	s.t.Helper()
	to := net.JoinHostPort(gatewayIP, fmt.Sprint(sipPort))
	if addr, err := net.ResolveUDPAddr("udp4", to); err == nil && len(message) < 60000 {
		_, _ = s.udp.WriteToUDP(message, addr)
	}
	conn, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		s.t.Fatalf("the gateway takes no connection any more: %v", err)
	}
	_, _ = conn.Write(message)
	conn.Close()
}

// spoilt changes a message in some places: bytes flipped, cut out, doubled.
func (s *stranger) spoilt(message []byte) []byte {
	out := append([]byte(nil), message...)
	for range 1 + s.rng.IntN(6) {
		if len(out) < 8 {
			break
		}
		at := s.rng.IntN(len(out) - 4)
		switch s.rng.IntN(4) {
		case 0:
			out[at] = byte(s.rng.Uint32())
		case 1:
			out = append(out[:at], out[at+1+s.rng.IntN(min(40, len(out)-at-1)):]...)
		case 2:
			out = append(out[:at:at], append([]byte(strings.Repeat("9", 30)), out[at:]...)...)
		case 3:
			out = out[:at]
		}
	}
	return out
}

// toMedia sends RTP and RTCP that is none to ports: random bytes, headers that
// claim more than there is, reports of the lengths that hurt, sources that
// change.
func (s *stranger) toMedia(ports []int) {
	headers := [][]byte{
		{}, {0x80}, {0x80, 0}, {0xbf, 0xff, 0xff, 0xff}, // CSRC, padding and extension that are not there
		{0x90, 97, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0xff, 0xff}, // 65535 words of extension
		{0xa0, 97, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff},                   // 255 bytes of padding
		{0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff},                  // a telephone event cut short
		{0x80, 97, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x78, 0xff, 0xff, 0x67}, // STAP-A of 65535 bytes
		{0x80, 97, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x7c, 0xc5},             // FU-A that begins and ends
		{0x81, 200, 0, 0}, {0x9f, 200, 0, 6, 0, 0, 0, 1}, {0x81, 201, 0xff, 0xff, 0, 0, 0, 1}, // reports without their blocks
		{0x8f, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, {0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0xff, 0xff, 0xff, 0xff},
		{0x81, 203, 0, 1, 0, 0, 0, 1}, // BYE of somebody
	}
	for _, port := range ports {
		to := &net.UDPAddr{IP: net.ParseIP(gatewayIP), Port: port}
		for _, h := range headers {
			junk := make([]byte, s.rng.IntN(1200))
			for i := range junk {
				junk[i] = byte(s.rng.Uint32())
			}
			_, _ = s.udp.WriteToUDP(h, to)
			_, _ = s.udp.WriteToUDP(append(append([]byte(nil), h...), junk...), to)
			_, _ = s.udp.WriteToUDP(junk, to)
		}
	}
}

// messages are what breaks parsers: the torture tests, and calls and
// descriptions of real products to be spoilt.
func messages(t *testing.T) (list [][]byte) {
	t.Helper()
	for _, pattern := range []string{"torture/rfc4475/*", "torture/rfc5118/*", "sip/vendors/*.sip"} {
		files, err := filepath.Glob(filepath.Join("../testdata", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, text)
		}
	}
	sdps, _ := filepath.Glob("../testdata/sdp/*.sdp")
	p := newPen(t, "udp")
	for _, file := range sdps {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		id := newCallID()
		list = append(list, []byte(p.request("INVITE", "elsewhere", id, 1, "", id, string(body)).String()))
	}
	return list
}

// Malformed SIP, SDP, RTP and RTCP come from another host during a call: the
// call loses nothing, and the process lives.
func TestMalformedDuringACall(t *testing.T) {
	g := startGatewayOn(t, strings.Replace(baseConfig, "level: debug", "level: info", 1)+"limits: {per_source: 2000}\n")
	a := startRoom(t, 700, "--call", "demo@"+gatewayIP)
	b := startRoom(t, 1100, "--call", "demo@"+gatewayIP, "--video", "pattern360")
	g.flows(t, "demo", 2, true)
	pid := g.cmd.Process.Pid

	s := newStranger(t)
	var ports []int // of the two calls, and others
	for port := 20000; port < 20040; port++ {
		ports = append(ports, port)
	}
	list := messages(t)
	for range 3 {
		for _, m := range list {
			s.toSIP(m)
			s.toSIP(s.spoilt(m))
		}
		s.toMedia(ports)
	}
	g.flows(t, "demo", 2, true) // more of it
	if !alive(pid) || g.cmd.Process.Pid != pid {
		t.Fatal("the gateway has not lived through it")
	}
	for _, c := range g.calls() {
		if c.Meeting != "demo" {
			continue
		}
		for _, m := range c.Media {
			if m.Direction == "recv" && m.Lost > 0 {
				t.Errorf("%s: %d packets of %s lost", c.Remote.UserAgent, m.Lost, m.Kind)
			}
		}
	}
	if got := a.heard(1100, "G722", "none", 640, 360); got.Audio != nil && got.Audio.Lost > 0 {
		t.Errorf("%d packets of sound lost", got.Audio.Lost)
	}
	b.heard(700, "G722", "none", 1280, 720)
}
