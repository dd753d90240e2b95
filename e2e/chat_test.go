package e2e

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/roomgate/roomgate/client"
	"github.com/roomgate/roomgate/gateway/label"
	"github.com/roomgate/roomgate/media/h264"
)

// What a visitor writes on the meeting page is read by another on the page, and by a room
// terminal on its screen, with the name of who wrote it; after a while it is gone.
func TestChatOnScreens(t *testing.T) {
	g := startGatewayOn(t, strings.Replace(baseConfig, "auto_create: true", "auto_create: true, chat: true", 1))
	g.meeting("chat", "3x3")
	seen := filepath.Join(t.TempDir(), "seen.h264")
	viewer := startRoom(t, 700, "--call", "chat@"+gatewayIP, "--name", "Ủy ban", "--codecs", "PCMA", "--video", "pattern360", "--record-video", seen)
	g.inMeeting("chat", "active", 1)
	viewerID := g.calls()[0].Identity
	startRoom(t, 500, "--call", "chat@"+gatewayIP, "--name", "Sở Y tế", "--codecs", "PCMA", "--video", "card:2@640x360")
	lan := joinMeeting(t, "chat", browserOptions{name: "Nguyễn Thị Lan", lang: "vi", still: true})
	minh := joinMeeting(t, "chat", browserOptions{name: "Trần Quang Minh", still: true})
	eventually(t, 60*time.Second, "the terminal is shown a grid", func() bool { return g.composed(viewerID, "3x3") })
	from := filmed(t, seen)
	eventually(t, 60*time.Second, "it sees the grid for a while", func() bool { return filmed(t, seen) > from+20 })

	const text = "Đề nghị bắt đầu họp"
	lan.click("chat")
	lan.run("write", 10*time.Second, chromedp.SendKeys(chromedp.CSS(`[data-testid=chat-text]`), text))
	lan.click("chat-send")
	eventually(t, 30*time.Second, "the other visitor is told of one line", func() bool {
		return eval[string](minh, `document.querySelector("[data-testid=chat] b")?.textContent ?? ""`) == "1"
	})
	minh.click("chat")
	eventually(t, 30*time.Second, "and reads it", func() bool {
		return eval[bool](minh, `[...document.querySelectorAll("[data-testid=chat-lines] li")].some((e) => e.textContent.includes("Nguyễn Thị Lan") && e.textContent.includes("`+text+`"))`)
	})
	from = filmed(t, seen)
	began := time.Now()
	eventually(t, 40*time.Second, "the time of the line is over", func() bool { return time.Since(began) > 15*time.Second })
	aSecond := float64(filmed(t, seen)-from) / time.Since(began).Seconds() // how many pictures this machine makes
	from = filmed(t, seen)
	eventually(t, 60*time.Second, "pictures come after it", func() bool { return filmed(t, seen) > from+20 })
	viewer.stop()
	viewer.report()

	// It stands for twelve seconds.
	seenOf := chatSeen(t, seen, text, "Nguyễn Thị Lan", "Trần Quang Minh")
	seenOf[0].comesAndGoes(t, max(20, int(8*aSecond)))
	if seenOf[1].readable > 0 {
		t.Errorf("%d pictures could as well show the name of another", seenOf[1].readable)
	}
}

// Where chat is not shown to all, a terminal that asks reads the last of it, by its keys or
// by an operator's word; the picture that was passed on to it is passed on again after that.
func TestChatOnRequest(t *testing.T) {
	g := startGateway(t, "")
	g.meeting("chat", "single")
	seen := filepath.Join(t.TempDir(), "seen.h264")
	lan := joinMeeting(t, "chat", browserOptions{name: "Nguyễn Thị Lan", lang: "vi"})
	viewer := startRoom(t, 700, "--call", "chat@"+gatewayIP, "--name", "Ủy ban", "--codecs", "PCMA", "--video", "pattern360", "--record-video", seen)
	g.inMeeting("chat", "active", 1)
	c := g.calls()[0]
	eventually(t, 20*time.Second, "the visitor's picture is passed on", func() bool { return strings.Contains(g.pipeline(c.Identity), "switch(forwarding)") })
	from := g.sentTo(c.Identity)
	eventually(t, 20*time.Second, "it is seen for a while", func() bool { return g.sentTo(c.Identity) > from+150 })
	var problem *client.Problem
	if err := g.api().ShowChat(t.Context(), c.ID); !errors.As(err, &problem) || problem.Status != http.StatusConflict {
		t.Errorf("chat in which nobody has written: %v", err)
	}

	const text = "Mời Sở Y tế phát biểu"
	lan.click("chat")
	lan.run("write", 10*time.Second, chromedp.SendKeys(chromedp.CSS(`[data-testid=chat-text]`), text))
	lan.click("chat-send")
	eventually(t, 10*time.Second, "the gateway has it", func() bool { return g.api().ShowChat(t.Context(), c.ID) == nil })
	eventually(t, 10*time.Second, "a screen is made", func() bool { return g.composed(c.Identity, "single") })
	eventually(t, 30*time.Second, "the picture is passed on again", func() bool { return strings.Contains(g.pipeline(c.Identity), "switch(forwarding)") })
	from = g.sentTo(c.Identity)
	eventually(t, 20*time.Second, "it goes on", func() bool { return g.sentTo(c.Identity) > from+150 })
	startRoom(t, 500, "--call", "chat@"+gatewayIP, "--name", "Sở Y tế", "--codecs", "PCMA", "--dtmf", "*4", "--dtmf-after", "3s")
	eventually(t, 30*time.Second, "another terminal reads it by its keys", func() bool {
		return slices.ContainsFunc(g.calls(), func(other apiCall) bool { return other.ID != c.ID && g.composed(other.Identity, "single") })
	})
	viewer.stop()
	viewer.report()
	chatSeen(t, seen, text, "Nguyễn Thị Lan")[0].comesAndGoes(t, 60)
}

// filmed is how many pictures a terminal has recorded so far.
func filmed(t *testing.T, film string) (pictures int) {
	t.Helper()
	stream, err := os.ReadFile(film)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, nal := range h264.SplitAnnexB(stream) {
		// first_mb_in_slice (§7.4.3) is 0, one bit, where a picture begins.
		if len(nal) > 1 && h264.TypeOf(nal).IsSlice() && nal[1]&0x80 != 0 {
			pictures++
		}
	}
	return pictures
}

// chatLine is where in a film a line is shown: in so many of its pictures, of which it tells
// the first and the last.
type chatLine struct{ pictures, first, last, readable int }

// chatSeen reads a film for a line as the last one of the chat, by each of those who may have
// written it.
func chatSeen(t *testing.T, film, text string, names ...string) []chatLine {
	t.Helper()
	const w, h = 1280, 720
	seen := make([]chatLine, len(names))
	want := make([]*label.Bitmap, len(names))
	for i, name := range names {
		// The last row of the chat ends at seven eighths of the height; a row is a twentieth.
		var err error
		if want[i], err = label.Name(name+": "+text, h/20, w*3/4, false); err != nil {
			t.Fatal(err)
		}
		seen[i].first, seen[i].last = -1, -1
	}
	decoder := exec.Command("ffmpeg", "-loglevel", "error", "-f", "h264", "-i", film, "-vf", "scale=1280:720", "-pix_fmt", "gray", "-f", "rawvideo", "-")
	frames, err := decoder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := decoder.Start(); err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	frame := make([]byte, w*h)
	for {
		if _, err = io.ReadFull(frames, frame); err != nil {
			break
		}
		for i := range seen {
			s := &seen[i]
			if legible(frame, w, 18, h*7/8-h/20, want[i]) >= 80 {
				if s.readable++; s.first < 0 {
					s.first = s.pictures
				}
				s.last = s.pictures
			}
			s.pictures++
		}
	}
	if end := decoder.Wait(); end != nil || !errors.Is(err, io.EOF) {
		t.Fatalf("ffmpeg: %v, %v", err, end)
	}
	return seen
}

// legible is by how much the letters of a label are lighter than its band, at a place of a
// picture of a width.
func legible(frame []byte, width, x, y int, l *label.Bitmap) int {
	var sum, count [2]int
	for row := range l.Height {
		for column := range l.Width {
			k := 0
			switch luma := l.Data[row*l.Width+column]; {
			case luma > 200:
				k = 1
			case luma > 60: // the edge of a letter
				continue
			}
			sum[k] += int(frame[(y+row)*width+x+column])
			count[k]++
		}
	}
	if count[0] == 0 || count[1] == 0 {
		return 0
	}
	return sum[1]/count[1] - sum[0]/count[0]
}

// comesAndGoes: the line is shown in so many pictures at least, neither at the film's
// beginning nor at its end.
func (c chatLine) comesAndGoes(t *testing.T, least int) {
	t.Helper()
	t.Logf("of %d pictures %d show the line, the first is %d, the last %d", c.pictures, c.readable, c.first, c.last)
	if c.readable < least || c.first < 10 || c.last > c.pictures-10 {
		t.Errorf("of %d pictures %d show the line, not %d, the first is %d, the last %d", c.pictures, c.readable, least, c.first, c.last)
	}
}
