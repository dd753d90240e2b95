package control

import (
	"testing"
	"time"

	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
)

// BenchmarkTCS makes, encodes, decodes and reads a capability set of everything, encrypted or
// not.
func BenchmarkTCS(b *testing.B) {
	s, err := New(Config{
		Capabilities: allCodecs(), Encryption: "prefer", Security: &fakeSecurity{algorithms: []per.OID{aes128}},
		Send: func(*h245.MultimediaSystemControlMessage) {}, Emit: func(Event) {}, Local: newSide(b, "", 1, Config{}).cfg.Local,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		data, err := (&h245.MultimediaSystemControlMessage{Request: &h245.RequestMessage{TerminalCapabilitySet: s.set(1, whole)}}).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		list, err := h245.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, cause := readSet(list[0].Request.TerminalCapabilitySet, nil); cause != nil {
			b.Fatal(cause)
		}
	}
}

// BenchmarkCall sets up a call between two sessions, without the wire.
func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p := newPair(b, Config{Capabilities: everything()}, Config{Capabilities: everything()})
		p.a.Start(time.Unix(1, 0))
		for len(p.a.out)+len(p.b.out) > 0 {
			p.deliver(0)
		}
		if len(p.a.Media()) != 2 {
			b.Fatal("no media")
		}
	}
}
