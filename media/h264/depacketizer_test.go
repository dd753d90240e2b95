package h264

import (
	"encoding/hex"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDepacketizer(t *testing.T) {
	type in struct {
		step    uint16 // of the sequence number
		payload string
		marker  bool
	}
	for _, tc := range []struct {
		name      string
		in        []in
		units     []string // a trailing "!" for Last
		lost      uint64
		malformed uint64
		damaged   uint64
	}{
		{"single", []in{{1, "65aabb", true}}, []string{"65aabb!"}, 0, 0, 0},
		{"STAP-A", []in{{1, "78000267420003680102000165", true}}, []string{"6742", "680102", "65!"}, 0, 0, 0},
		{"STAP-A with padding", []in{{1, "7800026742000168000000", true}}, []string{"6742", "68!"}, 0, 1, 0},
		{"STAP-A in STAP-A", []in{{1, "78000278aa", true}}, nil, 0, 1, 0},
		{"FU-A", []in{{1, "7c85aa", false}, {1, "7c05bb", false}, {1, "7c45cc", true}}, []string{"65aabbcc!"}, 0, 0, 0},
		{"FU-A in one", []in{{1, "7cc5aa", true}}, []string{"65aa!"}, 0, 0, 0},
		{"FU-A without its end", []in{{1, "7c85aa", false}, {1, "61ff", true}}, []string{"61ff!"}, 0, 0, 1},
		{"FU-A begun twice", []in{{1, "7c85aa", false}, {1, "7c85bb", false}, {1, "7c45cc", true}}, []string{"65bbcc!"}, 0, 0, 1},
		{"FU-A of two types", []in{{1, "7c85aa", false}, {1, "7c41cc", true}}, nil, 0, 1, 1},
		{"FU-A without its start", []in{{1, "7c05aa", false}, {1, "7c45cc", true}, {1, "61ff", true}}, []string{"61ff!"}, 0, 0, 0},
		{"FU-A of a fragment", []in{{1, "7c9caa", false}, {1, "7c5ccc", true}}, nil, 0, 1, 0},
		{"swapped", []in{{1, "6101", true}, {2, "6103", true}, {0xffff, "6102", true}}, []string{"6101!", "6102!", "6103!"}, 0, 0, 0},
		{"twice", []in{{1, "6101", true}, {0, "6101", true}}, []string{"6101!"}, 0, 0, 0},
		{"stuffing of a media server", []in{{1, "0000000000", true}, {1, "6101", true}}, []string{"6101!"}, 0, 0, 0},
		{"empty", []in{{1, "", false}, {1, "6101", true}}, []string{"6101!"}, 0, 0, 0},
		{"forbidden bit", []in{{1, "e501", true}}, nil, 0, 1, 0},
		{"STAP-B", []in{{1, "790001000265aa", true}}, nil, 0, 1, 0},
		{"MTAP", []in{{1, "7a0001000565aa", true}}, nil, 0, 1, 0},
		{"FU-B", []in{{1, "7d85000165aa", true}}, nil, 0, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			d := NewDepacketizer(func(u Unit) {
				s := hex.EncodeToString(u.NAL)
				if u.Last {
					s += "!"
				}
				got = append(got, s)
			}, nil)
			seq := uint16(65534) // over the edge
			for _, p := range tc.in {
				seq += p.step
				payload, err := hex.DecodeString(p.payload)
				require.NoError(t, err)
				require.NoError(t, d.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Marker: p.marker}, Payload: payload}))
			}
			assert.Equal(t, tc.units, got)
			s := d.Stats()
			assert.Equal(t, [3]uint64{tc.lost, tc.malformed, tc.damaged}, [3]uint64{s.Lost, s.Malformed, s.Damaged})
		})
	}
}

// Every strict prefix of an aggregate gives whole units only, and is malformed
// unless it ends between two.
func TestAggregatePrefixes(t *testing.T) {
	whole, err := hex.DecodeString("78000267420003680102000165")
	require.NoError(t, err)
	known := map[string]bool{"6742": true, "680102": true, "65": true}
	between := map[int]bool{0: true, 5: true, 10: true}
	for n := range len(whole) {
		d := NewDepacketizer(func(u Unit) { assert.True(t, known[hex.EncodeToString(u.NAL)]) }, nil)
		require.NoError(t, d.WriteRTP(&rtp.Packet{Payload: whole[:n]}))
		assert.Equal(t, between[n], d.Stats().Malformed == 0, "%d bytes", n)
	}
}
