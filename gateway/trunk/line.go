package trunk

import (
	"cmp"
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/usage"
)

// Line is one call on a trunk.
type Line struct {
	// Video: pictures may be offered. Telephone networks refuse calls for less.
	Video bool

	g         *Guard
	key       trunkKey
	board     *board
	direction call.Direction
	ceiling   usage.Ceiling

	// under Guard.mu
	cut     func(call.Cause)
	counted time.Time // talked until then is in the database; zero: not answered
	closed  bool
}

// trunkKey is what a trunk is counted under.
type trunkKey struct{ ID, name, zone string }

func (k trunkKey) id() string { return cmp.Or(k.ID, "config:"+directory.Fold(k.name)) }

func (k trunkKey) local(now time.Time) time.Time {
	zone, err := time.LoadLocation(cmp.Or(k.zone, "Asia/Ho_Chi_Minh"))
	if err != nil { // it was checked when it was saved
		zone = time.UTC
	}
	return now.In(zone)
}

// day is the day of a moment where the trunk is.
func (k trunkKey) day(now time.Time) string { return k.local(now).Format(time.DateOnly) }

// rest is how many seconds are left of the day.
func (k trunkKey) rest(now time.Time) int {
	at := k.local(now)
	midnight := time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, at.Location())
	return max(int(midnight.Sub(at).Seconds()), 1)
}

// OnCut says how the call is ended when the minutes of the day are talked.
func (l *Line) OnCut(f func(call.Cause)) {
	if l == nil {
		return
	}
	l.g.mu.Lock()
	l.cut = f
	l.g.mu.Unlock()
}

// Answered begins to count time.
func (l *Line) Answered() {
	if l == nil {
		return
	}
	l.g.mu.Lock()
	if l.counted.IsZero() && !l.closed {
		l.counted = l.g.Now()
	}
	l.g.mu.Unlock()
}

// Close gives the line back; more than once does nothing.
func (l *Line) Close() {
	if l == nil {
		return
	}
	g := l.g
	g.mu.Lock()
	if l.closed {
		g.mu.Unlock()
		return
	}
	l.closed = true
	delete(l.board.open, l)
	if l.direction == call.In {
		l.board.in--
	} else {
		l.board.out--
	}
	seconds := l.talked(g.Now(), true)
	g.mu.Unlock()
	if seconds > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		g.add(ctx, l.key, seconds, 0)
	}
}

// talked takes what is not counted yet, whole seconds, at the end of a call begun ones;
// it needs Guard.mu.
func (l *Line) talked(now time.Time, end bool) int64 {
	if l.direction != call.Out || l.counted.IsZero() || now.Before(l.counted) {
		return 0
	}
	d := now.Sub(l.counted)
	if end {
		d += time.Second - 1
	}
	seconds := int64(d / time.Second)
	l.counted = l.counted.Add(time.Duration(seconds) * time.Second)
	return seconds
}

// countEvery is how often the time of calls that go on is counted: so much is lost
// when the process is killed.
const countEvery = 10 * time.Second

// keepDays is how long days can be looked at.
const keepDays = 400

// Run counts until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	forgotten := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		g.Count(ctx)
		if now := g.Now(); now.Sub(forgotten) > 24*time.Hour {
			forgotten = now
			if err := g.Usage.Forget(ctx, now.AddDate(0, 0, -keepDays).Format(time.DateOnly)); err != nil {
				g.Log.Warn("old days of trunks are kept", zap.Error(err))
			}
		}
	}
}

// Count puts the time of calls that go on, and refusals, into the database, and ends
// the calls of trunks whose minutes are talked.
func (g *Guard) Count(ctx context.Context) {
	type due struct {
		seconds, refused int64
		most             int64
		lines            []*Line
	}
	sums := map[trunkKey]*due{}
	of := func(k trunkKey) *due {
		if sums[k] == nil {
			sums[k] = &due{}
		}
		return sums[k]
	}
	now := g.Now()
	g.mu.Lock()
	for _, b := range g.lines {
		for l := range b.open {
			if l.direction == call.Out {
				d := of(l.key)
				d.seconds += l.talked(now, false)
				d.most = max(d.most, l.ceiling.Seconds)
				d.lines = append(d.lines, l)
			}
		}
		if b.owed > 0 {
			of(b.owes).refused += b.owed
			b.owed = 0
		}
	}
	g.mu.Unlock()
	for key, d := range sums {
		day, ok := g.add(ctx, key, d.seconds, d.refused)
		if ok && d.most > 0 && day.Seconds >= d.most {
			g.cut(d.lines)
		}
	}
}

func (g *Guard) cut(lines []*Line) {
	for _, l := range lines {
		g.mu.Lock()
		f := l.cut
		g.mu.Unlock()
		if f != nil {
			g.Log.Warn("a call is ended: the minutes of the day are talked", zap.String("trunk", l.key.name))
			f(call.Cause{Code: call.Congestion, Text: "the trunk has talked its minutes of the day"})
		}
	}
}

func (g *Guard) add(ctx context.Context, key trunkKey, seconds, refused int64) (usage.Day, bool) {
	d, err := g.Usage.Add(ctx, key.id(), key.day(g.Now()), seconds, refused)
	if err != nil {
		g.Log.Error("what a trunk carried is not counted", zap.String("trunk", key.name), zap.Int64("seconds", seconds), zap.Error(err))
	}
	return d, err == nil
}

// bucket lets so many calls a second through; it holds those of one second, one at
// least.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) take(rate float64, now time.Time) bool {
	if rate <= 0 {
		return true
	}
	burst := max(rate, 1)
	if b.at.IsZero() {
		b.tokens = burst
	} else if earned := now.Sub(b.at).Seconds() * rate; earned > 0 {
		b.tokens = min(b.tokens+earned, burst)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
