package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// In rooms of a LiveKit elsewhere that take VP8 or VP9 alone, a terminal of H.264
// sees what Chromium publishes; where the codec is one that a worker makes, Chromium
// sees the terminal, too.
func TestRoomsOfOtherCodecs(t *testing.T) {
	startRedis(t)
	for n, codec := range []string{"vp8", "vp9"} {
		t.Run(codec, func(t *testing.T) {
			server := startLiveKitOf(t, n, codec)
			g := startGateway(t, server.external())
			web := joinMeeting(t, "room-"+codec, browserOptions{wav: toneFile(t, 1200), flags: []string{"allow-running-insecure-content"}})
			terminal := startRoom(t, 440, "--call", "room-"+codec+"@"+gatewayIP, "--codecs", "PCMA", "--name", "Room")
			if codec == "vp8" {
				web.decodes("terminal")
			}
			eventually(t, 60*time.Second, "pictures of the browser are made for the terminal", func() bool { return g.picturesSent() > 400 })
			terminal.stop()
			got := terminal.report()
			if v := got.Video; v == nil || v.Codec != "H264" || v.Frames < 10 {
				t.Errorf("the terminal sees %+v", v)
			} else {
				t.Logf("the terminal sees %d pictures of %dx%d", v.Frames, v.Width, v.Height)
			}
			if mime := eval[string](web, publishedMime); !strings.EqualFold(mime, "video/"+codec) {
				t.Errorf("Chromium publishes %s", mime)
			}
			server.stop()
		})
	}
}

// picturesSent is how many packets of pictures that a worker makes were sent to calls.
func (g *gateway) picturesSent() (packets int) {
	g.t.Helper()
	code, body := g.get("/api/v1/calls")
	var list struct {
		Calls []struct {
			Media []struct {
				Kind, Direction, Mode string
				Packets               int
			}
		}
	}
	if code != 200 || json.Unmarshal(body, &list) != nil {
		g.t.Fatalf("GET calls: %d %s", code, body)
	}
	for _, c := range list.Calls {
		for _, m := range c.Media {
			if m.Kind == "video" && m.Direction == "send" && m.Mode == "transcoded" {
				packets += m.Packets
			}
		}
	}
	return packets
}

// publishedMime is the codec of what the page sends.
const publishedMime = `(async () => {
	for (const p of window.roomgate.room.localParticipant.videoTrackPublications.values()) {
		const all = await p.track.sender.getStats();
		let mime = "";
		all.forEach((s) => { if (s.type === "outbound-rtp" && s.codecId) mime = all.get(s.codecId).mimeType; });
		return mime;
	}
	return "";
})()`
