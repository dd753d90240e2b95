package e2e

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// The gateway itself is killed and started again: its SFU goes with it, its
// ports are free, nobody of before is left in the meeting, and terminals call
// again at once.
func TestGatewayIsKilled(t *testing.T) {
	g := startGateway(t, "")
	before := startBaresip(t, peerOptions{hz: 500, video: true, size: "640x360", codecs: "PCMU"})
	mate := startBaresip(t, peerOptions{hz: 700, codecs: "PCMU"})
	before.dial("sip:demo@" + gatewayIP)
	mate.dial("sip:demo@" + gatewayIP)
	before.established()
	mate.established()
	before.hears(700, 500)
	eventually(t, 15*time.Second, "both are in the meeting", func() bool { return len(g.participants("demo")) == 2 })

	sfu := g.sfuChild()
	g.kill()
	eventually(t, 10*time.Second, "the SFU is gone with its parent", func() bool { return !alive(sfu) })
	g.launch() // binds every port again
	if again := g.sfuChild(); again == sfu {
		t.Errorf("the SFU %d was never gone", sfu)
	}
	if ids := g.identities("demo"); len(ids) != 0 {
		t.Errorf("%v are still in the meeting", ids)
	}

	caller := startBaresip(t, peerOptions{hz: 900, codecs: "opus"})
	caller.dial("sip:demo@" + gatewayIP)
	caller.established()
	before.hangup() // answered with 481; not its business any more
	mate.hangup()
	mate.dial("sip:demo@" + gatewayIP)
	caller.hears(700, 900)
	mate.hears(900, 700)
	eventually(t, 15*time.Second, "those who called again are in the meeting", func() bool { return len(g.participants("demo")) == 2 })
	caller.hangup()
	mate.hangup()
	g.noCalls()
}

func alive(pid int) bool {
	_, err := os.Stat("/proc/" + strconv.Itoa(pid))
	return err == nil
}
