package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/roomgate/roomgate/media/testcard"
)

// pageWidth and pageHeight are the size of the pages that browsers show and see.
const pageWidth, pageHeight = 1280, 720

// zippedPage is a page of text in I420, for a browser. A canvas would not do: the colour
// of the panel is beyond those of RGB.
func zippedPage(t *testing.T, c testcard.Card) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(testcard.DrawPage(nil, pageWidth, pageHeight, c)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// sharePages has a browser share pages of text, four a second, and with them a tone, as
// a tab with a film has.
func (b *browser) sharePages(identity, pages int, hz float64) {
	b.t.Helper()
	var list []string
	for n := range pages {
		list = append(list, zippedPage(b.t, testcard.Card{Identity: identity, Counter: n}))
	}
	zipped, err := json.Marshal(list)
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, fmt.Sprintf(`(async () => {
		const pages = await Promise.all(%s.map(async (text) => {
			const zipped = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
			return new Response(zipped.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
		}));
		const screen = new MediaStreamTrackGenerator({kind: "video"}), writer = screen.writable.getWriter();
		let n = 0;
		setInterval(() => writer.write(new VideoFrame(pages[Math.floor(n++ / 2) %% pages.length],
			{format: "I420", codedWidth: %d, codedHeight: %d, timestamp: performance.now() * 1000})), 125);
		const sound = new AudioContext(), tone = sound.createOscillator(), level = sound.createGain(), out = sound.createMediaStreamDestination();
		await sound.resume();
		tone.frequency.value = %f;
		level.gain.value = 0.3;
		tone.connect(level).connect(out);
		tone.start();
		navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([screen, ...out.stream.getTracks()]);
		return true;
	})()`, zipped, pageWidth, pageHeight, hz))
	b.click("share")
}

// slide is a picture of slides as a browser decodes it.
type slide struct {
	Format string `json:"format"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Zipped string `json:"zipped"`
}

// seesSlide is the next picture of the slides that the browser is sent; false: none comes.
func (b *browser) seesSlide() (page testcard.Page, ok bool) {
	b.t.Helper()
	s := eval[slide](b, `(async () => {
		const none = {format: "", width: 0, height: 0, zipped: ""};
		for (const p of window.roomgate.room.remoteParticipants.values()) {
			const track = p.getTrackPublication("screen_share")?.track?.mediaStreamTrack;
			if (!track) continue;
			const reader = new MediaStreamTrackProcessor({track: track.clone()}).readable.getReader();
			const late = new Promise((done) => setTimeout(() => done({}), 1000));
			const {value: frame} = await Promise.race([reader.read(), late]);
			if (!frame) { reader.cancel(); return none; }
			const {width, height} = frame.visibleRect, data = new Uint8Array(frame.allocationSize());
			await frame.copyTo(data);
			const format = frame.format;
			frame.close();
			reader.cancel();
			const zipped = await new Response(new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
			const url = await new Promise((done) => { const r = new FileReader(); r.onload = () => done(r.result); r.readAsDataURL(zipped); });
			return {format, width, height, zipped: url.slice(url.indexOf(",") + 1)};
		}
		return none;
	})()`)
	if s.Format != "I420" && s.Format != "NV12" || s.Width != pageWidth || s.Height != pageHeight {
		return page, false
	}
	raw, err := base64.StdEncoding.DecodeString(s.Zipped)
	if err != nil {
		b.t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := io.ReadAll(z)
	if err != nil || len(picture) != testcard.Bytes(s.Width, s.Height) {
		b.t.Fatalf("%d bytes of a picture, %v", len(picture), err)
	}
	if chroma := picture[s.Width*s.Height:]; s.Format == "NV12" {
		apart := make([]byte, len(chroma))
		for i := range len(chroma) / 2 {
			apart[i], apart[len(chroma)/2+i] = chroma[2*i], chroma[2*i+1]
		}
		copy(chroma, apart)
	}
	return testcard.ReadPage(picture, s.Width, s.Height)
}

// TestTextOfBrowsers: the text that a browser shares is read by terminals of each protocol
// at the size it was sent, and the sound with it heard.
func TestTextOfBrowsers(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "shared", browserOptions{name: "Lan", still: true})
	var viewers []*room
	for i, kind := range kinds {
		viewers = append(viewers, g.viewer(t, float64(500+100*i), "shared", append([]string{"--tiles"}, kind.args...)...))
	}
	eventually(t, 15*time.Second, "the viewers are in", func() bool { return g.legsIn("shared") == len(kinds) })
	web.sharePages(11, 40, 1500)
	for i, kind := range kinds {
		eventually(t, 20*time.Second, kind.name+" is sent the screen", func() bool { return g.isSentContent("shared", i) })
	}
	g.flowsOn(t, "shared")
	g.flowsOn(t, "shared")
	for i, kind := range kinds {
		viewers[i].stop()
		got := viewers[i].report()
		if c := got.Content; c == nil || c.Page == nil {
			t.Errorf("%s sees %+v", kind.name, c)
		} else if p := *c.Page; p.Identity != 11 || p.Width != pageWidth || p.Height != pageHeight || p.Read < 5 || p.Legible < 3 {
			t.Errorf("%s reads %+v", kind.name, p)
		}
		if !got.Audio.has(1500) {
			t.Errorf("%s hears %+v", kind.name, got.Audio)
		}
	}
	g.noCalls()
}

// TestTextOfTerminals: a browser shows the text that terminals of each protocol present,
// which is read at the size it was sent.
func TestTextOfTerminals(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "slides", browserOptions{name: "Lan", still: true})
	for i, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			web.during(t)
			r := g.viewer(t, 500, "slides", append([]string{"--content", fmt.Sprintf("page:%d@%dx%d", 20+i, pageWidth, pageHeight)}, kind.args...)...)
			pages := map[int]bool{}
			var last testcard.Page
			eventually(t, 30*time.Second, "the browser shows legible pages", func() bool {
				if page, ok := web.seesSlide(); ok && page.Identity == 20+i {
					if last = page; page.Legible() {
						pages[page.Counter] = true
					}
				}
				return len(pages) >= 3
			})
			t.Logf("%d of %d letters are right, the last says %q", last.Right, last.Letters, last.Text)
			r.stop()
			_ = r.report()
			g.noCalls()
		})
	}
}
