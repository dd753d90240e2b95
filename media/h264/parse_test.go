package h264

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseVectors(t *testing.T) {
	for _, tc := range []struct {
		name          string
		profile       uint8
		width, height int
		mbs           int
		progressive   bool
		fps           float64
		cabac         bool
	}{
		{"baseline", 66, 176, 144, 99, true, 25, false},
		{"baseline-slices", 66, 352, 288, 396, true, 25, false},
		{"main-cabac", 77, 176, 144, 99, true, 25, true},
		{"high-cabac", 100, 320, 180, 240, true, 25, true},
		{"high-fields", 100, 352, 288, 396, false, 25, true},
		{"portrait", 66, 180, 320, 240, true, 25, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sets parameterSets
			var sps SPS
			for _, nal := range vector(t, tc.name) {
				switch {
				case TypeOf(nal) == SPSUnit:
					var err error
					sps, err = ParseSPS(nal)
					require.NoError(t, err)
					require.NoError(t, sets.put(nal))
				case TypeOf(nal) == PPSUnit:
					pps, err := ParsePPS(nal)
					require.NoError(t, err)
					assert.Equal(t, tc.cabac, pps.CABAC)
					assert.Equal(t, 1, pps.SliceGroups)
					require.NoError(t, sets.put(nal))
				case TypeOf(nal).IsSlice():
					s, _, _ := sets.of(nal)
					require.NotNil(t, s)
					_, err := ParseSliceHeader(nal, s)
					require.NoError(t, err)
				}
			}
			assert.Equal(t, tc.profile, sps.ProfileIDC)
			assert.Equal(t, [2]int{tc.width, tc.height}, [2]int{sps.Width, sps.Height})
			assert.Equal(t, tc.mbs, sps.Macroblocks)
			assert.Equal(t, tc.progressive, sps.FrameMBsOnly)
			assert.InDelta(t, tc.fps, sps.FPS, 0.01)
		})
	}
}

// frame_num counts up within a group of pictures (one reference each) and the
// IDR resets it: what header parsing must get right bit by bit.
func TestFrameNumbers(t *testing.T) {
	var sets parameterSets
	var got []uint32
	for _, nal := range vector(t, "baseline") {
		switch ty := TypeOf(nal); {
		case ty == SPSUnit || ty == PPSUnit:
			require.NoError(t, sets.put(nal))
		case ty.IsSlice():
			sps, _, _ := sets.of(nal)
			h, err := ParseSliceHeader(nal, sps)
			require.NoError(t, err)
			got = append(got, h.FrameNum)
		}
	}
	for i, n := range got {
		assert.EqualValues(t, i%12, n, "picture %d", i)
	}
}

// Sets as a terminal signals them, and what is none.
func TestParseKnownSPS(t *testing.T) {
	for _, tc := range []struct{ hex, want string }{
		{"674d00281a59500a00b720", "Main level 4.0 1280x720"},
		{"674d00281a59500a00b7", ""},
		{"6742001e", ""},
		{"67", ""},
		{"68436e3c80", ""},
		{"67ffffffffffffffffffffffffff", ""},
	} {
		raw, err := hex.DecodeString(tc.hex)
		require.NoError(t, err)
		sps, err := ParseSPS(raw)
		if tc.want == "" {
			assert.Error(t, err, tc.hex)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tc.want, sps.String())
	}
}

// Every strict prefix of a valid SPS fails, with the field it ended in.
func TestStrictPrefixes(t *testing.T) {
	for _, name := range vectors {
		for _, nal := range vector(t, name) {
			switch TypeOf(nal) {
			case SPSUnit:
				for n := range len(nal) {
					_, err := ParseSPS(nal[:n])
					assert.Error(t, err, "%s: %x", name, nal[:n])
				}
			case PPSUnit:
				for n := range 2 {
					_, err := ParsePPS(nal[:n])
					assert.Error(t, err)
				}
			}
		}
	}
}

// idr_pic_id is rewritten to codes of all lengths; pictures stay what they
// were, and the way back restores every bit.
func TestRewriteIDRPicID(t *testing.T) {
	for _, name := range vectors {
		t.Run(name, func(t *testing.T) {
			units := vector(t, name)
			var sets parameterSets
			var w, back idrRewriter
			var changed [][]byte
			pictures := 0
			for _, nal := range units {
				if ty := TypeOf(nal); ty == SPSUnit || ty == PPSUnit {
					require.NoError(t, sets.put(nal))
				} else if ty == IDR {
					sps, pps, firstMB := sets.of(nal)
					if firstMB == 0 {
						pictures++
					}
					before, err := ParseSliceHeader(nal, sps)
					require.NoError(t, err)
					id := before.IDRPicID + []uint16{2, 40, 700, 65000}[pictures%4]
					out, err := w.rewrite(nal, sps, pps, id)
					require.NoError(t, err)
					after, err := ParseSliceHeader(out, sps)
					require.NoError(t, err)
					assert.Equal(t, id, after.IDRPicID)
					restored, err := back.rewrite(out, sps, pps, before.IDRPicID)
					require.NoError(t, err)
					assert.Equal(t, nal, restored)
					nal = append([]byte(nil), out...)
				}
				changed = append(changed, nal)
			}
			require.NotZero(t, pictures)
			want, hash := decode(t, annexB(units))
			got, gotHash := decode(t, annexB(changed))
			assert.Equal(t, want, got)
			assert.Equal(t, hash, gotHash)
		})
	}
}

func TestDifferentID(t *testing.T) {
	for id := range 65536 {
		other := differentID(uint16(id))
		require.NotEqual(t, uint16(id), other)
		if id != 0 && id != 65535 {
			var a, b bitWriter
			a.ue(uint32(id))
			b.ue(uint32(other))
			require.Equal(t, len(a.out)*8+a.n, len(b.out)*8+b.n)
		}
	}
}

func TestSplitAnnexB(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"0102", nil},
		{"00000001", nil},
		{"0000016701", []string{"6701"}},
		{"000000016701000000016802000001650300", []string{"6701", "6802", "6503"}},
	} {
		raw, err := hex.DecodeString(tc.in)
		require.NoError(t, err)
		var got []string
		for _, nal := range SplitAnnexB(raw) {
			got = append(got, hex.EncodeToString(nal))
		}
		assert.Equal(t, tc.want, got)
	}
}
