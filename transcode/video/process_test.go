package video_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// eventually polls what another process brings about.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// opened is what tests open on a stage, closed when they end.
func opened(t testing.TB, pool *video.Pool) *video.Stage {
	t.Helper()
	stage, err := pool.Stage()
	require.NoError(t, err)
	t.Cleanup(stage.Close)
	return stage
}

func openedSource(t testing.TB, stage *video.Stage, track media.Track) *video.Source {
	t.Helper()
	s, err := stage.Open(track)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func openedOutput(t testing.TB, stage *video.Stage, scene video.Scene, f media.Format, bps int) *video.Output {
	t.Helper()
	c, err := stage.Canvas(scene)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	o, err := c.Encode(video.Encoding{ID: "out", Role: media.Main, Format: f, Bitrate: bps, FPS: 30})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	return o
}

func openedViewer(t testing.TB, stage *video.Stage, o media.Track, w, h int) *videotest.Viewer {
	t.Helper()
	v := videotest.Watch(t, stage, o, w, h, nil)
	t.Cleanup(v.Source.Close)
	return v
}

// A worker that is killed is back within two seconds, with all it was told.
func TestKilledWorkerComesBack(t *testing.T) {
	pool := videotest.Pool(t)
	stage := opened(t, pool)
	cam := videotest.NewCamera(t, "cam", media.Main, videotest.Encode(t, h264Format(1, 31), cifWidth, cifHeight, 0, clipIdentity))
	source := openedSource(t, stage, cam)
	o := openedOutput(t, stage, full(source, cifWidth, cifHeight), format(media.VP8), 500_000)
	v := openedViewer(t, stage, o, cifWidth, cifHeight)
	videotest.Roll(t, cam)
	for range 2 {
		v.Forget()
		eventually(t, 10*time.Second, "pictures", func() bool { return len(v.Seen()) > 10 })
		pids := pool.Processes()
		require.Len(t, pids, 1)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
		killed := time.Now()
		eventually(t, 10*time.Second, "another worker", func() bool {
			now := pool.Processes()
			return len(now) == 1 && now[0] != pids[0]
		})
		v.Forget()
		eventually(t, 10*time.Second, "pictures again", func() bool { return len(v.Seen()) > 0 })
		took := time.Since(killed)
		t.Logf("back after %v", took.Round(time.Millisecond))
		assert.Less(t, took, 5*time.Second) // 2 s on a machine of its own
	}
	assert.Equal(t, 2, pool.Stats().Restarts)
}

// The worker is nice, cannot gain privileges, is filtered, opens no files.
func TestWorkerIsConfined(t *testing.T) {
	pool := videotest.Pool(t)
	can, err := pool.Probe()
	require.NoError(t, err)
	for _, c := range []media.Codec{media.H264, media.VP8, media.VP9, media.AV1, media.H263, media.H261} {
		assert.True(t, can.Decodes(c), c)
	}
	assert.False(t, can.Decodes("H265"))
	assert.False(t, can.Encodes(media.AV1))
	pid := pool.Processes()[0]
	read := func(name string) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		require.NoError(t, err)
		return string(text)
	}
	status := read("status")
	assert.Regexp(t, `NoNewPrivs:\s+1`, status)
	assert.Regexp(t, `Seccomp:\s+2`, status)
	limits := read("limits")
	assert.Regexp(t, `Max open files\s+0\s+0`, limits)
	assert.Regexp(t, `Max data size\s+1610612736`, limits)
	eventually(t, 10*time.Second, "processor time on lease", func() bool {
		return regexp.MustCompile(`Max cpu time\s+\d+\s+unlimited`).MatchString(read("limits"))
	})
	assert.Regexp(t, `Max core file size\s+0\s+0`, limits)
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	require.NoError(t, err)
	for _, th := range threads {
		fields := strings.Fields(read("task/" + th.Name() + "/stat"))
		assert.Equal(t, "10", fields[18], "nice of thread %s", th.Name())
	}
}

func TestNoWorker(t *testing.T) {
	for _, program := range []string{"", "/nonexistent/roomgate-video", t.TempDir()} {
		p := video.NewPool(video.Config{Program: program})
		assert.ErrorIs(t, p.Available(), video.ErrNoWorker)
		_, err := p.Stage()
		assert.ErrorIs(t, err, video.ErrNoWorker)
		require.NoError(t, p.Close())
	}
}

// Four sources in a grid: each is where it belongs, once for all receivers.
func TestGrid(t *testing.T) {
	pool := videotest.Pool(t)
	stage := opened(t, pool)
	const w, h = 1280, 720
	scene := video.Scene{Width: w, Height: h, FPS: 30, Background: 0x108080}
	var cams []*videotest.Camera
	base := videotest.Encode(t, h264Format(1, 31), 640, 360, 0, clipIdentity)
	for i := range 4 {
		cam := videotest.NewCamera(t, fmt.Sprint(i), media.Main, base)
		cams = append(cams, cam)
		at := image.Pt(i%2*w/2, i/2*h/2)
		scene.Tiles = append(scene.Tiles, video.Tile{
			Source: openedSource(t, stage, cam), Rect: image.Rectangle{Min: at, Max: at.Add(image.Pt(w/2, h/2))},
		})
	}
	o := openedOutput(t, stage, scene, h264Format(1, 31), 1_500_000)
	v := openedViewer(t, stage, o, w/2, h/2)
	var other int
	var mu sync.Mutex
	defer o.Attach(media.WriterFunc(func(*rtp.Packet) error {
		mu.Lock()
		defer mu.Unlock()
		other++
		return nil
	}))()
	videotest.Roll(t, cams...)
	eventually(t, 15*time.Second, "four cards", func() bool {
		at := map[image.Point]bool{}
		for _, s := range v.Seen() {
			if s.Identity == clipIdentity {
				at[image.Pt((s.Rect.Min.X+20)/320, (s.Rect.Min.Y+20)/180)] = true
			}
		}
		return len(at) == 4
	})
	// Ten requests in a row are one keyframe.
	before := o.Stats().Keyframes
	for range 10 {
		o.RequestKeyframe()
	}
	eventually(t, 10*time.Second, "a keyframe", func() bool { return o.Stats().Keyframes > before })
	assert.LessOrEqual(t, o.Stats().Keyframes, before+2)
	mu.Lock()
	defer mu.Unlock()
	assert.NotZero(t, other)
}

// A canvas that nothing changes on costs next to nothing.
func TestStillPictures(t *testing.T) {
	pool := videotest.Pool(t)
	stage := opened(t, pool)
	label, err := stage.Bitmap(64, 32, make([]byte, 64*32*5/2))
	require.NoError(t, err)
	t.Cleanup(label.Close)
	o := openedOutput(t, stage, video.Scene{
		Width: 640, Height: 360, FPS: 30, Background: 0x408080, Labels: []video.Label{{Bitmap: label, At: image.Pt(10, 10)}},
	}, h264Format(1, 31), 500_000)
	eventually(t, 10*time.Second, "the first picture", func() bool { return o.Stats().Frames > 0 })
	began, first := time.Now(), o.Stats().Frames
	eventually(t, 10*time.Second, "three more", func() bool { return o.Stats().Frames >= first+3 })
	assert.Greater(t, time.Since(began), 900*time.Millisecond)
	// Sharp enough, it is coded every five seconds, so that nobody takes it for dead.
	eventually(t, 60*time.Second, "five more", func() bool { return o.Stats().Frames >= first+8 })
	assert.Greater(t, time.Since(began), 6*time.Second)
}

// damages are what networks and bad senders do to packets.
var damages = map[string]func(r *rand.Rand, p *rtp.Packet) (drop bool){
	"flips": func(r *rand.Rand, p *rtp.Packet) bool {
		for range 1 + r.IntN(8) {
			p.Payload[r.IntN(len(p.Payload))] ^= 1 << r.IntN(8)
		}
		return false
	},
	"cuts": func(r *rand.Rand, p *rtp.Packet) bool {
		p.Payload = p.Payload[:r.IntN(len(p.Payload))]
		return false
	},
	"noise": func(r *rand.Rand, p *rtp.Packet) bool {
		for i := range p.Payload[min(4, len(p.Payload)):] {
			p.Payload[i] = byte(r.Uint32())
		}
		return false
	},
	"losses": func(r *rand.Rand, _ *rtp.Packet) bool { return r.IntN(4) == 0 },
}

// Whatever is done to a stream, the worker goes on or is started anew, and a
// good stream is shown again.
func TestDamagedStreams(t *testing.T) {
	pool := videotest.Pool(t)
	sources := clips(t)
	for _, name := range []string{"H264 mode 1", "H264 high", "VP8", "VP9", "AV1", "H263", "H263-1998", "H261"} {
		t.Run(name, func(t *testing.T) {
			stage := opened(t, pool)
			c := videotest.NewCamera(t, name, media.Main, sources[name])
			random := rand.New(rand.NewPCG(1, 2))
			var mu sync.Mutex
			var kind func(*rand.Rand, *rtp.Packet) bool
			set := func(k func(*rand.Rand, *rtp.Packet) bool) {
				mu.Lock()
				defer mu.Unlock()
				kind = k
			}
			c.Damage(func(p *rtp.Packet) bool {
				mu.Lock()
				defer mu.Unlock()
				if kind == nil || random.IntN(3) > 0 || len(p.Payload) == 0 {
					return false
				}
				p.Payload = append([]byte(nil), p.Payload...)
				return kind(random, p)
			})
			source := openedSource(t, stage, c)
			o := openedOutput(t, stage, full(source, cifWidth, cifHeight), h264Format(1, 31), 500_000)
			v := openedViewer(t, stage, o, cifWidth, cifHeight)
			play(t, c, v, 3)
			for _, k := range damages {
				set(k)
				for range 2 * videotest.Frames {
					c.Show()
					<-time.After(2 * time.Millisecond)
				}
			}
			set(nil)
			c.RequestKeyframe()
			v.Forget()
			play(t, c, v, 5)
		})
	}
	t.Logf("%d restarts", pool.Stats().Restarts)
}
