package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/h264"
)

// These tests pin down what the gateway relies on of Chromium's H.264; the
// findings are in docs/video.md.

// sender is what the page is told to send.
type sender struct {
	Width, Height int
	Mode          int    // packetization-mode offered, alone
	Bitrate       int    // maxBitrate of the (highest) encoding, bit/s
	FPS           int    // maxFramerate; 0 = not set
	Degradation   string // degradationPreference; "" = the browser's default
	Simulcast     bool   // a layer q of half the size besides f
}

// sendingPage draws a moving picture and sends it as H.264.
const sendingPage = `window.send = async (o) => {
	const canvas = document.createElement("canvas");
	canvas.width = o.Width; canvas.height = o.Height;
	const g = canvas.getContext("2d");
	let n = 0;
	const draw = () => {
		n++;
		for (let i = 0; i < (n === 1 ? 400 : 3); i++) {
			g.fillStyle = "hsl(" + Math.floor(Math.random() * 360) + ",80%,50%)";
			g.fillRect(Math.random() * o.Width, Math.random() * o.Height, 48, 48);
		}
		g.fillStyle = "white"; g.fillRect((n * 7) % o.Width, 0, 30, o.Height);
	};
	draw(); setInterval(draw, 33);
	const track = canvas.captureStream(30).getVideoTracks()[0];
	const pc = window.pc = new RTCPeerConnection();
	const sendEncodings = o.Simulcast
		? [{rid: "q", scaleResolutionDownBy: 2, maxBitrate: 450000}, {rid: "f", maxBitrate: o.Bitrate}]
		: [{maxBitrate: o.Bitrate}];
	if (o.FPS) sendEncodings.forEach((e) => { e.maxFramerate = o.FPS; });
	const tr = pc.addTransceiver(track, {direction: "sendonly", sendEncodings});
	tr.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter((c) => c.mimeType === "video/H264" &&
		c.sdpFmtpLine.includes("packetization-mode=" + o.Mode + ";profile-level-id=42e01f")));
	if (o.Degradation) {
		const p = tr.sender.getParameters();
		p.degradationPreference = o.Degradation;
		await tr.sender.setParameters(p);
	}
	await pc.setLocalDescription(await pc.createOffer());
	await new Promise((done) => { pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); });
	return pc.localDescription.sdp;
}; true`

// sends opens Chromium and lets it send to a receiver that allows so many bit/s.
func sends(t *testing.T, s sender, allowed float32) *receiver {
	t.Helper()
	r := newReceiver(t, fmt.Sprintf("level-asymmetry-allowed=1;packetization-mode=%d;profile-level-id=42e01f", s.Mode))
	r.allow(allowed)
	b := openBrowser(t, browserOptions{})
	eval[bool](b, sendingPage)
	answer := r.answer(eval[string](b, "window.send("+quote(t, s)+")"))
	eval[bool](b, `window.pc.setRemoteDescription({type: "answer", sdp: `+quote(t, answer)+`}).then(() => true)`)
	return r
}

// quote is a value as JavaScript.
func quote(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// modeZeroPacket is the longest payload a terminal in packetization-mode 0 is
// sent.
const modeZeroPacket = h264.DefaultPacket - 12

// Chromium honours packetization-mode 0: it codes slices that each fit one
// packet, keyframes too.
func TestChromiumCodesSmallSlices(t *testing.T) {
	video := func(mode int) seenVideo {
		v := sends(t, sender{Width: 1280, Height: 720, Mode: mode, Bitrate: 1_500_000, FPS: 30, Degradation: "maintain-resolution"}, 5_000_000).video("", 40)
		t.Logf("mode %d: %s", mode, v)
		if v.Sizes[0] != "1280x720" || !v.SPS.ConstrainedBaseline() || v.SPS.LevelIDC != 31 {
			t.Errorf("mode %d: %s", mode, v)
		}
		return v
	}
	zero, one := video(0), video(1)
	for kind := range zero.Units {
		if !slices.Contains([]h264.Type{h264.Slice, h264.IDR, h264.SEI, h264.SPSUnit, h264.PPSUnit}, kind) {
			t.Errorf("packetization-mode 0 with packets of type %d", kind)
		}
	}
	if zero.MostSlices < 10 || zero.Largest > modeZeroPacket {
		t.Errorf("packetization-mode 0: %s", zero)
	}
	if one.MostSlices != 1 || one.Units[28] == 0 { // FU-A
		t.Errorf("packetization-mode 1: %s", one)
	}
}

// Sizes and levels of what Chromium sends.
func TestChromiumPictures(t *testing.T) {
	for _, tc := range []struct {
		name  string
		s     sender
		sizes map[string]string // by RID
		level uint8             // of the largest
	}{
		{"layers", sender{Width: 1280, Height: 720, FPS: 30, Simulcast: true}, map[string]string{"f": "1280x720", "q": "640x360"}, 31},
		{"portrait", sender{Width: 720, Height: 1280, FPS: 30, Simulcast: true}, map[string]string{"f": "720x1280", "q": "360x640"}, 31},
		{"frame rate not stated", sender{Width: 1280, Height: 720}, map[string]string{"": "1280x720"}, 32},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.s.Mode, tc.s.Bitrate, tc.s.Degradation = 1, 1_500_000, "maintain-resolution"
			r := sends(t, tc.s, 5_000_000)
			for rid, size := range tc.sizes {
				v := r.video(rid, 20)
				t.Logf("%q: %s", rid, v)
				if !slices.Equal(v.Sizes, []string{size}) {
					t.Errorf("%q: sizes %v, want %s", rid, v.Sizes, size)
				}
				if rid != "q" && v.SPS.LevelIDC != tc.level {
					t.Errorf("%q: level_idc %d, want %d", rid, v.SPS.LevelIDC, tc.level)
				}
			}
		})
	}
}

// On a narrow path Chromium keeps the size only when told to.
func TestChromiumOnANarrowPath(t *testing.T) {
	for _, tc := range []struct {
		degradation string
		pictures    int // few when they keep their size
		keeps       bool
	}{{"maintain-resolution", 25, true}, {"balanced", 60, false}, {"", 60, false}} {
		t.Run(tc.degradation, func(t *testing.T) {
			r := sends(t, sender{Width: 1280, Height: 720, Mode: 1, Bitrate: 1_500_000, FPS: 30, Degradation: tc.degradation}, 250_000)
			v := r.video("", tc.pictures)
			t.Log(v)
			if kept := slices.Equal(v.Sizes, []string{"1280x720"}); kept != tc.keeps {
				t.Errorf("degradationPreference %q: sizes %v", tc.degradation, v.Sizes)
			}
			for _, size := range v.Sizes {
				var w, h int
				fmt.Sscanf(size, "%dx%d", &w, &h)
				if !h264.TerminalSize(w, h) {
					t.Errorf("%s is not a size that terminals take", size)
				}
			}
		})
	}
}

// Debian's Chromium codes and decodes Constrained Baseline, Baseline and Main,
// each in both packetization modes, and offers no High.
func TestChromiumH264Profiles(t *testing.T) {
	b := openBrowser(t, browserOptions{})
	profiles := func(side string) []string {
		lines := eval[[]string](b, side+`.getCapabilities("video").codecs.filter((c) => c.mimeType === "video/H264").map((c) => c.sdpFmtpLine)`)
		var list []string
		for _, line := range lines {
			_, id, _ := strings.Cut(line, "profile-level-id=")
			_, mode, _ := strings.Cut(line, "packetization-mode=")
			list = append(list, id[:6]+"/"+mode[:1])
		}
		slices.Sort(list)
		return list
	}
	codes, decodes := profiles("RTCRtpSender"), profiles("RTCRtpReceiver")
	t.Log("codes:", codes)
	t.Log("decodes:", decodes)
	for _, want := range []string{"42e01f/0", "42e01f/1", "42001f/0", "42001f/1", "4d001f/0", "4d001f/1"} {
		if !slices.Contains(codes, want) || !slices.Contains(decodes, want) {
			t.Errorf("no %s", want)
		}
	}
}

// A terminal that takes packetization-mode 0 only is shown a browser's picture:
// as it is when the browser codes small slices, else made to fit. Without a
// video worker it is told why not.
func TestBrowserToModeZeroTerminal(t *testing.T) {
	for _, tc := range []struct {
		name   string
		small  bool // slices of the browser
		config string
		mode   string // "": no picture
	}{
		{"small slices", true, "video: {worker: off}\n", "passthrough"},
		{"large slices", false, "", "transcoded"},
		{"large slices, no worker", false, "video: {worker: off}\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := startGateway(t, tc.config)
			b := lobby(t, "demo", browserOptions{})
			if tc.small {
				eval[bool](b, publishModeZero)
			}
			b.enter()
			terminal := callWithVideo(t, "demo", "profile-level-id=42801f")
			if tc.mode == "" {
				eventually(t, 20*time.Second, "the picture is refused", func() bool { return strings.Contains(g.videoNotice(), "packetization mode 0") })
				t.Log(g.videoNotice())
				if n := terminal.packets(); n != 0 {
					t.Errorf("%d packets of video all the same", n)
				}
				return
			}
			v := terminal.video(60)
			t.Log(v)
			if v.Largest > modeZeroPacket || v.Units[28] != 0 || v.Units[24] != 0 {
				t.Errorf("not packetization-mode 0: %s", v)
			}
			if _, body := g.get("/api/v1/calls"); !strings.Contains(string(body), `"mode":"`+tc.mode+`"`) {
				t.Errorf("not %s: %s", tc.mode, body)
			}
		})
	}
}
