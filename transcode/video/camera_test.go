package video_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/engine"
)

var update = flag.Bool("update", false, "make the clips of testdata/video anew, by ffmpeg")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	cifWidth, cifHeight = 352, 288
	clipFrames          = 45
	clipIdentity        = 21
)

// clip is coded pictures of test cards 0, 1, 2, ... of one identity.
type clip struct {
	format  media.Format
	frames  []frame.Frame
	side    [][]byte
	w, h    int
	payload func() rtp.Payloader // of codecs that are only decoded
}

func format(c media.Codec) media.Format { return media.Format{Codec: c, ClockRate: 90000} }

func h264Format(mode uint8, level uint32) media.Format {
	f := format(media.H264)
	f.H264 = media.H264Format{ProfileLevelID: 0x42e000 | level, PacketizationMode: mode}
	return f
}

// encoded makes a clip with the worker's own encoders.
func encoded(t testing.TB, f media.Format, w, h, unit int) *clip {
	t.Helper()
	number := map[media.Codec]engine.Codec{
		media.H264: engine.H264, media.VP8: engine.VP8, media.H263: engine.H263, media.H263Plus: engine.H263, media.H261: engine.H261,
	}[f.Codec]
	e, err := engine.NewEncoder(engine.Encoding{Codec: number, Width: w, Height: h, Bitrate: 1_200_000, FPS: 30, MaxUnit: unit, Level: 31})
	require.NoError(t, err)
	defer e.Close()
	p, err := engine.NewPicture(w, h)
	require.NoError(t, err)
	defer p.Release()
	c := &clip{format: f, w: w, h: h}
	for i := range clipFrames {
		require.NoError(t, p.Import(testcard.Draw(nil, w, h, testcard.Card{Identity: clipIdentity, Counter: i})))
		coded, err := e.Encode(p, time.Duration(i)*time.Second/30, i == 0)
		require.NoError(t, err)
		c.frames = append(c.frames, frame.Frame{Data: bytes.Clone(coded.Data), Keyframe: coded.Keyframe})
		c.side = append(c.side, bytes.Clone(coded.Side))
	}
	return c
}

// stored reads a clip from testdata/video.
func stored(t testing.TB, name string, f media.Format, w, h int, ffmpeg ...string) *clip {
	t.Helper()
	file := "../../testdata/video/" + name + ".ivf"
	if *update {
		record(t, file, w, h, ffmpeg)
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	c := &clip{format: f, w: w, h: h}
	for rest := data[32:]; len(rest) > 12; {
		n := int(binary.LittleEndian.Uint32(rest))
		c.frames = append(c.frames, frame.Frame{Data: rest[12 : 12+n]})
		rest = rest[12+n:]
	}
	require.Len(t, c.frames, clipFrames)
	switch f.Codec {
	case media.VP9:
		c.payload = func() rtp.Payloader { return &codecs.VP9Payloader{} }
	case media.AV1:
		c.payload = func() rtp.Payloader { return &codecs.AV1Payloader{} }
	}
	return c
}

// record codes test cards with ffmpeg, into an IVF file of any codec.
func record(t testing.TB, file string, w, h int, args []string) {
	t.Helper()
	var raw []byte
	for i := range clipFrames {
		raw = append(raw, testcard.Draw(nil, w, h, testcard.Card{Identity: clipIdentity, Counter: i})...)
	}
	kind := "ivf"
	if args[1] == "libx264" {
		kind = "h264"
	}
	line := append([]string{"-v", "error", "-f", "rawvideo", "-s", fmt.Sprintf("%dx%d", w, h), "-r", "30", "-i", "-"}, args...)
	cmd := exec.Command("ffmpeg", append(line, "-f", kind, "-")...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	if kind == "h264" {
		out = ivfOf(out)
	}
	require.NoError(t, os.WriteFile(file, out, 0o644))
}

// ivfOf puts pictures, each behind an access unit delimiter, into an IVF file.
func ivfOf(stream []byte) []byte {
	out := make([]byte, 32)
	copy(out, "DKIF")
	var pictures [][]byte
	for _, nal := range h264.SplitAnnexB(stream) {
		if h264.TypeOf(nal) == h264.Delimiter {
			pictures = append(pictures, nil)
			continue
		}
		last := &pictures[len(pictures)-1]
		*last = h264.AppendAnnexB(*last, nal)
	}
	for i, p := range pictures {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(p)))
		out = append(binary.LittleEndian.AppendUint64(out, uint64(i)), p...)
	}
	return out
}

// camera plays a clip as a track, as fast as it is told.
type camera struct {
	id   string
	clip *clip
	done chan struct{}
	keys chan struct{}

	mu       sync.Mutex
	writers  []media.Writer
	packets  *frame.Packetizer
	payloads rtp.Payloader
	plain    rtp.Packet
	stamp    uint32
	next     int               // picture of the clip
	sentAt   map[int]time.Time // by counter
	damage   func(p *rtp.Packet) bool
}

func newCamera(t testing.TB, id string, c *clip) *camera {
	t.Helper()
	cam := &camera{id: id, clip: c, done: make(chan struct{}), keys: make(chan struct{}, 100), stamp: 1000, sentAt: map[int]time.Time{}}
	cam.plain = rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65500}}
	if c.payload != nil {
		cam.payloads = c.payload()
	} else {
		var err error
		cam.packets, err = frame.NewPacketizer(media.WriterFunc(cam.fan), c.format, 0)
		require.NoError(t, err)
	}
	return cam
}

func (c *camera) ID() string            { return c.id }
func (c *camera) Role() media.Role      { return media.Main }
func (c *camera) Format() media.Format  { return c.clip.format }
func (c *camera) Done() <-chan struct{} { return c.done }

func (c *camera) RequestKeyframe() {
	select {
	case c.keys <- struct{}{}:
	default:
	}
}

func (c *camera) Attach(w media.Writer) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writers = append(c.writers, w)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, o := range c.writers {
			if o == w {
				c.writers = append(c.writers[:i], c.writers[i+1:]...)
				return
			}
		}
	}
}

func (c *camera) fan(p *rtp.Packet) error {
	if c.damage != nil && c.damage(p) {
		return nil
	}
	for _, w := range c.writers {
		_ = w.WriteRTP(p)
	}
	return nil
}

// show sends the next picture of the clip, or its first, the only keyframe,
// when that was asked for.
func (c *camera) show() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.keys:
		c.next = 0
	default:
	}
	i := c.next
	c.next = (i + 1) % len(c.clip.frames)
	c.stamp += 3000
	c.sentAt[i] = time.Now()
	f := c.clip.frames[i]
	if c.packets != nil {
		var side []byte
		if c.clip.side != nil {
			side = c.clip.side[i]
		}
		f.Timestamp = c.stamp
		_ = c.packets.Write(f, side)
		return
	}
	payloads := c.payloads.Payload(1188, f.Data)
	for k, payload := range payloads {
		c.plain.SequenceNumber++
		c.plain.Timestamp, c.plain.Marker, c.plain.Payload = c.stamp, k == len(payloads)-1, payload
		_ = c.fan(&c.plain)
	}
}

func (c *camera) sent(i int) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sentAt[i]
}
