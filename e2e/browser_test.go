package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium on the meeting page, with Chromium's fake
// camera (a moving pattern) and fake microphone (a beep each second), or a WAV
// file as microphone.
type browser struct {
	t     *testing.T
	ctx   context.Context
	still bool
	mute  bool
}

// browserOptions say how the visitor is.
type browserOptions struct {
	name  string
	wav   string   // microphone; "" = joins without
	film  string   // camera, MJPEG or Y4M; "" = the fake one
	size  [2]int   // of the window; default 1280x800, and 800x600 of who is still
	lang  string   // vi or en; default en
	fps   int      // of the fake camera; default 10
	flags []string // further ones of Chromium
	still bool     // joins without a picture, and looks at others in a small window: pictures cost much of a processor
}

// openBrowser starts Chromium; nothing is loaded yet.
func openBrowser(t *testing.T, o browserOptions) *browser {
	t.Helper()
	lang := o.lang
	if lang == "" {
		lang = "en"
	}
	if o.size == [2]int{} {
		o.size = [2]int{1280, 800}
		if o.still {
			o.size = [2]int{800, 600}
		}
	}
	options := append([]chromedp.ExecAllocatorOption{},
		chromedp.ExecPath(chromiumInPeers(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(o.size[0], o.size[1]),
	)
	for _, flag := range append(o.flags, "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync", "mute-audio",
		"use-fake-ui-for-media-stream", "ignore-certificate-errors") {
		options = append(options, chromedp.Flag(flag, true))
	}
	// Ten pictures a second, where Chromium makes twenty: it codes them in software, several sizes of each.
	options = append(options, chromedp.Flag("use-fake-device-for-media-stream", fmt.Sprintf("fps=%d", cmp.Or(o.fps, 10))))
	options = append(options, chromedp.Flag("lang", lang), chromedp.Flag("accept-lang", lang), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	if o.wav != "" {
		options = append(options, chromedp.Flag("use-file-for-fake-audio-capture", o.wav))
	}
	if o.film != "" {
		options = append(options, chromedp.Flag("use-file-for-fake-video-capture", o.film))
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if t.Failed() {
			short, stop := context.WithTimeout(ctx, 5*time.Second)
			if shot, err := chromedp.Run(short, chromedp.CaptureScreenshot()); err == nil && os.Getenv("E2E_LOGS") != "" {
				_ = os.WriteFile(os.Getenv("E2E_LOGS")+"/"+strings.ReplaceAll(t.Name(), "/", "-")+".png", shot, 0o644)
			}
			stop()
		}
		cancel()
		cancelAlloc()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return &browser{t: t, ctx: ctx, still: o.still, mute: o.wav == ""}
}

// chromiumInPeers is a program that starts Chromium in the peers' namespace.
// DevTools go through a pipe, so it needs no port there.
func chromiumInPeers(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "chromium")
	script := "#!/bin/sh\nexec ip netns exec " + peers + " /usr/bin/chromium-headless-shell \"$@\"\n"
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// joinMeeting opens the meeting page and walks through its lobby as a visitor.
func joinMeeting(t *testing.T, alias string, o browserOptions) *browser {
	t.Helper()
	b := openBrowser(t, o)
	b.visit(alias)
	if o.name == "" {
		o.name = "Chromium"
	}
	b.fillIn(o.name)
	b.click("join")
	b.joined()
	return b
}

// visit opens the meeting page, which shows its lobby. Chromium gives up what it fetches when
// it sees the interfaces of the tests come, the page or a script of it: then it is opened again.
func (b *browser) visit(alias string) {
	b.t.Helper()
	page := fmt.Sprintf("https://%s:%d/m/%s", gatewayIP, httpsPort, alias)
	var err error
	for range 3 {
		if err = b.try(30*time.Second, chromedp.Navigate(page)); err == nil {
			err = b.try(30*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=name]`)))
		}
		if err == nil {
			break
		}
		b.t.Logf("chromium: the page is not seen: %v", err)
	}
	if err != nil {
		b.t.Fatalf("chromium: open the page: %v", err)
	}
	if b.still {
		b.click("lobby-camera")
	}
	if b.mute {
		b.click("lobby-microphone")
	}
}

func (b *browser) try(timeout time.Duration, actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// fillIn gives the visitor's name. A steady tone would be taken for noise, so
// sound is sent as it is.
func (b *browser) fillIn(name string) {
	b.t.Helper()
	b.run("fill in the form", 30*time.Second, chromedp.SendKeys(chromedp.CSS(`[data-testid=name]`), name))
	b.click("original-sound")
}

// joined waits until the visitor is in the meeting.
func (b *browser) joined() {
	b.t.Helper()
	b.run("join", 30*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=meeting]`)))
}

// during makes what fails from now on, until a subtest ends, fail that one.
func (b *browser) during(t *testing.T) {
	outer := b.t
	b.t = t
	t.Cleanup(func() { b.t = outer })
}

func (b *browser) run(what string, timeout time.Duration, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := b.try(timeout, actions...); err != nil {
		b.t.Fatalf("chromium: %s: %v", what, err)
	}
}

// eval runs a JavaScript expression, awaits it and decodes its value.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("chromium: %s: %v", expression, err)
	}
	return v
}

// click presses a control of the meeting page by its test id.
func (b *browser) click(id string) {
	b.t.Helper()
	b.run("click "+id, 10*time.Second, chromedp.Click(chromedp.CSS(`[data-testid=`+id+`]`)))
}

// screenshot writes what the visitor sees to a PNG.
func (b *browser) screenshot(file string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatalf("chromium: screenshot: %v", err)
	}
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// remotePicture is what the browser decodes of one remote participant.
type remotePicture struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Frames   int    `json:"frames"` // framesDecoded
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	Codec    string `json:"codec"`
}

// pictures asks WebRTC's statistics what is decoded of everybody's camera.
func (b *browser) pictures() []remotePicture {
	b.t.Helper()
	return eval[[]remotePicture](b, `(async () => {
		const rows = [];
		for (const p of window.roomgate.room.remoteParticipants.values()) {
			for (const pub of p.videoTrackPublications.values()) {
				const row = {identity: p.identity, name: p.name, kind: p.attributes["roomgate.kind"] || "browser", frames: 0, width: 0, height: 0, codec: ""};
				const report = pub.track ? await pub.track.getRTCStatsReport() : undefined;
				const codecs = {};
				report?.forEach((s) => { if (s.type === "codec") codecs[s.id] = s.mimeType; });
				report?.forEach((s) => { if (s.type === "inbound-rtp" && s.kind === "video") {
					row.frames = s.framesDecoded || 0; row.width = s.frameWidth || 0; row.height = s.frameHeight || 0; row.codec = codecs[s.codecId] || "";
				}});
				rows.push(row);
			}
		}
		return rows;
	})()`)
}

// remoteTone is the dominant frequency the browser plays of one participant.
type remoteTone struct {
	Identity string  `json:"identity"`
	Kind     string  `json:"kind"`
	Hz       float64 `json:"hz"`
	Level    float64 `json:"level"` // dB of the strongest line
}

// tones measures with an AnalyserNode what each remote participant sounds like.
func (b *browser) tones() []remoteTone {
	b.t.Helper()
	return eval[[]remoteTone](b, `(async () => {
		const context = window.toneContext || (window.toneContext = new AudioContext());
		await context.resume();
		const rows = [];
		for (const p of window.roomgate.room.remoteParticipants.values()) {
			for (const pub of p.audioTrackPublications.values()) {
				if (!pub.track) continue;
				const analyser = context.createAnalyser();
				analyser.fftSize = 8192; analyser.smoothingTimeConstant = 0;
				const source = context.createMediaStreamSource(new MediaStream([pub.track.mediaStreamTrack]));
				source.connect(analyser);
				await new Promise((done) => setTimeout(done, 600));
				const bins = new Float32Array(analyser.frequencyBinCount);
				analyser.getFloatFrequencyData(bins);
				let best = 0;
				bins.forEach((v, i) => { if (v > bins[best]) best = i; });
				source.disconnect();
				rows.push({identity: p.identity, kind: p.attributes["roomgate.kind"] || "browser", hz: best * context.sampleRate / analyser.fftSize, level: Math.max(-200, bins[best])});
			}
		}
		return rows;
	})()`)
}
