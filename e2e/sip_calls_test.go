package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomgate/roomgate/client"
)

// api is the Go client of a gateway.
func (g *gateway) api() *client.Client { return client.New(g.url(""), apiKey, http.DefaultClient) }

// roster lists who is in a meeting by identity.
func (g *gateway) roster(meeting string) []string {
	all, err := g.api().Participants(context.Background(), meeting)
	if err != nil {
		return nil // not there yet, or not any more
	}
	var out []string
	for _, p := range all {
		out = append(out, p.Identity)
	}
	slices.Sort(out)
	return out
}

// Terminal room-a dials 1002: the gateway calls room-b at its binding, and the
// two are joined here, without a meeting that anybody has to know.
func TestTerminalCallsTerminalByAlias(t *testing.T) {
	g := startGateway(t, "")
	a := startBaresip(t, peerOptions{user: "room-a", password: "secret-a", hz: 440, video: true, size: "640x360"})
	b := startBaresip(t, peerOptions{user: "room-b", password: "secret-b", hz: 800, video: true, transport: "tcp", answer: true})
	a.registered()
	b.registered()
	a.dial("sip:1002@" + gatewayIP)
	a.established()
	b.established()
	a.hears(800, 440)
	b.hears(440, 800)
	a.seesSize(1280, 720)
	b.seesSize(640, 360)
	a.hangup()
	eventually(t, 15*time.Second, "the other side is told", func() bool {
		return strings.Contains(b.text(), "terminated") || strings.Contains(b.text(), "session closed")
	})
	g.noCalls()
}

// The API calls a registered terminal by alias, and another by its address,
// into a meeting that wants encryption.
func TestDialOut(t *testing.T) {
	g := startGateway(t, "")
	if _, err := g.api().CreateMeeting(t.Context(), client.MeetingRequest{Alias: "88001", Name: "Giao ban", Encryption: "require"}); err != nil {
		t.Fatal(err)
	}
	room := startBaresip(t, peerOptions{user: "room-a", password: "secret-a", hz: 440, answer: true, transport: "tls", mediaenc: "srtp-mand"})
	room.registered()
	direct := startRoom(t, 1100, "--listen", "--address", strangerIP+":5070", "--user", "wall", "--encryption", "require")
	eventually(t, 15*time.Second, "the terminal listens", func() bool {
		return inPeers("sh", "-c", "ss -lun | grep -q "+strangerIP+":5070").Run() == nil
	})
	for _, target := range []string{"1001", "sip:wall@" + strangerIP + ":5070"} {
		if _, err := g.api().Dial(t.Context(), client.DialRequest{Target: target, Meeting: "88001"}); err != nil {
			t.Fatalf("dial %s: %v", target, err)
		}
	}
	room.established()
	room.hears(1100, 440)
	for _, c := range g.calls() {
		if c.Direction != "out" || c.State != "active" || c.Meeting != "88001" || c.Encryption != "srtp" {
			t.Errorf("call %+v", c)
		}
	}
	direct.heard(440, "G722", "srtp", 0, 0)
	if _, err := g.api().Dial(t.Context(), client.DialRequest{Target: "nobody", Meeting: "88001"}); err == nil {
		t.Error("an alias that nobody has was dialled")
	}
	room.hangup()
	g.noCalls()
}

// keypad collects the digits that the event stream tells of, by call.
type keypad struct {
	mu     sync.Mutex
	digits map[string]string
}

func (k *keypad) of(call string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.digits[call]
}

// followKeypad reads GET /api/v1/events until the test ends.
func followKeypad(t *testing.T, g *gateway) *keypad {
	k := &keypad{digits: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		_ = g.api().Follow(ctx, "", "", func(e client.Event) error {
			if e.Type == "call.keypad" && e.Call != nil {
				k.mu.Lock()
				k.digits[e.Call.ID] += e.Text
				k.mu.Unlock()
			}
			return nil
		})
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return k
}

// Digits as telephone events of baresip and of a terminal, and as INFO, are
// events of the API.
func TestDigitsAreEvents(t *testing.T) {
	g := startGateway(t, "")
	keys := followKeypad(t, g)
	rows := []struct {
		name, meeting, want string
	}{{"baresip events", "k1", "159#"}, {"baresip info", "k2", "27*"}, {"terminal", "k3", "*1234#"}, {"events at another clock", "k4", "60#"}}
	events := startBaresip(t, peerOptions{})
	info := startBaresip(t, peerOptions{keys: "info"})
	events.dial("sip:k1@" + gatewayIP)
	info.dial("sip:k2@" + gatewayIP)
	startRoom(t, 1000, "--call", "k3@"+gatewayIP, "--audio-only", "--dtmf", rows[2].want)
	startRoom(t, 1100, "--call", "k4@"+gatewayIP, "--audio-only", "--codecs", "G7221C", "--dtmf", rows[3].want)
	events.established()
	info.established()
	events.press(rows[0].want)
	info.press(rows[1].want)
	for _, row := range rows {
		eventually(t, 30*time.Second, row.name+" keys "+row.want, func() bool {
			for _, c := range g.calls() {
				if c.Meeting == row.meeting && keys.of(c.ID) == row.want {
					return true
				}
			}
			return false
		})
	}
	for _, c := range g.calls() {
		t.Logf("%s keyed %s", c.Remote.UserAgent, keys.of(c.ID))
	}
}

// press sends digits, one after the other.
func (b *baresip) press(digits string) {
	for _, d := range digits {
		b.command("sndcode", string(d))
		<-time.After(400 * time.Millisecond) // as a finger does
	}
}

// What the API mutes is not heard any more; what it removes is hung up.
func TestMuteAndRemove(t *testing.T) {
	g := startGateway(t, "")
	a := startBaresip(t, peerOptions{hz: 440})
	b := startBaresip(t, peerOptions{hz: 800})
	a.dial("sip:demo@" + gatewayIP)
	b.dial("sip:demo@" + gatewayIP)
	a.hears(800, 440)
	b.hears(440, 800)
	calls := g.calls()
	if len(calls) != 2 {
		t.Fatalf("%d calls, want 2", len(calls))
	}
	first, second := calls[0], calls[1] // oldest first; which is whose, the tones tell
	if err := g.api().MuteCall(t.Context(), first.ID, true); err != nil {
		t.Fatal(err)
	}
	var listener, muted *baresip
	eventually(t, 15*time.Second, "the muted one is not heard", func() bool {
		switch {
		case b.level(440) < -70 && a.level(800) > -45:
			listener, muted = b, a
		case a.level(800) < -70 && b.level(440) > -45:
			listener, muted = a, b
		}
		return muted != nil
	})
	eventually(t, 10*time.Second, "the roster shows the mute", func() bool {
		all, _ := g.api().Participants(t.Context(), "demo")
		return slices.ContainsFunc(all, func(p client.Participant) bool { return p.CallID == first.ID && p.Muted }) &&
			!slices.ContainsFunc(all, func(p client.Participant) bool { return p.CallID == second.ID && p.Muted })
	})
	if err := g.api().MuteParticipant(t.Context(), "demo", first.Identity, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, 15*time.Second, "both are heard again", func() bool { return b.level(440) > -45 && a.level(800) > -45 })
	if err := g.api().RemoveParticipant(t.Context(), "demo", second.Identity); err != nil {
		t.Fatal(err)
	}
	eventually(t, 15*time.Second, "the removed one is hung up", func() bool {
		return strings.Contains(listener.text(), "session closed") || strings.Contains(listener.text(), "terminated")
	})
	eventually(t, 10*time.Second, "the other call is left", func() bool {
		left := g.calls()
		return len(left) == 1 && left[0].ID == first.ID
	})
	muted.hangup()
	g.noCalls()
}

// level is of a tone in the last second heard.
func (b *baresip) level(hz float64) float64 {
	rate, pcm := readWAV(b.t, b.heard())
	return power(pcm, rate, hz)
}

// A REFER takes a terminal into another meeting without a new call.
func TestReferMovesToAnotherMeeting(t *testing.T) {
	g := startGateway(t, "")
	mover := startBaresip(t, peerOptions{hz: 440})
	stays := startBaresip(t, peerOptions{hz: 800})
	there := startBaresip(t, peerOptions{hz: 1200})
	mover.dial("sip:one@" + gatewayIP)
	stays.dial("sip:one@" + gatewayIP)
	there.dial("sip:two@" + gatewayIP)
	mover.hears(800, 440)
	stays.hears(440, 800)
	there.established()
	mover.command("transfer", "sip:two@"+gatewayIP)
	there.hears(440, 1200)
	eventually(t, 15*time.Second, "the one who stays hears nobody", func() bool { return stays.level(440) < -70 })
	eventually(t, 15*time.Second, "the meetings' rosters show the move", func() bool {
		return len(g.roster("one")) == 1 && len(g.roster("two")) == 2
	})
	for _, b := range []*baresip{mover, stays, there} {
		b.hangup()
	}
	g.noCalls()
}
