package terminal

import (
	"context"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// The pattern sent is one that the far side takes.
func TestCameraChoosesPattern(t *testing.T) {
	send := func(f media.H264Format, limit int) media.Stream {
		return media.Stream{Role: media.Main, Send: media.Format{Codec: media.H264, ClockRate: 90000, H264: f}, MaxSend: limit}
	}
	for _, tc := range []struct {
		name   string
		stream media.Stream
		first  int // bytes of the first picture's slice: tells the patterns apart
		slices bool
	}{
		{"720p", send(media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}, 0), 0, false},
		{"level 3.0", send(media.H264Format{ProfileLevelID: 0x42e01e, PacketizationMode: 1}, 0), 1, false},
		{"512 kbit/s", send(media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}, 512_000), 1, false},
		{"raised size", send(media.H264Format{ProfileLevelID: 0x428016, MaxFS: 8160, MaxMBPS: 490000, PacketizationMode: 1}, 0), 0, false},
		{"mode 0", send(media.H264Format{ProfileLevelID: 0x42e01f}, 0), 2, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := newCamera(context.Background(), "pattern", tc.stream, 0)
			require.NoError(t, err)
			defer c.stop()
			var want []int
			for _, name := range []string{"720p", "360p", "360p-slices"} {
				data, err := patterns.ReadFile("pattern/" + name + ".h264")
				require.NoError(t, err)
				pictures, _, err := splitPictures(data)
				require.NoError(t, err)
				want = append(want, len(pictures[0][2]))
			}
			assert.Equal(t, want[tc.first], len(c.pictures[0][2]))
			assert.Equal(t, tc.slices, len(c.pictures[0]) > 4)
		})
	}
}

// A clip is played as fast as it is asked to.
func TestCameraRate(t *testing.T) {
	for fps, apart := range map[float64]uint32{0: 3000, 10: 9000} {
		c, err := newCamera(t.Context(), "pattern360", media.Stream{Role: media.Main, Send: media.Format{
			Codec: media.H264, ClockRate: 90000, H264: media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1},
		}}, fps)
		require.NoError(t, err)
		stamps := make(chan uint32, 100)
		began := time.Now()
		c.Attach(media.WriterFunc(func(p *rtp.Packet) error {
			if p.Marker {
				select {
				case stamps <- p.Timestamp:
				default:
				}
			}
			return nil
		}))
		first := <-stamps
		assert.Equal(t, apart, <-stamps-first)
		<-stamps
		assert.Greater(t, time.Since(began), 2*time.Duration(apart)*time.Second/90000*9/10)
		c.stop()
	}
}

func TestCameraRefusesOtherFiles(t *testing.T) {
	for _, data := range []string{"", "no video", "\x00\x00\x01\x67\x42", "\x00\x00\x01\x65"} {
		_, _, err := splitPictures([]byte(data))
		assert.Error(t, err, "%q", data)
	}
}
