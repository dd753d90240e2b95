package e2e

import (
	"syscall"
	"testing"
	"time"
)

// A terminal vanishes without BYE: the time-out of its media ends the call and
// it leaves the roster. A held terminal sends nothing for as long as it likes.
func TestTerminalVanishes(t *testing.T) {
	g := startGateway(t, "rtp: {timeout: 5s}\n")
	stays := startBaresip(t, peerOptions{hz: 500, codecs: "PCMU"})
	held := startBaresip(t, peerOptions{hz: 700, codecs: "PCMU"})
	gone := startBaresip(t, peerOptions{hz: 900, codecs: "PCMA"})
	for _, b := range []*baresip{stays, held, gone} {
		b.dial("sip:demo@" + gatewayIP)
		b.established()
	}
	stays.hears(700, 500)
	stays.hears(900, 500)
	held.hears(500, 700)
	eventually(t, 15*time.Second, "three stand in the roster", func() bool { return len(g.participants("demo")) == 3 })

	held.command("hold", "")
	eventually(t, 15*time.Second, "the gateway knows that a call is held", func() bool { return len(g.callsThatAre("held")) == 1 })
	heldID := g.callsThatAre("held")[0].ID
	_ = held.cmd.Process.Signal(syscall.SIGSTOP) // says nothing at all from now on
	gone.kill()

	eventually(t, 20*time.Second, "the call of who vanished has ended, and nobody else's", func() bool {
		return len(g.calls()) == 2 && len(g.participants("demo")) == 2
	})
	stays.hearsNot(900)
	if rest := g.callsThatAre("held"); len(rest) != 1 || rest[0].ID != heldID {
		t.Fatalf("held calls are now %+v", rest)
	}
	_ = held.cmd.Process.Signal(syscall.SIGCONT)
	held.command("resume", "")
	eventually(t, 15*time.Second, "the held call goes on", func() bool { return len(g.callsThatAre("active")) == 2 })
	stays.hears(700, 500, 900)
	// This baresip does not decode again after a hold; that it gets sound must do.
	sent := func() int { return g.call(heldID).packets("audio", "send") }
	before := sent()
	eventually(t, 15*time.Second, "the held terminal gets sound again", func() bool { return sent() > before+50 })
	if stays.dropped() || held.dropped() {
		t.Error("a call was dropped")
	}
	stays.hangup()
	held.hangup()
	g.noCalls()
}

// callsThatAre are the calls in a state.
func (g *gateway) callsThatAre(state string) []apiCall {
	g.t.Helper()
	var out []apiCall
	for _, c := range g.calls() {
		if c.State == state {
			out = append(out, c)
		}
	}
	return out
}

// call is the call with an id; an empty one when it has ended.
func (g *gateway) call(id string) apiCall {
	g.t.Helper()
	for _, c := range g.calls() {
		if c.ID == id {
			return c
		}
	}
	return apiCall{}
}

// hearsNot waits until a tone is not heard any more.
func (b *baresip) hearsNot(hz float64) {
	b.t.Helper()
	eventually(b.t, 15*time.Second, b.name+" hears no more of it", func() bool {
		rate, pcm := lastSecond(b.heard())
		return power(pcm, rate, hz) < -60
	})
}
