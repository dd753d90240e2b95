package livekit

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// A way to the SFU that is cut from 2 Mbit/s to 512 kbit/s bounds what is sent, whether the
// SFU states what it lost or asks for it again, and no longer when it is wide.
func TestNarrowWay(t *testing.T) {
	for name, again := range map[string]bool{"stated": false, "asked for again": true} {
		t.Run(name, func(t *testing.T) {
			var w way
			now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
			var sequence, lost, resent, octets uint32
			bound := 0
			second := func(carries int) {
				sent := 1_600_000
				if bound > 0 {
					sent = min(sent, bound)
				}
				packets := uint32(sent / 8 / 1000)
				sequence, octets = sequence+packets, octets+packets*1000
				if gone := max(0, sent-carries) / 8 / 1000; again {
					resent += uint32(gone)
				} else {
					lost += uint32(gone)
				}
				now = now.Add(time.Second)
				bound, _ = w.see(rtcp.ReceptionReport{LastSequenceNumber: sequence, TotalLost: lost}, octets, resent, now)
			}
			for range 3 {
				second(2_000_000)
			}
			require.Zero(t, bound)
			for range 3 {
				second(512_000)
			}
			require.Greater(t, bound, 300_000)
			require.LessOrEqual(t, bound, 512_000)
			for range 40 {
				second(2_000_000)
			}
			require.Zero(t, bound)
		})
	}
}
