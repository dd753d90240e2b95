package limit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestSource(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		require.Equal(t, c.same, Source(addr(c.a)) == Source(addr(c.b)), "%s %s", c.a, c.b)
	}
}

func TestRate(t *testing.T) {
	clk := &clock{time.Unix(1000, 0)}
	r := NewRate(RateConfig{
		PerSecond: 10, Burst: 5, Sources: 2, Now: clk.Now,
		Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	a := addr("192.0.2.1")
	take := func(n int) (taken int) {
		for range n {
			if r.Allow(a) {
				taken++
			}
		}
		return taken
	}
	require.Equal(t, 5, take(20), "the burst")
	clk.now = clk.now.Add(300 * time.Millisecond)
	require.Equal(t, 3, take(20), "what was earned")
	clk.now = clk.now.Add(time.Hour)
	require.Equal(t, 5, take(20), "no more than the burst is saved")
	clk.now = clk.now.Add(-time.Hour)
	require.Equal(t, 0, take(20), "a clock set back earns nothing")
	require.True(t, r.Allow(addr("192.0.2.2")), "another source")
	for range 100 {
		require.True(t, r.Allow(addr("::ffff:10.1.2.3")), "an exempt one")
	}
	for i := range 100 {
		r.Allow(addr(fmt.Sprintf("198.51.100.%d", i)))
	}
	require.Equal(t, 2, r.Sources())
}

func TestRateAllocatesNothing(t *testing.T) {
	r := NewRate(RateConfig{})
	a := addr("2001:db8::1")
	r.Allow(a)
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Allow(a) }))
}

func TestLockoutGrows(t *testing.T) {
	clk := &clock{time.Unix(1000, 0)}
	l := NewLockout(LockoutConfig{UserFailures: 3, SourceFailures: 100, First: time.Second, Longest: 5 * time.Second, Forget: time.Minute, Now: clk.Now})
	a := addr("192.0.2.1")
	for i, want := range []time.Duration{0, 0, 1, 2, 4, 5, 5} {
		want *= time.Second
		require.Equal(t, want, l.Failed(a, "bob"), i)
		require.Equal(t, want, l.Locked(a, "bob"), i)
	}
	require.Zero(t, l.Locked(a, "eve"), "another user")
	require.Zero(t, l.Locked(addr("192.0.2.2"), "bob"), "another source")
	clk.now = clk.now.Add(4 * time.Second)
	require.Equal(t, time.Second, l.Locked(a, "bob"))
	clk.now = clk.now.Add(time.Second)
	require.Zero(t, l.Locked(a, "bob"))
	clk.now = clk.now.Add(2 * time.Minute)
	require.Zero(t, l.Failed(a, "bob"), "old failures are forgotten")
	l.Failed(a, "bob")
	l.Succeeded(a, "bob")
	require.Zero(t, l.Failed(a, "bob"))
}

func TestLockoutOfSource(t *testing.T) {
	clk := &clock{time.Unix(1000, 0)}
	l := NewLockout(LockoutConfig{UserFailures: 100, SourceFailures: 3, First: time.Minute, Forget: time.Hour, Now: clk.Now})
	a, neighbour := addr("2001:db8::1"), addr("2001:db8::2")
	l.Succeeded(a, "good")
	for i := range 3 {
		l.Failed(a, fmt.Sprint("guess", i))
	}
	require.Equal(t, time.Minute, l.Locked(neighbour, "new"), "the whole /64")
	require.Zero(t, l.Locked(a, "good"), "who succeeded before goes on")
	clk.now = clk.now.Add(2 * time.Hour)
	require.Zero(t, l.Locked(a, "new"))
}

func TestLockoutIsBounded(t *testing.T) {
	l := NewLockout(LockoutConfig{Entries: 10, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for i := range 1000 {
		a := addr(fmt.Sprintf("192.0.%d.%d", i/256, i%256))
		l.Failed(a, fmt.Sprint(i))
		l.Succeeded(a, fmt.Sprint(i))
		require.Zero(t, l.Failed(addr("10.1.1.1"), "bob"))
	}
	require.LessOrEqual(t, l.sources.len(), 10)
	require.LessOrEqual(t, l.pairs.len(), 10)
	require.LessOrEqual(t, l.good.len(), 10)
	require.Zero(t, l.Locked(addr("10.1.1.1"), "bob"))
	long := make([]byte, 100000)
	require.Len(t, pairOf(addr("192.0.2.1"), string(long)).user, maxUser)
}
