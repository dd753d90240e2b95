package terminal

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// shown packetizes n pictures of a shipped pattern.
func shown(t *testing.T, source string, mode uint8, n int) [][]*rtp.Packet {
	t.Helper()
	f := media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: mode}
	data, err := openVideo(source, f)
	require.NoError(t, err)
	pictures, fps, err := splitPictures(data)
	require.NoError(t, err)
	require.InDelta(t, 30, fps, 0.1)
	var out [][]*rtp.Packet
	p := h264.NewPacketizer(media.WriterFunc(func(p *rtp.Packet) error {
		out[len(out)-1] = append(out[len(out)-1], p.Clone())
		return nil
	}), mode, 0)
	for i := range n {
		out = append(out, nil)
		picture := pictures[i%len(pictures)]
		for j, nal := range picture {
			require.NoError(t, p.Write(h264.Unit{NAL: nal, Timestamp: uint32(i) * 3000, Last: j == len(picture)-1}))
		}
	}
	return out
}

func TestEyeCounts(t *testing.T) {
	for _, tc := range []struct {
		name      string
		source    string
		mode      uint8
		drop      func(picture, packet int) bool
		frames    int
		keyframes int
		size      string
		asks      bool
	}{
		{"all of 720p", "pattern", 1, nil, 95, 4, "1280x720", false},
		{"mode 0", "pattern", 0, nil, 95, 4, "640x360", false},
		{"all of 360p", "pattern360", 1, nil, 95, 4, "640x360", false},
		// Pictures 0..9 count, 10..29 lack a reference, 30 is an IDR.
		{"a packet lost", "pattern", 1, func(p, n int) bool { return p == 10 && n == 1 }, 95 - 20, 4, "1280x720", true},
		{"begun in the middle", "pattern", 1, func(p, n int) bool { return p < 5 }, 95 - 30, 3, "1280x720", true},
		{"an IDR lost", "pattern", 1, func(p, n int) bool { return p == 30 }, 95 - 30, 3, "1280x720", true},
		{"no parameter sets", "pattern", 1, func(p, n int) bool { return n == 0 && p%30 == 0 || n == 1 && p%30 == 0 }, 0, 0, "0x0", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := newEye("")
			require.NoError(t, err)
			asked := false
			e.ask(func() { asked = true })
			began := time.Now()
			for i, picture := range shown(t, tc.source, tc.mode, 95) {
				for j, p := range picture {
					if tc.drop == nil || !tc.drop(i, j) {
						require.NoError(t, e.WriteRTP(p))
					}
				}
			}
			r, err := e.report(began)
			require.NoError(t, err)
			assert.Equal(t, tc.frames, r.Frames)
			assert.Equal(t, tc.keyframes, r.Keyframes)
			assert.Equal(t, tc.size, sizeOf(r))
			assert.Equal(t, tc.frames == 0, r.FirstMS < 0)
			assert.Equal(t, tc.asks, asked)
		})
	}
}

func sizeOf(r *VideoReport) string {
	if len(r.Sizes) == 0 {
		return "0x0"
	}
	return r.Sizes[len(r.Sizes)-1]
}

// A keyframe asked for comes at once, not at the end of the second.
func TestCameraAnswersKeyframeRequests(t *testing.T) {
	c := &camera{}
	data, err := openVideo("pattern", media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1})
	require.NoError(t, err)
	c.pictures, c.fps, err = splitPictures(data)
	require.NoError(t, err)
	e, err := newEye("")
	require.NoError(t, err)
	c.packets = h264.NewPacketizer(e, 1, 0)
	for range 7 {
		c.show()
	}
	c.RequestKeyframe()
	for range 3 {
		c.show()
	}
	r, err := e.report(time.Now())
	require.NoError(t, err)
	assert.Equal(t, 10, r.Frames, "a jump to an IDR breaks nothing")
	assert.Equal(t, 2, r.Keyframes)
}

func TestPatternsFitTheirNames(t *testing.T) {
	total := 0
	for name, want := range map[string]string{"720p": "1280x720", "360p": "640x360", "360p-slices": "640x360"} {
		data, err := patterns.ReadFile("pattern/" + name + ".h264")
		require.NoError(t, err)
		total += len(data)
		for _, nal := range h264.SplitAnnexB(data) {
			if h264.TypeOf(nal) == h264.SPSUnit {
				s, err := h264.ParseSPS(nal)
				require.NoError(t, err)
				assert.Contains(t, s.String(), want)
				assert.True(t, s.ConstrainedBaseline())
			}
			if name == "360p-slices" {
				assert.LessOrEqual(t, len(nal), h264.DefaultPacket-12)
			}
		}
	}
	assert.Less(t, total, 1_500_000)
}
