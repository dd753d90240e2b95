package traffic

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// Picture makes an H.264 stream of 1280x720 whose parameter sets and slice
// headers are true and whose slice data is noise: a relay reads the former only.
// Its packets carry stamps, by which they are known again.
type Picture struct {
	// FrameSize is the length of a frame in bytes: 6250 is 1.5 Mbit/s at 30
	// frames a second.
	frameSize int
	stamp     uint32
	frame     uint32
	noise     []byte
	buf       []byte
}

// fragmentSize is the slice data of one packet: with two bytes of FU-A it stays
// below the 1200 bytes that gateways keep to.
const fragmentSize = 1180

// stampAt is where in a packet's data its stamp is; magic begins it. No byte of
// a stamp is below 0x80, so that it looks like no start code.
const stampAt = 64

var magic = []byte{0xf1, 0xe2, 0xd3, 0xc4}

// NewPicture makes frames of a size in bytes.
func NewPicture(frameSize int) *Picture {
	p := &Picture{frameSize: frameSize, noise: make([]byte, 1<<16)}
	random := rand.New(rand.NewPCG(7, 8))
	for i := range p.noise {
		p.noise[i] = byte(0x80 | random.Uint32N(128))
	}
	return p
}

// Next hands the packets of the next frame to send, and the stamp of each that
// has one. A keyframe comes with its parameter sets and five times as large.
func (p *Picture) Next(key bool, send func(payload []byte, last bool, stamp uint32)) {
	size := p.frameSize
	nal := byte(0x41) // reference P
	if key {
		send(sequenceSet(), false, 0)
		send(pictureSet(), false, 0)
		size, nal, p.frame = 5*size, 0x65, 0
	}
	header := sliceHeader(key, p.frame)
	p.frame = (p.frame + 1) % 16
	for at := 0; at < size; at += fragmentSize {
		n := min(fragmentSize, size-at)
		n = max(n, 2*stampAt)
		last := at+fragmentSize >= size
		indicator := nal & 0x1f
		if at == 0 {
			indicator |= 0x80
		}
		if last {
			indicator |= 0x40
		}
		p.buf = append(p.buf[:0], nal&0xe0|28, indicator)
		if at == 0 {
			p.buf = append(p.buf, header...)
		}
		from := int(p.stamp%64) * 512
		p.buf = append(p.buf, p.noise[from:from+n]...)
		p.stamp++
		putStamp(p.buf[2+stampAt:], p.stamp)
		send(p.buf, last, p.stamp)
	}
}

func putStamp(b []byte, n uint32) {
	copy(b, magic)
	for i := range 4 {
		b[4+i] = byte(0x80 | n>>(21-7*i)&0x7f)
	}
}

// Stamp finds the stamp in a payload; 0 when there is none.
func Stamp(payload []byte) uint32 {
	i := bytes.Index(payload, magic)
	if i < 0 || len(payload) < i+8 {
		return 0
	}
	b := binary.BigEndian.Uint32(payload[i+4:])
	return b>>24&0x7f<<21 | b>>16&0x7f<<14 | b>>8&0x7f<<7 | b&0x7f
}

// sequenceSet is Constrained Baseline 3.1, 80x45 macroblocks, no reordering.
func sequenceSet() []byte {
	w := bitString{bytes: []byte{0x67, 66, 0xe0, 31}}
	w.ue(0)     // seq_parameter_set_id
	w.ue(0)     // log2_max_frame_num - 4
	w.ue(2)     // pic_order_cnt_type
	w.ue(1)     // max_num_ref_frames
	w.put(1, 0) // gaps_in_frame_num
	w.ue(79)    // width in macroblocks - 1
	w.ue(44)    // height
	w.put(1, 1) // frame_mbs_only
	w.put(1, 1) // direct_8x8_inference
	w.put(2, 0) // no cropping, no VUI
	return w.end()
}

func pictureSet() []byte {
	w := bitString{bytes: []byte{0x68}}
	w.ue(0)     // pic_parameter_set_id
	w.ue(0)     // seq_parameter_set_id
	w.put(2, 0) // CAVLC, no field order
	w.ue(0)     // one slice group
	w.ue(0)     // num_ref_idx_l0 - 1
	w.ue(0)     // num_ref_idx_l1 - 1
	w.put(3, 0) // no weighted prediction
	w.ue(0)     // pic_init_qp
	w.ue(0)     // pic_init_qs
	w.ue(0)     // chroma_qp_index_offset
	w.put(3, 0) // no deblocking control, no constrained intra, no redundancy
	return w.end()
}

// sliceHeader is that of a frame of one slice (clause 7.3.3 of H.264).
func sliceHeader(key bool, frame uint32) []byte {
	var w bitString
	w.ue(0) // first_mb_in_slice
	if key {
		w.ue(7) // I
	} else {
		w.ue(5) // P
	}
	w.ue(0)         // pic_parameter_set_id
	w.put(4, frame) // frame_num
	if key {
		w.ue(frame) // idr_pic_id
		w.put(2, 0) // dec_ref_pic_marking
	} else {
		w.put(3, 0) // no override, no reordering, no marking
	}
	w.ue(0) // slice_qp_delta
	return w.end()
}
