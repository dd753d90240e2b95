package h264

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media"
)

func stream(profile, constraints, level uint8, w, h int) SPS {
	return SPS{
		ProfileIDC: profile, Constraints: constraints, LevelIDC: level, Width: w, Height: h, FrameMBsOnly: true,
		Macroblocks: (w + 15) / 16 * ((h + 15) / 16), ReorderFrames: -1,
	}
}

func TestFits(t *testing.T) {
	cbp720 := stream(66, 0xc0, 31, 1280, 720)
	cbp1080 := stream(66, 0xc0, 40, 1920, 1080)
	take := func(id uint32) media.H264Format { return media.H264Format{ProfileLevelID: id, PacketizationMode: 1} }
	interlaced := stream(100, 0, 40, 1920, 1080)
	interlaced.FrameMBsOnly = false
	for _, tc := range []struct {
		name   string
		facts  Facts
		r      Receiver
		reason string // part of it; "" = fits
	}{
		{"720p at its level", Facts{SPS: cbp720}, Receiver{Format: take(0x42e01f)}, ""},
		{"720p at 30", Facts{SPS: cbp720, FPS: 30.5}, Receiver{Format: take(0x42801f)}, ""},
		{"720p at 60", Facts{SPS: cbp720, FPS: 60}, Receiver{Format: take(0x42801f)}, "pictures a second"},
		{"720p below its level", Facts{SPS: cbp720}, Receiver{Format: take(0x42801e)}, "level 3.1 where 3.0"},
		{"720p where the size is raised", Facts{SPS: cbp720}, Receiver{Format: media.H264Format{ProfileLevelID: 0x428016, PacketizationMode: 1, MaxFS: 8160, MaxMBPS: 490000, MaxBR: 5000}}, ""},
		{"1080p with max-fs", Facts{SPS: cbp1080}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42800d, PacketizationMode: 1, MaxFS: 8160, MaxMBPS: 489600}}, ""},
		{"1080p with max-fs but not the rate", Facts{SPS: cbp1080}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42800d, PacketizationMode: 1, MaxFS: 8160}}, "pictures a second"},
		{"1080p where 1344 macroblocks are taken", Facts{SPS: cbp1080}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42800d, PacketizationMode: 1, MaxFS: 1344, MaxMBPS: 40500}}, "8160 macroblocks where 1344"},
		{"1080p to level 3.1", Facts{SPS: cbp1080}, Receiver{Format: take(0x42e01f)}, "level 4.0 where 3.1"},
		{"Cisco's frame rate", Facts{SPS: cbp720, FPS: 30}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1, MaxFPS: 1500}}, "30 pictures a second where 15"},
		{"Baseline without slice groups", Facts{SPS: stream(66, 0, 31, 1280, 720), SliceGroups: 1}, Receiver{Format: take(0x42e01f)}, ""},
		{"slice groups", Facts{SPS: stream(66, 0, 31, 1280, 720), SliceGroups: 2}, Receiver{Format: take(0x42e01f)}, "slice groups"},
		{"Constrained Baseline to High", Facts{SPS: cbp720}, Receiver{Format: take(0x64001f)}, ""},
		{"Main to High", Facts{SPS: stream(77, 0, 31, 1280, 720)}, Receiver{Format: take(0x64001f)}, ""},
		{"Main to Baseline", Facts{SPS: stream(77, 0, 31, 1280, 720)}, Receiver{Format: take(0x42801f)}, "Main where Baseline"},
		{"High to Constrained Baseline", Facts{SPS: stream(100, 0, 31, 1280, 720)}, Receiver{Format: take(0x42e01f)}, "High where Constrained Baseline"},
		{"High to Constrained High", Facts{SPS: stream(100, 0, 31, 1280, 720)}, Receiver{Format: take(0x640c1f)}, "B pictures"},
		{"Constrained High to the same", Facts{SPS: stream(100, 0x0c, 31, 1280, 720)}, Receiver{Format: take(0x640c1f)}, ""},
		{"fields to Constrained High", Facts{SPS: interlaced}, Receiver{Format: take(0x640c28)}, "interlaced"},
		{"portrait", Facts{SPS: stream(66, 0xc0, 31, 720, 1280)}, Receiver{Format: take(0x42e01f)}, "portrait"},
		{"odd size", Facts{SPS: stream(66, 0xc0, 31, 1270, 714)}, Receiver{Format: take(0x42e01f)}, "unusual"},
		{"odd size, any taken", Facts{SPS: stream(66, 0xc0, 31, 1270, 714)}, Receiver{Format: take(0x42e01f), AnySize: true}, ""},
		{"mode 0, small slices", Facts{SPS: cbp720, LargestNAL: 1188}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f}}, ""},
		{"mode 0, slices as long as a path carries", Facts{SPS: cbp720, LargestNAL: 1391}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f}, MaxPacket: WholePacket}, ""},
		{"mode 0, a slice longer than that", Facts{SPS: cbp720, LargestNAL: 1425}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f}, MaxPacket: WholePacket}, "packetization mode 0"},
		{"mode 0, a slice too big", Facts{SPS: cbp720, LargestNAL: 1189}, Receiver{Format: media.H264Format{ProfileLevelID: 0x42e01f}}, "packetization mode 0"},
		{"bit rate within bounds", Facts{SPS: cbp720, Bitrate: 600_000}, Receiver{Format: take(0x42e01f), MaxBitrate: 512_000}, ""},
		{"bit rate above", Facts{SPS: cbp720, Bitrate: 1_500_000}, Receiver{Format: take(0x42e01f), MaxBitrate: 512_000}, "1500 kbit/s where 512"},
		{"bit rate above max-br", Facts{SPS: cbp720, Bitrate: 9_000_000}, Receiver{Format: media.H264Format{ProfileLevelID: 0x428016, PacketizationMode: 1, MaxFS: 8160, MaxMBPS: 490000, MaxBR: 5000}}, "9000 kbit/s where 5000"},
		{"unknown level", Facts{SPS: stream(66, 0xc0, 77, 1280, 720)}, Receiver{Format: take(0x42e01f)}, "unknown level_idc 77"},
		{"nothing stated is level 1", Facts{SPS: stream(66, 0xc0, 10, 176, 144), FPS: 15}, Receiver{Format: media.H264Format{PacketizationMode: 1, ProfileLevelID: 0x420000}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ok, reason := Fits(tc.facts, tc.r)
			assert.Equal(t, tc.reason == "", ok, reason)
			assert.True(t, strings.Contains(reason, tc.reason) && (reason == "") == ok, "%q", reason)
		})
	}
}

func TestLevels(t *testing.T) {
	l, ok := LevelOf(66, 0x10, 11)
	assert.True(t, ok)
	assert.Equal(t, "1b", levelName(l))
	l, _ = LevelOf(100, 0x10, 11)
	assert.Equal(t, "1.1", levelName(l))
	_, ok = LevelOf(66, 0, 14)
	assert.False(t, ok)
	for i := range levels[1:] {
		assert.True(t, levels[i+1].above(levels[i]))
		assert.False(t, levels[i].above(levels[i+1]))
		assert.False(t, levels[i].above(levels[i]))
	}
}
