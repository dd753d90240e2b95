package control

import (
	"github.com/roomgate/roomgate/h323/h245"
	"github.com/roomgate/roomgate/h323/per"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// H.264 in H.245 (H.241 clause 8.3 and Annex A).
const (
	oidH264 per.OID = "0.0.8.241.0.0.1"
	// Packetizations: one NAL unit in each packet (H.241 Annex A), which is mode 0 of
	// RFC 6184, and its non-interleaved mode 1.
	oidH264Single         per.OID = "0.0.8.241.0.0.0.0"
	oidH264NonInterleaved per.OID = "0.0.8.241.0.0.0.1"
)

// Parameters of the capability (H.241 Table 8). Their units are beside.
const (
	h241Profile   = 41 // booleanArray
	h241Level     = 42
	h241MaxMBPS   = 3  // 500 macroblocks a second
	h241MaxFS     = 4  // 256 macroblocks
	h241MaxDPB    = 5  // 32768 octets
	h241MaxBR     = 6  // 25000 bit/s
	h241MaxStatic = 7  // 500 macroblocks a second
	h241MaxFPS    = 13 // hundredths of a frame a second

	unitMBPS = 500
	unitFS   = 256
	unitDPB  = 32 // in the 1024 octets of max-dpb, RFC 6184 clause 8.1
	unitBR   = 25 // in the 1000 bit/s of max-br
)

// profiles are the bits of parameter 41, in the order of our liking. Baseline is taken for
// its constrained form: nobody sends the rest of it.
var profiles = []struct {
	bit        uint8
	profileIDC uint8
	profileIOP uint8
}{
	{bit: 64, profileIDC: 0x42, profileIOP: 0xe0},
	{bit: 8, profileIDC: 0x64},
	{bit: 32, profileIDC: 0x4d},
}

// levels are the values of parameter 42 (H.241 Table 6). Level 1b is told by a constraint
// bit in Baseline and Main, by level_idc 9 in High.
var levels = []struct {
	value    uint32
	levelIDC uint8
}{
	{15, 10}, {19, 9}, {22, 11}, {29, 12}, {36, 13}, {43, 20}, {50, 21}, {57, 22}, {64, 30},
	{71, 31}, {78, 32}, {85, 40}, {92, 41}, {99, 42}, {106, 50}, {113, 51}, {120, 52},
}

const constraint3 = 0x10 // with level_idc 11: level 1b

// levelValue is the level of a profile-level-id for parameter 42.
func levelValue(profileLevelID uint32) uint16 {
	idc, iop := uint8(profileLevelID), uint8(profileLevelID>>8)
	if idc == 11 && iop&constraint3 != 0 && uint8(profileLevelID>>16) != 0x64 {
		idc = 9
	}
	best := levels[0].value
	for _, l := range levels {
		if l.levelIDC <= idc && l.levelIDC != 9 || l.levelIDC == idc {
			best = l.value
		}
	}
	return uint16(best)
}

// levelID is the reverse: what stands for a profile at the highest level that value
// reaches.
func levelID(profileIDC, profileIOP uint8, value uint32) uint32 {
	idc := levels[0].levelIDC
	for _, l := range levels {
		if l.value <= value {
			idc = l.levelIDC
		}
	}
	if idc == 9 && profileIDC != 0x64 {
		idc, profileIOP = 11, profileIOP|constraint3
	}
	return uint32(profileIDC)<<16 | uint32(profileIOP)<<8 | uint32(idc)
}

// profileBit is the bit of a profile-level-id for parameter 41; profiles without one are
// told as the nearest that decodes them.
func profileBit(profileLevelID uint32) uint8 {
	idc := uint8(profileLevelID >> 16)
	for _, p := range profiles {
		if p.profileIDC == idc {
			return p.bit
		}
	}
	return profiles[0].bit
}

// h264Capability gives the generic capability of a receiver, or of a stream.
func h264Capability(h media.H264Format, bps int) *h245.GenericCapability {
	g := &h245.GenericCapability{
		CapabilityIdentifier: standard(oidH264),
		Collapsing: []h245.GenericParameter{
			booleanArray(h241Profile, profileBit(h.ProfileLevelID)),
			unsignedMin(h241Level, levelValue(h.ProfileLevelID)),
		},
	}
	for _, p := range []struct {
		id          uint8
		value, unit uint32
	}{
		{h241MaxMBPS, h.MaxMBPS, unitMBPS}, {h241MaxFS, h.MaxFS, unitFS}, {h241MaxDPB, h.MaxDPB, unitDPB},
		{h241MaxBR, h.MaxBR, unitBR}, {h241MaxStatic, h.MaxSMBPS, unitMBPS}, {h241MaxFPS, h.MaxFPS, 1},
	} {
		if v := p.value / p.unit; v > 0 {
			g.Collapsing = append(g.Collapsing, unsignedMin(p.id, uint16(min(v, 0xffff))))
		}
	}
	if bps <= 0 { // without a rate some terminals send nothing
		level, _ := h264.Limits(h)
		bps = int(level.BR) * 1000
	}
	g.MaxBitRate = ptr(uint32(bps / bitRateUnit))
	return g
}

// h264Formats reads the capability: one format for each profile in it.
func h264Formats(g *h245.GenericCapability) (list []media.H264Format, bps int) {
	if identifier(g) != oidH264 {
		return nil, 0
	}
	value := func(id uint8) uint32 {
		v, _ := find(g.Collapsing, id)
		return min(v, 0xffff)
	}
	bits, told := find(g.Collapsing, h241Profile)
	if !told {
		bits = uint32(profiles[0].bit)
	}
	limits := media.H264Format{
		MaxMBPS: value(h241MaxMBPS) * unitMBPS, MaxFS: value(h241MaxFS) * unitFS, MaxDPB: value(h241MaxDPB) * unitDPB,
		MaxBR: value(h241MaxBR) * unitBR, MaxSMBPS: value(h241MaxStatic) * unitMBPS, MaxFPS: value(h241MaxFPS),
	}
	for _, p := range profiles {
		if bits&uint32(p.bit) != 0 {
			h := limits
			h.ProfileLevelID = levelID(p.profileIDC, p.profileIOP, value(h241Level))
			list = append(list, h)
		}
	}
	if g.MaxBitRate != nil {
		bps = int(min(*g.MaxBitRate, 1<<24)) * bitRateUnit
	}
	return list, bps
}

// decodes reports whether a receiver of one profile decodes another: Constrained Baseline
// is part of all, Main is part of High.
func decodes(receiver, stream uint32) bool {
	r, s := receiver>>16, stream>>16
	return r == s || s == 0x42 || r == 0x64 && s == 0x4d
}
