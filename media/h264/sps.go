package h264

import (
	"errors"
	"fmt"
)

// SPS is what a sequence parameter set states (§7.3.2.1.1), as far as the
// gateway uses it.
type SPS struct {
	ID            uint8
	ProfileIDC    uint8
	Constraints   uint8 // constraint_set0_flag is the top bit
	LevelIDC      uint8
	Width, Height int // of the picture shown, after cropping
	Macroblocks   int // of a coded frame
	RefFrames     int
	FrameMBsOnly  bool    // no interlaced coding
	GapsAllowed   bool    // gaps_in_frame_num_value_allowed_flag
	FrameNumBits  int     // length of frame_num in slice headers
	POCType       uint8   // pic_order_cnt_type; 2 excludes reordering
	FPS           float64 // from the VUI; 0 = not stated
	ReorderFrames int     // max_num_reorder_frames of the VUI; -1 = not stated

	chroma         uint8 // chroma_format_idc
	separatePlanes bool  // separate_colour_plane_flag
	pocLSBBits     int
	noPOCDelta     bool // delta_pic_order_always_zero_flag
	mapUnits       int  // PicSizeInMapUnits
}

// Bounds of §A.3: the widest picture of level 6.2, and the longest DPB.
const (
	maxSideMBs   = 1055
	maxRefFrames = 16
)

// ParseSPS reads a sequence parameter set NAL unit, header byte included.
func ParseSPS(nal []byte) (SPS, error) {
	if TypeOf(nal) != SPSUnit {
		return SPS{}, errors.New("sps: not a sequence parameter set")
	}
	c := cursor{data: nal[1:]}
	s := SPS{ReorderFrames: -1, chroma: 1}
	s.ProfileIDC = uint8(c.u("profile_idc", 8))
	s.Constraints = uint8(c.u("constraint_set_flags", 8))
	s.LevelIDC = uint8(c.u("level_idc", 8))
	s.ID = uint8(c.ue("seq_parameter_set_id", 31))
	if extendedChroma(s.ProfileIDC) {
		s.readChroma(&c)
	}
	s.readOrder(&c)
	s.readSize(&c)
	if c.flag("vui_parameters_present_flag") {
		s.readVUI(&c)
	}
	c.stop()
	if c.err != nil {
		return SPS{}, fmt.Errorf("sps: %w", c.err)
	}
	return s, nil
}

// extendedChroma lists the profiles whose SPS states a chroma format.
func extendedChroma(profile uint8) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

func (s *SPS) readChroma(c *cursor) {
	s.chroma = uint8(c.ue("chroma_format_idc", 3))
	if s.chroma == 3 {
		s.separatePlanes = c.flag("separate_colour_plane_flag")
	}
	c.ue("bit_depth_luma_minus8", 6)
	c.ue("bit_depth_chroma_minus8", 6)
	c.u("qpprime_y_zero_transform_bypass_flag", 1)
	if !c.flag("seq_scaling_matrix_present_flag") {
		return
	}
	lists := 8
	if s.chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if c.flag("seq_scaling_list_present_flag") {
			size := 16
			if i >= 6 {
				size = 64
			}
			skipScalingList(c, size)
		}
	}
}

// skipScalingList is scaling_list() of §7.3.2.1.1.1.
func skipScalingList(c *cursor, size int) {
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + c.se("delta_scale") + 256) % 256
		}
		if next != 0 {
			last = next
		}
		if c.err != nil {
			return
		}
	}
}

// readOrder reads what decides the order of pictures.
func (s *SPS) readOrder(c *cursor) {
	s.FrameNumBits = int(c.ue("log2_max_frame_num_minus4", 12)) + 4
	s.POCType = uint8(c.ue("pic_order_cnt_type", 2))
	switch s.POCType {
	case 0:
		s.pocLSBBits = int(c.ue("log2_max_pic_order_cnt_lsb_minus4", 12)) + 4
	case 1:
		s.noPOCDelta = c.flag("delta_pic_order_always_zero_flag")
		c.se("offset_for_non_ref_pic")
		c.se("offset_for_top_to_bottom_field")
		for range c.ue("num_ref_frames_in_pic_order_cnt_cycle", 255) {
			c.se("offset_for_ref_frame")
		}
	}
	s.RefFrames = int(c.ue("max_num_ref_frames", maxRefFrames))
	s.GapsAllowed = c.flag("gaps_in_frame_num_value_allowed_flag")
}

// readSize reads the coded size and the cropping (§7.4.2.1.1).
func (s *SPS) readSize(c *cursor) {
	width := int(c.ue("pic_width_in_mbs_minus1", maxSideMBs-1)) + 1
	height := int(c.ue("pic_height_in_map_units_minus1", maxSideMBs-1)) + 1
	s.mapUnits = width * height
	s.FrameMBsOnly = c.flag("frame_mbs_only_flag")
	if !s.FrameMBsOnly {
		c.u("mb_adaptive_frame_field_flag", 1)
		height *= 2
	}
	c.u("direct_8x8_inference_flag", 1)
	s.Macroblocks = width * height
	s.Width, s.Height = width*16, height*16
	if !c.flag("frame_cropping_flag") {
		return
	}
	unitX, unitY := s.cropUnits()
	limit := uint32(maxSideMBs * 16)
	left, right := c.ue("frame_crop_left_offset", limit), c.ue("frame_crop_right_offset", limit)
	top, bottom := c.ue("frame_crop_top_offset", limit), c.ue("frame_crop_bottom_offset", limit)
	s.Width -= int(left+right) * unitX
	s.Height -= int(top+bottom) * unitY
	if s.Width <= 0 || s.Height <= 0 {
		c.fail("frame_crop", errors.New("nothing is left of the picture"))
	}
}

func (s *SPS) cropUnits() (x, y int) {
	x, y = 1, 1
	if !s.separatePlanes && (s.chroma == 1 || s.chroma == 2) {
		x = 2
	}
	if !s.separatePlanes && s.chroma == 1 {
		y = 2
	}
	if !s.FrameMBsOnly {
		y *= 2
	}
	return x, y
}

// ConstrainedBaseline reports whether every H.264 decoder decodes the profile
// (§A.2.1.1).
func (s SPS) ConstrainedBaseline() bool {
	const set0, set1 = 0x80, 0x40
	switch s.ProfileIDC {
	case 66:
		return s.Constraints&set1 != 0
	case 77, 88, 100:
		return s.Constraints&(set0|set1) == set0|set1
	}
	return false
}

func (s SPS) String() string {
	return fmt.Sprintf("%s level %s %dx%d", profileName(uint32(s.ProfileIDC), uint32(s.Constraints)), levelName(s.Level()), s.Width, s.Height)
}
