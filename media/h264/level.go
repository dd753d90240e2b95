package h264

import (
	"fmt"

	"github.com/roomgate/roomgate/media"
)

// Level is a line of Table A-1.
type Level struct {
	Number int    // ten times the level; 9 is level 1b
	MBPS   uint32 // macroblocks a second
	FS     uint32 // macroblocks a frame
	DPB    uint32 // macroblocks in the decoded picture buffer
	BR     uint32 // 1000 bit/s (1200 for NAL HRD)
}

var levels = []Level{
	{10, 1485, 99, 396, 64},
	{9, 1485, 99, 396, 128},
	{11, 3000, 396, 900, 192},
	{12, 6000, 396, 2376, 384},
	{13, 11880, 396, 2376, 768},
	{20, 11880, 396, 2376, 2000},
	{21, 19800, 792, 4752, 4000},
	{22, 20250, 1620, 8100, 4000},
	{30, 40500, 1620, 8100, 10000},
	{31, 108000, 3600, 18000, 14000},
	{32, 216000, 5120, 20480, 20000},
	{40, 245760, 8192, 32768, 20000},
	{41, 245760, 8192, 32768, 50000},
	{42, 522240, 8704, 34816, 50000},
	{50, 589824, 22080, 110400, 135000},
	{51, 983040, 36864, 184320, 240000},
	{52, 2073600, 36864, 184320, 240000},
	{60, 4177920, 139264, 696320, 240000},
	{61, 8355840, 139264, 696320, 480000},
	{62, 16711680, 139264, 696320, 800000},
}

// LevelOf finds the level that level_idc and the constraint flags state
// (level_idc 11 with constraint_set3_flag is 1b in the profiles up to Main,
// level_idc 9 in the others).
func LevelOf(profileIDC, constraints, levelIDC uint8) (Level, bool) {
	const set3 = 0x10
	number := int(levelIDC)
	if number == 11 && constraints&set3 != 0 && (profileIDC == 66 || profileIDC == 77 || profileIDC == 88) {
		number = 9
	}
	for _, l := range levels {
		if l.Number == number {
			return l, true
		}
	}
	return Level{}, false
}

// above orders levels as the table does: 1b stands between 1 and 1.1.
func (l Level) above(o Level) bool {
	for _, line := range levels {
		if line.Number == l.Number {
			return false
		}
		if line.Number == o.Number {
			return true
		}
	}
	return false
}

// Level of the stream; the zero Level when level_idc is not one.
func (s SPS) Level() Level {
	l, _ := LevelOf(s.ProfileIDC, s.Constraints, s.LevelIDC)
	return l
}

// Limits is what a receiver of the format takes: its level's line, raised by
// the parameters of RFC 6184 §8.1. raised says that it takes bigger or more
// pictures than its level.
func Limits(f media.H264Format) (l Level, raised bool) {
	profile, constraints, idc := splitProfile(f.ProfileLevelID)
	l, ok := LevelOf(profile, constraints, idc)
	if !ok {
		l = levels[0] // RFC 6184 §8.1: without a word, Baseline level 1
	}
	raised = f.MaxFS > l.FS || f.MaxMBPS > l.MBPS
	l.FS = max(l.FS, f.MaxFS)
	l.MBPS = max(l.MBPS, f.MaxMBPS)
	l.BR = max(l.BR, f.MaxBR)
	return l, raised
}

func splitProfile(id uint32) (profile, constraints, level uint8) {
	return uint8(id >> 16), uint8(id >> 8), uint8(id)
}

func levelName(l Level) string {
	switch l.Number {
	case 0:
		return "unknown"
	case 9:
		return "1b"
	}
	return fmt.Sprintf("%d.%d", l.Number/10, l.Number%10)
}

func profileName(profile, constraints uint32) string {
	switch profile {
	case 66:
		if constraints&0x40 != 0 {
			return "Constrained Baseline"
		}
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		if constraints&0x0c == 0x0c {
			return "Constrained High"
		}
		return "High"
	}
	return fmt.Sprintf("profile %d", profile)
}
