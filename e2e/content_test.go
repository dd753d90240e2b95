package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// kinds are the terminals there are, by how they control who presents.
var kinds = []struct {
	name string
	args []string
}{
	{"sip-udp", []string{"--floor-transport", "udp"}},
	{"sip-tcp", []string{"--floor-transport", "tcp"}},
	{"h323", []string{"--protocol", "h323"}},
}

// viewer and presenter are terminals in a meeting; what is presented is half as high as
// the cameras, so that nobody takes one for the other.
func (g *gateway) viewer(t *testing.T, hz float64, meeting string, args ...string) *room {
	return startRoom(t, hz, append([]string{"--call", meeting + "@" + gatewayIP, "--video", "none"}, args...)...)
}

func (g *gateway) presenter(t *testing.T, hz float64, meeting string, args ...string) *room {
	return g.viewer(t, hz, meeting, append([]string{"--content", "pattern360"}, args...)...)
}

// isSentContent reports whether the n-th call of a meeting, by age, is sent content.
func (g *gateway) isSentContent(meeting string, n int) bool { return g.contentSent(meeting, n) > 200 }

func (g *gateway) legsIn(meeting string) (n int) {
	for _, c := range g.calls() {
		if c.Meeting == meeting {
			n++
		}
	}
	return n
}

// TestContentBetweenTerminals: every kind presents to every kind. What is presented is
// pages of text with a counter, which the viewers read at the size they were sent.
func TestContentBetweenTerminals(t *testing.T) {
	g := startGateway(t, "")
	for _, from := range kinds {
		t.Run(from.name, func(t *testing.T) {
			meeting := "from-" + from.name
			var viewers []*room
			for i, to := range kinds {
				viewers = append(viewers, g.viewer(t, float64(500+100*i), meeting, append([]string{"--tiles"}, to.args...)...))
			}
			eventually(t, 60*time.Second, "the viewers are in", func() bool { return g.legsIn(meeting) == len(kinds) })
			presenter := g.viewer(t, 900, meeting, append([]string{"--content", "page:9@1280x720"}, from.args...)...)
			for i, to := range kinds {
				eventually(t, 60*time.Second, to.name+" is sent content", func() bool { return g.isSentContent(meeting, i) })
			}
			before := make([]int, len(kinds))
			for i := range kinds {
				before[i] = g.contentSent(meeting, i)
			}
			g.flowsOn(t, meeting)
			for i, to := range kinds {
				eventually(t, 60*time.Second, to.name+" is sent some pages", func() bool { return g.contentSent(meeting, i) > before[i]+450 })
			}
			presenter.stop()
			presented := presenter.report()
			for i, to := range kinds {
				viewers[i].stop()
				c := viewers[i].report().Content
				if c == nil || c.Width != 1280 || c.Height != 720 || c.Frames < 5 || c.Keyframes < 1 || c.Page == nil {
					t.Errorf("%s sees %+v", to.name, c)
					continue
				}
				if p := *c.Page; p.Identity != 9 || p.Width != 1280 || p.Height != 720 || p.Read < 5 || p.Legible < 3 {
					t.Errorf("%s reads %+v", to.name, p)
				}
			}
			if p := presented.Presenting; p == nil || p.State != "granted" || p.GrantedMS < 0 {
				t.Errorf("the presenter was granted %+v", p)
			}
			if presented.Content != nil && presented.Content.Frames > 0 {
				t.Errorf("the presenter sees itself: %+v", presented.Content)
			}
			g.noCalls()
		})
	}
}

// TestContentTakeOver: the second one takes over from the first, who sees it then.
func TestContentTakeOver(t *testing.T) {
	g := startGateway(t, "")
	for i, first := range kinds {
		second := kinds[(i+1)%len(kinds)]
		t.Run(second.name+" from "+first.name, func(t *testing.T) {
			a := g.presenter(t, 500, "over", first.args...)
			eventually(t, 15*time.Second, "the first presents", func() bool { return g.presents("over") != "" })
			was := g.presents("over")
			b := g.presenter(t, 800, "over", second.args...)
			eventually(t, 15*time.Second, "the second presents", func() bool { p := g.presents("over"); return p != was && p != "" })
			eventually(t, 15*time.Second, "the first is sent it", func() bool { return g.isSentContent("over", 0) })
			b.stop()
			eventually(t, 15*time.Second, "nobody presents when it has hung up", func() bool { return g.presents("over") == "" })
			a.stop()
			if r := a.report(); r.Presenting == nil || r.Presenting.State != "lost" || r.Content == nil || r.Content.Frames < 20 || r.Content.Width != 640 {
				t.Errorf("the first was told %+v and sees %+v", r.Presenting, r.Content)
			}
			if r := b.report(); r.Presenting == nil || r.Presenting.State != "granted" {
				t.Errorf("the second was told %+v", r.Presenting)
			}
			g.noCalls()
		})
	}
}

// presents is who presents in a meeting.
func (g *gateway) presents(meeting string) string {
	var m struct {
		Presenter string `json:"presenter"`
	}
	g.into("/api/v1/meetings/"+meeting, &m)
	return m.Presenter
}

// TestContentOfWhoIsKilled: a presenter that vanishes frees the floor.
func TestContentOfWhoIsKilled(t *testing.T) {
	g := startGateway(t, "rtp: {timeout: 5s}\n")
	meeting := func(i int) string { return "killed-" + kinds[i].name }
	var viewers, presenters []*room
	for i, kind := range kinds {
		viewers = append(viewers, g.viewer(t, float64(500+10*i), meeting(i)))
		eventually(t, 15*time.Second, "the viewer is in", func() bool { return g.legsIn(meeting(i)) == 1 })
		presenters = append(presenters, g.presenter(t, float64(800+10*i), meeting(i), kind.args...))
	}
	for i := range kinds {
		eventually(t, 15*time.Second, "it presents", func() bool { return g.presents(meeting(i)) != "" && g.isSentContent(meeting(i), 0) })
	}
	for _, p := range presenters {
		p.kill()
	}
	for i, kind := range kinds {
		eventually(t, 20*time.Second, "the floor of "+kind.name+" is free", func() bool { return g.presents(meeting(i)) == "" })
	}
	for _, v := range viewers {
		v.stop()
		_ = v.report()
	}
	g.noCalls()
}

// TestContentRefused: in a meeting where hosts alone present a terminal is denied.
func TestContentRefused(t *testing.T) {
	g := startGateway(t, "")
	if code, body := g.request(http.MethodPost, "/api/v1/meetings", map[string]string{"alias": "strict", "presenting": "host"}); code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	for _, kind := range kinds {
		r := g.presenter(t, 500, "strict", kind.args...)
		eventually(t, 15*time.Second, "it is in", func() bool { return len(g.calls()) == 1 && g.calls()[0].State == "active" })
		eventually(t, 10*time.Second, "it is denied", func() bool { return strings.Contains(r.text(), "presentation denied") })
		r.stop()
		if p := r.report().Presenting; p == nil || p.State != "refused" {
			t.Errorf("%s: %+v", kind.name, p)
		}
		g.noCalls()
	}
}

// shareCanvas publishes a moving canvas as the browser's screen.
func (b *browser) shareCanvas(width, height int) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(async () => {
		const canvas = Object.assign(document.createElement("canvas"), {width: %d, height: %d});
		const g = canvas.getContext("2d");
		let n = 0;
		setInterval(() => { g.fillStyle = "#fff"; g.fillRect(0, 0, canvas.width, canvas.height); g.fillStyle = "#000"; g.font = "64px sans-serif"; g.fillText("Trang " + n++, 80, 200); }, 100);
		navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(10);
		return true;
	})()`, width, height))
	b.click("share")
}

// TestContentOfBrowsers: a browser's screen is shown in the second channel of every kind,
// every kind's slides in the browser; who takes over stops the other.
func TestContentOfBrowsers(t *testing.T) {
	g := startGateway(t, "")
	web := joinMeeting(t, "web", browserOptions{name: "Lan", still: true})
	web.shareCanvas(1280, 720)
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			web.during(t)
			r := g.presenter(t, 500, "web", append(kind.args, "--content-after", "6s")...)
			eventually(t, 20*time.Second, "the terminal is sent the screen", func() bool { return len(g.calls()) == 1 && g.calls()[0].packets("content", "send") > 20 })
			web.run("the share is stopped when the terminal takes over", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=share-stopped]`)))
			web.decodesContent("terminal")
			web.click("share") // and takes over again
			eventually(t, 15*time.Second, "the browser presents", func() bool { return strings.HasPrefix(g.presents("web"), "web-") })
			r.stop()
			got := r.report()
			if c := got.Content; c == nil || c.Width != 1280 || c.Height != 720 || c.Frames < 10 {
				t.Errorf("the terminal sees %+v", c)
			}
			if p := got.Presenting; p == nil || p.State != "lost" {
				t.Errorf("the terminal was told %+v", p)
			}
			g.noCalls()
		})
	}
}

// decodesContent waits until the browser decodes somebody's slides.
func (b *browser) decodesContent(kind string) {
	b.t.Helper()
	eventually(b.t, 20*time.Second, "the browser decodes the slides of a "+kind, func() bool {
		return eval[bool](b, `(async () => {
			for (const p of window.roomgate.room.remoteParticipants.values()) {
				const pub = p.getTrackPublication("screen_share");
				if (!pub?.track || (p.attributes["roomgate.kind"] || "browser") !== "`+kind+`") continue;
				let frames = 0, width = 0;
				(await pub.track.getRTCStatsReport())?.forEach((s) => { if (s.type === "inbound-rtp") { frames = s.framesDecoded; width = s.frameWidth; } });
				if (frames > 20 && width === 640) return true;
			}
			return false;
		})()`)
	})
}

// TestContentOverTLS: the floor is asked for, granted and taken over through TLS, whose
// certificates the fingerprints of the SDP name (RFC 8856 clause 8), and the slides are read.
func TestContentOverTLS(t *testing.T) {
	g := startGateway(t, "")
	over := []string{"--floor-transport", "tls"}
	viewer := g.viewer(t, 500, "secure", append([]string{"--tiles"}, over...)...)
	eventually(t, 15*time.Second, "the viewer is in", func() bool { return g.legsIn("secure") == 1 })
	first := g.viewer(t, 700, "secure", append([]string{"--content", "page:9@1280x720"}, over...)...)
	eventually(t, 20*time.Second, "the viewer is sent content", func() bool { return g.isSentContent("secure", 0) })
	was := g.presents("secure")
	second := g.viewer(t, 900, "secure", append([]string{"--content", "page:10@1280x720"}, over...)...)
	eventually(t, 20*time.Second, "another presents", func() bool { p := g.presents("secure"); return p != was && p != "" })
	eventually(t, 20*time.Second, "the first is sent it", func() bool { return g.isSentContent("secure", 1) })
	g.flowsOn(t, "secure")
	for _, c := range g.calls() {
		ladder := g.ladder(t, c.ID)
		for _, say := range []string{"TCP/TLS/BFCP", "a=fingerprint", `"protocol":"bfcp"`} {
			if !strings.Contains(ladder, say) {
				t.Errorf("no %s in the ladder: %.1500s", say, ladder)
			}
		}
		if read := g.dissect(t, c.ID); !strings.Contains(read, "Binary Floor Control Protocol") {
			t.Errorf("no BFCP in the capture: %.1500s", read)
		}
	}
	second.stop()
	first.stop()
	viewer.stop()
	if r := first.report(); r.Presenting == nil || r.Presenting.State != "lost" || r.Presenting.GrantedMS < 0 {
		t.Errorf("the first was told %+v", r.Presenting)
	}
	if r := second.report(); r.Presenting == nil || r.Presenting.State != "granted" {
		t.Errorf("the second was told %+v", r.Presenting)
	}
	if c := viewer.report().Content; c == nil || c.Page == nil || c.Page.Identity != 10 || c.Page.Width != 1280 || c.Page.Legible < 3 {
		t.Errorf("the viewer sees %+v", c)
	}
	g.noCalls()
}
