package frame_test

import (
	"slices"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
)

var av1Format = media.Format{Codec: media.AV1, ClockRate: 90000}

// av1Packets are the packets of one frame.
func av1Packets(payloads ...[]byte) (list []*rtp.Packet) {
	for i, p := range payloads {
		list = append(list, &rtp.Packet{
			Header: rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: 9, Marker: i == len(payloads)-1}, Payload: p,
		})
	}
	return list
}

// Temporal units get back what is not transmitted: the delimiter, and the sizes of OBUs,
// also of those in several packets.
func TestAV1TemporalUnits(t *testing.T) {
	sequence := []byte{0x0a, 0x03, 1, 2, 3} // OBU_SEQUENCE_HEADER with a size
	picture := []byte{0x32, 0xac, 0x02}     // OBU_FRAME
	for i := range 300 {
		picture = append(picture, byte(i))
	}
	unit := slices.Concat(sequence, picture)
	packets := av1Packets((&codecs.AV1Payloader{}).Payload(100, unit)...)
	require.Greater(t, len(packets), 3)
	frames, _, _ := assembled(t, av1Format, packets)
	require.Len(t, frames, 1)
	assert.True(t, frames[0].Keyframe)
	assert.Equal(t, slices.Concat([]byte{0x12, 0}, unit), frames[0].Data)

	frames, stats, _ := assembled(t, av1Format, append(packets[:1:1], packets[2:]...))
	assert.Empty(t, frames, "a fragment is missing")
	assert.Equal(t, uint64(1), stats.Dropped)
}

// Aggregation headers are Z Y W:2 N (§4.4); what is malformed costs the frame.
func TestAV1Elements(t *testing.T) {
	for _, tc := range []struct {
		name     string
		payloads [][]byte
		want     []byte // behind the delimiter; nil = no frame
	}{
		{"one element", [][]byte{{0x18, 0x30, 1, 2}}, []byte{0x32, 2, 1, 2}},
		{"two, the first with its length", [][]byte{{0x28, 2, 0x08, 7, 0x30, 1}}, []byte{0x0a, 1, 7, 0x32, 1, 1}},
		{"any number, all with lengths", [][]byte{{0x08, 2, 0x08, 7, 1, 0x30, 2, 0x30, 1}}, []byte{0x0a, 1, 7, 0x32, 0, 0x32, 1, 1}},
		{"layers of one picture", [][]byte{{0x18, 0x34, 0, 1}, {0x10, 0x34, 0x08, 2}, {0x10, 0x34, 0x10, 3}},
			[]byte{0x36, 0, 1, 1, 0x36, 0x08, 1, 2, 0x36, 0x10, 1, 3}},
		{"the second goes on twice", [][]byte{{0x68, 2, 0x08, 7, 0x30, 1}, {0xd0, 2}, {0x90, 3}}, []byte{0x0a, 1, 7, 0x32, 3, 1, 2, 3}},
		{"one ends, another begins", [][]byte{{0x58, 0x30, 1}, {0xa0, 1, 2, 0x30, 3}}, []byte{0x32, 2, 1, 2, 0x32, 1, 3}},
		{"what is to be ignored", [][]byte{{0x38, 1, 0x10, 2, 0x40, 9, 0x30, 1}}, []byte{0x32, 1, 1}},
		{"sizes that should not be there", [][]byte{{0x18, 0x32, 1, 5}}, []byte{0x32, 1, 5}},
		{"nothing but a delimiter", [][]byte{{0x18, 0x10}}, nil},
		{"no beginning", [][]byte{{0x98, 1, 2}}, nil},
		{"no end", [][]byte{{0x58, 0x30, 1}}, nil},
		{"a length beyond the packet", [][]byte{{0x08, 3, 0x30, 1}}, nil},
		{"a length without an end", [][]byte{{0x08, 0xff, 0xff, 0xff, 0xff, 1, 0x30}}, nil},
		{"fewer elements than it says", [][]byte{{0x38, 1, 0x30}}, nil},
		{"a size beyond the element", [][]byte{{0x18, 0x32, 3, 5}}, nil},
		{"an extension that is not there", [][]byte{{0x28, 1, 0x34, 0x30, 1}}, nil},
		{"the forbidden bit", [][]byte{{0x18, 0xb0, 1}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			frames, stats, _ := assembled(t, av1Format, av1Packets(tc.payloads...))
			if tc.want == nil {
				assert.Empty(t, frames)
				return
			}
			require.Len(t, frames, 1, "%+v", stats)
			assert.Equal(t, slices.Concat([]byte{0x12, 0}, tc.want), frames[0].Data)
			assert.True(t, frames[0].Keyframe)
		})
	}
}

// Packets of AV1 on their way to a decoder cost no memory.
func TestAV1DoesNotAllocate(t *testing.T) {
	frames := 0
	a, err := frame.NewAssembler(av1Format, func(frame.Frame) { frames++ }, func() {})
	require.NoError(t, err)
	packets := av1Packets([]byte{0x58, 0x30, 1, 2, 3}, []byte{0xd0, 4, 5, 6}, []byte{0xa0, 1, 2, 0x30, 3})
	seq := uint16(0)
	round := func() {
		for _, p := range packets {
			p.SequenceNumber = seq
			seq++
			_ = a.WriteRTP(p)
		}
	}
	round()
	assert.Zero(t, testing.AllocsPerRun(20, round))
	assert.Equal(t, 22, frames)
}

// A peer cannot make us keep more of an OBU than a frame may have.
func TestAV1Endless(t *testing.T) {
	a, err := frame.NewAssembler(av1Format, func(frame.Frame) { t.Error("a frame") }, func() {})
	require.NoError(t, err)
	payload := make([]byte, 1200)
	payload[1] = 0x30
	for i := range 8000 { // 9.6 MB
		payload[0] = 0xd0 // Z, Y, one element
		if i == 0 {
			payload[0] = 0x58
		}
		require.NoError(t, a.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Timestamp: 9}, Payload: payload}))
	}
	assert.Positive(t, a.Stats().Malformed)
}
