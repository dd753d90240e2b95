package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// An H.323 terminal, a SIP terminal and a browser are in one meeting: everybody hears
// and sees the others.
func TestH323TerminalMeetsBrowserAndSIP(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "demo", browserOptions{name: "Lan", wav: toneFile(t, 1200)})
	first := startRoom(t, 700, "--protocol", "h323", "--call", "demo@"+gatewayIP)
	first.established(g, 1)
	g.flowsOn(t, "demo")
	first.heard(1200, "G722", "none", 0, 0) // the browser
	g.noCalls()

	old := startRoom(t, 800, "--protocol", "h323", "--call", "demo@"+gatewayIP)
	old.established(g, 1)
	web.hears("terminal", 800)
	web.decodes("terminal")
	sip := startBaresip(t, peerOptions{hz: 440, video: true})
	sip.dial("sip:demo@" + gatewayIP)
	sip.established()
	sip.hears(800, 440)
	sip.hears(1200, 440)
	sip.sees()
	web.hears("terminal", 440)
	for _, c := range g.calls() {
		if c.Protocol == "h323" && (c.State != "active" || c.Meeting != "demo" || c.Remote.Product != "roomgate terminal" ||
			c.packets("audio", "recv") == 0 || c.packets("video", "send") == 0) {
			t.Errorf("the H.323 call is %+v", c)
		}
	}
	g.flowsOn(t, "demo")
	old.heard(440, "G722", "none", 1280, 720) // the SIP terminal, among others
	sip.hangup()
	g.noCalls()
}

// established waits until so many calls have media.
func (r *room) established(g *gateway, calls int) {
	r.t.Helper()
	eventually(r.t, 20*time.Second, r.name+" is connected", func() bool {
		all := g.calls()
		return len(all) == calls && !slices.ContainsFunc(all, func(c apiCall) bool { return c.packets("audio", "recv") < 10 })
	})
}

// flowsOn waits until each call of a meeting has gone on for as long as a tone is
// measured over.
func (g *gateway) flowsOn(t *testing.T, meeting string) {
	t.Helper()
	before := g.sent(meeting)
	eventually(t, 20*time.Second, "sound goes on in "+meeting, func() bool {
		now := g.sent(meeting)
		for id, n := range now {
			if n < before[id]+120 {
				return false
			}
		}
		return len(now) > 0
	})
}

// sent counts the audio packets sent to each call of a meeting.
func (g *gateway) sent(meeting string) map[string]int {
	n := map[string]int{}
	for _, c := range g.calls() {
		if c.Meeting == meeting {
			n[c.ID] = c.packets("audio", "send")
		}
	}
	return n
}

// H.323 terminals in every way that calls are set up, each with a SIP terminal in its
// meeting: what one sends the other measures.
func TestH323TerminalWays(t *testing.T) {
	g := startGateway(t, "h323: {fast_start: \"on\"}\nrtp: {encryption: prefer}\n")
	rows := []struct {
		name       string
		args       []string
		encryption string
		codec      string
		video      bool
	}{
		{"tunnelled", nil, "none", "G722", true},
		{"separate", []string{"--tunnel", "off"}, "none", "G722", true},
		{"fast", []string{"--fast-start", "on"}, "none", "G722", true},
		{"fast and separate", []string{"--fast-start", "on", "--tunnel", "off"}, "none", "G722", true},
		{"early", []string{"--early-h245"}, "none", "G722", true},
		{"early and separate", []string{"--early-h245", "--tunnel", "off"}, "none", "G722", true},
		{"encrypted", []string{"--encryption", "require"}, "h235", "G722", true},
		{"registered", []string{"--register", "room-a:secret-a@" + gatewayIP}, "none", "G722", true},
		{"PCMU", []string{"--codecs", "PCMU", "--audio-only"}, "none", "PCMU", false},
	}
	tested, mates := make([]*room, len(rows)), make([]*room, len(rows))
	start := func(i int) {
		alias := fmt.Sprintf("h-%d", i)
		tested[i] = startRoom(t, float64(400+50*i), append([]string{"--protocol", "h323", "--call", alias + "@" + gatewayIP}, rows[i].args...)...)
		mate := []string{"--call", alias + "@" + gatewayIP, "--audio-only"}
		if rows[i].video {
			mate = []string{"--call", alias + "@" + gatewayIP, "--video", "pattern360"}
		}
		mates[i] = startRoom(t, float64(1300+50*i), mate...)
	}
	const few = 3 // at a time: a machine that is too busy looks like a narrow path
	for i, row := range rows {
		if i%few == 0 {
			for j := i; j < min(i+few, len(rows)); j++ {
				start(j)
			}
		}
		t.Run(row.name, func(t *testing.T) {
			during(t, tested[i].process, mates[i].process)
			g.flows(t, fmt.Sprintf("h-%d", i), 2, row.video)
			width, height, mateWidth, mateHeight := 0, 0, 0, 0
			if row.video {
				width, height, mateWidth, mateHeight = 640, 360, 1280, 720
			}
			tested[i].heard(mates[i].hz, row.codec, row.encryption, width, height)
			mates[i].heard(tested[i].hz, "G722", "none", mateWidth, mateHeight)
		})
	}
	g.noCalls()
}

// Terminals of either protocol call each other by their aliases.
func TestTerminalsAcrossProtocols(t *testing.T) {
	g := startGateway(t, "")
	for _, way := range []struct{ caller, callee string }{{"h323", "sip"}, {"sip", "h323"}, {"h323", "h323"}} {
		t.Run(way.caller+" calls "+way.callee, func(t *testing.T) {
			listener := startRoom(t, 500, "--protocol", way.callee, "--register", "room-b:secret-b@"+gatewayIP, "--listen")
			eventually(t, 15*time.Second, "the terminal is registered", func() bool {
				all, err := g.api().Registrations(t.Context())
				return err == nil && len(all) > 0
			})
			caller := startRoom(t, 900, "--protocol", way.caller, "--call", "room-b@"+gatewayIP, "--video", "pattern360", "--dtmf", "42#")
			during(t, caller.process, listener.process)
			eventually(t, 40*time.Second, "media flows between them", func() bool {
				all := g.calls()
				return len(all) == 2 && !slices.ContainsFunc(all, func(c apiCall) bool {
					return c.packets("audio", "send") < 200 || c.packets("video", "send") < 150
				})
			})
			for _, c := range g.calls() { // the called terminal asked our gatekeeper (ARQ)
				if c.Direction != "out" || way.callee != "h323" {
					continue
				}
				if ladder := g.ladder(t, c.ID); !strings.Contains(ladder, `"protocol":"ras"`) {
					t.Errorf("no ARQ in the ladder: %.1000s", ladder)
				}
				if read := g.dissect(t, c.ID); !strings.Contains(read, "admissionConfirm") {
					t.Errorf("no ACF in the capture: %.1000s", read)
				}
			}
			if got := caller.heard(500, "G722", "none", 1280, 720); got.DTMFSent != "42#" {
				t.Errorf("digits sent: %q", got.DTMFSent)
			}
			got := listener.report() // the far side has hung up
			if !got.Connected || got.code != 0 || got.Audio == nil || got.Audio.FrequencyHz < 885 || got.Audio.FrequencyHz > 915 ||
				got.Video == nil || got.Video.Width != 640 {
				t.Errorf("the listener reports %+v, audio %+v, video %+v", got, got.Audio, got.Video)
			}
			g.noCalls()
			eventually(t, 90*time.Second, "the registration is gone", func() bool {
				all, err := g.api().Registrations(t.Context())
				return err == nil && len(all) == 0
			})
		})
	}
}

// What nobody has is refused with its reason, in either way of dialling.
func TestH323SaysWhyNot(t *testing.T) {
	startGatewayOn(t, strings.Replace(baseConfig, "auto_create: true", "auto_create: false", 1))
	for _, target := range []string{"nobody@" + gatewayIP, gatewayIP + "##nobody", gatewayIP} {
		got := startRoom(t, 1000, "--protocol", "h323", "--call", target).report()
		if got.Connected || got.code != 1 || !strings.HasPrefix(got.Cause, "unknown-alias") {
			t.Errorf("%s: connected %v, cause %q, exit code %d", target, got.Connected, got.Cause, got.code)
		}
	}
}
