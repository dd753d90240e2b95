package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A phone comes in by a code, which is good once. It and a browser are named anew, shown
// to all, and taken to another meeting, where they come in muted.
func TestModeratorsRenameShowAndMove(t *testing.T) {
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "88001", "guest_pin": "1234"})
	g.makeMeeting(map[string]any{"alias": "88002", "join_muted": true})
	ask := func(method, path string, body any, want int) []byte {
		t.Helper()
		code, answer := g.request(method, "/api/v1/meetings/"+path, body)
		if code != want {
			t.Fatalf("%s %s: %d %s", method, path, code, answer)
		}
		return answer
	}
	type made struct{ Code, Dial string }
	code := func() (m made) {
		if err := json.Unmarshal(ask(http.MethodPost, "88001/codes", map[string]any{"minutes": 5}, http.StatusCreated), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	once := code()
	phone := startBaresip(t, peerOptions{hz: 800, codecs: "PCMU"})
	phone.dial("sip:" + once.Dial + "@" + gatewayIP)
	g.inMeeting("88001", "active", 1)
	again := startBaresip(t, peerOptions{hz: 500, codecs: "PCMU"})
	again.dial("sip:" + once.Dial + "@" + gatewayIP)
	g.inMeeting("88001", "lobby", 1) // where the PIN is asked for
	again.hangup()

	web := openBrowser(t, browserOptions{wav: toneFile(t, 1200)})
	web.visit("88001")
	web.fillIn("Lan")
	web.click("join")
	web.run("give a code", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=pin]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), code().Code))
	web.click("join")
	web.joined()
	phone.hears(1200, 800)

	row := func(meeting, kind string) (found apiParticipant) {
		t.Helper()
		eventually(t, 15*time.Second, "a "+kind+" in "+meeting, func() bool {
			list := g.participants(meeting)
			i := slices.IndexFunc(list, func(p apiParticipant) bool { return p.Kind == kind })
			if i >= 0 {
				found = list[i]
			}
			return i >= 0
		})
		return found
	}
	for kind, name := range map[string]string{"phone": "Hội trường", "browser": "Chủ tịch"} {
		ask(http.MethodPatch, "88001/participants/"+row("88001", kind).Identity, map[string]any{"name": name}, http.StatusNoContent)
		eventually(t, 10*time.Second, "the page shows "+name, func() bool {
			tiles, _ := web.everybody()
			return slices.Contains(tiles, person{kind, name})
		})
	}
	shown := func() bool {
		return eval[bool](web, `document.querySelector(".speaker-view > [data-testid=tile]")?.dataset.name === "Hội trường"`)
	}
	leg := row("88001", "phone").Identity
	ask(http.MethodPost, "88001/participants/"+leg+"/spotlight", nil, http.StatusNoContent)
	eventually(t, 10*time.Second, "the phone is shown to all", shown)
	ask(http.MethodPost, "88001/participants/"+leg+"/unspotlight", nil, http.StatusNoContent)
	eventually(t, 10*time.Second, "and is not any more", func() bool { return !shown() })

	for _, kind := range []string{"browser", "phone"} {
		ask(http.MethodPost, "88001/participants/"+row("88001", kind).Identity+"/move", map[string]any{"meeting": "88002"}, http.StatusNoContent)
	}
	g.inMeeting("88002", "active", 1)
	if p := row("88002", "phone"); !p.Muted || p.Name != "Hội trường" {
		t.Errorf("in the other meeting: %+v", p)
	}
	ask(http.MethodPost, "88002/participants/"+leg+"/unmute", nil, http.StatusNoContent)
	web.hears("phone", 800)
	if path := eval[string](web, "location.pathname"); path != "/m/88002" {
		t.Errorf("the page is at %s", path)
	}
	p := row("88002", "browser")
	if p.Name != "Chủ tịch" {
		t.Errorf("in the other meeting: %+v", p)
	}
	for _, track := range p.Tracks {
		if track.Kind == "audio" && !track.Muted {
			t.Error("the browser came in unmuted")
		}
	}
	eventually(t, 10*time.Second, "nobody is left", func() bool { return len(g.participants("88001")) == 0 })
	phone.hangup()
	g.noCalls()
}
