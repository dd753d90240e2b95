package terminal

import (
	"context"
	"embed"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// patterns are test pictures at 30 a second with an IDR each second, made by
// testdata/video/generate.sh.
//
//go:embed pattern/*.h264
var patterns embed.FS

const (
	patternFPS  = 30
	bitrate720p = 1_500_000 // of the large pattern
)

// camera is the video the terminal sends: a clip played over and over. Asked
// for a keyframe it goes on with the next IDR of the clip; asked for less than the
// large pattern takes, with the small one.
type camera struct {
	track
	pictures [][][]byte // NAL units of each picture
	large    [][][]byte // the clip agreed on
	small    [][][]byte // when less is asked for; nil: there is no other
	at       int
	fps      float64
	stamp    uint32
	packets  *h264.Packetizer
	wanted   atomic.Bool
	bound    atomic.Int64 // bit/s
}

// newCamera plays source, as Options.Video names it, on the stream agreed on, at so many
// pictures a second, 0 for those of the clip.
func newCamera(ctx context.Context, source string, s media.Stream, fps float64) (*camera, error) {
	role, f := s.Role, s.Send
	if !f.Codec.Is(string(media.H264)) {
		return nil, fmt.Errorf("%s to send: of %s there are test cards only", role, f.Codec)
	}
	if source == "pattern" && s.MaxSend > 0 && s.MaxSend < bitrate720p {
		source = "pattern360"
	}
	data, err := openVideo(source, f.H264)
	if err != nil {
		return nil, fmt.Errorf("%s to send: %w", role, err)
	}
	c := &camera{track: track{id: "camera-" + role.String(), role: role, format: f}, stamp: rand.Uint32()}
	c.pictures, c.fps, err = splitPictures(data)
	if err != nil {
		return nil, fmt.Errorf("%s to send: %s: %w", role, source, err)
	}
	c.large = c.pictures
	if c.fps == patternFPS && source == "pattern" && f.H264.PacketizationMode == 1 && !smallH264(f.H264) {
		less, err := patterns.ReadFile("pattern/360p.h264")
		if err == nil {
			c.small, _, err = splitPictures(less)
		}
		if err != nil {
			return nil, fmt.Errorf("%s to send: %w", role, err)
		}
	}
	if fps > 0 {
		c.fps = fps
	}
	c.packets = h264.NewPacketizer(media.WriterFunc(c.WriteRTP), f.H264.PacketizationMode, 0)
	c.start(ctx, c.run)
	return c, nil
}

// openVideo picks the shipped pattern that the far side takes, or a file.
func openVideo(source string, f media.H264Format) ([]byte, error) {
	switch small := source == "pattern360" || smallH264(f); {
	case source != "pattern" && source != "pattern360":
		return os.ReadFile(source)
	case f.PacketizationMode == 0:
		return patterns.ReadFile("pattern/360p-slices.h264")
	case small:
		return patterns.ReadFile("pattern/360p.h264")
	}
	return patterns.ReadFile("pattern/720p.h264")
}

// smallH264 reports a receiver that does not take 1280x720 at 30 a second.
func smallH264(f media.H264Format) bool {
	const macroblocks720p = 3600
	limits, _ := h264.Limits(f)
	return limits.FS < macroblocks720p || limits.MBPS < macroblocks720p*patternFPS
}

// splitPictures groups a byte stream by pictures and finds its frame rate.
func splitPictures(data []byte) (pictures [][][]byte, fps float64, err error) {
	fps = patternFPS
	sliced := true // the units to come open a new picture
	for _, nal := range h264.SplitAnnexB(data) {
		t := h264.TypeOf(nal)
		opens := !t.IsSlice()
		if !opens {
			_, first, err := h264.PPSOf(nal)
			if err != nil {
				return nil, 0, err
			}
			opens = first == 0
		}
		if t == h264.SPSUnit {
			if s, err := h264.ParseSPS(nal); err == nil && s.FPS >= 1 && s.FPS <= 60 {
				fps = s.FPS
			}
		}
		if opens && sliced {
			pictures, sliced = append(pictures, nil), false
		}
		sliced = sliced || t.IsSlice()
		pictures[len(pictures)-1] = append(pictures[len(pictures)-1], nal)
	}
	if len(pictures) == 0 || !sliced {
		return nil, 0, fmt.Errorf("not an H.264 byte stream")
	}
	return pictures, fps, nil
}

// RequestKeyframe implements media.Track.
func (c *camera) RequestKeyframe() { c.wanted.Store(true) }

// TakeBitrate implements media.BitrateTaker.
func (c *camera) TakeBitrate(bps int) { c.bound.Store(int64(bps)) }

// choose takes the clip that fits what is asked for.
func (c *camera) choose() {
	if c.small == nil {
		return
	}
	bound := c.bound.Load()
	clip := c.large
	if bound > 0 && bound < bitrate720p {
		clip = c.small
	}
	if &clip[0] != &c.pictures[0] {
		c.pictures, c.at = clip, 0 // which is an IDR
	}
}

func (c *camera) run(ctx context.Context) {
	every := time.Duration(float64(time.Second) / c.fps)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	start, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for ; sent < int(now.Sub(start)/every); sent++ {
				c.show()
			}
		}
	}
}

// show sends the next picture.
func (c *camera) show() {
	c.choose()
	if c.wanted.Swap(false) {
		for range c.pictures {
			if hasIDR(c.pictures[c.at]) {
				break
			}
			c.at = (c.at + 1) % len(c.pictures)
		}
	}
	picture := c.pictures[c.at]
	c.at = (c.at + 1) % len(c.pictures)
	for i, nal := range picture {
		_ = c.packets.Write(h264.Unit{NAL: nal, Timestamp: c.stamp, Last: i == len(picture)-1})
	}
	c.stamp += uint32(90000 / c.fps)
}

func hasIDR(picture [][]byte) bool {
	for _, nal := range picture {
		if h264.TypeOf(nal) == h264.IDR {
			return true
		}
	}
	return false
}
