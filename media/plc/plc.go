// Package plc conceals missing samples by repeating the last pitch period with
// a fade, in the manner of ITU-T G.711 Appendix I but without its delay.
package plc

// Timing of the concealment in units of an eighth of a millisecond, the sample
// period at 8 kHz; other rates scale it.
const (
	minLag     = 40  // 200 Hz
	maxLag     = 120 // 66 Hz
	window     = 160 // 20 ms are compared to find the pitch
	historyLen = 400 // 50 ms: three longest periods and a bit
	mergeLen   = 40  // 5 ms of overlap when sound returns
	fadeFrom   = 80  // 10 ms at full level, then down to nothing
	fadeTo     = 480 // at 60 ms
)

// Concealer watches the samples of one stream and fills its holes. It does not
// allocate after New.
type Concealer struct {
	scale   int // samples per eighth of a millisecond
	history []int16
	tail    []int16 // scratch of Good: the continuation that the new sound is merged with
	lag     int     // pitch period found for the present hole
	pos     int     // where in the repeated periods the next sample comes from
	periods int     // how many periods are repeated, 1..3
	lost    int     // samples made since the last good one
	step    int32   // how far the repetition starts off the last sample
}

// New makes a concealer for samples at rate Hz, a multiple of 8000.
func New(rate int) *Concealer {
	scale := max(rate/8000, 1)
	return &Concealer{scale: scale, history: make([]int16, historyLen*scale), tail: make([]int16, mergeLen*scale)}
}

// Reset forgets the stream.
func (c *Concealer) Reset() {
	clear(c.history)
	c.lost = 0
}

// Good takes the next samples that did arrive. After a hole it blends their
// beginning with the end of the repetition, in place.
func (c *Concealer) Good(pcm []int16) {
	if c.lost > 0 {
		tail := c.tail[:min(len(c.tail), len(pcm))]
		c.fill(tail, true)
		for i, old := range tail {
			w := int32(i+1) * 256 / int32(len(tail))
			pcm[i] = int16((int32(pcm[i])*w + int32(old)*(256-w)) >> 8)
		}
		c.lost = 0
	}
	n := len(c.history)
	if len(pcm) >= n {
		copy(c.history, pcm[len(pcm)-n:])
		return
	}
	copy(c.history, c.history[len(pcm):])
	copy(c.history[n-len(pcm):], pcm)
}

// Lost fills pcm with what may have been there.
func (c *Concealer) Lost(pcm []int16) {
	if c.lost == 0 {
		c.begin()
	}
	c.fill(pcm, true)
}

// Foresee fills pcm with what Lost would make next, but fading no further than
// the last that it made: what a decoder whose frames overlap has to assume
// behind a hole. Nothing is changed by it.
func (c *Concealer) Foresee(pcm []int16) {
	before := *c
	if c.lost == 0 {
		c.begin()
	}
	c.fill(pcm, false)
	*c = before
}

// begin finds the pitch and lays out the repetition.
func (c *Concealer) begin() {
	c.lag, c.periods = c.pitch(), 1
	c.pos = 0
	n := len(c.history)
	c.step = int32(c.history[n-1]) - int32(c.history[n-1-c.lag])
}

// fill makes the next samples of the repetition. The history itself is left as
// it is: it holds the last good sound.
func (c *Concealer) fill(pcm []int16, fading bool) {
	n, merge := len(c.history), int32(mergeLen*c.scale)
	from, to := fadeFrom*c.scale, fadeTo*c.scale
	at := c.lost
	for i := range pcm {
		if fading {
			at = c.lost
		}
		if at >= to {
			clear(pcm[i:])
			c.lost += len(pcm) - i
			return
		}
		if c.pos == c.periods*c.lag {
			c.pos = 0
			// After each 10 ms one more period is repeated, which takes the
			// buzz out of long holes (G.711 Appendix I.2.4).
			if c.periods < 3 && c.lost >= c.periods*fadeFrom*c.scale {
				c.periods++
			}
		}
		v := c.sample(n)
		if left := merge - int32(c.lost); left > 0 {
			v += c.step * left / merge
		}
		if at > from {
			v = v * int32(to-at) / int32(to-from)
		}
		pcm[i] = int16(min(max(v, -32768), 32767))
		c.pos++
		c.lost++
	}
}

// sample reads the repetition, blended over the last quarter period so that
// its end meets its beginning.
func (c *Concealer) sample(n int) int32 {
	span := c.periods * c.lag
	at := n - span + c.pos
	v := int32(c.history[at])
	quarter := c.lag / 4
	if left := span - c.pos; left <= quarter && at-span >= 0 {
		w := int32(quarter - left + 1)
		v = (v*(int32(quarter)-w) + int32(c.history[at-span])*w) / int32(quarter)
	}
	return v
}

// pitch is the lag at which the last 20 ms look most like what came before:
// coarsely at 8 kHz, then to the sample.
func (c *Concealer) pitch() int {
	best, bestScore := maxLag*c.scale, -1.0
	for lag := minLag * c.scale; lag <= maxLag*c.scale; lag += 2 * c.scale {
		if s := c.likeness(lag, c.scale); s > bestScore {
			best, bestScore = lag, s
		}
	}
	coarse, stride := best, max(c.scale/2, 1)
	for lag := max(coarse-2*c.scale, minLag*c.scale); lag <= min(coarse+2*c.scale, maxLag*c.scale); lag++ {
		if s := c.likeness(lag, stride); s > bestScore {
			best, bestScore = lag, s
		}
	}
	return best
}

// likeness is the squared normalized correlation, signed.
func (c *Concealer) likeness(lag, stride int) float64 {
	n := len(c.history)
	var cross, energy int64
	for i := n - window*c.scale; i < n; i += stride {
		a, b := int64(c.history[i]), int64(c.history[i-lag])
		cross += a * b
		energy += b * b
	}
	if cross <= 0 || energy == 0 {
		return -1
	}
	return float64(cross) * float64(cross) / float64(energy)
}
