package e2e

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// sfuMediaPort is where the embedded SFU's media comes from.
const sfuMediaPort = 7882

// nft changes the rules of this host's network.
func nft(t *testing.T, rules string) {
	t.Helper()
	if out, err := exec.Command("nft", rules).CombinedOutput(); err != nil {
		t.Fatalf("nft %s: %v: %s", rules, err, out)
	}
}

// A way from the meeting server that is cut below what a browser's large picture needs brings
// the small one within seconds, and the large one again when it is wide. The pictures of the
// camera that Chromium feigns have 450 kbit/s at twenty a second, and 230 in small.
func TestNarrowWayFromTheSFU(t *testing.T) {
	g := startGateway(t, "")
	joinMeeting(t, "demo", browserOptions{fps: 20})
	watcher := startRoom(t, 440, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--video", "none", "--timeline")
	// shown is the size of what the terminal is sent, and how many packets of it went.
	shown := func() (width, packets int) {
		for _, c := range g.calls() {
			for _, m := range c.Media {
				if m.Kind == "video" && m.Direction == "send" {
					return m.Width, m.Packets
				}
			}
		}
		return 0, 0
	}
	shows := func(what string, width int, within time.Duration) {
		t.Helper()
		began := time.Now()
		eventually(t, within, what, func() bool { w, _ := shown(); return w == width })
		t.Logf("%s after %.1f s", what, time.Since(began).Seconds())
		_, before := shown()
		eventually(t, 40*time.Second, what+" and it moves", func() bool { w, n := shown(); return w == width && n > before+150 })
	}
	shows("the large picture", 1280, 30*time.Second)
	t.Cleanup(func() { _ = exec.Command("nft", "delete table inet way").Run() }) // where the test ends before
	nft(t, fmt.Sprintf("add table inet way; add chain inet way in { type filter hook input priority 0; }; "+
		"add rule inet way in udp sport %d limit rate over 50 kbytes/second burst 8 kbytes drop", sfuMediaPort))
	shows("the small picture on a narrow way", 640, 30*time.Second)
	nft(t, "delete table inet way")
	shows("the large picture on a wide way", 1280, 90*time.Second)

	watcher.stop()
	got := watcher.report()
	if got.Video == nil {
		t.Fatalf("%+v", got)
	}
	t.Logf("%d freezes, the longest %d ms, %+v", got.Video.Freezes, got.Video.LongestMS, got.Video.Timeline)
	large, moving := false, 0
	for _, s := range got.Video.Timeline {
		if large = large || s.Width == 1280; large && s.Width == 640 && s.Frames >= 15 {
			moving++
		}
	}
	if moving < 2 {
		t.Errorf("%d seconds of a small picture that moves", moving)
	}
}
