package video_test

import (
	"math/bits"
	"math/rand/v2"

	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/h264"
)

// bitStream is read and written from the most significant bit on.
type bitStream struct {
	data []byte
	at   int
}

func (b *bitStream) read(n int) (v uint64) {
	for range n {
		v <<= 1
		if b.at/8 < len(b.data) {
			v |= uint64(b.data[b.at/8]>>(7-b.at%8)) & 1
		}
		b.at++
	}
	return v
}

func (b *bitStream) write(n int, v uint64) {
	for i := n - 1; i >= 0; i-- {
		if b.at/8 >= len(b.data) {
			b.data = append(b.data, 0)
		}
		mask := byte(1) << (7 - b.at%8)
		b.data[b.at/8] &^= mask
		b.data[b.at/8] |= byte(v>>i&1) * mask
		b.at++
	}
}

func (b *bitStream) ue(v uint64) {
	n := bits.Len64(v + 1)
	b.write(n-1, 0)
	b.write(n, v+1)
}

// resize gives a coded picture that claims another size, as far as the codec lets a
// header claim it: w and h are cut to what there is room for. Pictures that state
// no size come back as they are.
func resize(c media.Codec, frame []byte, w, h int) []byte {
	out := append([]byte(nil), frame...)
	switch {
	case c.Is(string(media.H264)):
		return resizeH264(out, w, h)
	case c.Is(string(media.VP8)): // RFC 6386 §9.1
		if len(out) > 10 && out[0]&1 == 0 {
			w, h = min(w, 1<<14-1), min(h, 1<<14-1)
			out[6], out[7], out[8], out[9] = byte(w), byte(w>>8), byte(h), byte(h>>8)
		}
	case c.Is(string(media.VP9)): // uncompressed header of profile 0, keyframe: §6.2 of the VP9 bitstream
		if len(out) > 10 && out[0]&0xf4 == 0x80 {
			b := bitStream{data: out, at: 8 + 24 + 4}
			b.write(16, uint64(min(w, 1<<16)-1))
			b.write(16, uint64(min(h, 1<<16)-1))
			return b.data
		}
	case c.Is(string(media.AV1)):
		return resizeAV1(out, w, h)
	case c.Is(string(media.H263)), c.Is(string(media.H263Plus)):
		return resizeH263(out, w)
	case c.Is(string(media.H261)): // PTYPE bit 4, H.261 §4.2.1.3
		if len(out) > 4 {
			out[3] ^= 0x08
		}
	}
	return out
}

// resizeH264 puts a sequence parameter set (H.264 §7.3.2.1) in the place of the one
// there is.
func resizeH264(frame []byte, w, h int) []byte {
	var out []byte
	for _, nal := range h264.SplitAnnexB(frame) {
		if h264.TypeOf(nal) != h264.SPSUnit {
			out = h264.AppendAnnexB(out, nal)
			continue
		}
		b := bitStream{data: []byte{0x67, 66, 0xe0, 51}, at: 32}
		for _, v := range []uint64{0, 0, 2, 1} { // id, frame_num of 4 bits, order, references
			b.ue(v)
		}
		b.write(1, 0)
		b.ue(uint64(max(w/16, 1) - 1))
		b.ue(uint64(max(h/16, 1) - 1))
		b.write(5, 0b11001) // frames alone, inference, no cropping, no VUI, stop bit
		out = h264.AppendAnnexB(out, b.data)
	}
	return out
}

// resizeH263 states another source format (H.263 §5.1.3), or in PLUSPTYPE a picture
// of a size of its own (§5.1.4, §5.1.5).
func resizeH263(frame []byte, w int) []byte {
	if len(frame) < 8 {
		return frame
	}
	b := bitStream{data: frame, at: 35}
	if w < 2000 {
		b.write(3, uint64(1+w%5))
		return b.data
	}
	rest := append([]byte(nil), frame[6:]...)
	b.write(3, 7) // extended PTYPE
	b.write(3, 1) // UFEP: all of it is here
	b.write(3, 6) // custom source format
	b.write(15, 0b000000000001000)
	b.write(9, 0b000000001) // of picture type I
	b.write(1, 0)           // no CPM
	b.write(23, 1<<19|511<<10|1<<9|288)
	return append(b.data[:(b.at+7)/8], rest...)
}

// resizeAV1 rewrites the size in a sequence header OBU (§5.5 of the AV1 bitstream) of
// one operating point, in 16 bits each.
func resizeAV1(frame []byte, w, h int) []byte {
	var out []byte
	for rest := frame; len(rest) > 2; {
		kind := rest[0] >> 3 & 15
		n, used := leb128(rest[1:])
		if rest[0]&2 == 0 || used == 0 || 1+used+n > len(rest) {
			return append(out, rest...)
		}
		body := rest[1+used : 1+used+n]
		if kind == 1 {
			body = resizeSequence(body, w, h)
		}
		out = append(out, rest[0])
		for size := len(body); ; size >>= 7 {
			if size < 128 {
				out = append(out, byte(size))
				break
			}
			out = append(out, byte(size)|128)
		}
		out = append(out, body...)
		rest = rest[1+used+n:]
	}
	return out
}

func resizeSequence(body []byte, w, h int) []byte {
	in, out := bitStream{data: body}, bitStream{}
	// Profile, still picture, reduced header, timing, delay; then operating points.
	if in.read(3); in.read(4) != 0 || in.read(5) != 0 {
		return body
	}
	in.read(12)
	if in.read(5) > 7 {
		in.read(1)
	}
	head := in.at
	in.at = 0
	for range head {
		out.write(1, in.read(1))
	}
	wide, high := int(in.read(4))+1, int(in.read(4))+1
	in.read(wide)
	in.read(high)
	out.write(8, 0xff)
	out.write(16, uint64(min(w, 1<<16)-1))
	out.write(16, uint64(min(h, 1<<16)-1))
	for in.at < 8*len(body) {
		out.write(1, in.read(1))
	}
	return out.data
}

func leb128(b []byte) (v, used int) {
	for i := range min(len(b), 4) {
		v |= int(b[i]&127) << (7 * i)
		if b[i] < 128 {
			return v, i + 1
		}
	}
	return 0, 0
}

const sizes = 3

// forgeries are what a bad encoder, or somebody who means harm, does to a coded
// picture as a whole. Behind the first, which does nothing, stand those of sizes.
var forgeries = []func(r *rand.Rand, c media.Codec, frame []byte) []byte{
	func(_ *rand.Rand, _ media.Codec, frame []byte) []byte { return frame },
	func(_ *rand.Rand, c media.Codec, frame []byte) []byte { return resize(c, frame, 16384, 16384) },
	func(_ *rand.Rand, c media.Codec, frame []byte) []byte { return resize(c, frame, 16, 65536) },
	func(r *rand.Rand, c media.Codec, frame []byte) []byte {
		return resize(c, frame, 16*(1+r.IntN(256)), 16*(1+r.IntN(256)))
	},
	func(r *rand.Rand, _ media.Codec, frame []byte) []byte { // the head alone is bad
		out := append([]byte(nil), frame...)
		for range 1 + r.IntN(6) {
			out[r.IntN(min(len(out), 24))] ^= 1 << r.IntN(8)
		}
		return out
	},
	func(r *rand.Rand, _ media.Codec, frame []byte) []byte { return frame[:1+r.IntN(len(frame))] },
	func(r *rand.Rand, _ media.Codec, frame []byte) []byte { // flips anywhere
		out := append([]byte(nil), frame...)
		for range 1 + r.IntN(64) {
			out[r.IntN(len(out))] ^= 1 << r.IntN(8)
		}
		return out
	},
	func(r *rand.Rand, _ media.Codec, frame []byte) []byte { // two parts of it change places
		at := r.IntN(len(frame))
		return append(append([]byte(nil), frame[at:]...), frame[:at]...)
	},
}
