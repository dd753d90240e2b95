package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/testcard"
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
			web := joinMeeting(t, "room-"+codec, browserOptions{flags: []string{"allow-running-insecure-content"}})
			terminal := startRoom(t, 440, "--call", "room-"+codec+"@"+gatewayIP, "--codecs", "PCMA", "--name", "Room", "--video", "pattern360")
			if codec == "vp8" {
				web.decodes("terminal")
			}
			eventually(t, 120*time.Second, "pictures of the browser are made for the terminal", func() bool { return g.picturesSent() > 250 })
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

// In a room of AV1 alone, what Chromium publishes, in layers of several sizes (L3T3_KEY), is
// decoded for a terminal of H.264, which reads the test cards that the browser's camera
// films, one after the other: large, and as one of small pictures.
func TestAV1OfChromium(t *testing.T) {
	startRedis(t)
	server := startLiveKitOf(t, 0, "av1")
	g := startGateway(t, server.external())
	const identity = 6
	for _, layout := range []string{"single", "3x3"} {
		t.Run(layout, func(t *testing.T) {
			alias := "av1-" + layout
			g.meeting(alias, layout)
			web := joinMeeting(t, alias, browserOptions{
				film: cardFilm(t, identity, 1280, 720), flags: []string{"allow-running-insecure-content"},
			})
			eventually(t, 20*time.Second, "Chromium publishes AV1", func() bool { return strings.EqualFold(eval[string](web, publishedMime), "video/AV1") })
			if layout == "3x3" { // with one there that takes little, small pictures are decoded of the lowest layer
				callWithVideo(t, alias, "profile-level-id=42e01e;packetization-mode=1").video(30)
			}
			before := g.picturesSent()
			seen := filepath.Join(t.TempDir(), "seen.h264")
			terminal := startRoom(t, 440, "--call", alias+"@"+gatewayIP, "--codecs", "PCMA", "--name", "Room", "--tiles", "--record-video", seen)
			eventually(t, 120*time.Second, "pictures of the browser are made for the terminal, which gets many", func() bool {
				return g.picturesSent() > before+60 && filmed(t, seen) > 50
			})
			terminal.stop()
			v := terminal.report().Video
			if v == nil || v.Codec != "H264" || v.Frames < 30 || v.Cards[identity] < 15 {
				t.Fatalf("the terminal sees %+v", v)
			}
			t.Logf("the terminal sees %d pictures of %dx%d, %d different cards", v.Frames, v.Width, v.Height, v.Cards[identity])
			web.click("leave")
		})
	}
	server.stop()
}

// cardFilm is four seconds of test cards for Chromium's camera, ten a second: to code
// large pictures of AV1 in software is much work.
func cardFilm(t *testing.T, identity, w, h int) string {
	t.Helper()
	var card []byte
	film := fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420\n", w, h)
	for i := range 40 {
		card = testcard.Draw(card, w, h, testcard.Card{Identity: identity, Counter: i})
		film = append(append(film, "FRAME\n"...), card...)
	}
	file := filepath.Join(t.TempDir(), "cards.y4m")
	if err := os.WriteFile(file, film, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
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
