package video_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/videotest"
)

var update = flag.Bool("update", false, "make the clips of testdata/video anew, by ffmpeg")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	cifWidth, cifHeight = 352, 288
	clipIdentity        = 21
)

func format(c media.Codec) media.Format { return media.Format{Codec: c, ClockRate: 90000} }

func h264Format(mode uint8, level uint32) media.Format {
	f := format(media.H264)
	f.H264 = media.H264Format{ProfileLevelID: 0x42e000 | level, PacketizationMode: mode}
	return f
}

// stored reads a clip from testdata/video.
func stored(t testing.TB, name string, f media.Format, w, h int, ffmpeg ...string) *videotest.Clip {
	t.Helper()
	file := "../../testdata/video/" + name + ".ivf"
	if *update {
		record(t, file, w, h, ffmpeg)
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	c := &videotest.Clip{Format: f, Width: w, Height: h, Identity: clipIdentity}
	for rest := data[32:]; len(rest) > 12; {
		n := int(binary.LittleEndian.Uint32(rest))
		c.Frames = append(c.Frames, rest[12:12+n])
		rest = rest[12+n:]
	}
	require.Len(t, c.Frames, videotest.Frames)
	switch f.Codec {
	case media.VP9:
		c.Payloader = func() rtp.Payloader { return &codecs.VP9Payloader{} }
	case media.AV1:
		c.Payloader = func() rtp.Payloader { return &codecs.AV1Payloader{} }
	}
	return c
}

// record codes test cards with ffmpeg, into an IVF file of any codec.
func record(t testing.TB, file string, w, h int, args []string) {
	t.Helper()
	var raw []byte
	for i := range videotest.Frames {
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
