package h264

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// vectors made by testdata/video/generate.sh.
var vectors = []string{
	"baseline", "baseline-slices", "main-cabac", "high-cabac", "high-fields", "intra", "portrait", "big-idr",
}

func vector(tb testing.TB, name string) [][]byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/video", name+".h264"))
	require.NoError(tb, err)
	units := SplitAnnexB(data)
	require.NotEmpty(tb, units)
	return units
}

// pictures groups units into access units by the first_mb_in_slice of slices:
// every unit before the first slice of a picture belongs to that picture.
func pictures(tb testing.TB, units [][]byte) [][][]byte {
	tb.Helper()
	var out [][][]byte
	sliced := true
	for _, nal := range units {
		starts := !TypeOf(nal).IsSlice()
		if !starts {
			_, first, err := PPSOf(nal)
			require.NoError(tb, err)
			starts = first == 0
		}
		if starts && sliced {
			out = append(out, nil)
			sliced = false
		}
		sliced = sliced || TypeOf(nal).IsSlice()
		out[len(out)-1] = append(out[len(out)-1], nal)
	}
	return out
}

// packets packetizes a vector as a terminal would, at 25 pictures a second.
func packets(tb testing.TB, units [][]byte, mode uint8, maxPacket int) []*rtp.Packet {
	tb.Helper()
	var out []*rtp.Packet
	p := NewPacketizer(media.WriterFunc(func(p *rtp.Packet) error {
		c := p.Clone()
		out = append(out, c)
		return nil
	}), mode, maxPacket)
	for i, picture := range pictures(tb, units) {
		for j, nal := range picture {
			require.NoError(tb, p.Write(Unit{nal, uint32(i) * 3600, j == len(picture)-1}))
		}
	}
	return out
}

// collector gathers what comes out of a stage.
type collector struct {
	packets []*rtp.Packet
	units   [][]byte
	lost    int
	depack  *Depacketizer
}

func newCollector() *collector {
	c := &collector{}
	c.depack = NewDepacketizer(func(u Unit) { c.units = append(c.units, bytes.Clone(u.NAL)) }, func(n int) { c.lost += n })
	return c
}

func (c *collector) WriteRTP(p *rtp.Packet) error {
	c.packets = append(c.packets, p.Clone())
	return c.depack.WriteRTP(p)
}

func (c *collector) annexB() []byte {
	var out []byte
	for _, nal := range c.units {
		out = AppendAnnexB(out, nal)
	}
	return out
}

// decode gives the number of pictures ffmpeg decodes from a byte stream, and
// the hash of them all; it fails the test on any complaint of the decoder.
func decode(t *testing.T, stream []byte) (pictures int, hash string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is missing: decoding is NOT verified; run make setup-test")
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-xerror", "-f", "h264", "-i", "-", "-f", "framemd5", "-")
	cmd.Stdin = bytes.NewReader(stream)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	require.Empty(t, errs.String())
	sum := md5.New()
	for line := range bytes.Lines(out.Bytes()) {
		if line[0] == '#' {
			continue
		}
		pictures++
		fields := bytes.Split(line, []byte(","))
		sum.Write(fields[len(fields)-1])
	}
	return pictures, fmt.Sprintf("%x", sum.Sum(nil))
}

func annexB(units [][]byte) []byte {
	return (&collector{units: units}).annexB()
}
