package callsig_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/roomgate/roomgate/h323/alias"
	"github.com/roomgate/roomgate/h323/callsig"
	"github.com/roomgate/roomgate/h323/h225"
	"github.com/roomgate/roomgate/h323/h245"
)

// fastSetup is a SETUP with 30 channels of fast start, as recorded terminals offer them.
func fastSetup(t testing.TB) []byte {
	t.Helper()
	var channels [][]byte
	for _, r := range recorded(t) {
		m, err := callsig.Parse(r.Data)
		if err != nil || m.Err != nil {
			t.Fatal(err, m.Err)
		}
		channels = append(channels, m.FastStart...)
	}
	if len(channels) < 10 {
		t.Fatalf("%d channels", len(channels))
	}
	slices.SortFunc(channels, bytes.Compare)
	channels = slices.CompactFunc(channels, bytes.Equal)
	picked := make([][]byte, 30) // of all kinds alike
	for i := range picked {
		picked[i] = channels[i*len(channels)/len(picked)]
	}
	c := &callsig.Call{Reference: 1, Caller: true, Self: self}
	payload, err := c.Setup(callsig.SetupOptions{
		Called: []h225.AliasAddress{alias.Of("88001")}, From: []h225.AliasAddress{alias.Of("8401")},
		Destination: netip.MustParseAddrPort("10.0.0.2:1720"), Rate: 768000,
	}, callsig.Carry{FastStart: picked, Tunnelling: true})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// decodeAndEncode is what a SETUP costs: its channels are read and written too.
func decodeAndEncode(t testing.TB, payload []byte) {
	m, err := callsig.Parse(payload)
	if err != nil || m.Err != nil {
		t.Fatal(err, m.Err)
	}
	items := make([][]byte, 0, len(m.FastStart))
	for _, item := range m.FastStart {
		o, err := h245.ParseOpenLogicalChannel(item)
		if err != nil {
			t.Fatal(err)
		}
		again, err := o.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, again)
	}
	m.Body().Setup.FastStart = items
	if err := h225.Attach(m.Q931, m.UU); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Q931.Marshal(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkSetupWith30Channels should stay under 300 µs and 60 KB.
func BenchmarkSetupWith30Channels(b *testing.B) {
	payload := fastSetup(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		decodeAndEncode(b, payload)
	}
}

// TestSetupIsCheap holds the memory of a SETUP with 30 channels to its bound.
func TestSetupIsCheap(t *testing.T) {
	payload := fastSetup(t)
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			decodeAndEncode(b, payload)
		}
	})
	t.Logf("%d octets: %s, %s", len(payload), r, r.MemString())
	if n := r.AllocedBytesPerOp(); n > 60<<10 && !raceEnabled {
		t.Errorf("%d octets of memory for one SETUP", n)
	}
}
