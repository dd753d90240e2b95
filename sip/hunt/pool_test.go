package hunt

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func host(address string, priority, weight int) Host {
	return Host{At: netip.MustParseAddrPort(address), Transport: "udp", Priority: priority, Weight: weight}
}

func addresses(list []Host) (out []string) {
	for _, h := range list {
		out = append(out, h.At.String())
	}
	return out
}

func TestOrderByPriority(t *testing.T) {
	p := NewPool([]Target{{Address: "b", Priority: 20}, {Address: "a", Priority: 10}}, nil)
	p.Resolved(0, []Host{host("10.0.0.3:5060", 0, 0)}, nil, noon)
	p.Resolved(1, []Host{host("10.0.0.2:5060", 2, 0), host("10.0.0.1:5060", 1, 0)}, nil, noon)
	for range 20 {
		assert.Equal(t, []string{"10.0.0.1:5060", "10.0.0.2:5060", "10.0.0.3:5060"}, addresses(p.Order(noon)))
	}
	assert.True(t, p.Has(netip.MustParseAddr("10.0.0.3")))
	assert.False(t, p.Has(netip.MustParseAddr("10.0.0.4")))
}

// TestWeights: over many calls the first of one priority is chosen as often as its
// weight says, and weight 0 seldom.
func TestWeights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := NewPool([]Target{{Weight: 60}, {Weight: 30}, {Weight: 10}, {Weight: 0}}, random.IntN)
	for i := range 4 {
		p.Resolved(i, []Host{host(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 5060).String(), 0, 0)}, nil, noon)
	}
	first := [4]float64{}
	const calls = 20000
	for range calls {
		order := p.Order(noon)
		require.Len(t, order, 4)
		seen := map[int]bool{}
		for _, h := range order {
			seen[h.Target] = true
		}
		require.Len(t, seen, 4, "each once")
		first[order[0].Target]++
	}
	for i, want := range []float64{0.6, 0.3, 0.1, 0.01} {
		assert.Less(t, math.Abs(first[i]/calls-want), 0.02, "%d: %v", i, first)
	}
}

func TestHysteresis(t *testing.T) {
	p := NewPool([]Target{{Address: "a"}, {Address: "b", Priority: 1}}, nil)
	a, b := host("10.0.0.1:5060", 0, 0), host("10.0.0.2:5060", 0, 0)
	b.Target = 1
	p.Resolved(0, []Host{a}, nil, noon)
	p.Resolved(1, []Host{b}, nil, noon)
	both := []string{"10.0.0.1:5060", "10.0.0.2:5060"}
	assert.False(t, p.Failed(a, "x", 0, noon))
	assert.False(t, p.Failed(a, "x", 0, noon))
	assert.False(t, p.Answered(a, time.Millisecond, noon), "it was never down")
	assert.False(t, p.Failed(a, "x", 0, noon))
	assert.False(t, p.Failed(a, "x", 0, noon))
	assert.Equal(t, both, addresses(p.Order(noon)), "two in a row are not enough")
	assert.True(t, p.Failed(a, "no answer", 0, noon))
	assert.False(t, p.Failed(a, "no answer", 0, noon), "it is down already")
	assert.Equal(t, both[1:], addresses(p.Order(noon)))
	s := p.States()
	assert.True(t, s[0].Down)
	assert.Equal(t, "no answer", s[0].Error)
	assert.False(t, s[1].Known)
	assert.False(t, p.Answered(a, time.Millisecond, noon))
	assert.Equal(t, both[1:], addresses(p.Order(noon)), "one answer is not enough")
	assert.True(t, p.Answered(a, 3*time.Millisecond, noon.Add(time.Minute)))
	assert.Equal(t, both, addresses(p.Order(noon)))
	assert.Equal(t, noon.Add(time.Minute), p.States()[0].Since)
	for range Failures {
		p.Failed(a, "x", 0, noon)
		p.Failed(b, "x", 0, noon)
	}
	assert.Equal(t, both, addresses(p.Order(noon)), "when all are down all are tried")
}

func TestRestAndNames(t *testing.T) {
	p := NewPool([]Target{{Address: "a"}, {Address: "b", Priority: 1}}, nil)
	a, b := host("10.0.0.1:5060", 0, 0), host("10.0.0.2:5060", 0, 0)
	p.Resolved(0, []Host{a}, nil, noon)
	p.Resolved(1, nil, errors.New("no such host"), noon)
	assert.Equal(t, []string{"10.0.0.1:5060"}, addresses(p.Order(noon)))
	s := p.States()
	require.Len(t, s, 2)
	assert.Equal(t, "no such host", s[1].Error)
	assert.True(t, s[1].Down)
	b.Target = 1
	p.Resolved(1, []Host{b}, nil, noon)
	p.Failed(a, "503", time.Minute, noon)
	assert.Equal(t, []string{"10.0.0.2:5060"}, addresses(p.Order(noon.Add(59*time.Second))))
	assert.Len(t, p.Order(noon.Add(time.Minute)), 2)
	p.Resolved(0, nil, errors.New("the name server is gone"), noon)
	assert.Len(t, p.Order(noon.Add(time.Minute)), 2, "what was known stays")
	c := host("10.0.0.9:5060", 0, 0)
	p.Resolved(0, []Host{c}, nil, noon)
	assert.Equal(t, []string{"10.0.0.9:5060", "10.0.0.2:5060"}, addresses(p.Order(noon)))
	assert.False(t, p.Failed(a, "x", 0, noon), "it is gone")
}
