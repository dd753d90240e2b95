package h264_test

import (
	"fmt"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// A browser's picture turned portrait does not fit a room terminal as it is.
func ExampleFits() {
	terminal := h264.Receiver{Format: media.H264Format{ProfileLevelID: 0x42801f, PacketizationMode: 1}}
	picture := h264.SPS{ProfileIDC: 66, Constraints: 0xc0, LevelIDC: 31, Width: 1280, Height: 720, Macroblocks: 3600, FrameMBsOnly: true}
	ok, _ := h264.Fits(h264.Facts{SPS: picture}, terminal)
	fmt.Println(picture, ok)
	picture.Width, picture.Height = 720, 1280
	_, reason := h264.Fits(h264.Facts{SPS: picture}, terminal)
	fmt.Println(reason)
	// Output:
	// Constrained Baseline level 3.1 1280x720 true
	// portrait picture 720x1280
}
