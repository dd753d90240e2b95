package offer

import "github.com/roomgate/roomgate/media"

// h264Profile is a sub-profile of RFC 6184 Table 5.
type h264Profile uint8

const (
	otherProfile h264Profile = iota
	constrainedBaseline
	baseline
	extended
	mainProfile
	constrainedHigh
	high
)

// profileOf reads profile_idc and the constraint flags of profile-level-id.
func profileOf(id uint32) h264Profile {
	idc, iop := byte(id>>16), byte(id>>8)
	set0, set1 := iop&0x80 != 0, iop&0x40 != 0
	switch {
	case idc == 0x42 && set1, idc == 0x4d && set0, idc == 0x58 && set0 && set1:
		return constrainedBaseline
	case idc == 0x42, idc == 0x58 && set0:
		return baseline
	case idc == 0x4d:
		return mainProfile
	case idc == 0x58:
		return extended
	case idc == 0x64 && iop&0x0c == 0x0c:
		return constrainedHigh
	case idc == 0x64:
		return high
	}
	return otherProfile
}

// takes reports whether a decoder of profile p takes what a sender of profile
// o sends. Terminals that say Baseline send Constrained Baseline, and those
// that say High send progressive pictures without B slices, which is
// Constrained High: none was seen to use the tools that set them apart.
func (p h264Profile) takes(o h264Profile) bool {
	switch o {
	case constrainedBaseline, baseline:
		return p != otherProfile
	case mainProfile:
		return p == mainProfile || p == constrainedHigh || p == high
	case constrainedHigh, high:
		return p == constrainedHigh || p == high
	}
	return p == o
}

// levelLimits is what a level allows.
type levelLimits struct {
	level byte   // level_idc, the level in tenths; 9 is level 1b
	mbps  uint32 // macroblocks a second
	fs    uint32 // macroblocks a frame
	br    uint32 // 1000 bit/s
}

// levels is Table A-1 of H.264.
var levels = []levelLimits{
	{10, 1485, 99, 64},
	{11, 3000, 396, 192},
	{12, 6000, 396, 384},
	{13, 11880, 396, 768},
	{20, 11880, 396, 2000},
	{21, 19800, 792, 4000},
	{22, 20250, 1620, 4000},
	{30, 40500, 1620, 10000},
	{31, 108000, 3600, 14000},
	{32, 216000, 5120, 20000},
	{40, 245760, 8192, 20000},
	{41, 245760, 8192, 50000},
	{42, 522240, 8704, 50000},
	{50, 589824, 22080, 135000},
	{51, 983040, 36864, 240000},
	{52, 2073600, 36864, 240000},
}

// is1b: level 1b of Baseline, Main and Extended is written as 1.1 with
// constraint_set3 (H.264 A.3.1).
func is1b(id uint32) bool {
	idc, iop, level := byte(id>>16), byte(id>>8), byte(id)
	if idc == 0x42 || idc == 0x4d || idc == 0x58 {
		return level == 11 && iop&0x10 != 0
	}
	return level == 9
}

// limitsOf is what the level of profile-level-id allows.
func limitsOf(id uint32) levelLimits {
	if is1b(id) {
		return levelLimits{9, 1485, 99, 128}
	}
	limits := levels[0]
	for _, l := range levels {
		if l.level <= byte(id) {
			limits = l
		}
	}
	return limits
}

// levelRank orders levels, 1b between 1 and 1.1.
func levelRank(id uint32) int {
	if is1b(id) {
		return 2*10 + 1
	}
	return 2 * int(byte(id))
}

// withLevel is the profile of one profile-level-id at the level of another.
func withLevel(profile, level uint32) uint32 {
	id := profile&0xffff00 | level&0xff
	switch byte(profile >> 16) {
	case 0x42, 0x4d, 0x58:
		id &^= 0x1000
		if is1b(level) {
			id = id&^0xff | 0x1000 | 11
		}
	default:
		if is1b(level) {
			id = id&^0xff | 9
		}
	}
	return id
}

// answerH264 is what we state for a payload of theirs that we take with a
// capability of ours, and what we may send them: the profile and mode of the
// payload; the levels are each side's own where both allow asymmetry, the lower
// one otherwise (RFC 6184 §8.2.2). Where the level stated is below what we
// take, the max- parameters say so.
func answerH264(ours, theirs media.H264Format) (recv, send media.H264Format) {
	level := ours.ProfileLevelID
	asymmetric := ours.AsymmetryAllowed && theirs.AsymmetryAllowed
	send = theirs
	send.ParameterSets = ""
	if !asymmetric {
		if levelRank(theirs.ProfileLevelID) < levelRank(level) {
			level = theirs.ProfileLevelID
		}
		send.ProfileLevelID = withLevel(theirs.ProfileLevelID, level)
	}
	recv = ours
	recv.ProfileLevelID = withLevel(theirs.ProfileLevelID, level)
	recv.PacketizationMode = theirs.PacketizationMode
	recv.AsymmetryAllowed = asymmetric
	able, stated := limitsOf(ours.ProfileLevelID), limitsOf(recv.ProfileLevelID)
	recv.MaxMBPS = above(max(able.mbps, ours.MaxMBPS), stated.mbps)
	recv.MaxFS = above(max(able.fs, ours.MaxFS), stated.fs)
	recv.MaxBR = above(max(able.br, ours.MaxBR), stated.br)
	return recv, send
}

// above is n where it exceeds what the level gives anyway, or zero.
func above(n, level uint32) uint32 {
	if n <= level {
		return 0
	}
	return n
}
