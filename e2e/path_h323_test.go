package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The path of an H.323 terminal is cut, the way in of one to 512 kbit/s and the way out of
// another to 640: what comes fits within seconds and goes on, and is the large picture again
// when the path is wide. Bounds go as flowControlCommand (H.245 §7.11.1) both ways; RTCP
// reports say what came.
func TestBadPathsOverH323(t *testing.T) {
	g := startGateway(t, "")
	const cutAt = 6
	call := func(hz float64, meeting, protocol string, args ...string) *room {
		return startRoom(t, hz, append([]string{"--protocol", protocol, "--call", meeting + "@" + gatewayIP, "--codecs", "PCMA", "--fps", "30"}, args...)...)
	}
	sender := call(440, "way-in", "sip", "--duration", "70s")
	eventually(t, 20*time.Second, "the sender is there", func() bool { return len(g.identities("way-in")) == 1 })
	watcher := call(550, "way-in", "h323", "--video", "none", "--timeline", "--duration", "50s", "--path", "in=512@6s,in=0@14s")

	eye := call(660, "way-out", "sip", "--video", "none", "--timeline", "--duration", "42s")
	eventually(t, 20*time.Second, "the watcher is there", func() bool { return len(g.identities("way-out")) == 1 })
	cut := call(770, "way-out", "h323", "--duration", "70s", "--path", "out=640@6s,out=0@14s") // its small clip and sound take 560

	// calls is asked for while they last.
	eventually(t, 20*time.Second, "all are connected", func() bool { return len(g.calls()) == 4 })
	ids := map[string]string{}
	for _, c := range g.calls() {
		if c.Protocol == "h323" {
			ids[c.Meeting] = c.ID
		}
	}
	for name, way := range map[string]struct {
		meeting string
		watched *room
	}{"way in": {"way-in", watcher}, "way out": {"way-out", eye}} {
		t.Run(name, func(t *testing.T) {
			got := way.watched.report()
			if got.Video == nil || len(got.Video.Timeline) < 38 {
				t.Fatalf("%+v", got)
			}
			line := got.Video.Timeline
			t.Logf("%d lost, %d freezes, the longest %d ms, %+v", got.Video.Lost, got.Video.Freezes, got.Video.LongestMS, line)
			if frames, _, kbps := pictures(line, cutAt+1, cutAt+9); frames < 90 || kbps > 640 || line[cutAt+7].Width >= 1280 {
				t.Errorf("in the eight seconds of the cut: %d pictures, %d kbit/s", frames, kbps)
			}
			// Nothing lost is sent again over H.323.
			for i := cutAt + 3; i < cutAt+9; i++ {
				if line[i].Frames == 0 {
					t.Errorf("no picture in second %d", i)
				}
			}
			// Where the worker makes few pictures on a busy machine, the bound comes back slowly.
			back := line[len(line)-21 : len(line)-1]
			if !slices.ContainsFunc(back, func(s second) bool { return s.Width == 1280 }) {
				t.Errorf("after the cut was over: %+v", back)
			}
			if ladder := g.ladder(t, ids[way.meeting]); !strings.Contains(ladder, "flowControlCommand") {
				t.Errorf("no flowControlCommand in the ladder: %.2000s", ladder)
			}
		})
	}
	sender.stop()
	cut.stop()
}
