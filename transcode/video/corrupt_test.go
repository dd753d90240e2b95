package video_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// corruptFor is how long each codec is corrupted: VIDEO_SOAK, or as long as a test
// may take.
func corruptFor(t testing.TB) time.Duration {
	text := os.Getenv("VIDEO_SOAK")
	if text == "" {
		return 300 * time.Millisecond
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}

// resident is the memory that a process holds, and the most it held, in MiB; zero
// when it has ended.
func resident(pid int) (now, most int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for name, into := range map[string]*int{"VmRSS": &now, "VmHWM": &most} {
		if m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text); m != nil {
			kib, _ := strconv.Atoi(string(m[1]))
			*into = kib >> 10
		}
	}
	return now, most
}

// Streams that are forged and damaged in every way, a codec at a time: the worker goes
// on or is started anew, its memory is bounded, the gateway's grows not at all, and
// the picture of somebody else on the same worker is there all along.
func TestCorruptedStreams(t *testing.T) {
	lasts := corruptFor(t)
	sources := clips(t)
	for _, name := range []string{"H264 mode 1", "H264 high", "VP8", "VP9", "AV1", "H263", "H263-1998", "H261"} {
		t.Run(name, func(t *testing.T) {
			c := newCorruption(t, sources[name], sources["H264 mode 1"])
			c.run(lasts)
			c.judge(lasts)
		})
	}
}

// corruption is one bad stream beside one that is good.
type corruption struct {
	t        *testing.T
	pool     *video.Pool
	bad      *videotest.Camera
	badView  *videotest.Viewer
	goodView *videotest.Viewer
	heap     uint64

	mu     sync.Mutex
	random *rand.Rand
	forge  int
	turns  int
	damage func(*rand.Rand, *rtp.Packet) bool

	pictures, seen, most int
	darkest              time.Duration // the longest time without the good picture
}

func newCorruption(t *testing.T, bad, good *videotest.Clip) *corruption {
	c := &corruption{t: t, pool: videotest.Pool(t), random: rand.New(rand.NewPCG(3, uint64(time.Now().UnixNano())))}
	stage := opened(t, c.pool)
	c.bad = videotest.NewCamera(t, "bad", media.Main, bad)
	source := openedSource(t, stage, c.bad)
	c.badView = openedViewer(t, stage, openedOutput(t, stage, full(source, cifWidth, cifHeight), h264Format(1, 31), 500_000), cifWidth, cifHeight)
	cam := videotest.NewCamera(t, "good", media.Main, good)
	fine := openedSource(t, stage, cam)
	c.goodView = openedViewer(t, stage, openedOutput(t, stage, full(fine, cifWidth, cifHeight), format(media.VP8), 500_000), cifWidth, cifHeight)
	play(t, c.bad, c.badView, 3)
	videotest.Roll(t, cam)
	c.bad.Forge(func(data []byte) []byte {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(data) == 0 {
			return data
		}
		return forgeries[c.forge](c.random, bad.Format.Codec, data)
	})
	c.bad.Damage(func(p *rtp.Packet) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.damage == nil || c.random.IntN(4) > 0 || len(p.Payload) == 0 {
			return false
		}
		p.Payload = append([]byte(nil), p.Payload...)
		return c.damage(c.random, p)
	})
	c.heap = heapNow()
	return c
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// turn chooses what happens next: each forgery of a size once, then anything. It
// reports whether that wants a keyframe.
func (c *corruption) turn() (key bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turns++
	c.forge, c.damage = c.turns, nil
	if c.turns <= sizes {
		return true
	}
	c.forge = c.random.IntN(len(forgeries))
	if kinds := []string{"flips", "cuts", "noise", "losses"}; c.random.IntN(2) == 0 {
		c.damage = damages[kinds[c.random.IntN(len(kinds))]]
	}
	return c.random.IntN(4) == 0
}

// run shows bad pictures, about a hundred a second.
func (c *corruption) run(lasts time.Duration) {
	began, shown := time.Now(), time.Now()
	for time.Since(began) < lasts {
		if c.pictures%8 == 0 {
			if c.turn() {
				c.bad.RequestKeyframe()
			}
		}
		c.bad.Show()
		c.pictures++
		<-time.After(8 * time.Millisecond)
		if c.pictures%16 > 0 {
			continue
		}
		for _, pid := range c.pool.Processes() {
			_, most := resident(pid)
			c.most = max(c.most, most)
		}
		if n := len(c.goodView.Seen()); n > 0 {
			c.goodView.Forget()
			c.badView.Forget()
			c.seen += n
			c.darkest, shown = max(c.darkest, time.Since(shown)), time.Now()
		}
	}
}

// judge looks at what is left, and whether a good stream is shown again.
func (c *corruption) judge(lasts time.Duration) {
	c.bad.Forge(nil)
	c.bad.Damage(nil)
	c.badView.Forget()
	for i := 0; len(c.badView.Seen()) < 5; i++ {
		require.Less(c.t, i, 600, "no picture after the corruption")
		if i%50 == 0 {
			c.bad.RequestKeyframe()
		}
		c.bad.Show()
		<-time.After(30 * time.Millisecond)
	}
	grown := int64(heapNow()) - int64(c.heap)
	c.t.Logf("%v: %d bad pictures, %d restarts, worker at most %d MiB, gateway's heap %+d KiB, the other picture seen %d times and away for %v at most",
		lasts, c.pictures, c.pool.Stats().Restarts, c.most, grown>>10, c.seen, c.darkest.Round(time.Millisecond))
	assert.Less(c.t, c.most, 1600)
	assert.Less(c.t, grown, int64(32<<20))
	eventually(c.t, 20*time.Second, "the other picture", func() bool { return len(c.goodView.Seen()) > 0 })
}

// The sizes that are forged are what decoders are told.
func TestForgedSizes(t *testing.T) {
	for name, c := range clips(t) {
		w, h, stated := frame.Size(c.Format.Codec, c.Frames[0])
		if !stated {
			continue
		}
		fw, fh, ok := frame.Size(c.Format.Codec, resize(c.Format.Codec, c.Frames[0], 1024, 768))
		assert.True(t, ok, name)
		assert.False(t, fw == w && fh == h, "%s stays %dx%d", name, fw, fh)
	}
}
