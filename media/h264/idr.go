package h264

import "math/bits"

// differentID is an idr_pic_id other than id, coded in as many bits where
// there is one, so that nothing behind it moves.
func differentID(id uint16) uint16 {
	switch {
	case id == 0:
		return 1
	case id == 65535 || bits.OnesCount32(uint32(id)+2) == 1: // the last of its length
		return id - 1
	}
	return id + 1
}

// idrRewriter changes idr_pic_id in slices of IDR pictures. Two IDR pictures
// in a row must differ in it (§7.4.3), or a decoder takes them for one.
type idrRewriter struct {
	rbsp []byte
	out  []byte
}

// rewrite gives the slice with idr_pic_id set to id. The result is valid until
// the next call.
func (w *idrRewriter) rewrite(nal []byte, sps *SPS, pps *PPS, id uint16) ([]byte, error) {
	h, err := readIDRHeader(nal, sps, pps)
	if err != nil {
		return nil, err
	}
	w.rbsp = appendRBSP(w.rbsp[:0], nal[1:])
	b := bitWriter{out: append(w.out[:0], nal[0])}
	b.copy(w.rbsp, 0, h.idrAt)
	b.ue(uint32(id))
	if pps.CABAC { // slice data starts on a byte, behind cabac_alignment_one_bits
		b.copy(w.rbsp, h.idrAt+h.idrBits, h.end)
		b.align()
		for _, data := range w.rbsp[(h.end+7)/8:] {
			b.byte(data)
		}
	} else {
		b.copy(w.rbsp, h.idrAt+h.idrBits, lastOne(w.rbsp)+1)
		b.pad()
	}
	w.out = b.out
	return b.out, nil
}

// appendRBSP removes emulation prevention bytes.
func appendRBSP(dst, ebsp []byte) []byte {
	zeros := 0
	for _, b := range ebsp {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if dst = append(dst, b); b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return dst
}

// lastOne is the position of the last one bit: rbsp_stop_one_bit.
func lastOne(rbsp []byte) int {
	for i := len(rbsp) - 1; i >= 0; i-- {
		if rbsp[i] != 0 {
			return i*8 + 7 - bits.TrailingZeros8(rbsp[i])
		}
	}
	return -1
}

// idrSequence sees to it that IDR pictures of two sources, or two in a row, do
// not bear the same idr_pic_id.
type idrSequence struct {
	rewriter idrRewriter
	sent     bool
	last     uint16 // idr_pic_id of the IDR picture sent last
	adjacent bool   // it was the last picture sent, or the source changed since
	rewrite  bool   // the picture under way takes the identifier last
}

// apply gives the slice of an IDR picture with an identifier that sets it
// apart from the IDR picture before; first says that it opens the picture.
func (q *idrSequence) apply(nal []byte, sps *SPS, pps *PPS, first bool) []byte {
	h, err := ParseSliceHeader(nal, sps)
	if err != nil {
		return nal
	}
	if first {
		q.rewrite = q.sent && q.adjacent && h.IDRPicID == q.last
		q.last = h.IDRPicID
		if q.rewrite {
			q.last = differentID(h.IDRPicID)
		}
		q.sent, q.adjacent = true, true
	}
	if !q.rewrite || h.IDRPicID == q.last {
		return nal
	}
	changed, err := q.rewriter.rewrite(nal, sps, pps, q.last)
	if err != nil {
		return nal // a slice we cannot read to its end goes as it is
	}
	return changed
}

// bitWriter appends bits to a NAL unit and inserts emulation prevention.
type bitWriter struct {
	out   []byte
	cur   byte
	n     int // bits in cur
	zeros int
}

func (b *bitWriter) byte(v byte) {
	if b.zeros >= 2 && v <= 3 {
		b.out = append(b.out, 3)
		b.zeros = 0
	}
	b.out = append(b.out, v)
	if v == 0 {
		b.zeros++
	} else {
		b.zeros = 0
	}
}

// put writes the low n bits of v, at most eight.
func (b *bitWriter) put(v byte, n int) {
	all := uint16(b.cur)<<n | uint16(v)&(1<<n-1)
	if b.n += n; b.n >= 8 {
		b.n -= 8
		b.byte(byte(all >> b.n))
	}
	b.cur = byte(all & (1<<b.n - 1))
}

func (b *bitWriter) ue(v uint32) {
	n := bits.Len32(v + 1)
	for range n - 1 {
		b.put(0, 1)
	}
	for i := n - 1; i >= 0; i-- {
		b.put(byte((v+1)>>i&1), 1)
	}
}

// copy writes the bits of src from position from up to position to.
func (b *bitWriter) copy(src []byte, from, to int) {
	for ; from < to && from%8 != 0; from++ {
		b.put(src[from/8]>>(7-from%8), 1)
	}
	for ; from+8 <= to; from += 8 {
		b.put(src[from/8], 8)
	}
	if rest := to - from; rest > 0 {
		b.put(src[from/8]>>(8-rest), rest)
	}
}

// align fills the byte with ones, pad with zeros.
func (b *bitWriter) align() {
	for b.n > 0 {
		b.put(1, 1)
	}
}

func (b *bitWriter) pad() {
	if b.n > 0 {
		b.put(0, 8-b.n)
	}
}
