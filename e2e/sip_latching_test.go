package e2e

import "testing"

// A host with two addresses signals one, and its system sends media from the
// other: it hears, and is heard after a while.
func TestMediaFromAnotherAddress(t *testing.T) {
	g := startGateway(t, "")
	two := startBaresip(t, peerOptions{address: strangerIP, hz: 440})
	mate := startBaresip(t, peerOptions{hz: 800})
	two.dial("sip:demo@" + gatewayIP)
	mate.dial("sip:demo@" + gatewayIP)
	two.established()
	mate.established()
	two.hears(800, 440)
	mate.hears(440, 800)
	two.hangup()
	mate.hangup()
	g.noCalls()
}
