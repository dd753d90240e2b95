package frame

import (
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// Size reads the size of the picture that begins at a frame, where the frame
// says it: at keyframes of H.264 and VP8, at every picture of H.263 and H.261.
func Size(c media.Codec, data []byte) (width, height int, ok bool) {
	switch {
	case c.Is(string(media.H264)):
		for nal, rest := h264.NextAnnexB(data); len(nal) > 0; nal, rest = h264.NextAnnexB(rest) {
			if s, err := h264.ParseSPS(nal); err == nil {
				return s.Width, s.Height, true
			}
		}
	case c.Is(string(media.VP8)): // RFC 6386 §9.1
		if len(data) >= 10 && data[0]&1 == 0 {
			return int(data[6]) | int(data[7]&0x3f)<<8, int(data[8]) | int(data[9]&0x3f)<<8, true
		}
	case c.Is(string(media.H261)): // §4.2.1: PTYPE bit 4
		if len(data) >= 4 && data[0] == 0 && data[1] == 1 {
			if data[3]&0x08 != 0 {
				return 352, 288, true
			}
			return 176, 144, true
		}
	case c.Is(string(media.H263)), c.Is(string(media.H263Plus)), c.Is(string(media.H2632000)):
		if !h263Starts(data) {
			return 0, 0, false
		}
		// Source format 1 to 5 (H.263 §5.1.3); others state their size elsewhere.
		sizes := [...][2]int{1: {128, 96}, 2: {176, 144}, 3: {352, 288}, 4: {704, 576}, 5: {1408, 1152}}
		if s := readH263Header(data).source; s > 0 && int(s) < len(sizes) {
			return sizes[s][0], sizes[s][1], true
		}
	}
	return 0, 0, false
}
