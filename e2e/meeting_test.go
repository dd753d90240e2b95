package e2e

import (
	"fmt"
	"testing"
	"time"
)

// A hardware codec, a phone and a browser are in one meeting: everybody hears
// everybody else and not himself, and sees who has a camera.
func TestTerminalPhoneAndBrowserMeet(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "demo", browserOptions{name: "Lan", wav: toneFile(t, 1200)})
	terminal := startBaresip(t, peerOptions{hz: 440, video: true})
	phone := startBaresip(t, peerOptions{hz: 800, codecs: "PCMU"})
	terminal.dial("sip:demo@" + gatewayIP)
	phone.dial("sip:demo@" + gatewayIP)
	terminal.established()
	phone.established()

	terminal.hears(1200, 440)
	terminal.hears(800, 440)
	phone.hears(440, 800)
	phone.hears(1200, 800)
	web.hears("terminal", 440)
	web.hears("phone", 800)
	terminal.sees()
	web.decodes("terminal")

	for _, c := range g.calls() {
		if c.State != "active" || c.Meeting != "demo" || len(c.Media) == 0 {
			t.Errorf("call %+v", c)
		}
	}
	terminal.hangup()
	phone.hangup()
	g.noCalls()
}

// hears waits until the browser plays a tone from a participant of a kind.
func (b *browser) hears(kind string, hz float64) {
	b.t.Helper()
	var last []remoteTone
	eventually(b.t, 20*time.Second, fmt.Sprintf("the browser hears %.0f Hz from the %s", hz, kind), func() bool {
		last = b.tones()
		for _, tone := range last {
			if tone.Kind == kind && tone.Hz > hz-15 && tone.Hz < hz+15 && tone.Level > -60 {
				b.t.Logf("the browser hears %.0f Hz from the %s", tone.Hz, kind)
				return true
			}
		}
		return false
	})
}

// decodes waits until frames of a participant of a kind are decoded, and go on.
func (b *browser) decodes(kind string) {
	b.t.Helper()
	frames := func() remotePicture {
		for _, p := range b.pictures() {
			if p.Kind == kind && p.Frames > 0 {
				return p
			}
		}
		return remotePicture{}
	}
	var first remotePicture
	eventually(b.t, 20*time.Second, "the browser decodes the "+kind+"'s picture", func() bool {
		first = frames()
		return first.Frames > 0
	})
	var next remotePicture
	eventually(b.t, 30*time.Second, "and more of them", func() bool {
		next = frames()
		return next.Frames > first.Frames+20
	})
	b.t.Logf("the browser decodes the %s: %d frames, %dx%d %s", kind, next.Frames, next.Width, next.Height, next.Codec)
}
