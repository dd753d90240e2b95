package api

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestLimiterIsBounded lets more sources come than are remembered.
func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newPerMinute(func() time.Time { return now }, 3)
	source := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxSources {
		assert.True(t, l.take(source(i)))
	}
	refused := 0
	for i := range 10 {
		if !l.take(source(maxSources + i)) {
			refused++
		}
	}
	assert.Equal(t, 7, refused, "the rest shares one allowance")
	assert.Len(t, l.sources, maxSources)
	assert.True(t, l.take(source(0)), "those known keep theirs")

	now = now.Add(2 * time.Minute)
	assert.True(t, l.take(source(maxSources+100)))
	assert.Less(t, len(l.sources), maxSources, "whole allowances are forgotten")
}

func TestAllowanceGrowsBack(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newPerMinute(func() time.Time { return now }, 4)
	a := netip.MustParseAddr("192.0.2.1")
	for range 4 {
		assert.True(t, l.take(a))
	}
	assert.False(t, l.take(netip.MustParseAddr("::ffff:192.0.2.1")), "the same host")
	wait, spent := l.spent(a)
	assert.True(t, spent)
	assert.Equal(t, 15*time.Second, wait)
	now = now.Add(15 * time.Second)
	assert.True(t, l.take(a))
	assert.False(t, l.take(a))
}
