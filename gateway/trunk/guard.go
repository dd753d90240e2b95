// Package trunk decides what calls the lines to the world take: in, those to numbers
// of the trunk and within its limits; out, those to destinations that somebody listed,
// under a ceiling for the day, in the name that the carrier accepts.
//
// # Toll fraud
//
// Nothing may be called that is not listed. Numbers of premium rate, of shared cost
// and of satellites and global services are refused even where a prefix that is listed
// has them, unless the trunk says premium. What is counted for the day is in the
// database: a restart does not begin the day anew, and all nodes count together. While
// the database does not answer, a trunk that has a ceiling calls nobody.
package trunk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/directory"
	"github.com/roomgate/roomgate/directory/number"
	"github.com/roomgate/roomgate/directory/usage"
)

// Usage keeps the counts of days; usage.Book is one.
type Usage interface {
	Begin(ctx context.Context, trunk, day string, max usage.Ceiling) (usage.Reached, error)
	Add(ctx context.Context, trunk, day string, seconds, refused int64) (usage.Day, error)
	Of(ctx context.Context, trunk, day string) (usage.Day, error)
	Forget(ctx context.Context, before string) error
}

// Config is what a Guard is made of. Trunks, Usage and Log are required.
type Config struct {
	// Trunks are those there are; one without an ID is of the configuration.
	Trunks func() []directory.Trunk
	// Password opens that of a trunk. May be nil.
	Password func(directory.Trunk) (string, error)
	Usage    Usage
	Country  func() string // of numbers without a country code
	// Refused is told of calls that are not taken, of each reason of a trunk once a
	// second at most. May be nil; it must not block.
	Refused func(Refusal)
	Now     func() time.Time
	Log     *zap.Logger
}

// Guard is the guard of all trunks of a node. Safe for concurrent use.
type Guard struct {
	Config

	mu    sync.Mutex
	lines map[string]*board // by the folded name of the trunk
}

// board is what goes on on a trunk.
type board struct {
	in, out int
	buckets [2]bucket
	open    map[*Line]struct{}
	refused map[tally]uint64
	told    map[tally]time.Time
	recent  []Refusal // the latest, oldest first
	owed    int64     // refusals that the database does not know of
	owes    trunkKey
}

type tally struct {
	Direction call.Direction
	Reason    Reason
}

// mostRecent refusals of a trunk are kept to look at.
const mostRecent = 50

// New makes a Guard; Run makes it count.
func New(c Config) *Guard {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Country == nil {
		c.Country = func() string { return number.Home }
	}
	return &Guard{Config: c, lines: make(map[string]*board)}
}

// find looks a trunk up.
func (g *Guard) find(name string) (directory.Trunk, bool) {
	for _, t := range g.Trunks() {
		if directory.Fold(t.Name) == directory.Fold(name) && !t.Disabled {
			return t, true
		}
	}
	return directory.Trunk{}, false
}

// board needs g.mu.
func (g *Guard) board(name string) *board {
	name = directory.Fold(name)
	b := g.lines[name]
	if b == nil {
		b = &board{open: make(map[*Line]struct{}), refused: make(map[tally]uint64), told: make(map[tally]time.Time)}
		g.lines[name] = b
	}
	return b
}

// In asks whether a call that came over a trunk is taken. The line has to be closed
// at its end; it is nil for names that are no trunks.
func (g *Guard) In(info call.Info) (*Line, error) {
	t, ok := g.find(info.Remote.Trunk)
	if !ok {
		return nil, nil
	}
	r := Refusal{Trunk: t.Name, Direction: call.In, Number: info.Called, Caller: info.Remote.Alias}
	if len(t.Numbers) > 0 && !ranges(t.Numbers, g.Country()).has(info.Called) {
		r.Reason, r.Text = NotOurs, "the number does not belong to the trunk"
		return nil, g.refuse(t, r)
	}
	return g.seize(t, r)
}

// Request is a call that is to go out.
type Request struct {
	Trunk, Number string
	Caller, Name  string // who calls
}

// Out asks whether a number may be called, and says how. The line has to be closed at
// its end.
func (g *Guard) Out(ctx context.Context, q Request) (call.Target, *Line, error) {
	r := Refusal{Trunk: q.Trunk, Direction: call.Out, Number: q.Number, Caller: q.Caller}
	t, ok := g.find(q.Trunk)
	if !ok {
		r.At, r.Reason, r.Text = g.Now(), NoTrunk, "there is no such trunk"
		return call.Target{}, nil, &r
	}
	if len(t.Targets) == 0 {
		r.Reason, r.Text = NoTrunk, "the trunk has no target"
		return call.Target{}, nil, g.refuse(t, r)
	}
	if reason, why := permitted(t, q.Number, g.Country()); reason != "" {
		r.Reason, r.Text = reason, why
		return call.Target{}, nil, g.refuse(t, r)
	}
	target, err := g.target(t, q)
	if err != nil {
		return call.Target{}, nil, err
	}
	line, err := g.seize(t, r)
	if err != nil {
		return call.Target{}, nil, err
	}
	if err := g.charge(ctx, t, r); err != nil {
		line.Close()
		return call.Target{}, nil, err
	}
	return target, line, nil
}

// seize takes a line within the limits of calls at once and of calls a second.
func (g *Guard) seize(t directory.Trunk, r Refusal) (*Line, error) {
	now := g.Now()
	g.mu.Lock()
	b := g.board(t.Name)
	own, most, side := b.in, t.MaxCallsIn, 0
	if r.Direction == call.Out {
		own, most, side = b.out, t.MaxCallsOut, 1
	}
	switch {
	case t.MaxCalls > 0 && b.in+b.out >= t.MaxCalls, most > 0 && own >= most:
		r.Reason, r.Text = Busy, "all lines of the trunk are taken"
	case !b.buckets[side].take(t.MaxRate, now):
		r.Reason, r.Text, r.RetryAfter = TooFast, "more calls a second than the trunk takes", 2
	default:
		l := &Line{Video: t.Video, g: g, key: trunkKey{t.ID, t.Name, t.Zone}, board: b, direction: r.Direction, ceiling: ceilingOf(t)}
		if side == 0 {
			b.in++
		} else {
			b.out++
		}
		b.open[l] = struct{}{}
		g.mu.Unlock()
		return l, nil
	}
	g.mu.Unlock()
	return nil, g.refuse(t, r)
}

// charge counts a call for the day.
func (g *Guard) charge(ctx context.Context, t directory.Trunk, r Refusal) error {
	key, ceiling := trunkKey{t.ID, t.Name, t.Zone}, ceilingOf(t)
	now := g.Now()
	reached, err := g.Usage.Begin(ctx, key.id(), key.day(now), ceiling)
	switch {
	case err != nil && ceiling != usage.Ceiling{}:
		g.Log.Error("a call is refused, since the day's calls cannot be counted", zap.String("trunk", t.Name), zap.Error(err))
		r.Reason, r.Text, r.RetryAfter = Uncounted, "the calls of the day cannot be counted", 30
	case err != nil:
		g.Log.Error("a call is not counted", zap.String("trunk", t.Name), zap.Error(err))
		return nil
	case reached == usage.Calls:
		r.Reason, r.Text, r.RetryAfter = DayCalls, fmt.Sprintf("the trunk has made its %d calls of the day", t.MaxPerDay), key.rest(now)
	case reached == usage.Seconds:
		r.Reason, r.Text, r.RetryAfter = DayMinutes, fmt.Sprintf("the trunk has talked its %d minutes of the day", t.MaxMinutesPerDay), key.rest(now)
	default:
		return nil
	}
	return g.refuse(t, r)
}

func ceilingOf(t directory.Trunk) usage.Ceiling {
	return usage.Ceiling{Calls: int64(t.MaxPerDay), Seconds: int64(t.MaxMinutesPerDay) * 60}
}

// refuse counts, logs and tells a refusal.
func (g *Guard) refuse(t directory.Trunk, r Refusal) error {
	r.At = g.Now()
	key := tally{r.Direction, r.Reason}
	g.mu.Lock()
	b := g.board(t.Name)
	b.refused[key]++
	b.owed++
	b.owes = trunkKey{t.ID, t.Name, t.Zone}
	if len(b.recent) == mostRecent {
		b.recent = slices.Delete(b.recent, 0, 1)
	}
	b.recent = append(b.recent, r)
	tell := r.At.Sub(b.told[key]) >= time.Second || r.At.Before(b.told[key])
	if tell {
		b.told[key] = r.At
	}
	g.mu.Unlock()
	if tell { // a flood must not flood those who watch
		g.Log.Warn("refused by the trunk", zap.String("trunk", r.Trunk), zap.String("direction", string(r.Direction)),
			zap.String("reason", string(r.Reason)), zap.String("number", r.Number), zap.String("caller", r.Caller))
		if g.Refused != nil {
			g.Refused(r)
		}
	}
	return &r
}

// Forged notes a call over a trunk that named somebody it is not.
func (g *Guard) Forged(name, caller, called string) {
	if t, ok := g.find(name); ok {
		_ = g.refuse(t, Refusal{Trunk: t.Name, Direction: call.In, Reason: Forged, Number: called, Caller: caller, Text: "the caller is none of the trunk's"})
	}
}

// RefusalOf is the refusal in an error of a Guard.
func RefusalOf(err error) (r *Refusal, ok bool) { return r, errors.As(err, &r) }
