package video_test

import (
	"image"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// full is a scene that shows a source alone.
func full(s *video.Source, w, h int) video.Scene {
	return video.Scene{Width: w, Height: h, FPS: 30, Follow: s, Tiles: []video.Tile{{Source: s, Rect: image.Rect(0, 0, w, h)}}}
}

// play sends pictures, each when the one before was seen or left out, until
// enough were seen.
func play(t testing.TB, c *videotest.Camera, v *videotest.Viewer, enough int) {
	t.Helper()
	for i := 0; len(v.Seen()) < enough; i++ {
		if i > 40*enough {
			t.Fatalf("%d pictures seen of %d sent", len(v.Seen()), i)
		}
		c.Show()
		select {
		case <-v.Fresh:
		case <-time.After(250 * time.Millisecond): // the encoder left it out, or it waits for a keyframe
		}
	}
}

func clips(t testing.TB) map[string]*videotest.Clip {
	x264 := func(profile string, more ...string) []string {
		return append([]string{"-c:v", "libx264", "-profile:v", profile, "-bf", "0", "-b:v", "400k", "-threads", "1",
			"-x264-params", "aud=1:keyint=100:scenecut=0"}, more...)
	}
	return map[string]*videotest.Clip{
		"H264 mode 1": videotest.Encode(t, h264Format(1, 31), cifWidth, cifHeight, 0, clipIdentity),
		"H264 mode 0": videotest.Encode(t, h264Format(0, 31), cifWidth, cifHeight, 1180, clipIdentity),
		"H264 main":   stored(t, "card-main", h264Format(1, 31), cifWidth, cifHeight, x264("main")...),
		"H264 high":   stored(t, "card-high", h264Format(1, 31), cifWidth, cifHeight, x264("high")...),
		"VP8":         videotest.Encode(t, format(media.VP8), cifWidth, cifHeight, 0, clipIdentity),
		"VP9": stored(t, "card-vp9", format(media.VP9), cifWidth, cifHeight,
			"-c:v", "libvpx-vp9", "-b:v", "400k", "-deadline", "realtime", "-cpu-used", "4", "-lag-in-frames", "0", "-threads", "1"),
		"AV1": stored(t, "card-av1", format(media.AV1), cifWidth, cifHeight,
			"-c:v", "libaom-av1", "-b:v", "400k", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-threads", "1"),
		"H263":      videotest.Encode(t, format(media.H263), cifWidth, cifHeight, 1180, clipIdentity),
		"H263-1998": videotest.Encode(t, format(media.H263Plus), cifWidth, cifHeight, 1180, clipIdentity),
		"H261":      videotest.Encode(t, format(media.H261), cifWidth, cifHeight, 0, clipIdentity),
	}
}

// Every codec that comes is shown in every codec that goes.
func TestMatrix(t *testing.T) {
	pool := videotest.Pool(t)
	targets := map[string]struct {
		format media.Format
		psnr   float64
	}{
		"H264 mode 1": {h264Format(1, 31), 30},
		"H264 mode 0": {h264Format(0, 31), 30},
		"VP8":         {format(media.VP8), 30},
		"H263":        {format(media.H263), 27},
		"H263-1998":   {format(media.H263Plus), 27},
		"H261":        {format(media.H261), 27},
	}
	sources := clips(t)
	var mu sync.Mutex
	var delays []time.Duration
	t.Run("pairs", func(t *testing.T) {
		for from, c := range sources {
			for to, target := range targets {
				t.Run(from+" to "+to, func(t *testing.T) {
					t.Parallel()
					psnr, took := convert(t, pool, c, target.format)
					worst := slices.Min(psnr[5:])
					slices.Sort(took)
					t.Logf("%d pictures, worst PSNR %.1f dB, latency p50 %v", len(psnr), worst, took[len(took)/2].Round(time.Millisecond))
					assert.Greater(t, worst, target.psnr)
					mu.Lock()
					delays = append(delays, took...)
					mu.Unlock()
				})
			}
		}
	})
	if len(delays) == 0 { // -run chose none
		return
	}
	slices.Sort(delays)
	t.Logf("latency with decoding to check: p50 %v, p95 %v", delays[len(delays)/2], delays[len(delays)*95/100])
}

// convert plays a clip through a worker until enough of it was seen.
func convert(t *testing.T, pool *video.Pool, c *videotest.Clip, to media.Format) (psnr []float64, took []time.Duration) {
	t.Helper()
	stage, err := pool.Stage()
	require.NoError(t, err)
	defer stage.Close()
	cam := videotest.NewCamera(t, t.Name(), media.Main, c)
	source, err := stage.Open(cam)
	require.NoError(t, err)
	defer source.Close()
	canvas, err := stage.Canvas(full(source, c.Width, c.Height))
	require.NoError(t, err)
	defer canvas.Close()
	out, err := canvas.Encode(video.Encoding{ID: "out", Role: media.Main, Format: to, Bitrate: 1_000_000, FPS: 30})
	require.NoError(t, err)
	defer out.Close()
	v := videotest.Watch(t, stage, out, c.Width, c.Height, cam.Sent)
	defer v.Source.Close()
	const enough = 25
	play(t, cam, v, enough)
	for _, s := range v.Seen() {
		require.Equal(t, clipIdentity, s.Identity)
		require.LessOrEqual(t, math.Abs(float64(s.Rect.Dx()-c.Width)), 12.0, "%v", s.Rect)
	}
	return v.Quality()
}
