package level

import (
	"math"
	"time"
)

// Bounds of the automatic gain.
const (
	Target   = -26.0 // active speech level aimed at, dBov (ITU-T P.56 practice)
	maxGain  = 15.0  // dB
	minGain  = -15.0
	upPerS   = 6.0 // dB a second: a louder gain comes slowly,
	downPerS = 20.0
	peak     = 30000.0 // no sample is raised beyond this
)

// Gain levels a talker: slowly, within bounds, and only while he speaks, so
// that pauses are not pumped up. The zero value is ready.
type Gain struct {
	active  float64 // level of the speech, dBov
	known   bool
	heard   time.Duration // speech heard so far, up to the averaging time
	db      float64       // gain in force
	applied float32       // the same at the last sample, linear; 0 before the first
}

// DB is the gain in force, in dB.
func (g *Gain) DB() float64 { return g.db }

// averaging is the time over which the speech level is measured.
const averaging = 1500 * time.Millisecond

// Apply levels one frame in place. speech says whether it is one.
func (g *Gain) Apply(pcm []int16, rate int, dbov float64, speech bool) {
	if len(pcm) == 0 {
		return
	}
	frame := time.Duration(len(pcm)) * time.Second / time.Duration(rate)
	if speech {
		g.measure(dbov, frame)
		want := min(max(Target-g.active, minGain), maxGain)
		seconds := frame.Seconds()
		g.db += min(max(want-g.db, -downPerS*seconds), upPerS*seconds)
	}
	g.scale(pcm)
}

// measure averages power, so that the level is that of speech as P.56 has it.
func (g *Gain) measure(dbov float64, frame time.Duration) {
	if !g.known {
		g.known, g.active = true, dbov
	}
	g.heard = min(g.heard+frame, averaging)
	weight := frame.Seconds() / max(g.heard, frame*10).Seconds()
	power := (1-weight)*math.Pow(10, g.active/10) + weight*math.Pow(10, dbov/10)
	g.active = 10 * math.Log10(power)
}

// scale moves from the last gain to the present one over the frame.
func (g *Gain) scale(pcm []int16) {
	target := float32(math.Pow(10, g.db/20))
	from := g.applied
	if from == 0 {
		from = target
	}
	if max(from, target) > 1 { // an onset is loud enough to hide the step
		loudest := 1
		for _, s := range pcm {
			loudest = max(loudest, int(s), -int(s))
		}
		bound := max(peak/float32(loudest), 1)
		from, target = min(from, bound), min(target, bound)
	}
	g.applied = target
	if from == 1 && target == 1 {
		return
	}
	step := (target - from) / float32(len(pcm))
	for i, s := range pcm {
		from += step
		pcm[i] = int16(min(max(float32(s)*from, -32768), 32767))
	}
}
