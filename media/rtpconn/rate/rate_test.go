package rate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media/rtpconn/rate"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// link carries so much, queues for so long and loses the rest.
type link struct {
	bps    float64
	room   time.Duration
	queue  float64 // bits
	random float64 // loss of another cause
}

// step sends at a rate for a while.
func (l *link) step(sent float64, d time.Duration) rate.Sight {
	if l.bps == 0 {
		return rate.Sight{Loss: l.random, Bps: int(sent * (1 - l.random))}
	}
	in, out := sent*d.Seconds(), l.bps*d.Seconds()
	l.queue += in
	passed := min(l.queue, out)
	l.queue -= passed
	lost := max(0, l.queue-l.bps*l.room.Seconds())
	l.queue -= lost
	return rate.Sight{
		Loss: min(1, lost/in+l.random), Queue: time.Duration(l.queue / l.bps * float64(time.Second)), Bps: int(passed / d.Seconds() * (1 - l.random)),
	}
}

// encoder obeys, in steps.
func encoder(limit int) float64 {
	for _, c := range []int{2_000_000, 1_500_000, 1_000_000, 768_000, 512_000, 384_000, 256_000, 192_000, 128_000, 96_000} {
		if limit == 0 || float64(c) <= 0.92*float64(limit) {
			return float64(c)
		}
	}
	return 64_000
}

// A path that is cut from 2 Mbit/s to 512 kbit/s is fitted within seconds, hardly ever
// overfilled afterwards, and filled again when it is wide again: with short queues
// and with long ones.
func TestCut(t *testing.T) {
	for _, room := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 2 * time.Second} {
		var p rate.Path
		l := link{room: room}
		const every = 500 * time.Millisecond
		now, bad, fitted := noon, 0, time.Duration(0)
		run := func(d time.Duration, each func(at time.Duration, s rate.Sight, sent float64)) {
			for at := time.Duration(0); at < d; at += every {
				sent := encoder(p.Limit())
				s := l.step(sent, every)
				now = now.Add(every)
				p.See(now, s)
				each(at, s, sent)
			}
		}
		run(10*time.Second, func(_ time.Duration, _ rate.Sight, sent float64) { assert.InDelta(t, 2_000_000, sent, 0) })
		l.bps = 512_000
		run(60*time.Second, func(at time.Duration, s rate.Sight, sent float64) {
			if sent > l.bps && at < 10*time.Second {
				fitted = at + every
			}
			if at > 5*time.Second && (s.Loss > 0.1 || s.Queue > time.Second) {
				bad++
			}
			if at > 5*time.Second {
				assert.GreaterOrEqual(t, sent, 192_000.0)
			}
		})
		assert.LessOrEqual(t, fitted, 3*time.Second, "%v", room)
		assert.LessOrEqual(t, bad, 12, "of 110, %v", room)
		l.bps, l.queue = 0, 0
		full := time.Duration(0)
		run(90*time.Second, func(at time.Duration, _ rate.Sight, sent float64) {
			if sent < 2_000_000 {
				full = at + every
			}
		})
		t.Logf("queue of %v: fitted after %v, %d bad of 110, full again after %v", room, fitted, bad, full)
		assert.LessOrEqual(t, full, 70*time.Second)
		assert.Zero(t, p.Limit(), "no bound is left")
	}
}

// Loss that does not come of too much being sent is lived with.
func TestSteadyLoss(t *testing.T) {
	var p rate.Path
	l := link{random: 0.05}
	for i := range 240 {
		p.See(noon.Add(time.Duration(i)*500*time.Millisecond), l.step(2_000_000, 500*time.Millisecond))
	}
	assert.Zero(t, p.Limit())
	l.random = 0.2 // for two seconds
	for i := range 4 {
		p.See(noon.Add(time.Duration(240+i)*500*time.Millisecond), l.step(2_000_000, 500*time.Millisecond))
	}
	assert.Greater(t, p.Limit(), 1_000_000)
}

// A burst of loss that no queue came with is over when it is over; where the loss comes
// again on the way back, the way back is slow.
func TestBurst(t *testing.T) {
	run := func(fits int) (path rate.Path) {
		now := noon
		see := func(loss float64, seconds int) {
			for range 2 * seconds {
				now = now.Add(500 * time.Millisecond)
				sent := 1_600_000
				if l := path.Limit(); l > 0 {
					sent = min(sent, l)
				}
				l := loss
				if sent <= fits {
					l = 0
				}
				path.See(now, rate.Sight{Loss: l, Bps: int(float64(sent) * (1 - l))})
			}
		}
		see(0, 10)
		see(0.25, 2)
		assert.Less(t, path.Limit(), 1_300_000)
		if fits > 0 {
			see(0.25, 20)
		}
		see(0, 5)
		return path
	}
	p := run(0)
	assert.True(t, p.Limit() == 0 || p.Limit() >= 1_600_000, p.Limit())
	p = run(900_000)
	assert.Less(t, p.Limit(), 1_200_000, "the path carried so much")
}

// Who reports every five seconds (RFC 3550 §6.2) has large pictures again soon after a burst,
// as who reports twice a second has, and is not sent too much more often where the path is narrow.
func TestRareReports(t *testing.T) {
	const large = 1_500_000
	run := func(every, all time.Duration, carries float64) (back, bad time.Duration) {
		var p rate.Path
		now := noon
		see := func(loss float64) (sent float64) {
			now = now.Add(every)
			sent = large
			if l := p.Limit(); l > 0 {
				sent = min(large, encoder(l))
			}
			if loss = max(loss, 1-carries/sent); loss > 0.1 {
				bad += every
			}
			p.See(now, rate.Sight{Loss: loss, Bps: int(sent * (1 - loss)), Final: true})
			return sent
		}
		see(0)
		see(0.5)
		for fell := now; now.Sub(fell) < all; {
			if see(0) < large {
				back = now.Sub(fell)
			}
		}
		return back, bad
	}
	often, _ := run(500*time.Millisecond, 2*time.Minute, large)
	rare, _ := run(5*time.Second, 2*time.Minute, large)
	_, bad := run(5*time.Second, 10*time.Minute, 800_000)
	t.Logf("large again after %v and %v, %v of ten minutes with too much", often, rare, bad)
	assert.Less(t, rare, often+20*time.Second)
	assert.LessOrEqual(t, bad, 90*time.Second)
}

// Where nothing is sent again tries that cost pictures are put off for long, those that made
// a queue are not: a machine that is too busy makes queues of its own.
func TestTriesThatFail(t *testing.T) {
	const every = 500 * time.Millisecond
	pause := func(bad rate.Sight) (longest time.Duration) {
		var p rate.Path
		now := noon
		see := func(s rate.Sight) int {
			now = now.Add(every)
			s.Final = true
			limit, _ := p.See(now, s)
			return limit
		}
		see(rate.Sight{Bps: 1_500_000})
		for range 8 {
			for range 3 { // a queue must show thrice
				bad.Bps = 9 * max(p.Limit(), 500_000) / 10
				see(bad)
			}
			from, fell := p.Limit(), now
			for see(rate.Sight{Bps: from}) <= from {
				longest = max(longest, now.Sub(fell))
			}
		}
		return longest
	}
	assert.Less(t, pause(rate.Sight{Queue: time.Second}), 18*time.Second)
	assert.Greater(t, pause(rate.Sight{Loss: 0.5}), 60*time.Second)
}

func TestQueue(t *testing.T) {
	var q rate.Queue
	assert.Zero(t, q.Take())
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * 33 * time.Millisecond) }
	for i := range 30 {
		q.Push(time.Hour+time.Duration(i%5)*time.Millisecond, at(i))
	}
	assert.Zero(t, q.Take())
	for i := range 30 {
		q.Push(time.Hour+300*time.Millisecond+time.Duration(i%5)*time.Millisecond, at(30+i))
	}
	assert.Equal(t, 300*time.Millisecond, q.Take())
	for i := range 3000 { // that is how it is now
		q.Push(time.Hour+300*time.Millisecond, at(60+i))
	}
	assert.Zero(t, q.Take())
	assert.Zero(t, testing.AllocsPerRun(10, func() { q.Push(time.Hour, noon) }))
}

// Of RTP the first packet of a picture tells how long the picture waited.
func TestQueueOfPictures(t *testing.T) {
	var q rate.Queue
	picture := func(i int, late time.Duration) {
		for j := range 3 {
			q.Stamped(uint32(i*3000), 90_000, noon.Add(time.Duration(i)*time.Second/30+late+time.Duration(j)*time.Millisecond))
		}
	}
	for i := range 30 {
		picture(i, 0)
	}
	assert.Zero(t, q.Take())
	for i := range 30 {
		picture(30+i, 200*time.Millisecond)
	}
	assert.InDelta(t, 200*time.Millisecond, q.Take(), float64(time.Millisecond))
	picture(90_000, 0) // the clock began anew
	assert.Zero(t, q.Take())
}

// What leaks a little after a cut is made to fit, which matters to far sides that cannot ask
// for lost packets again; loss that is the path's own takes little away.
func TestLeak(t *testing.T) {
	run := func(loss func(bound int) float64) int {
		var p rate.Path
		now := noon
		p.See(now, rate.Sight{Bps: 1_500_000})
		for range 4 {
			now = now.Add(500 * time.Millisecond)
			p.See(now, rate.Sight{Loss: 0.6, Bps: 500_000})
		}
		for range 16 {
			now = now.Add(500 * time.Millisecond)
			share := loss(p.Limit())
			p.See(now, rate.Sight{Loss: share, Bps: int(float64(p.Limit()) * (1 - share))})
		}
		return p.Limit()
	}
	fits := func(bound int) float64 { return max(0, float64(bound)-420_000) / float64(bound) }
	assert.InDelta(t, 405_000, run(fits), 30_000)
	assert.GreaterOrEqual(t, run(func(int) float64 { return 0.05 }), 300_000)
}

// Where little was sent, little arrived: that tells of the sender, which has only begun to
// obey, or had little to send.
func TestLittleWasSent(t *testing.T) {
	var p rate.Path
	now := noon
	see := func(loss float64, bps int) int {
		now = now.Add(500 * time.Millisecond)
		limit, _ := p.See(now, rate.Sight{Loss: loss, Bps: bps})
		return limit
	}
	see(0, 1_500_000)
	assert.Zero(t, see(0.3, 60_000), "three times as much went well a moment ago")
	see(0, 1_500_000)
	assert.Equal(t, 387_900, see(0.72, 431_000))
	assert.InDelta(t, 291_000, see(0.44, 163_000), 2_000)
}
