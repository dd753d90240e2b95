package offer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/roomgate/roomgate/media"
)

func TestH264Parameters(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       media.H264Format
		written    string // "" = as read
	}{
		{"nothing", "", media.H264Format{ProfileLevelID: 0x42000a}, "profile-level-id=42000a;packetization-mode=0"},
		{"all", "profile-level-id=428016;packetization-mode=1;level-asymmetry-allowed=1;max-mbps=490000;max-fs=8160;max-br=5000;max-cpb=200;max-dpb=16320;max-smbps=490000;max-fps=6000",
			media.H264Format{ProfileLevelID: 0x428016, PacketizationMode: 1, AsymmetryAllowed: true, MaxMBPS: 490000, MaxFS: 8160, MaxBR: 5000, MaxCPB: 200, MaxDPB: 16320, MaxSMBPS: 490000, MaxFPS: 6000}, ""},
		{"spaces and capitals", " Profile-Level-ID=42E01F; PACKETIZATION-MODE=1; sar=13;",
			media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}, "profile-level-id=42e01f;packetization-mode=1"},
		{"nonsense", "profile-level-id=42e0;packetization-mode=x;max-fs=-1;;=;max-br",
			media.H264Format{ProfileLevelID: 0x42000a}, "profile-level-id=42000a;packetization-mode=0"},
		{"parameter sets", "profile-level-id=42e01f;packetization-mode=1;sprop-parameter-sets=Z0I=,aM4=",
			media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1, ParameterSets: "\x00\x00\x00\x01\x67\x42\x00\x00\x00\x01\x68\xce"}, ""},
		{"broken parameter sets", "profile-level-id=42e01f;packetization-mode=1;sprop-parameter-sets=Z0I=,?",
			media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1}, "profile-level-id=42e01f;packetization-mode=1"},
		{"braces", "x={a;packetization-mode=1;b};profile-level-id=64001f",
			media.H264Format{ProfileLevelID: 0x64001f}, "profile-level-id=64001f;packetization-mode=0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := readH264(tc.text)
			assert.Equal(t, tc.want, got)
			written := tc.written
			if written == "" {
				written = tc.text
			}
			assert.Equal(t, written, writeH264(got))
		})
	}
	assert.Empty(t, readParameterSets(strings.Repeat("AAAA,", 1<<14)), "bounded")
}

func TestH264Profiles(t *testing.T) {
	for id, want := range map[uint32]h264Profile{
		0x42000d: baseline, 0x428016: baseline, 0x420016: baseline,
		0x42c01f: constrainedBaseline, 0x42e01f: constrainedBaseline, 0x42401f: constrainedBaseline,
		0x4de028: constrainedBaseline, 0x4d801f: constrainedBaseline, 0x58c01f: constrainedBaseline,
		0x4d0028: mainProfile, 0x4d401f: mainProfile,
		0x58801f: baseline, 0x58001f: extended,
		0x64001f: high, 0x640c1f: constrainedHigh, 0x6e001f: otherProfile, 0x56001f: otherProfile,
	} {
		assert.Equal(t, want, profileOf(id), "%06x", id)
	}
}

func TestH264Levels(t *testing.T) {
	order := []uint32{0x42e00a, 0x42f00b, 0x42e00b, 0x42e00c, 0x42e01f, 0x42e034}
	for i := 1; i < len(order); i++ {
		assert.Less(t, levelRank(order[i-1]), levelRank(order[i]), "%06x before %06x", order[i-1], order[i])
	}
	assert.Equal(t, uint32(99), limitsOf(0x42f00b).fs, "1b")
	assert.Equal(t, uint32(3600), limitsOf(0x64001f).fs)
	assert.Equal(t, uint32(99), limitsOf(0x42e000).fs, "no such level")
	assert.Equal(t, uint32(0x42801f), withLevel(0x428016, 0x42e01f))
	assert.Equal(t, uint32(0x42e01f), withLevel(0x42f00b, 0x42e01f), "the flag of 1b goes")
	assert.Equal(t, uint32(0x640009), withLevel(0x64001f, 0x42f00b))
	assert.Equal(t, uint32(0x42f00b), withLevel(0x42e01f, 0x640009))
}

func TestAnswerH264(t *testing.T) {
	ours := media.H264Format{ProfileLevelID: 0x42e01f, PacketizationMode: 1, AsymmetryAllowed: true}
	for _, tc := range []struct {
		name       string
		theirs     string
		recv, send string
	}{
		{"their level is higher, symmetric: both at ours", "profile-level-id=428028;packetization-mode=1",
			"profile-level-id=42801f;packetization-mode=1", "profile-level-id=42801f;packetization-mode=1"},
		{"their level is higher, asymmetric: each its own", "profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1",
			"profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1", "profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1"},
		{"their level is lower, symmetric: max- parameters lift ours", "profile-level-id=428016;packetization-mode=1;max-fs=8160",
			"profile-level-id=428016;packetization-mode=1;max-mbps=108000;max-fs=3600;max-br=14000", "profile-level-id=428016;packetization-mode=1;max-fs=8160"},
		{"their level is lower, asymmetric", "profile-level-id=42e00d;packetization-mode=1;level-asymmetry-allowed=1",
			"profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1", "profile-level-id=42e00d;packetization-mode=1;level-asymmetry-allowed=1"},
		{"mode 0", "profile-level-id=42e01f", "profile-level-id=42e01f;packetization-mode=0", "profile-level-id=42e01f;packetization-mode=0"},
		{"their parameter sets are not ours to send", "profile-level-id=42e01f;packetization-mode=1;sprop-parameter-sets=Z0I=",
			"profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f;packetization-mode=1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			recv, send := answerH264(ours, readH264(tc.theirs))
			assert.Equal(t, tc.recv, writeH264(recv))
			assert.Equal(t, tc.send, writeH264(send))
		})
	}
}

// theirs makes payloads out of a list of H.264 parameters, numbered from 100.
func theirs(params ...string) []payload {
	var list []payload
	for i, text := range params {
		list = append(list, payload{Format: media.Format{Codec: media.H264, PayloadType: uint8(100 + i), ClockRate: 90000, H264: readH264(text)}})
	}
	return list
}

func TestChooseH264(t *testing.T) {
	const (
		cb0   = "profile-level-id=42e01f"
		cb1   = "profile-level-id=42e01f;packetization-mode=1"
		base0 = "profile-level-id=42801f"
		base1 = "profile-level-id=42801f;packetization-mode=1"
		main1 = "profile-level-id=4d001f;packetization-mode=1"
		high1 = "profile-level-id=64001f;packetization-mode=1"
		cb2   = "profile-level-id=42e01f;packetization-mode=2"
		ext1  = "profile-level-id=58001f;packetization-mode=1"
	)
	usual := []media.Format{baseMode1, baseMode0, highMode1}
	for _, tc := range []struct {
		name   string
		ours   []media.Format
		theirs []string
		want   int // index; -1 none
	}{
		{"mode 1 before mode 0", usual, []string{cb0, cb1}, 1},
		{"constrained before plain Baseline", usual, []string{base1, cb1}, 1},
		{"Baseline before High", usual, []string{high1, base1}, 1},
		{"mode 0 of Baseline before High", usual, []string{high1, base0}, 1},
		{"High when there is nothing else", usual, []string{high1}, 0},
		{"Main by who takes High", usual, []string{main1}, 0},
		{"no High where we cannot", []media.Format{baseMode1}, []string{high1}, -1},
		{"mode 0 as the last resort", []media.Format{baseMode1}, []string{cb0}, 0},
		{"never mode 1 for who has mode 0 only", []media.Format{baseMode0}, []string{cb1}, -1},
		{"never interleaved", usual, []string{cb2}, -1},
		{"never Extended", usual, []string{ext1}, -1},
		{"the first of two alike", usual, []string{cb1, cb1}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, ok := choose(tc.ours, theirs(tc.theirs...))
			assert.Equal(t, tc.want >= 0, ok)
			if ok {
				assert.Equal(t, uint8(100+tc.want), c.theirs.PayloadType)
			}
		})
	}
}
