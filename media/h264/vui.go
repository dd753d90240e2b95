package h264

// readVUI is vui_parameters() of §E.1.1.
func (s *SPS) readVUI(c *cursor) {
	const extendedSAR = 255
	if c.flag("aspect_ratio_info_present_flag") && c.u("aspect_ratio_idc", 8) == extendedSAR {
		c.u("sar_width", 16)
		c.u("sar_height", 16)
	}
	if c.flag("overscan_info_present_flag") {
		c.u("overscan_appropriate_flag", 1)
	}
	if c.flag("video_signal_type_present_flag") {
		c.u("video_format", 3)
		c.u("video_full_range_flag", 1)
		if c.flag("colour_description_present_flag") {
			c.u("colour_description", 24)
		}
	}
	if c.flag("chroma_loc_info_present_flag") {
		c.ue("chroma_sample_loc_type_top_field", 5)
		c.ue("chroma_sample_loc_type_bottom_field", 5)
	}
	if c.flag("timing_info_present_flag") {
		s.readTiming(c)
	}
	nal := c.flag("nal_hrd_parameters_present_flag")
	if nal {
		skipHRD(c)
	}
	vcl := c.flag("vcl_hrd_parameters_present_flag")
	if vcl {
		skipHRD(c)
	}
	if nal || vcl {
		c.u("low_delay_hrd_flag", 1)
	}
	c.u("pic_struct_present_flag", 1)
	if c.flag("bitstream_restriction_flag") {
		s.readRestriction(c)
	}
}

// readTiming: a tick is a field, so a frame lasts two.
func (s *SPS) readTiming(c *cursor) {
	units := c.u("num_units_in_tick", 32)
	scale := c.u("time_scale", 32)
	c.u("fixed_frame_rate_flag", 1)
	if units > 0 {
		s.FPS = float64(scale) / float64(units) / 2
	}
}

func (s *SPS) readRestriction(c *cursor) {
	c.u("motion_vectors_over_pic_boundaries_flag", 1)
	c.ue("max_bytes_per_pic_denom", 16)
	c.ue("max_bits_per_mb_denom", 16)
	c.ue("log2_max_mv_length_horizontal", 16)
	c.ue("log2_max_mv_length_vertical", 16)
	s.ReorderFrames = int(c.ue("max_num_reorder_frames", maxRefFrames))
	c.ue("max_dec_frame_buffering", maxRefFrames)
}

// skipHRD is hrd_parameters() of §E.1.2.
func skipHRD(c *cursor) {
	count := c.ue("cpb_cnt_minus1", 31) + 1
	c.u("bit_rate_scale", 4)
	c.u("cpb_size_scale", 4)
	for range count {
		c.ue("bit_rate_value_minus1", 1<<32-2)
		c.ue("cpb_size_value_minus1", 1<<32-2)
		c.u("cbr_flag", 1)
	}
	c.u("hrd_lengths", 20)
}
