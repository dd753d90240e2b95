package livekit_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/meeting/livekit"
)

// driven is a track whose packets the benchmark writes itself.
type driven struct {
	*source
	mu sync.Mutex
	to media.Writer
}

func (d *driven) Attach(w media.Writer) func() {
	d.mu.Lock()
	d.to = w
	d.mu.Unlock()
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.to = nil
	}
}

func (d *driven) write(p *rtp.Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to != nil {
		_ = d.to.WriteRTP(p)
	}
}

func newDriven() *driven {
	return &driven{source: &source{role: media.Audio, format: opus, done: make(chan struct{})}}
}

// BenchmarkLegs is fifty publishing Opus legs at 50 packets a second from one
// clock; an iteration is one 20 ms tick of all. cores/leg is the processor time
// of this process, the SFU being another one.
func BenchmarkLegs(b *testing.B) {
	const legs = 50
	c := newClient(b, shared, nil)
	tracks := make([]*driven, legs)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	idle := runtime.NumGoroutine()
	seats := make([]*livekit.Seat, legs)
	for i := range tracks {
		tracks[i] = newDriven()
		seats[i] = join(b, c, "bench", fmt.Sprintf("leg%d", i), livekit.JoinOptions{})
		publish(b, seats[i], tracks[i])
	}
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 80)}
	require.NoError(b, p.SetExtension(media.AudioLevelID, []byte{20}))
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	tick := func() {
		<-ticker.C
		p.SequenceNumber++
		p.Timestamp += 960
		for _, t := range tracks {
			t.write(p)
		}
	}
	for range 100 {
		tick()
	}
	began, used := time.Now(), processorTime(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		tick()
	}
	b.StopTimer()
	elapsed := time.Since(began)
	b.ReportMetric((processorTime(b)-used).Seconds()/elapsed.Seconds()/legs, "cores/leg")
	b.ReportMetric(float64(runtime.NumGoroutine()-idle)/legs, "goroutines/leg")
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/legs/1024, "KiB/leg")
}

// BenchmarkJoin is one leg from nothing to its first packet on the wire.
func BenchmarkJoin(b *testing.B) {
	c := newClient(b, shared, nil)
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 80)}
	join(b, c, "join", "first", livekit.JoinOptions{}) // keeps the room
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		track := newDriven()
		seat := join(b, c, "join", fmt.Sprintf("leg%d", i), livekit.JoinOptions{})
		publish(b, seat, track)
		require.Eventually(b, func() bool {
			p.SequenceNumber++
			track.write(p)
			stats := seat.Stats()
			return len(stats) == 1 && stats[0].Packets > 0
		}, patience, time.Millisecond)
		took = append(took, time.Since(began))
		b.StopTimer()
		require.NoError(b, seat.Close())
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}

// BenchmarkWrite is one packet from a track to the socket.
func BenchmarkWrite(b *testing.B) {
	c := newClient(b, shared, nil)
	track := newDriven()
	seat := join(b, c, "write", "leg", livekit.JoinOptions{})
	publish(b, seat, track)
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: make([]byte, 80)}
	require.Eventually(b, func() bool { track.write(p); return seat.Stats()[0].Packets > 0 }, patience, 5*time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		p.SequenceNumber++
		p.Timestamp += 960
		track.write(p)
	}
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
