package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestCamerasAreMoved: by an operator over the API, and by a host on the page.
func TestCamerasAreMoved(t *testing.T) {
	g := startGateway(t, "")
	if code, body := g.request(http.MethodPost, "/api/v1/meetings", map[string]string{"alias": "steered", "guest_pin": "1234", "host_pin": "4711"}); code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	for _, protocol := range []string{"sip", "h323"} {
		t.Run(protocol, func(t *testing.T) {
			r := startRoom(t, 500, "--protocol", protocol, "--camera-focus", "--call", "steered*1234@"+gatewayIP)
			eventually(t, 15*time.Second, "the terminal is in", func() bool { return len(g.calls()) == 1 && g.calls()[0].State == "active" })
			id := g.calls()[0].ID
			var can struct{ Pan, Focus bool }
			eventually(t, 10*time.Second, "its camera is known", func() bool {
				g.into("/api/v1/calls/"+id+"/camera", &can)
				return can.Pan
			})
			if !can.Focus {
				t.Error("it is said not to do what it can")
			}
			steer := func(body map[string]any) {
				if code, answer := g.request(http.MethodPost, "/api/v1/calls/"+id+"/camera", body); code != http.StatusNoContent {
					t.Errorf("%v: %d %s", body, code, answer)
				}
			}
			steer(map[string]any{"preset": 7, "store": true})
			steer(map[string]any{"tilt": 1}) // and never again: it ends by itself while the host comes
			web := openBrowser(t, browserOptions{still: true})
			web.visit("steered")
			web.fillIn("Lan")
			web.click("join")
			web.run("give the PIN of hosts", 10*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=pin]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), "4711"))
			web.click("join")
			web.joined()
			steer(map[string]any{"preset": 7, "store": true}) // a datagram may be lost, the first one of a call above all
			web.run("see the terminal", 30*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-kind=terminal] [data-testid=camera-right]`)))
			web.holdCamera("right", 2500*time.Millisecond)
			web.holdCamera("focus-out", 1500*time.Millisecond)
			web.presets(3, 4)
			r.stop()
			c := r.report().Camera
			// A key held on a busy host may be let go and taken up again.
			if c == nil || c.Moves < 3 || c.Moves > 5 || !slices.Contains(c.Stored, 7) {
				t.Fatalf("the camera was moved as %+v", c)
			}
			if c.FocusMS > -500 || c.FocusMS < -3500 || !slices.Contains(c.Stored, 3) || !slices.Contains(c.Visited, 4) {
				t.Errorf("from the page it was focused and sent to presets as %+v", c)
			}
			if c.TiltMS < 1000 || c.TiltMS > 3000 || c.PanMS < 800 || c.PanMS > 5000 {
				t.Errorf("the camera was moved for %d and %d ms", c.TiltMS, c.PanMS)
			}
			g.noCalls()
		})
	}
}

// TestTerminalsMoveCameras: a terminal moves that of another, in a call of two and as the
// host of a meeting; what goes on rests when the one that steers hangs up or is killed.
func TestTerminalsMoveCameras(t *testing.T) {
	g := startGateway(t, "rtp: {timeout: 5s}\n")
	moves := func(r *room) int { return strings.Count(r.text(), "the camera moves") }
	rests := func(r *room) bool { return strings.Count(r.text(), "the camera rests") == moves(r) }
	const steps = "right,store:5,preset:5,hold:left"
	// moved ends the one that steers while the camera goes on, and says how the camera fared.
	// A call of two may end with it, and its camera rests with the call.
	moved := func(t *testing.T, moved *room, end func(), stays bool) {
		t.Helper()
		eventually(t, 30*time.Second, "the camera goes on", func() bool { return moves(moved) >= 2 && !rests(moved) })
		<-time.After(2 * time.Second) // longer than any word of it holds
		if n := moves(moved); n != 2 || rests(moved) {
			t.Errorf("what is to go on has begun %d times, and rests: %v", n-1, rests(moved))
		}
		end()
		eventually(t, 3*time.Second, "the camera rests", func() bool { return rests(moved) })
		select {
		case <-moved.done:
		default:
			moved.stop()
		}
		c := moved.report().Camera
		if c == nil || stays && c.Moving || c.Moves != 2 || c.PanMS > -1000 || !slices.Equal(c.Stored, []int{5}) || !slices.Equal(c.Visited, []int{5}) {
			t.Errorf("the camera was moved as %+v", c)
		}
	}
	t.Run("calls of two", func(t *testing.T) {
		for _, way := range []struct{ from, to, account string }{{"sip", "h323", "room-b"}, {"h323", "sip", "room-a"}} {
			listener := startRoom(t, 500, "--protocol", way.to, "--register", way.account+":secret-"+way.account[5:]+"@"+gatewayIP, "--listen", "--video", "pattern360")
			eventually(t, 15*time.Second, "the terminal is registered", func() bool {
				all, err := g.api().Registrations(t.Context())
				return err == nil && len(all) > 0
			})
			caller := startRoom(t, 900, "--protocol", way.from, "--call", way.account+"@"+gatewayIP, "--video", "none", "--steer", steps)
			moved(t, listener, caller.kill, false)
			g.noCalls()
			eventually(t, 90*time.Second, "the registration is gone", func() bool {
				all, err := g.api().Registrations(t.Context())
				return err == nil && len(all) == 0
			})
		}
	})
	type pair struct {
		name        string
		guest, host *room
		end         func()
	}
	var pairs []pair // each in a meeting of its own
	for _, protocol := range []string{"sip", "h323"} {
		for _, by := range []string{"hang-up", "kill"} {
			name := protocol + "-" + by
			g.makeMeeting(map[string]any{"alias": name, "guest_pin": "1234", "host_pin": "4711"})
			guest := startRoom(t, 500, "--protocol", protocol, "--call", name+"*1234@"+gatewayIP, "--video", "pattern360")
			g.inMeeting(name, "active", 1)
			host := startRoom(t, 900, "--protocol", protocol, "--call", name+"*4711@"+gatewayIP, "--video", "none", "--steer", steps)
			end := host.kill
			if by == "hang-up" {
				end = host.stop
			}
			pairs = append(pairs, pair{name, guest, host, end})
		}
	}
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			during(t, p.guest.process, p.host.process)
			moved(t, p.guest, p.end, true)
		})
	}
	g.noCalls()
}

// TestConsole: an operator signs in with the API key, sees a terminal with its media, moves
// its camera, mutes it and hangs up; a wrong key shows nothing.
func TestConsole(t *testing.T) {
	g := startGateway(t, "")
	r := startRoom(t, 500, "--camera-focus", "--call", "ops@"+gatewayIP)
	eventually(t, 15*time.Second, "the terminal is in", func() bool { return len(g.calls()) == 1 && g.calls()[0].State == "active" })
	web := openBrowser(t, browserOptions{})
	web.run("open the console", 30*time.Second, chromedp.Navigate(fmt.Sprintf("http://%s:%d/console", gatewayIP, httpPort)))
	signIn := func(key string) {
		web.run("sign in", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=key]`)), chromedp.SendKeys(chromedp.CSS(`[data-testid=key]`), key), chromedp.Click(chromedp.CSS(`[data-testid=sign-in]`)))
	}
	signIn("wrong-key-0123456789")
	web.run("be asked again", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`.refusal`)))
	if eval[bool](web, `document.querySelector("[data-testid=call]") !== null`) {
		t.Error("a wrong key shows calls")
	}
	eval[bool](web, `(document.querySelector("[data-testid=key]").value = "", true)`)
	signIn(apiKey)
	web.run("see the call", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=call][data-state=active]`)))
	eventually(t, 20*time.Second, "its media is shown", func() bool {
		return strings.Contains(eval[string](web, `document.querySelector("[data-testid=call]").innerText`), "G722")
	})
	web.run("steer", 20*time.Second, chromedp.Click(chromedp.CSS(`[data-testid=steer]`)), chromedp.WaitVisible(chromedp.CSS(`[data-testid=camera-right]`)))
	web.holdCamera("right", 1500*time.Millisecond)
	web.holdCamera("focus-in", 1500*time.Millisecond)
	web.presets(5, 6)
	web.run("mute", 20*time.Second, chromedp.Click(chromedp.CSS(`[data-testid=mute]`)))
	eventually(t, 10*time.Second, "it is muted", func() bool { return len(g.calls()) == 1 && g.calls()[0].Muted })
	web.run("hang up", 20*time.Second, chromedp.Click(chromedp.CSS(`[data-testid=hang-up]`)))
	g.noCalls()
	if c := r.report().Camera; c == nil || c.Moves < 2 || c.PanMS < 500 || c.FocusMS < 500 || !slices.Equal(c.Stored, []int{5}) || !slices.Equal(c.Visited, []int{6}) {
		t.Errorf("the camera was moved as %+v", c)
	}
}

// holdCamera holds a key for a terminal's camera down.
func (b *browser) holdCamera(key string, long time.Duration) {
	b.t.Helper()
	sel := fmt.Sprintf("[data-testid=camera-%s]", key)
	b.run("see "+sel, 20*time.Second, chromedp.WaitReady(chromedp.CSS(sel)))
	eval[bool](b, fmt.Sprintf(`(async () => {
		const press = (what) => document.querySelector(%q).dispatchEvent(new PointerEvent(what, {bubbles: true}));
		press("pointerdown");
		await new Promise((done) => setTimeout(done, %d));
		press("pointerup");
		return true;
	})()`, sel, long.Milliseconds()))
}

// presets stores where a terminal's camera is under one number, and sends it to another.
func (b *browser) presets(store, visit int) {
	b.t.Helper()
	for key, number := range map[string]int{"store": store, "recall": visit} {
		eval[bool](b, fmt.Sprintf(`(async () => {
			const choice = document.querySelector("[data-testid=camera-preset]");
			choice.value = "%d";
			choice.dispatchEvent(new Event("change", {bubbles: true}));
			await new Promise((done) => setTimeout(done, 200));
			document.querySelector("[data-testid=camera-%s]").click();
			await new Promise((done) => setTimeout(done, 300));
			return true;
		})()`, number, key))
	}
}
