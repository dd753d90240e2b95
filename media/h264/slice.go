package h264

import (
	"errors"
	"fmt"
	"math/bits"
)

// SliceHeader holds the first fields of slice_header(), §7.3.3.
type SliceHeader struct {
	FirstMB  uint32
	Type     SliceType
	PPS      uint8
	FrameNum uint32
	Field    bool   // of an interlaced picture
	IDRPicID uint16 // of IDR slices

	idrAt, idrBits int // where idr_pic_id stands, in bits of the RBSP
	end            int // bits in the whole header, once known
}

// SliceType is slice_type modulo 5, Table 7-6.
type SliceType uint8

// Slice types.
const (
	SliceP SliceType = iota
	SliceB
	SliceI
	SliceSP
	SliceSI
)

// ParseSliceHeader reads the header of a slice up to idr_pic_id; nal holds at
// least the start of the unit, header byte included. sps and pps must be those
// that PPSOf names.
func ParseSliceHeader(nal []byte, sps *SPS) (SliceHeader, error) {
	c, h := readSliceHeader(nal, sps)
	if c.err != nil {
		return SliceHeader{}, fmt.Errorf("slice: %w", c.err)
	}
	return h, nil
}

// PPSOf reads which picture parameter set a slice refers to, and the first
// macroblock it covers (0: the slice opens a picture).
func PPSOf(nal []byte) (id uint8, firstMB uint32, err error) {
	if !TypeOf(nal).IsSlice() {
		return 0, 0, errors.New("slice: not a slice")
	}
	c := cursor{data: nal[1:]}
	firstMB = c.ue("first_mb_in_slice", maxSideMBs*maxSideMBs-1)
	c.ue("slice_type", 9)
	id = uint8(c.ue("pic_parameter_set_id", 255))
	if c.err != nil {
		return 0, 0, fmt.Errorf("slice: %w", c.err)
	}
	return id, firstMB, nil
}

func readSliceHeader(nal []byte, sps *SPS) (cursor, SliceHeader) {
	var h SliceHeader
	if !TypeOf(nal).IsSlice() {
		return cursor{err: errors.New("not a slice")}, h
	}
	c := cursor{data: nal[1:]}
	h.FirstMB = c.ue("first_mb_in_slice", maxSideMBs*maxSideMBs-1)
	h.Type = SliceType(c.ue("slice_type", 9) % 5)
	h.PPS = uint8(c.ue("pic_parameter_set_id", 255))
	if sps.separatePlanes {
		c.u("colour_plane_id", 2)
	}
	h.FrameNum = c.u("frame_num", sps.FrameNumBits)
	if !sps.FrameMBsOnly {
		if h.Field = c.flag("field_pic_flag"); h.Field {
			c.u("bottom_field_flag", 1)
		}
	}
	if TypeOf(nal) == IDR {
		h.idrAt = c.read
		h.IDRPicID = uint16(c.ue("idr_pic_id", 65535))
		h.idrBits = c.read - h.idrAt
	}
	return c, h
}

// readIDRHeader reads the header of an IDR slice to its end. Such slices are
// I or SI, which leaves out everything about reference lists.
func readIDRHeader(nal []byte, sps *SPS, pps *PPS) (SliceHeader, error) {
	c, h := readSliceHeader(nal, sps)
	if TypeOf(nal) != IDR || h.Type != SliceI && h.Type != SliceSI {
		c.fail("slice_type", errors.New("not an intra slice of an IDR picture"))
	}
	switch {
	case sps.POCType == 0:
		c.u("pic_order_cnt_lsb", sps.pocLSBBits)
		if pps.bottomPOC && !h.Field {
			c.se("delta_pic_order_cnt_bottom")
		}
	case sps.POCType == 1 && !sps.noPOCDelta:
		c.se("delta_pic_order_cnt[0]")
		if pps.bottomPOC && !h.Field {
			c.se("delta_pic_order_cnt[1]")
		}
	}
	if pps.redundant {
		c.ue("redundant_pic_cnt", 127)
	}
	c.u("dec_ref_pic_marking", 2) // of an IDR picture: two flags, §7.3.3.3
	c.se("slice_qp_delta")
	if h.Type == SliceSI {
		c.se("slice_qs_delta")
	}
	if pps.deblockControl && c.ue("disable_deblocking_filter_idc", 2) != 1 {
		c.se("slice_alpha_c0_offset_div2")
		c.se("slice_beta_offset_div2")
	}
	if pps.SliceGroups > 1 && pps.groupMapType >= 3 && pps.groupMapType <= 5 {
		c.u("slice_group_change_cycle", bits.Len(uint((sps.mapUnits+pps.groupRate-1)/pps.groupRate)))
	}
	h.end = c.read
	if c.err != nil {
		return SliceHeader{}, fmt.Errorf("slice: %w", c.err)
	}
	return h, nil
}
