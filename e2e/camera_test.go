package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestCamerasAreMoved: by an operator over the API, by a host on the page, and by another
// terminal in a call of two.
func TestCamerasAreMoved(t *testing.T) {
	g := startGateway(t, "")
	if code, body := g.request(http.MethodPost, "/api/v1/meetings", map[string]string{"alias": "steered", "guest_pin": "1234", "host_pin": "4711"}); code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	for _, protocol := range []string{"sip", "h323"} {
		t.Run(protocol, func(t *testing.T) {
			r := startRoom(t, 500, "--protocol", protocol, "--call", "steered*1234@"+gatewayIP)
			eventually(t, 15*time.Second, "the terminal is in", func() bool { return len(g.calls()) == 1 && g.calls()[0].State == "active" })
			id := g.calls()[0].ID
			var can struct{ Pan, Focus bool }
			eventually(t, 10*time.Second, "its camera is known", func() bool {
				g.into("/api/v1/calls/"+id+"/camera", &can)
				return can.Pan
			})
			if can.Focus {
				t.Error("it is said to do what it cannot")
			}
			steer := func(body map[string]any) {
				if code, answer := g.request(http.MethodPost, "/api/v1/calls/"+id+"/camera", body); code != http.StatusNoContent {
					t.Errorf("%v: %d %s", body, code, answer)
				}
			}
			steer(map[string]any{"preset": 7, "store": true})
			steer(map[string]any{"tilt": 1}) // and never again: it ends by itself while the host comes
			web := openBrowser(t, browserOptions{})
			web.visit("steered")
			web.fillIn("Lan")
			web.click("join")
			web.run("give the PIN of hosts", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=pin]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), "4711"))
			web.click("join")
			web.joined()
			steer(map[string]any{"preset": 7, "store": true}) // a datagram may be lost, the first one of a call above all
			web.run("see the terminal", 30*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-kind=terminal] [data-testid=camera-right]`)))
			eval[bool](web, `(async () => { // hold a key down
				const key = document.querySelector("[data-kind=terminal] [data-testid=camera-right]");
				key.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
				await new Promise((done) => setTimeout(done, 2500));
				key.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}));
				return true;
			})()`)
			eventually(t, 5*time.Second, "the terminal has heard of it", func() bool { return g.calls()[0].State == "active" })
			r.stop()
			c := r.report().Camera
			// A key held on a busy host may be let go and taken up again.
			if c == nil || c.Moves < 2 || c.Moves > 4 || !slices.Contains(c.Stored, 7) {
				t.Fatalf("the camera was moved as %+v", c)
			}
			if c.TiltMS < 1000 || c.TiltMS > 3000 || c.PanMS < 800 || c.PanMS > 5000 {
				t.Errorf("the camera was moved for %d and %d ms", c.TiltMS, c.PanMS)
			}
			g.noCalls()
		})
	}
}
