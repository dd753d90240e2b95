package jitter

import (
	"time"

	"github.com/roomgate/roomgate/media/noise"
	"github.com/roomgate/roomgate/media/plc"
)

// Playout is a buffer between samples that arrive when the network pleases and
// a reader with a steady clock.
//
// It measures its slack: what is left after each read. An underrun is concealed
// and makes the delay grow by as much as the late samples were late, at once.
// The smallest slack over some seconds is delay that was not needed: beyond a
// margin it is cut out, in pauses first, in speech by whole pitch periods. The
// same keeps up with a drifting clock: a slow sender's slack shrinks and gets a
// little stretch before it runs out.
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

	slack slackMeter
	stats PlayoutStats
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
	marginMillis   = 5   // slack that is not cut
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
	p.slack.reset()
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

// Write adds samples whose media time is position, in samples. made says that
// they stand for lost ones: those are left out as far as the reader has
// already done without.
func (p *Playout) Write(pcm []int16, position int64, made bool) {
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
// there are none, and returns how many came from the source.
func (p *Playout) Read(pcm []int16) int {
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
			p.slack.underrun()
		}
		p.plc.Lost(pcm)
		p.stats.Concealed += uint64(len(pcm))
	}
	p.dry = min(p.dry+len(pcm), 1<<30)
	if p.dry > p.millis(stallMillis) {
		p.playing = false
	}
}

// adapt shortens or stretches what the next read of n takes, when the slack of
// the last seconds asks for it.
func (p *Playout) adapt(n int) {
	have := p.tail - p.head
	low, settled := p.slack.observe(have - n)
	if !settled {
		return
	}
	margin := p.millis(marginMillis)
	quiet := p.quiet(n)
	switch {
	case low > margin && (quiet || low > 4*margin):
		if lag := p.lag(low, quiet); lag > 0 && have-lag >= n {
			p.cut(lag)
			p.stats.Cut += uint64(lag)
			p.slack.moved(-lag)
		}
	case low < p.millis(1):
		if lag := p.lag(2*margin, quiet); lag > 0 && p.head >= lag {
			p.stretch(lag)
			p.stats.Stretched += uint64(lag)
			p.slack.moved(lag)
		}
	}
}
