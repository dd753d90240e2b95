package h264

import (
	"errors"
	"fmt"
	"math/bits"
)

// PPS is what a picture parameter set states (§7.3.2.2), as far as slice
// headers depend on it.
type PPS struct {
	ID, SPS        uint8
	CABAC          bool // entropy_coding_mode_flag
	SliceGroups    int
	bottomPOC      bool  // bottom_field_pic_order_in_frame_present_flag
	groupMapType   uint8 // slice_group_map_type
	groupRate      int   // SliceGroupChangeRate
	deblockControl bool  // deblocking_filter_control_present_flag
	redundant      bool  // redundant_pic_cnt_present_flag
}

// ParsePPS reads a picture parameter set NAL unit, header byte included.
func ParsePPS(nal []byte) (PPS, error) {
	if TypeOf(nal) != PPSUnit {
		return PPS{}, errors.New("pps: not a picture parameter set")
	}
	c := cursor{data: nal[1:]}
	p := PPS{SliceGroups: 1}
	p.ID = uint8(c.ue("pic_parameter_set_id", 255))
	p.SPS = uint8(c.ue("seq_parameter_set_id", 31))
	p.CABAC = c.flag("entropy_coding_mode_flag")
	p.bottomPOC = c.flag("bottom_field_pic_order_in_frame_present_flag")
	p.SliceGroups += int(c.ue("num_slice_groups_minus1", 7))
	if p.SliceGroups > 1 {
		p.readSliceGroups(&c)
	}
	c.ue("num_ref_idx_l0_default_active_minus1", 31)
	c.ue("num_ref_idx_l1_default_active_minus1", 31)
	c.u("weighted_pred_flag", 1)
	c.u("weighted_bipred_idc", 2)
	c.se("pic_init_qp_minus26")
	c.se("pic_init_qs_minus26")
	c.se("chroma_qp_index_offset")
	p.deblockControl = c.flag("deblocking_filter_control_present_flag")
	c.u("constrained_intra_pred_flag", 1)
	p.redundant = c.flag("redundant_pic_cnt_present_flag")
	if !c.moreData() { // what follows, in High profile, changes no slice header
		c.stop()
	}
	if c.err != nil {
		return PPS{}, fmt.Errorf("pps: %w", c.err)
	}
	return p, nil
}

// readSliceGroups: the map of macroblocks to slice groups (FMO).
func (p *PPS) readSliceGroups(c *cursor) {
	const anyMapUnit = maxSideMBs*maxSideMBs - 1
	p.groupMapType = uint8(c.ue("slice_group_map_type", 6))
	switch p.groupMapType {
	case 0:
		for range p.SliceGroups {
			c.ue("run_length_minus1", anyMapUnit)
		}
	case 2:
		for range p.SliceGroups - 1 {
			c.ue("top_left", anyMapUnit)
			c.ue("bottom_right", anyMapUnit)
		}
	case 3, 4, 5:
		c.u("slice_group_change_direction_flag", 1)
		p.groupRate = int(c.ue("slice_group_change_rate_minus1", anyMapUnit)) + 1
	case 6:
		idBits := bits.Len(uint(p.SliceGroups - 1))
		for range c.ue("pic_size_in_map_units_minus1", anyMapUnit) + 1 {
			if c.u("slice_group_id", idBits); c.err != nil {
				return
			}
		}
	}
}
