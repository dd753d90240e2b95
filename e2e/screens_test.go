package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pipeline is how the picture comes that somebody is sent.
func (g *gateway) pipeline(identity string) string {
	g.t.Helper()
	code, body := g.get("/api/v1/calls")
	var list struct {
		Calls []struct {
			Identity string
			Media    []struct{ Kind, Direction, Pipeline string }
		}
	}
	if code != 200 || json.Unmarshal(body, &list) != nil {
		g.t.Fatalf("GET calls: %d %s", code, body)
	}
	for _, c := range list.Calls {
		for _, m := range c.Media {
			if c.Identity == identity && m.Kind == "video" && m.Direction == "send" {
				return m.Pipeline
			}
		}
	}
	return ""
}

// composed reports whether somebody is sent a screen of a layout.
func (g *gateway) composed(identity, layout string) bool {
	return strings.Contains(g.pipeline(identity), " -> decode -> "+layout+" -> ")
}

// host comes into a meeting with the PIN of hosts, 4711.
func host(t *testing.T, alias string, o browserOptions) *browser {
	t.Helper()
	b := openBrowser(t, o)
	b.visit(alias)
	b.fillIn(o.name)
	b.click("join")
	b.run("give the PIN of hosts", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=pin]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), "4711"))
	b.click("join")
	b.joined()
	return b
}

// chosen is the layout, and who is pinned, that the page shows as chosen.
func (b *browser) chosen() (layout, pinned string) {
	b.t.Helper()
	got := eval[[]string](b, `["[data-testid^=layout-]", "[data-testid=pin-place]"].map((s) => {
		const e = document.querySelector(s + "[aria-checked=true]");
		return e ? e.dataset.name ?? e.dataset.testid.slice("layout-".length) : "";
	})`)
	return got[0], got[1]
}

// A host chooses on the page what room terminals show and who gives a lecture, sees what
// others have chosen, and may go back; guests may not.
func TestHostChoosesRoomScreens(t *testing.T) {
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "88001", "guest_pin": "1234", "host_pin": "4711", "layout": "speaker"})
	web := host(t, "88001", browserOptions{name: "Chủ tọa", lang: "vi", wav: toneFile(t, 1200), still: true})
	web.click("screens")
	web.run("see that there is no terminal", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=screens-panel] fieldset:disabled`)))

	var rooms []*room
	for i, name := range []string{"Sở Y tế", "Bệnh viện Đa khoa tỉnh"} {
		rooms = append(rooms, startRoom(t, float64(500+200*i), "--call", "88001*1234@"+gatewayIP, "--name", name, "--codecs", "PCMA",
			"--video", []string{"card:1", "card:2@640x360"}[i], "--tiles"))
		g.inMeeting("88001", "active", i+1)
	}
	calls := g.calls()
	first, second := calls[0].Identity, calls[1].Identity
	web.run("see that there are terminals", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=screens-panel] fieldset:enabled [data-identity=`+second+`]`)))
	shows := func(layout, pinned string) func() bool {
		return func() bool {
			l, p := web.chosen()
			return l == layout && p == pinned
		}
	}
	const speaker = "Người đang nói"
	eventually(t, 10*time.Second, "the page shows the layout of the meeting", shows("speaker", speaker))
	eventually(t, 20*time.Second, "terminals show it", func() bool { return g.composed(first, "speaker") })

	web.click("layout-3x3")
	for _, id := range []string{first, second} {
		eventually(t, 10*time.Second, "a terminal shows a grid", func() bool { return g.composed(id, "3x3") })
	}
	web.decodes("terminal")
	if file := os.Getenv("E2E_SCREENS"); file != "" {
		web.screenshot(file)
	}
	web.click("layout-lecture")
	web.run("choose the lecturer", 10*time.Second, chromedp.Click(chromedp.CSS(`[data-testid=pin-place][data-identity=`+second+`]`)))
	eventually(t, 10*time.Second, "the gateway knows", func() bool {
		l, err := g.api().MeetingLayout(t.Context(), "88001")
		return err == nil && l.Layout == "lecture" && l.Pinned == second && l.Default == "speaker"
	})
	if !shows("lecture", "Bệnh viện Đa khoa tỉnh")() {
		l, p := web.chosen()
		t.Errorf("the page shows %q, %q", l, p)
	}
	eventually(t, 20*time.Second, "the lecturer's picture is passed on", func() bool {
		p := g.pipeline(first)
		return strings.Contains(p, "switch(forwarding)") && !strings.Contains(p, "composed")
	})
	before := g.sentTo(first)
	eventually(t, 20*time.Second, "the lecture goes on", func() bool { return g.sentTo(first) > before+300 })
	rooms[0].stop()
	if v := rooms[0].report().Video; v == nil || v.Width != 640 || v.Height != 360 || v.Cards[2] < 1 {
		t.Errorf("the audience sees %+v, want the lecturer's picture of 640x360", v)
	}

	// Another host, or an operator, chooses; and back to what the meeting was made with.
	if err := g.api().SetMeetingLayout(t.Context(), "88001", "single", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the page follows", shows("single", speaker))
	web.click("layout-default")
	eventually(t, 10*time.Second, "the page is back", shows("speaker", speaker))
	eventually(t, 10*time.Second, "and the gateway", func() bool {
		l, err := g.api().MeetingLayout(t.Context(), "88001")
		return err == nil && l.Layout == "speaker" && l.Pinned == ""
	})

	guest := openBrowser(t, browserOptions{name: "Khách", still: true})
	guest.visit("88001")
	guest.fillIn("Khách")
	guest.click("join")
	guest.run("give the PIN of guests", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=pin]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), "1234"))
	guest.click("join")
	guest.joined()
	if eval[bool](guest, `document.querySelector("[data-testid=screens]") !== null`) {
		t.Error("a guest is offered to choose")
	}
	rooms[1].stop()
	g.noCalls()
}

// sentTo is how many packets of pictures a participant was sent.
func (g *gateway) sentTo(identity string) int {
	g.t.Helper()
	for _, c := range g.calls() {
		if c.Identity == identity {
			return c.packets("video", "send")
		}
	}
	return 0
}
