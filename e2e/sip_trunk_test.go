package e2e

import "testing"

// A trunk that names G.729 is answered with it; nobody else is.
func TestTrunkCodecs(t *testing.T) {
	g := startGateway(t, "trunks: [{name: pstn, cidrs: ["+peerIP+"/32], codecs: [g729, pcma]}]\n")
	trunk := startRoom(t, 500, "--call", "codecs@"+gatewayIP, "--audio-only", "--codecs", "G729,PCMU")
	mate := startRoom(t, 1200, "--call", "codecs@["+gatewayIP6+"]", "--audio-only", "--codecs", "G729,PCMU")
	during(t, trunk.process, mate.process)
	g.flows(t, "codecs", 2, false)
	trunk.heard(mate.hz, "G729", "none", 0, 0)
	mate.heard(trunk.hz, "PCMU", "none", 0, 0)
	g.noCalls()
}
