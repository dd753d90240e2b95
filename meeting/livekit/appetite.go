package livekit

import (
	"sync"
	"time"
)

// appetite finds out whether anybody wants the small picture of a video that goes out in
// two sizes. The SFU tells who publishes the largest size that somebody wants, and all
// smaller ones with it, wanted or not. While the large one is wanted, what else is is seen
// by the keyframes that the SFU asks for (PLI, RFC 4585 §6.3.1):
//
//   - A size of which packets come is taken to be there, and who wants it is switched to it
//     at its next keyframe, which the SFU asks us for. Knocks are enough for that: packets
//     without a picture, which are passed on to nobody.
//   - A size of which packets come no more is taken to be gone, and who had it is switched
//     to the other one, at a keyframe of that.
//
// So the small picture is made for somebody alone, with every SFU that works like LiveKit's;
// with others it is not made. The methods take the time, which runs forward.
type appetite struct {
	mu      sync.Mutex
	state   hunger
	since   time.Time // of the state
	offered bool      // there can be a small picture
	large   bool      // the large picture is wanted
	small   bool      // the small picture is wanted and the large one is not

	window  time.Time // when the present row of knocks began
	knocked time.Time // the last knock
	asked   time.Time // the last request for a keyframe of the small picture
	seeded  time.Time // until then the SFU asks for keyframes for nobody

	recent [lively]time.Time // when packets of the large picture went out, a ring
	packet int
	barred time.Time // until then the SFU takes the large picture for gone

	doubtful bool          // something happened that may have ended the demand
	proven   time.Time     // when the demand was seen last
	calm     time.Duration // how long that is good
}

// hunger is the state of an appetite.
type hunger uint8

const (
	asleep    hunger = iota // nobody wants anything
	listening               // for who wants the small picture
	fed                     // it is wanted
	doubting                // it is not sent for a moment, to see who misses it
)

// A row of knocks, and the time between two. LiveKit takes a size that it has seen before
// for there after four times 500 ms with packets, and for gone after one without.
const (
	knockEvery = 350 * time.Millisecond
	knockRow   = 3200 * time.Millisecond
	knockPause = 5 * time.Second
	// knockEcho is how long after a knock it may be answered.
	knockEcho = 2 * time.Second
)

// LiveKit asks for keyframes of a size that it expects, wanted or not, each second until
// one comes, for half a minute. Whoever wants it is asked for more often.
const (
	seedTime = 31 * time.Second
	askTwice = 800 * time.Millisecond
)

// LiveKit takes the large picture for gone when 500 ms bring fewer packets than lively, and
// for there after ten seconds with more. If the small one were there meanwhile all would be
// shown that.
const (
	lively   = 5
	slack    = 450 * time.Millisecond
	recovery = 11 * time.Second
)

// How long the small picture is left out to see who misses it, and how long the answer is
// good: longer each time.
const (
	hush       = 2500 * time.Millisecond
	echo       = 450 * time.Millisecond // no answer comes sooner
	firstDoubt = 8 * time.Second
	lastDoubt  = 5 * time.Minute
)

// offer says whether there can be a small picture.
func (a *appetite) offer(on bool, now time.Time) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.change(func() {
		a.offered = on
		switch {
		case !on && a.state != asleep:
			a.listen(now)
		case on && a.state == listening:
			a.window = now
			if a.small {
				a.feed(now)
			}
		}
	})
}

// told takes what the SFU says is wanted.
func (a *appetite) told(small, large bool, now time.Time) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.change(func() {
		if large && !a.large {
			a.packet = 0 // it begins
		}
		a.large, a.small = large, small && !large
		switch {
		case !small && !large:
			a.state, a.since = asleep, now
		case a.state == asleep:
			a.seeded = now.Add(seedTime)
			a.listen(now)
			a.window = now
			fallthrough
		case a.state == listening:
			if a.small && a.offered {
				a.feed(now)
			}
		case a.small: // for certain
			a.feed(now)
		default:
			a.wonder(now) // who wants the large one may be who wanted the small one
		}
	})
}

// askedSmall: the SFU asks for a keyframe of the small picture.
func (a *appetite) askedSmall(now time.Time) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.change(func() {
		switch a.state {
		case listening:
			last := a.asked
			a.asked = now
			if !a.offered || now.Sub(a.knocked) > knockEcho || now.Before(a.seeded) && now.Sub(last) > askTwice {
				return
			}
			a.feed(now)
		case doubting:
			a.feed(now) // whoever has it misses it
		}
	})
}

// askedLarge: the SFU asks for a keyframe of the large picture. It says whether that ended a
// doubt.
func (a *appetite) askedLarge(now time.Time) (proven bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.state == doubting && now.Sub(a.since) >= echo:
		a.feed(now)
		return true
	case a.state == fed:
		a.wonder(now) // somebody was switched to it, maybe
	}
	return false
}

// others: somebody has gone, or come.
func (a *appetite) others(gone bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case gone:
		a.doubtful = true
	case a.state == listening && now.Sub(a.window) > knockRow:
		a.window = now
	}
}

// began: the large picture is sent from now on.
func (a *appetite) began() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.packet = 0
}

// sent: a packet of the large picture went out. It says whether to knock.
func (a *appetite) sent(now time.Time) (knock bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch(now)
	a.recent[a.packet%lively] = now
	a.packet++
	if a.state != listening || !a.offered || now.Before(a.barred) || a.packet <= lively {
		return false
	}
	if now.Sub(a.window) >= knockRow+knockPause {
		a.window = now
	}
	if now.Sub(a.window) >= knockRow || now.Sub(a.knocked) < knockEvery {
		return false
	}
	if a.knocked.IsZero() {
		a.seeded = now.Add(seedTime)
	}
	a.knocked = now
	return true
}

// watch notices that the large picture has too few packets.
func (a *appetite) watch(now time.Time) {
	if a.packet >= lively && now.Sub(a.recent[a.packet%lively]) > slack {
		a.barred = now.Add(recovery)
	}
}

// tick is called about once a second.
func (a *appetite) tick(now time.Time) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.change(func() {
		if a.large {
			a.watch(now)
		}
		switch {
		case a.state != doubting && a.state != fed || !a.large:
		case now.Before(a.barred):
			a.listen(now)
		case a.state == doubting && now.Sub(a.since) >= hush:
			a.listen(now)
		case a.state == fed && now.Sub(a.proven) >= a.calm && (a.doubtful || now.Sub(a.proven) >= lastDoubt):
			a.state, a.since = doubting, now
		}
	})
}

// sends reports whether packets of the small picture may go out.
func (a *appetite) sends(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state != fed {
		return false
	}
	if a.large {
		a.watch(now)
	}
	return !a.large || !now.Before(a.barred)
}

// isWanted reports whether the small picture is to be made.
func (a *appetite) isWanted() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wanted()
}

// isAlone reports whether the small picture is all that is wanted.
func (a *appetite) isAlone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.small
}

// reset forgets what an SFU said that is gone.
func (a *appetite) reset() (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.change(func() {
		a.state, a.large, a.small, a.doubtful, a.packet = asleep, false, false, false, 0
		a.knocked, a.barred = time.Time{}, time.Time{}
	})
}

// wonder doubts what was not seen just now.
func (a *appetite) wonder(now time.Time) {
	a.doubtful = a.doubtful || now.Sub(a.proven) > knockEcho
}

// change reports whether f changed what is wanted; the lock is held.
func (a *appetite) change(f func()) bool {
	was := a.wanted()
	f()
	return a.wanted() != was
}

func (a *appetite) wanted() bool { return a.state == fed || a.state == doubting }

// listen begins with the pause between knocks: what is asked for still is of before.
func (a *appetite) listen(now time.Time) {
	a.state, a.since, a.window = listening, now, now.Add(-knockRow)
	if !a.knocked.IsZero() {
		a.knocked = now.Add(-knockEcho - 1)
	}
}

func (a *appetite) feed(now time.Time) {
	a.calm = min(2*a.calm, lastDoubt)
	if !a.wanted() {
		a.calm = firstDoubt
	}
	a.state, a.since, a.proven, a.doubtful = fed, now, now, false
}
