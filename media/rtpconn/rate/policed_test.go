package rate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media/rtpconn/rate"
)

// policed is a path with a token bucket, over which sound and pictures go packet by
// packet. What it drops is not sent again, and a picture with a hole spoils those after it
// until the next keyframe, which is asked for.
type policed struct {
	bps, random   float64
	level         float64 // bits
	rnd           *rand.Rand
	path          rate.Path
	frame         int
	sent          []int // rates, of each frame so far
	packets, lost int   // of pictures, since the sight before
	octets        int
	sight, every  int // frames to the next one, and between the two
	whole         bool
	key           int // when the last keyframe was made
}

// Pictures a second, and octets of a keyframe of the small clip: a quarter of the bucket.
const (
	fps      = 30
	clip     = 423_000
	clipKey  = 8_000
	bucket   = 0.3 // seconds
	overhead = 40
)

func (p *policed) passes(octets int) bool {
	size := float64(8 * (octets + overhead))
	switch {
	case p.rnd.Float64() < p.random:
		return false
	case p.bps == 0:
		p.level = 0
	case p.level+size > p.bps*bucket:
		return false
	}
	p.level += size
	return true
}

// choose is what is sent within a bound: a clip of a terminal's that has two, as it is, or
// what is made.
func choose(limit int) int {
	for _, r := range []int{1_500_000, clip} {
		if limit == 0 || r <= limit {
			return r
		}
	}
	return int(encoder(limit))
}

// picture gives the size of the next picture.
func (p *policed) picture() (octets int, key bool) {
	now := p.sent[max(0, len(p.sent)-fps/3)] // obeyed a third of a second later
	mean := now / 8 / fps
	switch {
	case now == clip:
		if key = p.frame%fps == 0; key {
			return clipKey, true
		}
		mean = (clip/8 - clipKey) / (fps - 1)
	case !p.whole && p.frame-p.key >= fps:
		p.key = p.frame
		return 4 * mean, true
	}
	return int(float64(mean) * (0.7 + 0.6*p.rnd.Float64())), false
}

// second sends for one, and gives how many pictures were seen.
func (p *policed) second() (shown int) {
	for range fps {
		p.frame++
		p.level = max(0, p.level-p.bps/fps)
		for range 5 { // sound: fifty packets a second
			if p.rnd.IntN(3) == 0 {
				p.passes(172)
			}
		}
		octets, key := p.picture()
		good := true
		for ; octets > 0; octets -= 1100 {
			n := min(octets, 1100)
			p.packets++
			if p.passes(n + 12) {
				p.octets += n
			} else {
				p.lost++
				good = false
			}
		}
		if p.whole = good && (p.whole || key); p.whole {
			shown++
		}
		if p.sight--; p.sight < 0 {
			p.path.See(noon.Add(time.Duration(p.frame)*time.Second/fps), rate.Sight{
				Loss: float64(p.lost) / float64(p.packets), Bps: p.octets * 8 * fps / p.every, Final: true,
			})
			p.packets, p.lost, p.octets = 0, 0, 0
			p.every = 16 + p.rnd.IntN(12)
			p.sight = p.every - 1
		}
		p.sent = append(p.sent, choose(p.path.Limit()))
	}
	return shown
}

func (p *policed) seconds(n int) (shown int) {
	for range n {
		shown += p.second()
	}
	return shown
}

// calls are some that differ by chance, at the time their path is cut to 512 kbit/s.
func calls(random float64, each func(p *policed)) {
	for seed := range uint64(60) {
		p := policed{rnd: rand.New(rand.NewPCG(seed, 1)), sent: []int{1_500_000}, every: 16, sight: 15, random: random}
		p.seconds(6)
		p.bps, p.sight = 512_000, p.rnd.IntN(p.every)
		each(&p)
	}
}

// Where nothing lost is sent again a cut costs two seconds of pictures, not eight, whatever
// falls where; and the large picture is back when the path is wide.
func TestNothingIsSentAgain(t *testing.T) {
	for _, path := range []struct {
		random           float64 // loss of another cause
		all, least, back int     // pictures in the eight seconds after the first, of all calls and of the worst; seconds for most to be back
	}{{0, 200, 150, 30}, {0.002, 195, 130, 40}, {0.01, 170, 80, 60}} {
		all, least, back := 0, fps*8, 0
		calls(path.random, func(p *policed) {
			p.seconds(1)
			n := p.seconds(8)
			all, least = all+n, min(least, n)
			p.seconds(10)
			p.bps = 0
			for range path.back {
				if p.seconds(1); choose(p.path.Limit()) > clip {
					back++
					break
				}
			}
		})
		t.Logf("%.1f %% of loss besides: %d of 240 pictures, %d at worst, %d of 60 back", 100*path.random, all/60, least, back)
		assert.GreaterOrEqual(t, all/60, path.all)
		assert.GreaterOrEqual(t, least, path.least)
		assert.GreaterOrEqual(t, back, 54)
	}
}

// A path that stays narrow is not tried for more time and again.
func TestNarrowForLong(t *testing.T) {
	n := 0
	calls(0, func(p *policed) {
		p.seconds(120)
		n += p.seconds(300)
	})
	assert.GreaterOrEqual(t, float64(n)/(60*300*fps), 0.93)
}
