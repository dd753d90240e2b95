package terminal

import (
	"cmp"
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
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/transcode/video"
	"github.com/roomgate/roomgate/transcode/video/cards"
)

// cardCamera sends test cards that are counted, in whatever codec was agreed on:
// a clip that a video worker has coded, played over and over. Asked for a
// keyframe it begins anew.
type cardCamera struct {
	track
	spec   cards.Spec
	fps    float64
	stage  *video.Stage
	wanted atomic.Bool
	begins func() // a round
}

// How long the clip is.
const cardSeconds, pageSeconds = 2, 4

// errCards is returned where cards cannot be made.
var errCards = errors.New("test cards need a video worker")

// cardSource is what a source of cards shows.
type cardSource struct {
	identity int
	page     bool
	size     image.Point // zero: by what the far side takes
}

// isCards reports a source that is meant to be of cards.
func isCards(source string) bool {
	return strings.HasPrefix(source, "card:") || strings.HasPrefix(source, "page:")
}

// parseCards reads card:N and page:N, with @WIDTHxHEIGHT or without.
func parseCards(source string) (c cardSource, ok bool) {
	kind, text, _ := strings.Cut(source, ":")
	number, size, sized := strings.Cut(text, "@")
	n, err := strconv.Atoi(number)
	if kind != "card" && kind != "page" || err != nil || n < 0 || n > 63 {
		return c, false
	}
	c.identity, c.page = n, kind == "page"
	if !sized {
		return c, true
	}
	width, height, _ := strings.Cut(size, "x")
	w, err1 := strconv.Atoi(width)
	h, err2 := strconv.Atoi(height)
	c.size = image.Pt(w, h)
	return c, err1 == nil && err2 == nil && w%2 == 0 && h%2 == 0 && w >= 128 && w <= 1920 && h >= 96 && h <= 1088
}

// newCardCamera sends cards at so many a second, 0 for the usual, or pages.
func newCardCamera(ctx context.Context, stage *video.Stage, from cardSource, s media.Stream, fps float64, begins func()) (*cardCamera, error) {
	if stage == nil {
		return nil, errCards
	}
	c := &cardCamera{
		track: track{id: "camera-" + s.Role.String(), role: s.Role, format: s.Send}, stage: stage, fps: cmp.Or(fps, cards.FPS), begins: begins,
		spec: cards.Spec{Identity: from.identity, Format: s.Send},
	}
	c.spec.Pictures = int(cardSeconds * c.fps)
	c.spec.Size, c.spec.Bitrate = cardSize(s)
	if from.page {
		c.fps, c.spec.Page, c.spec.Pictures = cards.PageFPS, true, pageSeconds*cards.PageFPS
		c.spec.Size, c.spec.Bitrate = pageSize(s), pageBitrate
	}
	if from.size != (image.Point{}) {
		c.spec.Size = from.size
	}
	c.start(ctx, c.run)
	return c, nil
}

// pageBitrate is that of pages; the first picture, which has all of the text, comes at once.
const pageBitrate = 4_000_000

// pageSize is the largest page that the far side takes.
func pageSize(s media.Stream) image.Point {
	size, _ := cardSize(s)
	const macroblocks1080p = 8160
	if limits, _ := h264.Limits(s.Send.H264); s.Send.Codec.Is(string(media.H264)) && limits.FS >= macroblocks1080p {
		size = image.Pt(1920, 1080)
	}
	return size
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

// How large pictures are spread: so many packets, each so often.
const (
	paceEvery = 2 * time.Millisecond
	paceBurst = 10
)

func (c *cardCamera) run(ctx context.Context) {
	pictures, err := cards.Make(ctx, c.stage, c.spec)
	if err != nil {
		return // the far side sees no picture, which its report says
	}
	every := time.Duration(float64(time.Second) / c.fps)
	tick, pace := time.NewTicker(every), time.NewTicker(paceEvery)
	defer tick.Stop()
	defer pace.Stop()
	sequence, stamp := uint16(rand.Uint32N(1<<15)), rand.Uint32()
	began, sent := time.Now(), 0
	at := 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for ; sent < int(now.Sub(began)/every); sent++ {
				if c.wanted.Swap(false) {
					at = 0
				}
				if at == 0 {
					c.begins()
				}
				for i, p := range pictures[at] {
					if i%paceBurst == paceBurst-1 { // a keyframe of a page is 300 packets
						<-pace.C
					}
					q := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: sequence, Timestamp: stamp, Marker: p.Marker}, Payload: p.Payload}
					sequence++
					_ = c.WriteRTP(&q) // never fails
				}
				at = (at + 1) % len(pictures)
				stamp += uint32(90000 / c.fps)
			}
		}
	}
}
