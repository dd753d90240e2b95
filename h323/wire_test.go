package h323_test

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/h323"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/internal/dissect"
	"github.com/roomgate/roomgate/h323/internal/pcap"
	"github.com/roomgate/roomgate/h323/tpkt"
)

// wire holds what the endpoints of all tests sent: in the end tshark looks at it.
var wire struct {
	sync.Mutex
	pcap.Writer
	listeners map[uint16]bool
	count     int // call signalling messages
}

// enough messages to be sure of all kinds; floods send more of the same.
const enough = 4000

// onWire notes a message of ours. Listeners of tests have ports of their own, and
// tshark knows H.225.0 by its port.
func onWire(r h323.Record) {
	if r.In || !r.Local.Addr().Is4() {
		return
	}
	packet, err := tpkt.Append(nil, r.Payload)
	if err != nil || returns(r) {
		return
	}
	wire.Lock()
	defer wire.Unlock()
	if wire.count >= enough {
		return
	}
	if r.Type == "H.245" { // tshark has its port from the message that told the address
		wire.TCP(r.Local, r.Remote, packet)
		return
	}
	wire.count++
	wire.TCP(wellKnown(r.Local), wellKnown(r.Remote), packet)
}

// returns reports a functionNotSupported that returns a generic request: tshark 4.0
// dies of those, whoever sends them.
func returns(r h323.Record) bool {
	pdus := [][]byte{r.Payload}
	if m, err := callsig.Parse(r.Payload); err == nil && r.Type != "H.245" {
		pdus = m.Control
	}
	for _, pdu := range pdus {
		list, _ := h245.Parse(pdu)
		for _, m := range list {
			if m.Indication != nil && m.Indication.FunctionNotSupported != nil {
				return true
			}
		}
	}
	return false
}

// wellKnown puts the ends of call signalling where tshark knows it: listeners of ours at
// its port, each on a host of its own, and the others at a port that no protocol has.
func wellKnown(a netip.AddrPort) netip.AddrPort {
	const nobodys = 60001
	b := a.Addr().As4()
	port := uint16(nobodys)
	if wire.listeners[a.Port()] {
		port = 1720
	}
	b[0], b[1], b[2] = 10, byte(a.Port()>>8), byte(a.Port())
	return netip.AddrPortFrom(netip.AddrFrom4(b), port)
}

// listening notes the ports of an endpoint of ours.
func listening(list []netip.AddrPort) {
	wire.Lock()
	defer wire.Unlock()
	if wire.listeners == nil {
		wire.listeners = make(map[uint16]bool)
	}
	for _, a := range list {
		wire.listeners[a.Port()] = true
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Println("FAIL:", err)
		code = 1
	}
	if f := os.Getenv("H323_PCAP"); f != "" {
		_ = os.WriteFile(f, wire.Bytes(), 0o600)
	}
	if os.Getenv("NAT_ROLE") != "" {
		os.Exit(code) // the two halves of a call are in two processes
	}
	os.Exit(max(code, dissect.Verdict(wire.Bytes(), "h225.H323_UserInformation_element", wire.count)))
}
