package video_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

// lossy is a track some of whose packets do not arrive.
type lossy struct {
	media.Track
	share float64

	mu     sync.Mutex
	random *rand.Rand
}

func (l *lossy) Attach(w media.Writer) func() {
	return l.Track.Attach(media.WriterFunc(func(p *rtp.Packet) error {
		l.mu.Lock()
		lost := l.random.Float64() < l.share
		l.mu.Unlock()
		if lost {
			return nil
		}
		return w.WriteRTP(p)
	}))
}

// With a twentieth of the packets lost, and nothing sent again, pictures of codecs
// with slices stay usable, and keyframes do not become a storm.
func TestSteadyLossOfPackets(t *testing.T) {
	pool := videotest.Pool(t)
	clip := videotest.Encode(t, h264Format(1, 31), cifWidth, cifHeight, 0, clipIdentity)
	for name, tc := range map[string]struct {
		format media.Format
		shown  float64 // share of the pictures
		psnr   float64 // on average
	}{
		"H264": {h264Format(1, 31), 0.6, 28},
		"H263": {format(media.H263), 0.6, 25},
		"H261": {format(media.H261), 0.4, 24},
		"VP8":  {format(media.VP8), 0.05, 30}, // has no slices: what is damaged is not shown
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := opened(t, pool)
			cam := videotest.NewCamera(t, "cam", media.Main, clip)
			source := openedSource(t, stage, cam)
			o := openedOutput(t, stage, full(source, cifWidth, cifHeight), tc.format, 384_000)
			bad := &lossy{Track: o, share: 0.05, random: rand.New(rand.NewPCG(5, 5))}
			v := videotest.Watch(t, stage, bad, cifWidth, cifHeight, cam.Sent)
			t.Cleanup(v.Source.Close)
			play(t, cam, v, 1)
			before, keys, began := o.Stats().Frames, o.Stats().Keyframes, time.Now()
			videotest.Roll(t, cam)
			eventually(t, 60*time.Second, "enough pictures", func() bool { return o.Stats().Frames >= before+150 })
			frames, keyframes := o.Stats().Frames-before, o.Stats().Keyframes-keys
			seconds := time.Since(began).Seconds()
			psnr, _ := v.Quality()
			slices.Sort(psnr)
			sum := 0.0
			for _, q := range psnr {
				sum += q
			}
			share := float64(len(psnr)) / float64(frames)
			t.Logf("%d pictures coded, %.0f %% of them shown and read, %.1f keyframes a second; PSNR %.1f dB on average, %.1f dB for nine in ten",
				frames, 100*share, float64(keyframes)/seconds, sum/float64(len(psnr)), psnr[len(psnr)/10])
			assert.Greater(t, share, tc.shown)
			assert.Greater(t, sum/float64(len(psnr)), tc.psnr)
			assert.LessOrEqual(t, float64(keyframes), 2+seconds/0.9)
		})
	}
}
