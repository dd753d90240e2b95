// Package rate finds out how much a path carries from what became of the packets
// that were sent over it: a sender learns that from reception reports (RFC 3550
// §6.4), a receiver sees it itself.
//
//	packets lost, time in queues -> Path -> bound in bit/s, 0 = none
//
// A bound falls at once to what arrived. It rises slowly while all is well, and
// more slowly each time that rising made it worse. Loss without a queue that goes on
// where less is sent than arrived before is of another cause than too much, a burst of it
// on the air say: then the bound goes back quickly to what flowed before, unless that was
// tried of late and lost again.
package rate

import "time"

// Sight is what was seen of a path over a while.
type Sight struct {
	Loss  float64       // share of the packets that did not arrive, 0 to 1
	Queue time.Duration // how much longer than at best packets were under way; 0 where that is not known
	Bps   int           // media that arrived, bit/s
	Final bool          // what is lost is not sent again
}

// What is bad, and what is good enough to try more. Between the two nothing changes:
// that much is lost on some paths whatever is sent.
const (
	lossy  = 0.10
	clean  = 0.03
	queued = 600 * time.Millisecond
	// often is how many sights in a row must show a queue: a few may be our own fault, on
	// a machine that is too busy to read its sockets.
	often = 3
	// again is what sights of loss add up to that come one soon after another.
	again = 4
)

// Loss between the two that goes on after a fall may be the bound's, which is still a little
// too high, or the path's own: so it is lowered a little, but not far below what arrived
// when the path was full.
const (
	leaky   = 5    // what sights add up to that come one soon after another
	leak    = 0.85 // of the bound
	leakEnd = 0.6  // of what arrived
	settles = 10 * time.Second
)

// Where nothing is sent again each packet lost may cost all pictures up to the next keyframe.
const (
	// Mean losses that are good enough while a bound settles, and later; and the weights of
	// a sight in the mean.
	tight, loose = 0.005, 0.01
	fresh, slack = 0.4, 0.1
	// own is how many times the path's own loss is not taken for a leak; lasting is the weight
	// of a sight in that loss. It shows at bounds this little above the lowest, and without one.
	own, lasting, lowest = 1.5, 0.04, 1.05
	// A try for more that failed cost all pictures for a while: the next ones wait that long.
	longestFinal = 6 * longest
	forgetFinal  = 4 * forget
)

// Until a bound sets in, what arrives says little of what the path carries.
const (
	setsIn = time.Second
	ease   = 0.75 // of the bound
)

// How a bound moves.
const (
	least     = 64_000
	below     = 0.8  // of the bound: it was not used up
	keep      = 0.9  // of what arrived, so that queues drain
	growth    = 0.08 // a second, far below what was too much
	caution   = 0.03 // a second, near it
	haste     = 0.20 // a second, well beyond it: the path is another one
	stride    = 0.20 // at one sight, where sights are rare: RTCP without AVPF comes every five seconds
	near      = 0.85
	past      = 1.15
	firstHold = 2 * time.Second
	longest   = 16 * time.Second
	forget    = 60 * time.Second
	beyond    = 1.5 // times what flowed without a bound: none is needed any more
)

// What tells loss of another cause, and how a bound goes back from that.
const (
	waited = 150 * time.Millisecond // a queue: the path is full
	heavy  = 0.40                   // loss of a path that was cut
	lesser = 0.95                   // of what arrived before: so little does not fill the path
	leap   = 0.30                   // a second
)

// Path is the state of one direction. The zero value knows no bound.
type Path struct {
	limit  int
	free   int     // what flowed at most without a bound
	knee   int     // what arrived when it was too much
	slow   int     // sights in a row that showed a queue
	leaks  int     // grows with sights that showed a little loss, and shrinks with others
	bad    int     // grows with sights that showed much of it, and shrinks with others
	mean   float64 // loss since the bound was lowered last, of late
	usual  float64 // loss while so little was sent that it is the path's own
	unsure bool    // of knee: some of that came before the path was cut, or went into the bucket of a policer
	grown  bool
	last   time.Time
	fell   time.Time
	hold   time.Duration
	waits  time.Time // since when it waits
	rising time.Time // not before

	dry   bool // no queue nor heavy loss was seen since the bound began to fall
	alien bool // and the loss is not of too much
	full  int  // what was sent when it began to fall
}

// Limit is the bound in force, 0 for none.
func (p *Path) Limit() int { return p.limit }

// See takes what was seen since the sight before, and gives the bound from now on.
func (p *Path) See(now time.Time, s Sight) (limit int, changed bool) {
	was, passed := p.limit, now.Sub(p.last)
	p.last = now
	if p.slow++; s.Queue < queued {
		p.slow = 0
	}
	if p.leaks = max(0, p.leaks-1); s.Loss >= clean && s.Loss <= lossy {
		p.leaks += 3
	}
	if p.bad = max(0, p.bad-1); s.Loss > lossy {
		p.bad = min(p.bad+3, again+2)
	}
	settled := now.Sub(p.fell) >= settles
	p.note(s.Loss, settled)
	switch {
	case s.Loss > lossy || p.slow >= often:
		p.fall(now, s)
	case s.Final && p.limit > 0 && p.mean >= p.enough(settled):
		p.settle(now, s)
	case s.Loss < clean && p.slow == 0:
		p.rise(now, s, passed)
	case !s.Final && p.leaks >= leaky && !settled:
		p.leaks = 0
		p.limit = min(p.limit, p.less(float64(p.limit)))
	}
	return p.limit, p.limit != was
}

// less is a bound a little below a rate, but not far below what arrived when the path was full.
func (p *Path) less(bps float64) int {
	return max(int(leak*bps), int(leakEnd*float64(p.knee)), least)
}

// note keeps the means of what is lost.
func (p *Path) note(loss float64, settled bool) {
	weight := fresh
	if settled {
		weight = slack
	}
	p.mean += weight * (loss - p.mean)
	if loss <= lossy && (p.limit == 0 || float64(p.limit) <= lowest*leakEnd*float64(p.knee)) {
		p.usual += lasting * (loss - p.usual)
	}
}

// enough is the mean loss from which on a bound is taken to leak.
func (p *Path) enough(settled bool) float64 {
	if settled {
		return loose + own*p.usual
	}
	return tight + own*p.usual
}

// settle lowers a bound that leaks where each loss costs: to less than what is sent.
func (p *Path) settle(now time.Time, s Sight) {
	if p.unsure {
		p.knee, p.unsure = min(p.knee, max(s.Bps, p.limit/2)), false
	}
	sent := float64(s.Bps) / (1 - s.Loss)
	if to := p.less(min(float64(p.limit), sent)); to < p.limit {
		p.limit, p.mean = to, 0
		p.wait(now, true)
	}
}

// wait puts off the next try for more: longer each time that a try made it worse, and much
// longer where that cost all pictures for a while, which a queue does not: that may be our
// own, on a machine that is too busy.
func (p *Path) wait(now time.Time, costly bool) {
	most, lasts := longest, forget
	if costly {
		most, lasts = longestFinal, forgetFinal
	}
	switch {
	case p.hold == 0 || now.Sub(p.waits) > lasts:
		p.hold = firstHold
	case p.grown:
		p.hold = min(2*p.hold, most)
	}
	p.grown, p.waits, p.rising = false, now, now.Add(p.hold)
}

func (p *Path) fall(now time.Time, s Sight) {
	to := int(keep * float64(s.Bps))
	sent := float64(s.Bps) / max(1-s.Loss, 0.01)
	base := float64(p.limit)
	switch {
	case p.bad >= again && p.slow < often && sent < base/2:
		base = sent // far below the bound, and too much time after time
	case p.limit == 0 && p.slow < often && sent < float64(p.free)/2:
		return // the path carried more a while ago: so little does not fill it
	}
	p.stumble(s, sent)
	if soft := int(base * (1 - s.Loss/2)); p.slow < often && (s.Loss < 2*lossy || s.Loss < 3*lossy && sent < below*float64(p.limit) || p.alien) {
		to = max(to, soft) // a bound that is a little too high, a burst, or loss of another cause
	}
	if !s.Final && sent < below*float64(p.limit) && now.Sub(p.fell) < setsIn && p.slow < often {
		to = max(to, int(min(ease*float64(p.limit), sent))) // little came because little was sent
	}
	to = max(to, least)
	if p.limit > 0 && to >= p.limit {
		return
	}
	knee := s.Bps
	if p.limit > 0 {
		knee = max(knee, min(p.knee, int(float64(to)/keep))) // little came because little was sent
	}
	p.limit, p.knee, p.fell, p.unsure, p.mean = to, knee, now, true, 0
	p.wait(now, s.Final && s.Loss > lossy)
}

// stumble notes what a fall says of its cause.
func (p *Path) stumble(s Sight, sent float64) {
	switch {
	case p.limit == 0:
		p.full, p.dry, p.alien = int(sent), true, false
	case p.grown: // this path is bounded
		p.dry = false
	case sent < lesser*float64(p.knee):
		p.alien = true
	}
	p.dry = p.dry && s.Queue < waited && s.Loss < heavy
	p.alien = p.alien && p.dry
}

func (p *Path) rise(now time.Time, s Sight, passed time.Duration) {
	if p.limit == 0 {
		p.free = max(s.Bps, p.free-p.free/64) // forgets what flowed long ago
		return
	}
	if now.Before(p.rising) {
		return
	}
	by := growth
	switch share := float64(p.limit) / float64(max(p.knee, 1)); {
	case p.alien && p.limit < p.full:
		by = leap
	case share > past || now.Sub(p.fell) > forget:
		by = haste
	case share > near:
		by = caution
	}
	by = min(by*passed.Seconds(), max(by, stride))
	p.limit, p.grown = p.limit+int(float64(p.limit)*by), true
	if float64(p.limit) > beyond*float64(max(p.free, s.Bps)) && p.limit > 2*p.knee {
		p.limit = 0
	}
}
