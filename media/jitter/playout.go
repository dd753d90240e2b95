package jitter

import (
	"time"

	"github.com/roomgate/roomgate/media/noise"
	"github.com/roomgate/roomgate/media/plc"
)

// Playout is a buffer between samples that arrive when the network pleases and
// a reader with a steady clock.
//
// An underrun is concealed and makes the delay grow at once, by as much as the
// samples were late. Two lows over some seconds say what delay was not needed:
// of the slack, which is what is left after a read, and of the earliness, which
// is how long before their read samples came. What is not needed is cut out, in
// pauses first, in speech by whole pitch periods. The same keeps up with a
// drifting clock: when the earliness of a slow sender nears zero, sound is
// stretched before it runs out.
//
// Not for concurrent use. It does not allocate after NewPlayout.
type Playout struct {
	rate       int
	buf        []int16
	head, tail int // valid samples are buf[head:tail]
	headroom   int // samples kept free before head, for stretching

	started bool
	playing bool  // enough was there to begin
	end     int64 // media position after the last sample written
	dry     int   // samples the reader went without since the buffer ran empty

	plc   *plc.Concealer
	idle  bool // the source said that it pauses
	noise noise.Generator

	margins  margins
	lastRead int64 // nanoseconds
	block    int   // samples of the last read
	stats    PlayoutStats
}

// PlayoutStats count samples since the start, except Underruns.
type PlayoutStats struct {
	Underruns uint64 // times the buffer ran dry while the source was sending
	Concealed uint64 // made for want of samples
	Cut       uint64 // removed to shorten the delay
	Stretched uint64 // inserted to keep a margin
	Dropped   uint64 // lost to an overfull buffer
}

const (
	bufferMillis   = 1000
	headroomMillis = 20
	marginMillis   = 5   // of earliness that is kept
	dangerMillis   = 2   // of earliness: the buffer is about to run dry
	urgentMillis   = 20  // of surplus delay, which is cut in speech too
	overfullMillis = 600 // beyond this the oldest go at once
	stallMillis    = 60  // without sound for this long, it begins afresh
	restartMillis  = 500 // a gap this far from what passed is a new time base
)

// NewPlayout makes a buffer for samples at rate Hz, a multiple of 8000.
func NewPlayout(rate int) *Playout {
	p := &Playout{
		rate: rate, buf: make([]int16, rate*(bufferMillis+2*headroomMillis)/1000),
		headroom: rate * headroomMillis / 1000, plc: plc.New(rate),
	}
	p.head, p.tail = p.headroom, p.headroom
	p.margins.reset()
	return p
}

// Rate is that of the samples, in Hz.
func (p *Playout) Rate() int { return p.rate }

// Stats are the counts so far.
func (p *Playout) Stats() PlayoutStats { return p.stats }

// Delay is how much sound waits.
func (p *Playout) Delay() time.Duration {
	return time.Duration(p.tail-p.head) * time.Second / time.Duration(p.rate)
}

func (p *Playout) millis(n int) int { return p.rate * n / 1000 }

func (p *Playout) nanos(samples int) int64 {
	return int64(samples) * int64(time.Second) / int64(p.rate)
}

// Write adds samples whose media time is position, in samples; now is the time
// of their arrival in nanoseconds. made says that they stand for lost ones:
// those are left out as far as the reader has already done without.
func (p *Playout) Write(pcm []int16, position int64, made bool, now int64) {
	gap := int64(0)
	if p.started {
		gap = position - p.end
	}
	p.started = true
	p.end = position + int64(len(pcm))
	if made && p.dry > 0 {
		skip := min(p.dry, len(pcm))
		p.dry -= skip
		pcm = pcm[skip:]
		gap = 0
	}
	// The source may have been silent for a while: the pause is kept as long
	// as it was, less what the reader has waited already.
	if pause := gap - int64(p.dry); gap > 0 && pause > 0 && pause < int64(p.millis(restartMillis)) {
		p.append(nil, int(pause))
	}
	if len(pcm) > 0 {
		if p.block > 0 && !made && p.dry == 0 {
			blocks := (p.tail-p.head)/p.block + 1 // reads until these samples are needed
			p.margins.early.add(p.lastRead + int64(blocks)*p.nanos(p.block) - now)
		}
		p.append(pcm, len(pcm))
		p.dry = 0
		p.idle = false
	}
}

// Pause tells that the source stops sending on purpose, with this background.
func (p *Playout) Pause(background noise.Params) {
	p.idle = true
	p.noise.Set(background)
}

// append adds n samples of pcm, or of silence.
func (p *Playout) append(pcm []int16, n int) {
	if n > len(p.buf)-p.headroom {
		return
	}
	if p.tail+n > len(p.buf) {
		kept := copy(p.buf[p.headroom:], p.buf[p.head:p.tail])
		p.head, p.tail = p.headroom, p.headroom+kept
	}
	if over := p.tail + n - len(p.buf); over > 0 {
		copy(p.buf[p.headroom:], p.buf[p.head+over:p.tail])
		p.tail -= over
		p.stats.Dropped += uint64(over)
	}
	if pcm == nil {
		clear(p.buf[p.tail : p.tail+n])
	} else {
		copy(p.buf[p.tail:], pcm)
	}
	p.tail += n
}

// Read fills pcm with the next samples, by concealment or comfort noise where
// there are none, and returns how many came from the source. now is the time in
// nanoseconds; reads are of the same length and follow each other at that pace.
func (p *Playout) Read(pcm []int16, now int64) int {
	p.lastRead, p.block = now, len(pcm)
	have := p.tail - p.head
	if over := have - p.millis(overfullMillis); over > 0 {
		p.head += over
		p.stats.Dropped += uint64(over)
		have -= over
	}
	if have < len(pcm) && !p.playing {
		p.lack(pcm)
		return 0
	}
	p.playing = true
	if have >= len(pcm) {
		p.adapt(len(pcm))
	}
	n := copy(pcm, p.buf[p.head:p.tail])
	p.head += n
	if n > 0 {
		p.plc.Good(pcm[:n])
	}
	if rest := pcm[n:]; len(rest) > 0 {
		p.lack(rest)
	}
	if p.head == p.tail {
		p.head, p.tail = p.headroom, p.headroom
	}
	return n
}

// lack fills pcm when the buffer is empty.
func (p *Playout) lack(pcm []int16) {
	switch {
	case !p.started:
		clear(pcm)
		return
	case p.idle:
		p.noise.Read(pcm)
	default:
		if p.dry == 0 {
			p.stats.Underruns++
			p.margins.underrun()
		}
		p.plc.Lost(pcm)
		p.stats.Concealed += uint64(len(pcm))
	}
	p.dry = min(p.dry+len(pcm), 1<<30)
	if p.dry > p.millis(stallMillis) {
		p.playing = false
	}
}

// adapt shortens or stretches what the next read of n takes, when the lows of
// the last seconds ask for it. Only whole reads of slack make samples early: a
// rest smaller than a read is of no use and can always go.
func (p *Playout) adapt(n int) {
	if !p.margins.read(p.tail - p.head - n) {
		return
	}
	slack, early := p.margins.least()
	tick := p.nanos(n)
	rest := slack % n
	if early < dangerMillis*int64(time.Millisecond) {
		p.shift(n, slack, n-rest, true)
		return
	}
	spare := min(int64(slack/n), max(0, early-marginMillis*int64(time.Millisecond))/tick)
	if surplus := rest + int(spare)*n; surplus > p.millis(1) {
		p.shift(n, slack, surplus, false)
	}
}

// shift stretches or cuts by at most want samples.
func (p *Playout) shift(n, slack, want int, stretch bool) {
	quiet := p.quiet(n)
	if !quiet && !stretch && want < p.millis(urgentMillis) {
		return // waits for a pause
	}
	limit := want
	if stretch && !quiet {
		limit += p.millis(headroomMillis) / 2 // a pitch period may be longer than needed
	}
	lag := p.lag(limit, quiet)
	if lag <= 0 {
		return
	}
	moved := lag
	if stretch {
		if p.head < lag {
			return
		}
		p.stretch(lag)
		p.stats.Stretched += uint64(lag)
	} else {
		if p.tail-p.head-lag < n {
			return
		}
		p.cut(lag)
		p.stats.Cut += uint64(lag)
		moved = -lag
	}
	p.margins.moved(moved, int64((slack+moved)/n-slack/n)*p.nanos(n))
}
