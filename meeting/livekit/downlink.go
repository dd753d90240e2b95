package livekit

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/rtpconn/rate"
	"github.com/roomgate/roomgate/media/rtpconn/report"
)

// downlink finds out whether the network carries what the SFU sends us. All streams come the
// same way, so what only some publishers' streams lose was lost before the SFU.
type downlink struct {
	path   rate.Path
	at     time.Time     // of the last look
	full   int           // what is sent where nothing is held back, bit/s
	narrow bool          // the low layers of pictures have to do
	wide   time.Time     // when it was found wide again
	not    time.Time     // not wide before
	pause  time.Duration // how long it stays narrow at least
}

// What makes a way narrow, and how long it is taken to be so: longer every time that large
// pictures were tried again in vain.
const (
	fills      = 0.8 // of what is sent: what carries less is narrow
	vainly     = 15 * time.Second
	pauseFirst = 15 * time.Second
	pauseMost  = 5 * time.Minute
)

// share is what came of one publisher in a while.
type share struct {
	packets, lost uint32
	octets        int
	queue         time.Duration
}

// sightOf sums up what came of all publishers in a while.
func sightOf(shares map[string]share, passed time.Duration) (s rate.Sight, ok bool) {
	var all share
	waited, whole, witnesses := time.Duration(0), false, 0
	for _, one := range shares {
		all.packets, all.lost, all.octets = all.packets+one.packets, all.lost+one.lost, all.octets+one.octets
		if one.packets < lookPackets {
			continue
		}
		if float64(one.lost) < unhurt*float64(one.packets) {
			whole = true
		}
		if witnesses == 0 || one.queue < waited {
			waited = one.queue
		}
		witnesses++
	}
	if witnesses == 0 {
		return s, false
	}
	if !whole {
		s.Loss = min(1, float64(all.lost)/float64(all.packets))
	}
	s.Queue, s.Bps = waited, int(float64(all.octets)*8/passed.Seconds())
	return s, true
}

// unhurt is the share of lost packets of a stream that had no trouble.
const unhurt = 0.03

// see takes what was seen since the look before; it reports whether the way is narrow.
func (d *downlink) see(s rate.Sight, now time.Time) (narrow bool) {
	bound, _ := d.path.See(now, s)
	sent := int(float64(s.Bps) / max(1-s.Loss, 0.01))
	if !d.narrow {
		d.full = max(sent, d.full-d.full/64)
		if bound > 0 && float64(bound) < fills*float64(sent) {
			d.narrow = true
			if d.pause = min(2*d.pause, pauseMost); d.pause == 0 || now.Sub(d.wide) > vainly {
				d.pause = pauseFirst
			}
			d.not = now.Add(d.pause)
		}
		return d.narrow
	}
	if (bound == 0 || bound >= d.full) && !now.Before(d.not) {
		d.narrow, d.wide = false, now
	}
	return d.narrow
}

// tracking counts what comes of a stream.
type tracking struct {
	mu    sync.Mutex
	stats report.Reception
	queue rate.Queue
	again uint32 // came late: in disorder, or asked for again
	bytes int
	told  struct{ expected, lost uint32 }
}

// push takes a packet, and says what its number does.
func (t *tracking) push(seq uint16, stamp, clockRate uint32, octets int, now time.Time) report.Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	verdict := t.stats.Push(seq, stamp, now)
	switch verdict {
	case report.Fresh:
		t.queue.Stamped(stamp, clockRate, now)
	case report.Late:
		t.again++
	case report.Restart:
		t.told.expected, t.told.lost, t.again = 0, 0, 0
		t.queue.Reset()
	default:
		return verdict
	}
	t.bytes += octets
	return verdict
}

// take is what came since the last take.
func (t *tracking) take() (s share) {
	t.mu.Lock()
	defer t.mu.Unlock()
	expected, lost := t.stats.Counts()
	lost += t.again
	s.packets, s.lost = expected-t.told.expected, uint32(max(0, int32(lost-t.told.lost)))
	s.octets, s.queue = t.bytes, t.queue.Take()
	t.told.expected, t.told.lost, t.bytes = expected, lost, 0
	return s
}

// look judges the way of a session, and asks for smaller pictures, or for larger ones again.
func (r *reception) look(s *session, now time.Time) {
	r.mu.Lock()
	d := &r.way
	passed := now.Sub(d.at)
	d.at = now
	shares := make(map[string]share, len(r.open))
	for id, t := range r.open {
		took, sum := t.seen.take(), shares[r.owners[id]]
		if sum.packets == 0 || took.packets >= lookPackets && took.queue < sum.queue {
			sum.queue = took.queue
		}
		sum.packets, sum.lost, sum.octets = sum.packets+took.packets, sum.lost+took.lost, sum.octets+took.octets
		shares[r.owners[id]] = sum
	}
	sight, ok := sightOf(shares, passed)
	was := d.narrow
	if !ok || passed > lookLongest || d.see(sight, now) == was {
		r.mu.Unlock()
		return
	}
	again := make(map[string]Subscription, len(r.asked))
	for id := range r.asked {
		if want, video := r.wanted[id]; video {
			again[id] = want
		}
	}
	r.mu.Unlock()
	s.log.Info("large pictures from the sfu", zap.Bool("asked", was), zap.Float64("loss", sight.Loss),
		zap.Duration("queue", sight.Queue), zap.Int("bps", sight.Bps))
	for id, want := range again {
		r.ask(s, id, want, false)
	}
}

// fitting is what is asked for of what is wanted. The caller holds mu.
func (r *reception) fitting(id string, want Subscription) Subscription {
	if !r.way.narrow {
		return want
	}
	if a := r.roster[r.owners[id]]; a != nil {
		for _, t := range a.shown.Tracks {
			if t.ID == id && roleNamed(t.Role) == media.Content {
				return want // small letters cannot be read
			}
		}
	}
	return Subscription{Quality: Low, FPS: want.FPS}
}
