package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const modeZero = "packetization mode 0"

// The simulated terminal in every way it calls, in pairs: what one sends the
// other measures, through the gateway.
func TestTerminalWays(t *testing.T) {
	g := startGateway(t, "")
	rows := []struct {
		name       string
		args       []string
		encryption string
		codec      string
		video      bool
	}{
		{"udp", nil, "none", "G722", true},
		{"tcp", []string{"--transport", "tcp"}, "none", "G722", true},
		{"tls srtp", []string{"--transport", "tls", "--encryption", "require"}, "srtp", "G722", true},
		{"tls srtp preferred", []string{"--transport", "tls", "--encryption", "prefer", "--audio-only"}, "srtp", "G722", false},
		{"PCMA", []string{"--codecs", "PCMA", "--audio-only"}, "none", "PCMA", false},
		{"PCMU", []string{"--codecs", "PCMU", "--audio-only"}, "none", "PCMU", false},
		{"registered", []string{"--register", "room-a:secret-a@" + gatewayIP, "--audio-only"}, "none", "G722", false},
		{modeZero, []string{"--packetization-modes", "0"}, "none", "G722", true},
		{"packetization mode 1", []string{"--packetization-modes", "1"}, "none", "G722", true},
		{"polycom", []string{"--vendor", "polycom"}, "none", "G7221", true},
		{"siren 7", []string{"--codecs", "G7221@24000", "--audio-only"}, "none", "G7221", false},
		{"siren 14", []string{"--codecs", "G7221C@32000", "--audio-only"}, "none", "G7221", false},
		{"cisco", []string{"--vendor", "cisco"}, "none", "G722", true},
		{"yealink", []string{"--vendor", "yealink"}, "none", "G722", true},
	}
	tested, mates := make([]*room, len(rows)), make([]*room, len(rows))
	begin := func(i int) {
		target, row := fmt.Sprintf("way-%d@%s", i, gatewayIP), rows[i]
		tested[i] = startRoom(t, float64(400+50*i), append([]string{"--call", target}, row.args...)...)
		mate := []string{"--call", target, "--audio-only"}
		if row.video {
			mate = []string{"--call", target, "--video", "pattern360"}
		}
		if row.name == modeZero { // takes no picture whose slices are longer than a packet
			mate = append(mate, "--packetization-modes", "0")
		}
		mates[i] = startRoom(t, float64(1300+50*i), mate...)
	}
	// A few at a time: a machine that is too busy looks like a narrow path.
	const few = 3
	for i, row := range rows {
		if i%few == 0 {
			for j := i; j < min(i+few, len(rows)); j++ {
				begin(j)
			}
		}
		t.Run(row.name, func(t *testing.T) {
			during(t, tested[i].process, mates[i].process)
			g.flows(t, fmt.Sprintf("way-%d", i), 2, row.video)
			width, height, mateWidth, mateHeight := 0, 0, 0, 0
			if row.video {
				width, height, mateWidth, mateHeight = 640, 360, 1280, 720
			}
			if row.name == modeZero { // the pattern of small slices has one size
				mateWidth, mateHeight = 640, 360
			}
			tested[i].heard(mates[i].hz, row.codec, row.encryption, width, height)
			mates[i].heard(tested[i].hz, "G722", "none", mateWidth, mateHeight)
		})
	}
	g.noCalls()
}

// flows waits until every call of a meeting has media both ways for long
// enough to be measured.
func (g *gateway) flows(t *testing.T, meeting string, calls int, video bool) {
	t.Helper()
	eventually(t, 40*time.Second, "media flows in "+meeting, func() bool {
		n := 0
		for _, c := range g.calls() {
			if c.Meeting == meeting && c.packets("audio", "recv") > 150 && c.packets("audio", "send") > 150 &&
				(!video || c.packets("video", "recv") > 150 && c.packets("video", "send") > 150) {
				n++
			}
		}
		return n == calls
	})
}

// A terminal that nobody answers says so, with its exit code.
func TestTerminalSaysWhyNot(t *testing.T) {
	startGatewayOn(t, strings.Replace(baseConfig, "auto_create: true", "auto_create: false", 1))
	for _, tc := range []struct {
		args  []string
		cause string
	}{
		{[]string{"--call", "nobody@" + gatewayIP}, "unknown-alias"},
		{[]string{"--call", "nobody@" + gatewayIP, "--register", "room-a:wrong@" + gatewayIP}, ""},
	} {
		r := startRoom(t, 1000, tc.args...)
		got := r.report()
		if got.Connected || got.code != 1 || !strings.HasPrefix(got.Cause, tc.cause) || got.Cause == "" {
			t.Errorf("%v: connected %v, cause %q, exit code %d", tc.args, got.Connected, got.Cause, got.code)
		}
		t.Logf("%v: %s", tc.args, got.Cause)
	}
}

// A terminal registers and listens; another calls it by its alias.
func TestTerminalListens(t *testing.T) {
	g := startGateway(t, "")
	listener := startRoom(t, 500, "--register", "room-b:secret-b@"+gatewayIP, "--listen", "--transport", "tcp")
	eventually(t, 15*time.Second, "the terminal is registered", func() bool {
		all, err := g.api().Registrations(t.Context())
		return err == nil && len(all) == 1
	})
	caller := startRoom(t, 900, "--register", "room-a:secret-a@"+gatewayIP, "--call", "1002@"+gatewayIP, "--video", "pattern360", "--dtmf", "42#")
	eventually(t, 40*time.Second, "media flows between them", func() bool {
		all := g.calls()
		return len(all) == 2 && !slices.ContainsFunc(all, func(c apiCall) bool {
			return c.packets("audio", "send") < 200 || c.packets("video", "send") < 150
		})
	})
	if got := caller.heard(500, "G722", "none", 1280, 720); got.DTMFSent != "42#" {
		t.Errorf("digits sent: %q", got.DTMFSent)
	}
	got := listener.report() // the far side has hung up
	if !got.Connected || got.code != 0 || got.Audio == nil || got.Audio.FrequencyHz < 885 || got.Audio.FrequencyHz > 915 ||
		got.Video == nil || got.Video.Width != 640 {
		t.Errorf("the listener reports %+v, audio %+v, video %+v", got, got.Audio, got.Video)
	}
	g.noCalls()
}

// The terminal and baresip, without a gateway between them.
func TestTerminalCallsBaresip(t *testing.T) {
	for _, tc := range []struct {
		name, encryption, mediaenc, kept string
	}{{"plain", "off", "", "none"}, {"srtp", "require", "srtp-mand", "srtp"}} {
		t.Run(tc.name, func(t *testing.T) {
			b := startBaresip(t, peerOptions{hz: 440, answer: true, video: true, size: "640x360", mediaenc: tc.mediaenc})
			seen := filepath.Join(t.TempDir(), "seen.h264")
			r := startRoom(t, 900, "--call", fmt.Sprintf("sip:%s@%s", b.user, b.address), "--encryption", tc.encryption, "--record-video", seen)
			b.established()
			b.hears(900, 440)
			b.seesSize(1280, 720)
			eventually(t, 15*time.Second, "the terminal sees baresip", func() bool {
				info, err := os.Stat(seen)
				return err == nil && info.Size() > 0
			})
			r.heard(440, "G722", tc.kept, 640, 360)
		})
	}
}

// Browser and terminal see each other in 720p; the browser's picture may begin
// smaller, and grows when the way allows it.
func TestPictureSizesBetweenBrowserAndTerminal(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "demo", browserOptions{name: "Lan", wav: toneFile(t, 1200)})
	r := startRoom(t, 700, "--call", "demo@"+gatewayIP)
	web.hears("terminal", 700)
	web.decodes("terminal")
	eventually(t, 20*time.Second, "the browser decodes 1280x720", func() bool {
		return slices.ContainsFunc(web.pictures(), func(p remotePicture) bool { return p.Kind == "terminal" && p.Width == 1280 && p.Height == 720 })
	})
	eventually(t, 60*time.Second, "the browser's 720p goes to the terminal", func() bool {
		for _, c := range g.calls() {
			for _, m := range c.Media {
				if m.Kind == "video" && m.Direction == "send" && m.Width == 1280 && m.Packets > 300 {
					return true
				}
			}
		}
		return false
	})
	got := r.heard(1200, "G722", "none", 1280, 720)
	t.Logf("the terminal: %+v", *got.Video)
}
