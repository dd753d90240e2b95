package e2e

import (
	"strings"
	"testing"
)

// In rooms of a LiveKit elsewhere that take VP8, VP9 or AV1 alone, a terminal of H.264
// sees what Chromium publishes; where the codec is one that a worker makes, Chromium
// sees the terminal, too.
func TestRoomsOfOtherCodecs(t *testing.T) {
	startRedis(t)
	for n, codec := range []string{"vp8", "vp9", "av1"} {
		t.Run(codec, func(t *testing.T) {
			server := startLiveKitOf(t, n, codec)
			startGateway(t, server.external())
			web := joinMeeting(t, "demo", browserOptions{wav: toneFile(t, 1200), flags: []string{"allow-running-insecure-content"}})
			terminal := startRoom(t, 440, "--call", "demo@"+gatewayIP, "--codecs", "PCMA", "--name", "Room", "--duration", "12s")
			if codec == "vp8" {
				web.decodes("terminal")
			}
			got := terminal.report()
			if v := got.Video; v == nil || v.Codec != "H264" || v.Frames < 50 || v.Width < 320 {
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

// publishedMime is the codec of what the page sends.
const publishedMime = `(async () => {
	for (const p of window.roomgate.room.localParticipant.videoTrackPublications.values()) {
		let mime = "";
		(await p.track.sender.getStats()).forEach((s) => { if (s.type === "codec" && s.mimeType.startsWith("video/")) mime = s.mimeType; });
		return mime;
	}
	return "";
})()`
