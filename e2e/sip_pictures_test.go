package e2e

import (
	"slices"
	"testing"
	"time"
)

// A terminal that takes no 720p is shown the browser's small layer, while
// another one in the same meeting is shown the large one.
func TestSmallAndLargePicture(t *testing.T) {
	startGateway(t, "")
	joinMeeting(t, "demo", browserOptions{name: "Lan"})
	large := callWithVideo(t, "demo", "profile-level-id=42e01f;packetization-mode=1;max-fs=3600;max-mbps=108000")
	small := callWithVideo(t, "demo", "profile-level-id=42e01e;packetization-mode=1")
	if v := small.video(60); !slices.Equal(v.Sizes, []string{"640x360"}) {
		t.Errorf("the small one: %s", v)
	}
	eventually(t, 40*time.Second, "the large one is shown 1280x720", func() bool {
		v := large.video(1)
		return len(v.Sizes) > 0 && v.Sizes[len(v.Sizes)-1] == "1280x720"
	})
	before := large.video(1).Pictures
	t.Log(large.video(before + 30))
	if v := small.video(90); !slices.Equal(v.Sizes, []string{"640x360"}) {
		t.Errorf("the small one, later: %s", v)
	}
}

// A shared screen is shown to terminals in their main picture, before whoever
// speaks, and the camera is back when the sharing ends. With a video worker the
// screen is composed with those who are there.
func TestSharedScreenIsShown(t *testing.T) {
	for _, worker := range []string{"off", "auto"} {
		t.Run("worker "+worker, func(t *testing.T) {
			g := startGateway(t, "video: {worker: "+worker+"}\n")
			web := joinMeeting(t, "demo", browserOptions{name: "Lan"})
			r := startRoom(t, 700, "--call", "demo@"+gatewayIP, "--content", "off") // without a second channel
			for _, kind := range []string{"video", "content", "video"} {
				eventually(t, 40*time.Second, "the terminal is shown "+kind, func() bool {
					now, _ := g.shown("demo")
					return now == kind
				})
				_, before := g.shown("demo")
				eventually(t, 20*time.Second, "and goes on being shown "+kind, func() bool {
					now, packets := g.shown("demo")
					return now == kind && packets > before+50
				})
				web.click("share") // begins, and ends
			}
			r.stop()
			if got := r.report(); got.Video == nil || got.Video.Frames < 60 || got.Video.Keyframes < 3 {
				t.Errorf("the terminal: %+v", got.Video)
			}
		})
	}
}
