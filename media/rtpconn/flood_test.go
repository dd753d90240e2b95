package rtpconn

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media/rtpconn/secure"
)

// Garbage from a stranger and from the far side's own host does a call no harm.
func TestFloodDuringACall(t *testing.T) {
	for _, protected := range []bool{false, true} {
		t.Run(fmt.Sprintf("protected %v", protected), func(t *testing.T) {
			a, _ := open(t)
			b, jb := open(t, func(c *Config) { c.Latching = LatchAuto })
			if protected {
				applyKeys(t, a, b, newKey(t, secure.AES128CM80), newKey(t, secure.AES128CM80))
			} else {
				connect(t, a, b, audioParams)
			}
			f, _, in := flow(t, a, b)
			stranger := newHost(t, b, "127.0.0.9")
			neighbour := newHost(t, b, "127.0.0.1")
			random := rand.New(rand.NewPCG(1, 2))
			const rounds = 300
			for i := range uint16(rounds) {
				for _, h := range []*host{stranger, neighbour} {
					h.raw(nil)
					h.raw([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}) // STUN
					junk := make([]byte, random.IntN(200))
					for j := range junk {
						junk[j] = byte(random.Uint32())
					}
					h.raw(junk)
					h.rtp(0, 99, uint16(random.Uint32()), random.Uint32(), junk)
					h.raw(append([]byte{0x80, 200 + byte(random.IntN(8))}, junk...))
				}
				_, err := stranger.conn.WriteToUDPAddrPort([]byte{0x81, 201}, b.LocalRTCP())
				require.NoError(t, err)
				f.send(2+i, uint32(2+i)*160, fmt.Sprint(i))
				require.Equal(t, fmt.Sprint(i), string(in.next(t).Payload))
			}
			c := b.Counters()
			require.Positive(t, c.KeepAlive)
			require.Positive(t, c.STUN)
			require.Positive(t, c.Malformed)
			require.Positive(t, c.Stranger)
			require.Zero(t, c.SourceChanges)
			require.Equal(t, uint64(rounds+2), b.Stats()[0].Packets)
			require.Positive(t, b.Stats()[0].Dropped)
			require.LessOrEqual(t, len(jb.of(Latched)), 1)
		})
	}
}

func TestThousandSessionsLeaveNothingBehind(t *testing.T) {
	pool, err := testPool()
	require.NoError(t, err)
	one := func() {
		a, err := New(Config{Pool: pool, Local: loopback})
		require.NoError(t, err)
		b, err := New(Config{Pool: pool, Local: loopback})
		require.NoError(t, err)
		connect(t, a, b, audioParams)
		f := newFeed(pcmu)
		_, err = a.Publish(t.Context(), f)
		require.NoError(t, err)
		f.send(0, 0, "x")
		receive(t, b.Tracks(), "a track")
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
	one()
	files, routines := openFiles(t), runtime.NumGoroutine()
	for range 500 {
		one()
	}
	require.Zero(t, pool.Stats().InUse)
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > routines; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "%d goroutines, %d before", runtime.NumGoroutine(), routines)
	}
	require.LessOrEqual(t, openFiles(t), files)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
