package gatekeeper

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/h323/internal/dissect"
	"github.com/roomgate/roomgate/h323/internal/pcap"
)

// wire holds everything that the gatekeepers of all tests sent: each test adds its part
// to what tshark looks at in the end. Tests of this package do not run in parallel.
var wire struct {
	pcap.Writer
	count int
}

// enough messages to be sure of all kinds; floods and fuzzing send more of the same.
const enough = 5000

func onWire(to netip.AddrPort, pdu []byte) {
	if wire.count >= enough || !to.Addr().Is4() {
		return
	}
	wire.count++
	wire.UDP(ourRAS, to, pdu)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Println("FAIL:", err)
		code = 1
	}
	os.Exit(max(code, dissect.Verdict(wire.Bytes(), "h225.RasMessage", wire.count)))
}
