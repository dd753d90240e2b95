package terminal

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video"
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

func newCardCamera(ctx context.Context, stage *video.Stage, identity int, s media.Stream) (*cardCamera, error) {
	if stage == nil {
		return nil, errCards
	}
	c := &cardCamera{
		track: track{id: "camera-" + s.Role.String(), role: s.Role, format: s.Send}, identity: identity, stage: stage,
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

// pictureOf is the packets of one picture.
type pictureOf []*rtp.Packet

func (c *cardCamera) run(ctx context.Context) {
	clip, err := c.code(ctx)
	if err != nil || len(clip) == 0 {
		return // the far side sees no picture, which its report says
	}
	tick := time.NewTicker(time.Second / patternFPS)
	defer tick.Stop()
	sequence, stamp := uint16(rand.Uint32N(1<<15)), rand.Uint32()
	began, sent := time.Now(), 0
	at := 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for ; sent < int(now.Sub(began)*patternFPS/time.Second); sent++ {
				if c.wanted.Swap(false) {
					at = 0
				}
				for _, p := range clip[at] {
					q := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: sequence, Timestamp: stamp, Marker: p.Marker}, Payload: p.Payload}
					sequence++
					_ = c.WriteRTP(&q) // never fails
				}
				at = (at + 1) % len(clip)
				stamp += 90000 / patternFPS
			}
		}
	}
}

// code lets the worker code the clip.
func (c *cardCamera) code(ctx context.Context) ([]pictureOf, error) {
	scene := video.Scene{Width: c.size.X, Height: c.size.Y, FPS: 60, Background: 0x108080}
	canvas, err := c.stage.Canvas(scene)
	if err != nil {
		return nil, err
	}
	defer canvas.Close()
	pictures := make(chan pictureOf, cardFrames)
	var under pictureOf
	collect := media.WriterFunc(func(p *rtp.Packet) error {
		if under = append(under, p.Clone()); p.Marker {
			select {
			case pictures <- under:
			default:
			}
			under = nil
		}
		return nil
	})
	var clip []pictureOf
	var out *video.Output
	var raw []byte
	defer func() {
		if out != nil {
			out.Close()
		}
	}()
	for i := range cardFrames {
		raw = testcard.Draw(raw, c.size.X, c.size.Y, testcard.Card{Identity: c.identity, Counter: i})
		card, err := c.stage.Bitmap(c.size.X, c.size.Y, opaque(raw))
		if err != nil {
			return nil, err
		}
		defer card.Close()
		scene.Labels = []video.Label{{Bitmap: card}}
		if err := canvas.Show(scene); err != nil {
			return nil, err
		}
		if out == nil {
			out, err = canvas.Encode(video.Encoding{ID: "card", Role: c.role, Format: c.format, Bitrate: c.bitrate, FPS: patternFPS})
			if err != nil {
				return nil, fmt.Errorf("test cards in %s: %w", c.format, err)
			}
			defer out.Attach(collect)()
		}
		select {
		case p := <-pictures:
			clip = append(clip, p)
		case <-time.After(200 * time.Millisecond): // left out by the rate control
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return clip, nil
}

// opaque is a picture as a bitmap that nothing shines through.
func opaque(raw []byte) []byte {
	luma := len(raw) * 2 / 3
	out := append(make([]byte, 0, len(raw)+luma), raw...)
	for range luma {
		out = append(out, 255)
	}
	return out
}
