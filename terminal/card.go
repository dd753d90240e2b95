package terminal

import (
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/cards"
)

// cardCamera sends test cards that are counted, in whatever codec was agreed on:
// a clip that a video worker has coded, played over and over. Asked for a
// keyframe it begins anew.
type cardCamera struct {
	track
	identity int
	stage    *video.Stage
	size     image.Point
	bitrate  int
	wanted   atomic.Bool
	begins   func() // a round
}

// cardFrames is how long the clip is: two seconds.
const cardFrames = 60

// errCards is returned where cards cannot be made.
var errCards = errors.New("test cards need a video worker")

// cardIdentity reads card:N.
func cardIdentity(source string) (int, bool) {
	text, ok := strings.CutPrefix(source, "card:")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n < 64
}

func newCardCamera(ctx context.Context, stage *video.Stage, identity int, s media.Stream, begins func()) (*cardCamera, error) {
	if stage == nil {
		return nil, errCards
	}
	c := &cardCamera{
		track: track{id: "camera-" + s.Role.String(), role: s.Role, format: s.Send}, identity: identity, stage: stage, begins: begins,
	}
	c.size, c.bitrate = cardSize(s)
	c.start(ctx, c.run)
	return c, nil
}

// cardSize is what the far side takes.
func cardSize(s media.Stream) (image.Point, int) {
	f := s.Send
	size, bps := image.Pt(640, 360), 700_000
	switch {
	case f.Codec.Is(string(media.H264)):
		if !smallH264(f.H264) && (s.MaxSend == 0 || s.MaxSend >= bitrate720p) {
			size, bps = image.Pt(1280, 720), bitrate720p
		}
	case f.Codec.Is(string(media.VP8)):
	case f.H263.CIF == 0 && f.H263.QCIF > 0:
		size, bps = image.Pt(176, 144), 128_000
	default:
		size, bps = image.Pt(352, 288), 384_000
	}
	if s.MaxSend > 0 {
		bps = min(bps, s.MaxSend)
	}
	return size, bps
}

// RequestKeyframe implements media.Track.
func (c *cardCamera) RequestKeyframe() { c.wanted.Store(true) }

func (c *cardCamera) run(ctx context.Context) {
	pictures, err := cards.Make(ctx, c.stage, cards.Spec{
		Identity: c.identity, Format: c.format, Size: c.size, Bitrate: c.bitrate, Pictures: cardFrames,
	})
	if err != nil {
		return // the far side sees no picture, which its report says
	}
	tick := time.NewTicker(time.Second / cards.FPS)
	defer tick.Stop()
	sequence, stamp := uint16(rand.Uint32N(1<<15)), rand.Uint32()
	began, sent := time.Now(), 0
	at := 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for ; sent < int(now.Sub(began)*cards.FPS/time.Second); sent++ {
				if c.wanted.Swap(false) {
					at = 0
				}
				if at == 0 {
					c.begins()
				}
				for _, p := range pictures[at] {
					q := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: sequence, Timestamp: stamp, Marker: p.Marker}, Payload: p.Payload}
					sequence++
					_ = c.WriteRTP(&q) // never fails
				}
				at = (at + 1) % len(pictures)
				stamp += 90000 / cards.FPS
			}
		}
	}
}
