package e2e

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/roomgate/roomgate/gateway/lobby/prompt"
	"github.com/roomgate/roomgate/media/resample"
)

// fingerprintRate is that at which prompts and recordings are compared, in Hz.
const fingerprintRate = 4000

// prompts opens what the built program says.
func prompts(t *testing.T) *prompt.Set {
	t.Helper()
	s, err := prompt.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at resamples a sound.
func at(t *testing.T, pcm []int16, from, to int) []int16 {
	t.Helper()
	if from == to || len(pcm) == 0 {
		return pcm
	}
	r, err := resample.New(from, to)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int16, r.Len(len(pcm)))
	return out[:r.Write(out, pcm)]
}

// likeness is how well the beginning of a prompt is found anywhere in a
// recording: the highest normalised correlation, 1 for the same.
func likeness(recording, want []int16) float64 {
	const length = 9 * fingerprintRate / 10
	if len(want) < length || len(recording) < length {
		return 0
	}
	key := want[len(want)/4:]
	key = key[:min(len(key), length)]
	energy := 0.0
	for _, s := range key {
		energy += float64(s) * float64(s)
	}
	best, own := 0.0, 0.0
	for _, s := range recording[:len(key)] {
		own += float64(s) * float64(s)
	}
	for from := 0; ; from++ {
		var sum int64
		for i, s := range key {
			sum += int64(s) * int64(recording[from+i])
		}
		if own > 0 {
			best = max(best, float64(sum)/math.Sqrt(own*energy))
		}
		if from+len(key) >= len(recording) {
			return best
		}
		gone, come := float64(recording[from]), float64(recording[from+len(key)])
		own += come*come - gone*gone
	}
}

// recognised lists the prompts that are in a recording, of the clips given.
func recognised(t *testing.T, set *prompt.Set, rate int, recording []int16, clips ...prompt.Clip) map[prompt.Clip]float64 {
	t.Helper()
	heard := at(t, recording, rate, fingerprintRate)
	found := map[prompt.Clip]float64{}
	for _, c := range clips {
		found[c] = likeness(heard, at(t, set.Sound(c), prompt.Rate, fingerprintRate))
	}
	return found
}

// listener follows what a phone is told.
type listener struct {
	phone *baresip
	set   *prompt.Set
	from  int // samples that were listened to
}

// says waits until the phone has heard a prompt since the one before.
func (l *listener) says(c prompt.Clip) {
	t := l.phone.t
	t.Helper()
	like := 0.0
	eventually(t, 20*time.Second, fmt.Sprintf("%s is told %v", l.phone.name, c), func() bool {
		rate, pcm := readWAV(t, l.phone.heard())
		if l.from > len(pcm) {
			return false
		}
		like = recognised(t, l.set, rate, pcm[l.from:], c)[c]
		if like > 0.7 {
			l.from = len(pcm)
			return true
		}
		return false
	})
	t.Logf("%s is told %v: %.2f", l.phone.name, c, like)
}

// makeMeeting creates a meeting through the API.
func (g *gateway) makeMeeting(body map[string]any) {
	g.t.Helper()
	if code, out := g.request(http.MethodPost, "/api/v1/meetings", body); code != http.StatusCreated {
		g.t.Fatalf("POST meetings: %d %s", code, out)
	}
}

// inMeeting waits until so many calls are in a meeting.
func (g *gateway) inMeeting(alias string, state string, n int) {
	g.t.Helper()
	eventually(g.t, 30*time.Second, fmt.Sprintf("%d calls are %s in %s", n, state, alias), func() bool {
		found := 0
		for _, c := range g.calls() {
			if c.Meeting == alias && c.State == state {
				found++
			}
		}
		return found == n
	})
}

// A phone calls the lobby, hears what it is asked in its language, keys the
// meeting and the PIN, and is in the meeting: it mutes itself there, and the sound goes
// both ways.
func TestPhoneThroughTheVoiceMenu(t *testing.T) {
	set := prompts(t)
	g := startGateway(t, "")
	g.makeMeeting(map[string]any{"alias": "88001", "host_pin": "9999", "guest_pin": "1234"})
	for i, row := range []struct {
		name     string
		language prompt.Language
		key      string
		peer     peerOptions
	}{
		{"Vietnamese by telephone events", prompt.Vietnamese, "1", peerOptions{hz: 500, codecs: "PCMU"}},
		{"English by INFO", prompt.English, "2", peerOptions{hz: 600, codecs: "PCMA", keys: "info"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			mate := startRoom(t, 1200+100*float64(i), "--call", "88001*1234@"+gatewayIP, "--audio-only")
			g.inMeeting("88001", "active", 1)
			phone := startBaresip(t, row.peer)
			during(t, mate.process, phone.process)
			phone.dial("sip:lobby@" + gatewayIP)
			phone.established()
			say := func(id prompt.ID) prompt.Clip { return prompt.Clip{Language: row.language, ID: id} }
			heard := listener{phone: phone, set: set}
			heard.says(prompt.Clip{Language: prompt.Vietnamese, ID: prompt.Welcome})
			phone.press(row.key)
			heard.says(say(prompt.Meeting))
			phone.press("88001#")
			heard.says(say(prompt.PIN))
			phone.press("4321#")
			heard.says(say(prompt.WrongPIN))
			phone.press("1234#")
			g.inMeeting("88001", "active", 2)
			heard.says(say(prompt.Joined))
			for _, told := range []prompt.ID{prompt.Muted, prompt.Unmuted} { // the keys go on in the meeting
				phone.press("*6")
				heard.says(say(told))
				if g.muted("88001") != (told == prompt.Muted) {
					t.Errorf("it is not %s", told)
				}
			}
			phone.hears(mate.hz, float64(row.peer.hz))
			rate, pcm := readWAV(t, phone.heard())
			other := prompt.English
			if row.language == prompt.English {
				other = prompt.Vietnamese
			}
			for c, like := range recognised(t, set, rate, pcm, prompt.Clip{Language: other, ID: prompt.PIN}, prompt.Clip{Language: other, ID: prompt.Joined}) {
				if like > 0.65 {
					t.Errorf("hears %v, which was never said: %.2f", c, like)
				}
			}
			mate.heard(float64(row.peer.hz), "G722", "none", 0, 0)
			phone.hangup()
			g.noCalls()
			if text := g.text(); strings.Contains(text, "4321") || strings.Contains(text, "*1234@") {
				t.Error("the log tells a PIN")
			}
		})
	}
}

// Terminals key their way with what their protocol has: telephone events of a
// terminal of SIP, user input of H.245.
func TestTerminalsThroughTheVoiceMenu(t *testing.T) {
	g := startGateway(t, "lobby: {language: en}\n")
	g.makeMeeting(map[string]any{"alias": "88001", "guest_pin": "1234"})
	old := startRoom(t, 700, "--protocol", "h323", "--call", "lobby@"+gatewayIP, "--dtmf", "88001#1234#")
	sip := startRoom(t, 900, "--call", "lobby@"+gatewayIP, "--dtmf", "88001#1234#", "--transport", "tcp")
	during(t, old.process, sip.process)
	g.inMeeting("88001", "active", 2)
	g.flows(t, "88001", 2, true)
	g.flowsOn(t, "88001")
	old.heard(sip.hz, "G722", "none", 1280, 720)
	sip.heard(old.hz, "G722", "none", 1280, 720)
	g.noCalls()
}

// A guest of a meeting with a lobby waits with music until the host lets it in from
// the page.
func TestHostAdmitsFromThePage(t *testing.T) {
	g := startGateway(t, "lobby: {language: vi}\n")
	g.makeMeeting(map[string]any{"alias": "88001", "host_pin": "9999", "lobby": true})
	web := openBrowser(t, browserOptions{wav: toneFile(t, 1200), lang: "vi", still: true})
	web.visit("88001")
	web.fillIn("Chủ tọa")
	web.click("join")
	web.run("is asked for the PIN of a host", 20*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=waits]`)),
		chromedp.SendKeys(chromedp.CSS(`[data-testid=pin]`), "9999"))
	web.click("join")
	web.joined()
	eventually(t, 10*time.Second, "the host knocks no more", func() bool {
		waiting, err := g.api().Waiting(t.Context(), "88001")
		return err == nil && len(waiting) == 0
	})

	guest := startRoom(t, 700, "--call", "88001@"+gatewayIP, "--audio-only", "--dtmf", "#")
	during(t, guest.process)
	web.run("sees who waits", 30*time.Second, chromedp.WaitVisible(chromedp.CSS(`[data-testid=admit]`)))
	g.inMeeting("88001", "lobby", 1)
	if waiting, err := g.api().Waiting(t.Context(), "88001"); err != nil || len(waiting) != 1 || waiting[0].For != "admission" {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	web.click("admit")
	g.inMeeting("88001", "active", 1)
	web.hears("phone", guest.hz)
	g.flowsOn(t, "88001")
	guest.heard(1200, "G722", "none", 0, 0)
	g.noCalls()
}
