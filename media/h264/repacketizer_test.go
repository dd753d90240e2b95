package h264

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
)

// Real streams survive packetizing, repacketizing and depacketizing: every
// picture decodes to the same pixels.
func TestRepacketizeDecodesTheSame(t *testing.T) {
	for _, name := range vectors {
		for _, in := range []struct {
			mode uint8
			max  int
		}{{1, 1400}, {1, 300}, {0, 60000}} {
			t.Run(fmt.Sprintf("%s/mode%d-%d", name, in.mode, in.max), func(t *testing.T) {
				units := vector(t, name)
				out := newCollector()
				r := NewRepacketizer(out, RepacketizerConfig{Mode: 1})
				for _, p := range packets(t, units, in.mode, in.max) {
					require.NoError(t, r.WriteRTP(p))
				}
				for i, p := range out.packets {
					assert.LessOrEqual(t, p.MarshalSize(), DefaultPacket)
					if i > 0 {
						assert.Equal(t, out.packets[i-1].SequenceNumber+1, p.SequenceNumber)
						assert.Equal(t, out.packets[i-1].Marker, p.Timestamp != out.packets[i-1].Timestamp, "marker ends a picture")
					}
				}
				wantPictures, wantHash := decode(t, annexB(units))
				gotPictures, gotHash := decode(t, out.annexB())
				assert.Equal(t, wantPictures, gotPictures)
				assert.Equal(t, wantHash, gotHash)
				assert.Equal(t, 0, out.lost)
			})
		}
	}
}

func TestModeZero(t *testing.T) {
	out := newCollector()
	asked := 0
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 0, NeedKeyframe: func() { asked++ }})
	for _, p := range packets(t, vector(t, "baseline-slices"), 1, 0) {
		require.NoError(t, r.WriteRTP(p))
	}
	for _, p := range out.packets {
		assert.Less(t, TypeOf(p.Payload), stapA)
	}
	assert.Zero(t, asked)
	want, hash := decode(t, annexB(vector(t, "baseline-slices")))
	got, gotHash := decode(t, out.annexB())
	assert.Equal(t, want, got)
	assert.Equal(t, hash, gotHash)

	r = NewRepacketizer(newCollector(), RepacketizerConfig{Mode: 0, NeedKeyframe: func() { asked++ }})
	for _, p := range packets(t, vector(t, "big-idr"), 1, 0) {
		require.NoError(t, r.WriteRTP(p))
	}
	assert.NotZero(t, r.Stats().TooBig)
	assert.NotZero(t, asked)
}

// Parameter sets that came once, or by signalling only, go before each IDR.
func TestParameterSetsBeforeEachIDR(t *testing.T) {
	units := vector(t, "baseline")
	var sets []byte
	var bare [][]byte
	for _, nal := range units {
		if ty := TypeOf(nal); ty == SPSUnit || ty == PPSUnit {
			sets = AppendAnnexB(sets, nal)
		} else {
			bare = append(bare, nal)
		}
	}
	out := newCollector()
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 1, ParameterSets: string(sets)})
	for _, p := range packets(t, bare, 1, 0) {
		require.NoError(t, r.WriteRTP(p))
	}
	idrs := 0
	for i, nal := range out.units {
		if TypeOf(nal) == IDR {
			idrs++
			require.GreaterOrEqual(t, i, 2)
			assert.Equal(t, SPSUnit, TypeOf(out.units[i-2]))
			assert.Equal(t, PPSUnit, TypeOf(out.units[i-1]))
		}
	}
	assert.Equal(t, 4, idrs)
}

// Nothing goes out before an IDR whose sets are known, and stuffing of media
// servers (type 0) never does.
func TestStartsAtIDR(t *testing.T) {
	all := packets(t, vector(t, "baseline"), 1, 0)
	out := newCollector()
	asked := 0
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 1, NeedKeyframe: func() { asked++ }})
	seq := all[10].SequenceNumber - 50
	for i := range uint16(50) {
		require.NoError(t, r.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq + i, Timestamp: 1}, Payload: make([]byte, 40)}))
	}
	assert.Zero(t, asked, "stuffing is no picture")
	for _, p := range all[10:] {
		require.NoError(t, r.WriteRTP(p))
	}
	assert.NotZero(t, asked)
	require.NotEmpty(t, out.units)
	assert.Equal(t, SPSUnit, TypeOf(out.units[0]))
	pics, _ := decode(t, out.annexB())
	assert.Equal(t, 28, pics) // the first group of twelve was cut
}

// Losing packets loses units, whole ones, and shows as a gap.
func TestLossNeverBreaksUnits(t *testing.T) {
	units := vector(t, "big-idr")
	known := map[string]bool{}
	for _, nal := range units {
		known[string(nal)] = true
	}
	all := packets(t, units, 1, 0)
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		out := newCollector()
		asked := 0
		r := NewRepacketizer(out, RepacketizerConfig{Mode: 1, MaxPacket: 500, NeedKeyframe: func() { asked++ }})
		dropped := 0
		for i, p := range all {
			if p.Timestamp != all[0].Timestamp && i < len(all)-30 && random.IntN(15) == 0 {
				dropped++
				continue
			}
			require.NoError(t, r.WriteRTP(p))
		}
		for _, nal := range out.units {
			assert.True(t, known[string(nal)], "a unit came out that never went in")
		}
		assert.Zero(t, out.depack.Stats().Damaged)
		assert.Zero(t, out.depack.Stats().Malformed)
		if dropped > 0 {
			assert.NotZero(t, out.lost)
			assert.NotZero(t, asked)
			assert.EqualValues(t, dropped, r.Stats().Lost)
		}
	}
}

// Packets that overtake each other within the window are put back in order.
func TestReordering(t *testing.T) {
	units := vector(t, "big-idr")
	all := packets(t, units, 1, 0)
	random := rand.New(rand.NewPCG(7, 7))
	for i := 1; i < len(all); {
		end := i + 1
		for end < len(all) && end < i+9 && all[end].Timestamp <= all[i].Timestamp+3600 { // within a picture and the next
			end++
		}
		part := all[i:end]
		random.Shuffle(len(part), func(a, b int) { part[a], part[b] = part[b], part[a] })
		i = end
	}
	out := newCollector()
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 1})
	for _, p := range all {
		require.NoError(t, r.WriteRTP(p))
		require.NoError(t, r.WriteRTP(p)) // and twice
	}
	want, hash := decode(t, annexB(units))
	got, gotHash := decode(t, out.annexB())
	assert.Equal(t, want, got)
	assert.Equal(t, hash, gotHash)
	assert.Zero(t, out.lost)
}

func TestSenderRestart(t *testing.T) {
	all := packets(t, vector(t, "baseline"), 1, 0)
	out := newCollector()
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 1})
	for _, p := range all {
		require.NoError(t, r.WriteRTP(p))
	}
	stray := *all[3]
	stray.SequenceNumber += 20000
	require.NoError(t, r.WriteRTP(&stray))
	before := len(out.units)
	for _, p := range all {
		p.SequenceNumber += 30000
		require.NoError(t, r.WriteRTP(p))
	}
	assert.Greater(t, len(out.units), before+20)

	before = len(out.units)
	for range 10 { // a new sender whose numbers happen to lie a little behind
		for _, p := range all {
			p.SequenceNumber += uint16(len(all))
		}
		for i, p := range all {
			if i == 0 {
				continue
			}
			q := *p
			q.SequenceNumber -= uint16(len(all) * 2)
			require.NoError(t, r.WriteRTP(&q))
		}
	}
	assert.Greater(t, len(out.units), before+200)
}

// A unit that is left out at the end of a picture leaves its marker behind.
func TestMarkerOfUnitsLeftOut(t *testing.T) {
	units := pictures(t, vector(t, "baseline"))[0]
	out := newCollector()
	r := NewRepacketizer(out, RepacketizerConfig{Mode: 1})
	in := NewPacketizer(r, 1, 0)
	for _, nal := range units {
		require.NoError(t, in.Write(Unit{nal, 5, false}))
	}
	require.NoError(t, in.Write(Unit{[]byte{0x06, 0x05, 0x01, 0x00, 0x80}, 5, true}))
	last := out.packets[len(out.packets)-1]
	assert.True(t, last.Marker)
	assert.Equal(t, Filler, TypeOf(last.Payload))
}

func TestRepacketizerAllocatesNothing(t *testing.T) {
	all := packets(t, vector(t, "big-idr"), 1, 0)
	n := 0
	r := NewRepacketizer(media.WriterFunc(func(*rtp.Packet) error { n++; return nil }), RepacketizerConfig{Mode: 1, MaxPacket: 1000})
	run := func() {
		for _, p := range all {
			_ = r.WriteRTP(p)
			p.SequenceNumber += uint16(len(all))
		}
	}
	run()
	assert.Zero(t, testing.AllocsPerRun(20, run))
	assert.NotZero(t, n)
}

func BenchmarkRepacketizer(b *testing.B) {
	all := packets(b, vector(b, "big-idr"), 1, 0)
	r := NewRepacketizer(media.WriterFunc(func(*rtp.Packet) error { return nil }), RepacketizerConfig{Mode: 1})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := all[i%len(all)]
		_ = r.WriteRTP(p)
		p.SequenceNumber += uint16(len(all))
	}
}
