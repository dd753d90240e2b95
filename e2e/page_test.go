package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// scene draws one of testdata/e2e/scenes and makes two seconds of film of it,
// which play on and on: Y4M for Chromium's camera, or H.264 for a terminal.
func scene(t *testing.T, b *browser, name, kind string) string {
	t.Helper()
	svg, err := filepath.Abs(filepath.Join("../testdata/e2e/scenes", name+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	still, film := filepath.Join(dir, name+".png"), filepath.Join(dir, name+"."+kind)
	b.run("draw "+name, 20*time.Second, chromedp.EmulateViewport(1280, 720), chromedp.Navigate("file://"+svg))
	b.screenshot(still)
	encoder := map[string][]string{
		"y4m": {"-r", "10", "-pix_fmt", "yuv420p"}, // one that is coded Chromium plays at thirty
		"h264": {"-c:v", "libx264", "-pix_fmt", "yuv420p", "-profile:v", "baseline", "-level", "3.1", "-preset", "veryfast",
			"-b:v", "1500k", "-maxrate", "1800k", "-bufsize", "900k", "-g", "30", "-x264-params", "slice-max-size=1100"},
	}[kind]
	args := append([]string{"-loglevel", "error", "-loop", "1", "-i", still, "-t", "2", "-r", "30", "-vf",
		"scale=1312:738,crop=1280:720:x='16+14*sin(t*PI)':y='9+8*cos(t*PI)'"}, encoder...)
	if out, err := exec.Command("ffmpeg", append(args, film)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return film
}

// person is a tile or a row of the roster.
type person struct{ Kind, Name string }

// everybody reads the tiles, and the rows of the roster.
func (b *browser) everybody() (tiles, rows []person) {
	b.t.Helper()
	const list = `[...document.querySelectorAll(%q)].map((e) => ({Kind: e.dataset.kind, Name: (e.dataset.name || e.querySelector(".name").textContent).replace(/ \(.*\)$/, "")}))`
	by := func(a, b person) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}
	tiles = eval[[]person](b, fmt.Sprintf(list, "[data-testid=tile]"))
	rows = eval[[]person](b, fmt.Sprintf(list, "[data-testid=roster] li"))
	slices.SortFunc(tiles, by)
	slices.SortFunc(rows, by)
	return tiles, rows
}

// A room terminal, a phone and two browsers in one meeting, as a visitor sees
// them: everybody has a tile and a row of the roster that say what he is, and
// every camera is decoded. E2E_PICTURE keeps what the visitor sees: that is how
// docs/meeting.png is made (make picture).
func TestPageShowsTerminalPhoneAndBrowsers(t *testing.T) {
	g := startGateway(t, "")
	artist := openBrowser(t, browserOptions{size: [2]int{1280, 720}})
	room := scene(t, artist, "room", "h264")
	minh := joinMeeting(t, "giao-ban", browserOptions{name: "Trần Quang Minh", lang: "vi", film: scene(t, artist, "minh", "y4m")})
	lan := joinMeeting(t, "giao-ban", browserOptions{name: "Nguyễn Thị Lan", lang: "vi", film: scene(t, artist, "lan", "y4m")})
	startRoom(t, 800, "--call", "giao-ban@"+gatewayIP, "--audio-only", "--codecs", "PCMA", "--audio", "silence", "--name", "024 3825 1234")
	eventually(t, 15*time.Second, "the phone is in", func() bool { return len(g.calls()) == 1 })
	startRoom(t, 500, "--call", "giao-ban@"+gatewayIP, "--register", "room-a:secret-a@"+gatewayIP, "--name", "Phòng họp A", "--vendor", "polycom", "--video", room)

	lan.click("people")
	// Numbers are masked for guests.
	want := []person{{"phone", "024*****234"}, {"browser", "Nguyễn Thị Lan"}, {"terminal", "Phòng họp A"}, {"browser", "Trần Quang Minh"}}
	var tiles, rows []person
	eventually(t, 20*time.Second, "everybody is shown for what he is", func() bool {
		tiles, rows = lan.everybody()
		return slices.Equal(tiles, want) && slices.Equal(rows, want)
	})
	lan.decodes("terminal")
	lan.decodes("browser")
	minh.decodes("terminal")
	lan.hears("terminal", 500)
	eventually(t, 30*time.Second, "every camera plays in its tile", func() bool {
		return eval[int](lan, `[...document.querySelectorAll("[data-testid=tile] video")].filter((v) => v.videoWidth >= 640).length`) == 3
	})
	eventually(t, 20*time.Second, "the terminal is sent a picture", func() bool {
		return slices.ContainsFunc(g.calls(), func(c apiCall) bool { return c.Remote.Name == "Phòng họp A" && c.packets("video", "send") > 300 })
	})
	picture := os.Getenv("E2E_PICTURE")
	if picture == "" {
		picture = filepath.Join(t.TempDir(), "meeting.png")
	}
	lan.screenshot(picture)
}
