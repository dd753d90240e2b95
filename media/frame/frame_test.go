package frame_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/frame"
	"github.com/roomgate/roomgate/media/testcard"
	"github.com/roomgate/roomgate/transcode/video/engine"
)

var formats = map[string]media.Format{
	"H264":      {Codec: media.H264, ClockRate: 90000, H264: media.H264Format{PacketizationMode: 1}},
	"VP8":       {Codec: media.VP8, ClockRate: 90000},
	"H263":      {Codec: media.H263, ClockRate: 90000},
	"H263-1998": {Codec: media.H263Plus, ClockRate: 90000},
	"H263-2000": {Codec: media.H2632000, ClockRate: 90000},
	"H261":      {Codec: media.H261, ClockRate: 90000},
}

var coders = map[media.Codec]engine.Codec{
	media.H264: engine.H264, media.VP8: engine.VP8, media.H263: engine.H263,
	media.H263Plus: engine.H263, media.H2632000: engine.H263, media.H261: engine.H261,
}

// picture is a coded picture and what its encoder says besides.
type picture struct {
	data, side []byte
	key        bool
}

// pictures codes moving cards at a rate so high that groups of blocks do not fit
// a packet.
func pictures(t testing.TB, f media.Format, n int) []picture {
	t.Helper()
	e, err := engine.NewEncoder(engine.Encoding{Codec: coders[f.Codec], Width: 352, Height: 288, Bitrate: 8_000_000, FPS: 30, MaxUnit: 1100, Level: 40})
	require.NoError(t, err)
	defer e.Close()
	p, err := engine.NewPicture(352, 288)
	require.NoError(t, err)
	defer p.Release()
	var list []picture
	seed := uint32(1)
	for i := range n {
		raw := testcard.Draw(nil, 352, 288, testcard.Card{Identity: 3, Counter: i})
		for k := range 352 * 288 { // noise, which is hard to code
			seed = seed*1664525 + 1013904223
			raw[k] += byte(seed >> 28)
		}
		require.NoError(t, p.Import(raw))
		coded, err := e.Encode(p, time.Duration(i)*time.Second/30, i == 0)
		require.NoError(t, err)
		if len(coded.Data) > 0 {
			list = append(list, picture{bytes.Clone(coded.Data), bytes.Clone(coded.Side), coded.Keyframe})
		}
	}
	return list
}

// small is a picture of a kilobyte or so.
func small(t testing.TB, f media.Format) picture {
	t.Helper()
	e, err := engine.NewEncoder(engine.Encoding{Codec: coders[f.Codec], Width: 176, Height: 144, Bitrate: 64_000, FPS: 30, MaxUnit: 500, Level: 11})
	require.NoError(t, err)
	defer e.Close()
	p, err := engine.NewPicture(176, 144)
	require.NoError(t, err)
	defer p.Release()
	p.Fill(engine.Rect{W: 176, H: 144}, engine.Black)
	p.Fill(engine.Rect{X: 40, Y: 40, W: 20, H: 30}, 0xc04060)
	coded, err := e.Encode(p, 0, true)
	require.NoError(t, err)
	return picture{bytes.Clone(coded.Data), bytes.Clone(coded.Side), coded.Keyframe}
}

// packetsOf makes packets of pictures, none longer than 1200 bytes.
func packetsOf(t testing.TB, f media.Format, list []picture) []*rtp.Packet {
	t.Helper()
	var packets []*rtp.Packet
	p, err := frame.NewPacketizer(media.WriterFunc(func(p *rtp.Packet) error {
		assert.LessOrEqual(t, len(p.Payload), 1188)
		packets = append(packets, p.Clone())
		return nil
	}), f, 0)
	require.NoError(t, err)
	for i, pic := range list {
		require.NoError(t, p.Write(frame.Frame{Data: pic.data, Timestamp: uint32(3000 * i), Keyframe: pic.key}, pic.side))
	}
	return packets
}

// assembled makes frames of packets, which come one after the other in the same memory, as
// from a socket.
func assembled(t testing.TB, f media.Format, packets []*rtp.Packet) (list []frame.Frame, stats frame.Stats, lost int) {
	t.Helper()
	a, err := frame.NewAssembler(f, func(f frame.Frame) {
		f.Data = bytes.Clone(f.Data)
		list = append(list, f)
	}, func() { lost++ })
	require.NoError(t, err)
	wire := make([]byte, 2000)
	for _, p := range packets {
		come := *p
		come.Payload = wire[:copy(wire, p.Payload)]
		require.NoError(t, a.WriteRTP(&come))
	}
	return list, a.Stats(), lost
}

// What is made packets of comes back bit by bit, also when packets overtake
// each other.
func TestRoundTrip(t *testing.T) {
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			list := pictures(t, f, 8)
			packets := packetsOf(t, f, list)
			assert.Greater(t, len(packets), 3*len(list))
			for i := 2; i+1 < len(packets); i += 5 {
				packets[i], packets[i+1] = packets[i+1], packets[i]
			}
			frames, stats, lost := assembled(t, f, packets)
			require.Len(t, frames, len(list), "%+v", stats)
			assert.Zero(t, lost)
			assert.Zero(t, stats.Malformed)
			for i, got := range frames {
				assert.True(t, bytes.Equal(list[i].data, got.Data), "picture %d: %d and %d bytes", i, len(list[i].data), len(got.Data))
				assert.Equal(t, uint32(3000*i), got.Timestamp)
				assert.False(t, got.Damaged)
				if f.Codec != media.H261 { // which has no mark of a keyframe
					assert.Equal(t, list[i].key, got.Keyframe, "picture %d", i)
				}
			}
		})
	}
}

// Pieces of H.263 and H.261 begin where a decoder can begin: at a start code or,
// as their headers say, at a macroblock.
func TestPiecesBeginAtMacroblocks(t *testing.T) {
	for name, modes := range map[string][2]int{"H263": {2, 2}, "H261": {2, 2}} {
		f := formats[name]
		list := pictures(t, f, 4)
		groups, blocks := 0, 0
		for _, p := range packetsOf(t, f, list) {
			atBlock := p.Payload[0]&0x80 != 0
			if name == "H261" {
				atBlock = p.Payload[1]>>4 != 0
			}
			if atBlock {
				blocks++
			} else {
				groups++
			}
		}
		assert.GreaterOrEqual(t, groups, modes[0], name)
		assert.GreaterOrEqual(t, blocks, modes[1], name)
	}
}

// A loss is told. VP8 waits for a keyframe; H.263 goes on, damaged.
func TestLoss(t *testing.T) {
	for name, conceals := range map[string]bool{"VP8": false, "H263": true, "H263-1998": true, "H261": true, "H264": true} {
		t.Run(name, func(t *testing.T) {
			f := formats[name]
			list := pictures(t, f, 6)
			packets := packetsOf(t, f, list)
			var some []*rtp.Packet
			dropped := false
			for i, p := range packets {
				if p.Timestamp == 6000 && !dropped && packets[i-1].Timestamp == 6000 { // its second
					dropped = true
					continue
				}
				some = append(some, p)
			}
			frames, stats, lost := assembled(t, f, some)
			assert.Equal(t, uint64(1), stats.Lost)
			assert.NotZero(t, lost)
			if conceals {
				require.Len(t, frames, 6)
				assert.True(t, frames[2].Damaged)
				assert.False(t, frames[3].Damaged)
			} else {
				assert.Len(t, frames, 2)
			}
		})
	}
}

// Layers of one VP9 picture become a superframe.
func TestVP9Layers(t *testing.T) {
	vp9 := []byte{0x82, 0x49, 0x83, 0x42, 0, 1, 2, 3, 4, 5}
	packet := func(seq uint16, marker bool, payload []byte) *rtp.Packet {
		return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: 9, Marker: marker}, Payload: payload}
	}
	const begin, end = 0x08, 0x04
	frames, _, _ := assembled(t, media.Format{Codec: media.VP9, ClockRate: 90000}, []*rtp.Packet{
		packet(1, false, append([]byte{begin | end}, vp9...)),
		packet(2, false, append([]byte{begin}, vp9[:4]...)),
		packet(3, true, append([]byte{end}, vp9[4:]...)),
	})
	require.Len(t, frames, 1)
	assert.True(t, frames[0].Keyframe)
	index := []byte{0xd9, 10, 0, 0, 0, 10, 0, 0, 0, 0xd9}
	assert.Equal(t, append(append(append([]byte(nil), vp9...), vp9...), index...), frames[0].Data)
}

func TestUnknownCodec(t *testing.T) {
	f := media.Format{Codec: "H265"}
	_, err := frame.NewAssembler(f, nil, nil)
	assert.ErrorIs(t, err, frame.ErrCodec)
	_, err = frame.NewPacketizer(nil, f, 0)
	assert.ErrorIs(t, err, frame.ErrCodec)
}

// Every strict prefix of a payload is taken without harm.
func TestPrefixes(t *testing.T) {
	for name, f := range formats {
		first := packetsOf(t, f, pictures(t, f, 1))[0]
		for n := range min(len(first.Payload), 40) {
			p := first.Clone()
			p.Payload = p.Payload[:n]
			p.Marker = true
			_, stats, _ := assembled(t, f, []*rtp.Packet{p})
			if n < 2 && n > 0 {
				assert.Zero(t, stats.Frames, "%s: %d bytes", name, n)
			}
		}
	}
}

// Packets on their way to a decoder cost no memory.
func TestAssemblersDoNotAllocate(t *testing.T) {
	for name, f := range formats {
		packets := packetsOf(t, f, pictures(t, f, 6))
		a, err := frame.NewAssembler(f, func(frame.Frame) {}, func() {})
		require.NoError(t, err)
		seq := uint16(0)
		round := func() {
			for _, p := range packets {
				p.SequenceNumber = seq
				seq++
				_ = a.WriteRTP(p)
			}
		}
		round()
		assert.Zero(t, testing.AllocsPerRun(20, round), name)
	}
}

// FuzzAssembler feeds two packets to the depayloader that the first byte picks.
func FuzzAssembler(f *testing.F) {
	all := []media.Format{
		formats["H264"], formats["VP8"], {Codec: media.VP9}, {Codec: media.AV1}, formats["H263"], formats["H263-1998"], formats["H261"],
	}
	for i, format := range all {
		if coders[format.Codec] == 0 {
			f.Add(byte(i), []byte{0x8f, 0x80, 0x12, 0x34, 0x82, 0x49}, []byte{0x84, 1, 2, 3})
			continue
		}
		p := packetsOf(f, format, []picture{small(f, format)})
		f.Add(byte(i), p[0].Payload, p[len(p)-1].Payload)
	}
	f.Fuzz(func(t *testing.T, which byte, one, two []byte) {
		format := all[int(which)%len(all)]
		a, err := frame.NewAssembler(format, func(fr frame.Frame) {
			if len(fr.Data) == 0 {
				t.Error("an empty frame")
			}
		}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		for seq, payload := range [][]byte{one, two, one} {
			_ = a.WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(seq), Timestamp: uint32(seq / 2), Marker: seq > 0}, Payload: payload})
		}
	})
}

// FuzzPacketizer: whatever an encoder makes, packets are bounded and together
// hold all of it.
func FuzzPacketizer(f *testing.F) {
	kinds := []media.Format{formats["H264"], formats["VP8"], formats["H263"], formats["H263-1998"], formats["H261"]}
	for i, format := range kinds {
		p := small(f, format)
		f.Add(byte(i), p.data, p.side)
	}
	f.Fuzz(func(t *testing.T, which byte, data, side []byte) {
		format := kinds[int(which)%len(kinds)]
		n := 0
		p, err := frame.NewPacketizer(media.WriterFunc(func(p *rtp.Packet) error {
			if n++; n > len(data)+len(side)+10 {
				t.Fatal("packets without end")
			}
			return nil
		}), format, 200)
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Write(frame.Frame{Data: data}, side)
	})
}

// Frames say how large they are.
func TestSize(t *testing.T) {
	for name, f := range formats {
		w, h, ok := frame.Size(f.Codec, pictures(t, f, 1)[0].data)
		assert.True(t, ok, name)
		assert.Equal(t, [2]int{352, 288}, [2]int{w, h}, name)
		w, h, ok = frame.Size(f.Codec, small(t, f).data)
		assert.True(t, ok, name)
		assert.Equal(t, [2]int{176, 144}, [2]int{w, h}, name)
		for n := range 6 {
			_, _, _ = frame.Size(f.Codec, make([]byte, n))
		}
	}
}
